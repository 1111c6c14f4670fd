"""Signed bundles: the only thing that the runtime runs."""
