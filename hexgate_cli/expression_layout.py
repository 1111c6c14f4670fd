"""Canonical expression text on several lines, and comments in expressions."""

from __future__ import annotations

import re

from hexgate.language.parse import parse
from hexgate.language.tree import Binary, Expr

_LITERAL = r"""
    [rR][bB]?(?P<rq>\"\"\"|'''|"|').*?(?P=rq)                 # raw: a backslash is a backslash
  | [bB][rR](?P<bq>\"\"\"|'''|"|').*?(?P=bq)
  | [bB]?(?P<q>\"\"\"|'''|"|')(?:\\.|(?!(?P=q)).)*(?P=q)
  | `[^`\n]*`
"""
_PIECE = re.compile(rf"(?P<literal>{_LITERAL})|(?P<name>[A-Za-z_0-9]+)|(?P<comment>//)|.", re.VERBOSE | re.DOTALL)


def has_comment(text: str) -> bool:
    """Whether an expression that parses has a `//` comment (cel-spec, "Syntax": COMMENT)."""
    return any(match["comment"] for match in _PIECE.finditer(text))


def break_lines(canonical: str, width: int) -> list[str]:
    """A canonical text on as many lines as it needs: one if it fits; else a line for each operand of the outermost
    `&&` or `||`; and a line that is still too wide is filled, its continuation indented by two."""
    if len(canonical) <= width:
        return [canonical]
    lines = []
    start = 0
    for end in _operator_ends(parse(canonical)):
        lines.append(canonical[start:end])
        start = end + 1
    lines.append(canonical[start:])
    return [piece for line in lines for piece in _fill(line, width)]


def _operator_ends(tree: Expr) -> list[int]:
    """Where the operators of the outermost `&&` or `||` chain end, from left to right."""
    ends: list[int] = []
    node = tree
    while isinstance(node, Binary) and isinstance(tree, Binary) and node.operator == tree.operator in ("&&", "||"):
        ends.append(node.operator_span.end)
        node = node.left
    return ends[::-1]


def _fill(line: str, width: int) -> list[str]:
    """A line broken at spaces outside of literals, as late as the width allows."""
    words: list[str] = [""]
    for match in _PIECE.finditer(line):
        if match[0] == " ":
            words.append("")
        else:
            words[-1] += match[0]
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}")
    return lines
