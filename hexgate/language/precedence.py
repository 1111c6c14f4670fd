"""How infix operators group: the grammar leaves a chain of them flat. All associate to the left (CEL language definition, "Syntax")."""

from __future__ import annotations

PRECEDENCE = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
"""How tightly an operator binds, by its text."""

TERMINAL_PRECEDENCE = {"OR": 1, "AND": 2, "RELATION": 3, "IN": 3, "SUM": 4, "MINUS": 4, "PRODUCT": 5}
"""The same by the grammar's terminal."""

UNARY = 6
"""`!` and `-` before an operand."""

MEMBER = 7
"""`a.b`, `a[b]`, `a.f()` and what may stand to the left of these."""
