"""Write what was got in place of what was expected, and leave everything else of the file as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hexgate.place import Place
from hexgate.policy.yaml_tree import Scalar, Sequence, parse_yaml
from hexgate.policy_tests.run import CaseResult, facts_of
from hexgate.policy_tests.suite import Cell


@dataclass(frozen=True, slots=True)
class Edit:
    """One expected value and what is to stand in its place."""

    place: Place
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """An expected value that cannot be written anew, and why."""

    place: Place
    reason: str


def plan_update(text: str, results: Iterable[CaseResult]) -> tuple[tuple[Edit, ...], tuple[Stuck, ...]]:
    """The edits that make every expectation of a file true, in order of place. Cases that share a cell must have got one value; a value
    over several lines stays. `text` is the file's; every result is of one of its cases."""
    lines = text.split("\n")
    wanted: dict[Place, tuple[Cell, set[str | None]]] = {}
    for result in results:
        found = facts_of(result.decision)
        for name, cell in result.case.expected.cells.items():
            wanted.setdefault(cell.source.place, (cell, set()))[1].add(found[name])
    edits, stuck = [], []
    for place, (cell, values) in sorted(wanted.items(), key=lambda item: (item[0].line, item[0].column)):
        if values == {cell.text}:
            continue
        old = lines[place.line - 1][place.column - 1 : place.column - 1 + place.length]
        if len(values) > 1:
            stuck.append(Stuck(place, "the cases that share it got different answers: write one for each"))
        elif not _stands_alone(old, cell):
            stuck.append(Stuck(place, "it is written over several lines"))
        else:
            edits.append(Edit(place, old, scalar_text(values.pop())))
    return tuple(edits), tuple(stuck)


def _stands_alone(raw: str, cell: Cell) -> bool:
    """Whether this stretch of a line is the whole expected value."""
    tree, found = parse_yaml("", f"- {raw}".encode())
    item = tree.items[0] if isinstance(tree, Sequence) and tree.items else None
    return not found and isinstance(item, Scalar) and item.source.text == cell.source.text


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with every edit made. All are of the text as it is."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda one: (one.place.line, one.place.column), reverse=True):
        line, start = lines[edit.place.line - 1], edit.place.column - 1
        lines[edit.place.line - 1] = line[:start] + edit.new + line[start + edit.place.length :]
    return "\n".join(lines)


def scalar_text(value: str | None) -> str:
    """A value as YAML has it in any place: a word as it is, any other text in double quotes, `null` for none."""
    if value is None:
        return "null"
    if value.isascii() and value.replace("_", "").isalpha() and value.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n"):
        return value
    escaped = "".join(_ESCAPES.get(sign) or (sign if sign.isprintable() else f"\\U{ord(sign):08X}") for sign in value)
    return f'"{escaped}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
