"""Put the bodies of the prelude's smallest functions in place of calls to them.

A function is inlined when its body is one short expression without calls, in which each parameter stands exactly once, in
order: `$tag`, `$address`, `$is_fault` and the like. A call of them costs more than what they do, above all with fuel,
which is saved and loaded around each.
"""

from __future__ import annotations

import re

_SHAPE = re.compile(r"\(func \$(\w+)((?: \(param \$\w+ i32\))+) \(result i32\)\s+")
_PARAMETER = re.compile(r"\(param (\$\w+) i32\)")
_CALL = re.compile(r"\(call \$(\w+)(?=[\s)])")
COMMENT = re.compile(r";;[^\n]*")
"""A comment of WAT to the end of its line. The prelude has no strings that could hold one."""

_BRACKET = re.compile(r"[()]")

LONGEST = 90
"""Length of a body in characters, at most: longer ones stay functions."""


def templates(functions: dict[str, str]) -> dict[str, list[str]]:
    """For each function of these texts that is inlined, its body cut at the parameters."""
    found: dict[str, list[str]] = {}
    for name, text in functions.items():
        code = COMMENT.sub("", text)
        match = _SHAPE.search(code)
        if match is None or match.group(1) != name:
            continue
        body = " ".join(code[match.end() : code.rstrip().rindex(")")].split())
        if len(body) > LONGEST or _end_of(body, 0) != len(body) or "(call " in body:
            continue
        parts = re.split(r"\(local\.get (\$\w+)\)", body)
        if parts[1::2] == _PARAMETER.findall(match.group(2)):
            found[name] = parts[::2]
    return found


def inline(text: str, bodies: dict[str, list[str]]) -> str:
    """A text of folded WAT with calls of these functions replaced by their bodies. Comments must be out of it."""
    pieces: list[str] = []
    position = 0
    for match in _CALL.finditer(text):
        if match.start() < position or match.group(1) not in bodies:
            continue
        parts = bodies[match.group(1)]
        end = _end_of(text, match.start())
        operands = _operands(text, match.end(), end - 1)
        made = parts[0] + "".join(inline(operand, bodies) + rest for operand, rest in zip(operands, parts[1:], strict=True))
        pieces += [text[position : match.start()], made]
        position = end
    return "".join([*pieces, text[position:]])


def _operands(text: str, start: int, end: int) -> list[str]:
    """The parenthesized expressions between two positions."""
    operands = []
    while (start := text.find("(", start, end)) >= 0:
        after = _end_of(text, start)
        operands.append(text[start:after])
        start = after
    return operands


def _end_of(text: str, start: int) -> int:
    """The position after the parenthesis that closes the one at `start`; -1 where there is none."""
    depth = 0
    for match in _BRACKET.finditer(text, start):
        depth += 1 if match.group() == "(" else -1
        if depth == 0:
            return match.end()
    return -1

