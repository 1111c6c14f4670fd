"""Who is calling: Biscuit tokens, read under guards (docs/identity.md)."""
