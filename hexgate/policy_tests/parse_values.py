"""The arguments, names and instants of a policy test, out of YAML."""

from __future__ import annotations

from typing import Any

from hexgate.faults import EvaluationFault
from hexgate.language.operations_time import parse_timestamp
from hexgate.policy.reading import Reader, shorten
from hexgate.policy.values import constant_value
from hexgate.policy.yaml_tree import Mapping, Node, Scalar, Sequence


class Reported(Exception):
    """The value was reported, and the case is left out: a way out of a nested read, not an error that anybody sees."""


def argument_value(reader: Reader, node: Node) -> Any:
    """A value as JSON has it: null, bool, int, double, text, list or map. Raises Reported."""
    match node:
        case Scalar() if node.is_null:
            return None
        case Scalar():
            found = constant_value(reader, node)
            if found is None:
                raise Reported
            return found.value
        case Sequence(items):
            _require_whole(node.is_broken)
            return [argument_value(reader, item) for item in items]
        case Mapping(entries):
            _require_whole(bool(node.broken))
            return {key.text: argument_value(reader, member) for key, member in entries}


def _require_whole(is_broken: bool) -> None:
    if is_broken:
        raise Reported


def object_value(reader: Reader, tree: Mapping, name: str) -> dict[str, Any]:
    """A key whose value is a map of values; empty where it is absent. Raises Reported."""
    node = tree.get(name)
    _require_whole(name in tree.broken)
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return {}
    if not isinstance(node, Mapping):
        reader.report("HG204", f"`{name}` is a map", node.place, f"for example `{name}: {{amount: 30}}`")
        raise Reported
    found: dict[str, Any] = argument_value(reader, node)
    return found


def name_value(reader: Reader, node: Node, what: str) -> str:
    """A text. Raises Reported."""
    if isinstance(node, Scalar) and not node.is_null:
        return node.source.text
    reader.report("HG204", f"`{what}` is a text", node.place, "write it on one line, or in quotes")
    raise Reported


def name_values(reader: Reader, tree: Mapping, one: str, many: str) -> list[tuple[str, Scalar]]:
    """The text of the key `one`, or the texts of the list `many`, with what they stand in. Raises Reported."""
    single, several = tree.get(one), tree.get(many)
    if single is not None and several is not None:
        reader.report("HG202", f"`{one}` and `{many}` stand side by side", tree.key_place(many), "write one of them")
        raise Reported
    if single is not None:
        return [_named(reader, single, one)]
    if several is None:
        _require_whole(bool(tree.broken & {one, many}))
        return []
    if not isinstance(several, Sequence) or not several.items:
        reader.report("HG204", f"`{many}` is a list of names", several.place, f"for example `{many}: [billing, auditor]`")
        raise Reported
    _require_whole(several.is_broken)
    return [_named(reader, item, many) for item in several.items]


def _named(reader: Reader, node: Node, what: str) -> tuple[str, Scalar]:
    text = name_value(reader, node, what)
    if not isinstance(node, Scalar):
        raise Reported
    return text, node


def instant_value(reader: Reader, node: Node) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time (docs/language.md L4.7). Raises Reported."""
    text = node.source.text if isinstance(node, Scalar) else ""
    try:
        return parse_timestamp(text).nanoseconds
    except EvaluationFault:
        message = f"`{shorten(text)}` is no instant" if text else "`now` is an instant"
        reader.report("HG210", message, node.place, "write RFC 3339, as in `2026-01-31T09:00:00Z`")
        raise Reported from None
