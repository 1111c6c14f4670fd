"""Constraint expressions: the tree, the types, the table of functions, and parse, print, check, interpret.

The language is the Common Expression Language (CEL, cel.dev); `docs/language.md` states the profile in clauses.
Stages: `parse` (text to tree), `check` (tree to checked tree), `interpret` (checked tree to value).
"""
