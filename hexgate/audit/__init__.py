"""The audit log: every decision is one line that cannot be changed, dropped or moved unnoticed (docs/audit.md)."""
