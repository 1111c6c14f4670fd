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


NUMBER_MAX = 2**53 - 1
"""Numbers of a table, at most: what every JSON reader keeps exactly."""

_RULE_REASONS = (Reason.RULE, Reason.CONSTRAINT_FAILED, Reason.EVALUATION_ERROR)


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
    """The table of bytes that `write_table` made: any other bytes are refused, also those that say the same otherwise.
    Raises PolicyTableError."""
    try:
        document: Any = parse_json(data)
        if document["format"] != FORMAT:
            raise PolicyTableError(f"the policy table has another format than `{FORMAT}`")
        reads = document["reads"]
        table = PolicyTable(
            tuple(map(_rule, document["rules"])),
            tuple(_outcome(*outcome) for outcome in document["outcomes"]),
            tuple(map(_text, document["roles"])),
            {_text(tool): _reads(members) for tool, members in reads["tools"].items()},
            tuple((_text(pattern), _reads(members)) for pattern, members in reads["patterns"]),
            _reads(reads["default"]),
        )
        canonical = write_table(table)
    except (StrictJsonError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyTableError("the policy table is malformed") from error
    if canonical != data:
        raise PolicyTableError("the policy table is not in its one form")
    if len(set(table.roles)) != len(table.roles):
        raise PolicyTableError("the policy table names a role twice")
    for outcome in table.outcomes:
        _refuse_outcome(outcome, table)
    return table


def _refuse_outcome(outcome: Outcome, table: PolicyTable) -> None:
    """An outcome must be one that a rule can end with, at a constraint that the rule has."""
    if outcome.reason not in _RULE_REASONS or (outcome.reason is Reason.RULE) != (outcome.constraint is None):
        raise PolicyTableError("an outcome of the policy table is none that a rule has")
    constraints = len(table.rules[outcome.rule].constraints) if outcome.rule < len(table.rules) else -1
    if constraints < 0 or not (outcome.constraint is None or outcome.constraint < constraints):
        raise PolicyTableError("an outcome of the policy table names no rule or no constraint")


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


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("a text is another value")
    value.encode()
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= NUMBER_MAX:
        raise TypeError("a number is another value")
    return value


def _place(file: Any, line: Any, column: Any, length: Any) -> Place:
    return Place(_text(file), _number(line), _number(column), _number(length))


def _rule(members: Any) -> RuleReference:
    role, message, expires_in = members["role"], members["message"], members["expires_in"]
    return RuleReference(
        None if role is None else _text(role),
        _text(members["tool"]),
        _number(members["number"]),
        Verdict(members["mode"]),
        _place(*members["place"]),
        tuple(ConstraintReference(_text(text), _place(*place)) for text, *place in members["constraints"]),
        None if message is None else _text(message),
        tuple(map(_text, members["approvers"])),
        None if expires_in is None else _number(expires_in),
    )


def _outcome(reason: Any, rule: Any, constraint: Any) -> Outcome:
    return Outcome(Reason(reason), _number(rule), None if constraint is None else _number(constraint))


def _members_to_json(members: Members) -> list[str] | str:
    return "*" if isinstance(members, Everything) else sorted(members)


def _reads_to_dict(reads: Reads) -> dict[str, Any]:
    """Only the roots of which something is read."""
    roots = {"args": reads.args, "attrs": reads.attrs, "ctx": reads.ctx, "resource": reads.resource}
    made: dict[str, Any] = {name: _members_to_json(members) for name, members in roots.items() if members}
    return {**made, "now": True} if reads.now else made


def _members(value: Any) -> Members:
    return EVERYTHING if value == "*" else frozenset(map(_text, value))


def _reads(members: Any) -> Reads:
    return Reads(
        _members(members.get("args", ())),
        _members(members.get("attrs", ())),
        _members(members.get("ctx", ())),
        _members(members.get("resource", ())),
        members.get("now", False) is True,
    )
