"""Calls that wait for somebody: requested, decided on by an approver, consumed once (docs/approvals.md)."""
