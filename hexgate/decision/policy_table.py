"""The policy table as JSON, and back: `policy.json` beside a module. Strict on the way in."""

from __future__ import annotations

import json
from typing import Any

from hexgate.decision.decision import ConstraintReference, Reason, RuleReference, Verdict
from hexgate.decision.outcomes import Outcome, PolicyTable
from hexgate.decision.reads import EVERYTHING, Everything, Members, Reads
from hexgate.place import Place
from hexgate.strict_json import StrictJsonError, parse_json

FORMAT = "hexgate.policy-table.v1"


class PolicyTableError(Exception):
    """Bytes that are no policy table of this version."""


def write_table(table: PolicyTable) -> bytes:
    """The canonical JSON of a table: keys in a fixed order, no white space, ASCII."""
    document = {
        "format": FORMAT,
        "roles": list(table.roles),
        "rules": [_rule_to_dict(rule) for rule in table.rules],
        "outcomes": [[outcome.reason.value, outcome.rule, outcome.constraint] for outcome in table.outcomes],
        "reads": {
            "tools": {tool: _reads_to_dict(reads) for tool, reads in table.tool_reads.items()},
            "patterns": [[pattern, _reads_to_dict(reads)] for pattern, reads in table.pattern_reads],
            "default": _reads_to_dict(table.default_reads),
        },
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()


def read_table(data: bytes) -> PolicyTable:
    """The table of bytes that `write_table` made. Raises PolicyTableError."""
    try:
        document: Any = parse_json(data)
        if document["format"] != FORMAT:
            raise PolicyTableError(f"the policy table has another format than `{FORMAT}`")
        reads = document["reads"]
        table = PolicyTable(
            tuple(map(_rule, document["rules"])),
            tuple(Outcome(Reason(reason), rule, constraint) for reason, rule, constraint in document["outcomes"]),
            tuple(document["roles"]),
            {tool: _reads(members) for tool, members in reads["tools"].items()},
            tuple((pattern, _reads(members)) for pattern, members in reads["patterns"]),
            _reads(reads["default"]),
        )
    except (StrictJsonError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyTableError("the policy table is malformed") from error
    for outcome in table.outcomes:
        constraints = len(table.rules[outcome.rule].constraints) if 0 <= outcome.rule < len(table.rules) else -1
        if constraints < 0 or not (outcome.constraint is None or 0 <= outcome.constraint < constraints):
            raise PolicyTableError("an outcome of the policy table names no rule or no constraint")
    return table


def _place_to_list(place: Place) -> list[str | int]:
    return [place.file, place.line, place.column, place.length]


def _rule_to_dict(rule: RuleReference) -> dict[str, Any]:
    return {
        "role": rule.role,
        "tool": rule.tool,
        "number": rule.number,
        "mode": rule.mode.value,
        "place": _place_to_list(rule.place),
        "constraints": [[constraint.text, *_place_to_list(constraint.place)] for constraint in rule.constraints],
        "message": rule.message,
        "approvers": list(rule.approvers),
        "expires_in": rule.expires_in,
    }


def _rule(members: Any) -> RuleReference:
    return RuleReference(
        members["role"],
        members["tool"],
        members["number"],
        Verdict(members["mode"]),
        Place(*members["place"]),
        tuple(ConstraintReference(text, Place(*place)) for text, *place in members["constraints"]),
        members["message"],
        tuple(members["approvers"]),
        members["expires_in"],
    )


def _members_to_json(members: Members) -> list[str] | str:
    return "*" if isinstance(members, Everything) else sorted(members)


def _reads_to_dict(reads: Reads) -> dict[str, Any]:
    """Only the roots of which something is read."""
    roots = {"args": reads.args, "attrs": reads.attrs, "ctx": reads.ctx, "resource": reads.resource}
    made: dict[str, Any] = {name: _members_to_json(members) for name, members in roots.items() if members}
    return {**made, "now": True} if reads.now else made


def _members(value: Any) -> Members:
    if value == "*":
        return EVERYTHING
    return frozenset(value)


def _reads(members: Any) -> Reads:
    return Reads(
        _members(members.get("args", ())),
        _members(members.get("attrs", ())),
        _members(members.get("ctx", ())),
        _members(members.get("resource", ())),
        members.get("now", False) is True,
    )
