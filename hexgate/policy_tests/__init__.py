"""Policy tests: cases in YAML beside the policies, what they expect, and what the engines decide (docs/policy-tests.md)."""
