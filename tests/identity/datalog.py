"""Datalog of what was read from a block, in the library's own spelling: to compare the two readers."""

from __future__ import annotations

from datetime import UTC, datetime

from hexgate.identity.block import (
    Block,
    Check,
    Comparison,
    Date,
    Kind,
    Operator,
    Predicate,
    Query,
    Term,
    Unread,
    Variable,
)

_METHODS = {Operator.CONTAINS: "contains", Operator.STARTS_WITH: "starts_with", Operator.ENDS_WITH: "ends_with"}
_SIGNS = {
    Operator.LESS: "<", Operator.GREATER: ">", Operator.LESS_OR_EQUAL: "<=", Operator.GREATER_OR_EQUAL: ">=",
    Operator.STRICTLY_EQUAL: "===", Operator.STRICTLY_NOT_EQUAL: "!==", Operator.EQUAL: "==", Operator.NOT_EQUAL: "!=",
}  # fmt: skip
_KINDS = {Kind.IF: "check if", Kind.ALL: "check all", Kind.REJECT: "reject if"}


def print_block(block: Block) -> list[str] | None:
    """The lines of a block, or None where something in it was not read."""
    if block.derives or "Unread" in repr(block):
        return None
    if any(comparison is None for check in block.checks for query in check.queries for comparison in query.comparisons):
        return None
    return [*(f"{print_predicate(fact)};" for fact in block.facts), *(f"{print_check(check)};" for check in block.checks)]


def print_check(check: Check) -> str:
    return f"{_KINDS[check.kind]} {' or '.join(map(_query, check.queries))}"


def _query(query: Query) -> str:
    return ", ".join([*map(print_predicate, query.predicates), *(_comparison(found) for found in query.comparisons if found)])


def print_predicate(predicate: Predicate) -> str:
    return f"{predicate.name}({', '.join(map(_term, predicate.terms))})"


def _comparison(comparison: Comparison) -> str:
    left, right = _term(comparison.left), _term(comparison.right)
    method = _METHODS.get(comparison.operator)
    text = f"{left}.{method}({right})" if method else f"{left} {_SIGNS[comparison.operator]} {right}"
    return f"!{text}" if comparison.negated else text


def _term(term: Term) -> str:
    match term:
        case bool():
            return str(term).lower()
        case str():
            return f'"{term}"'
        case None:
            return "null"
        case Variable(name):
            return f"${name}"
        case Date(seconds):
            return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case bytes():
            return f"hex:{term.hex()}"
        case tuple():
            return f"{{{', '.join(map(_term, term))}}}"
        case Unread():
            raise AssertionError("a term that was not read")
    return str(term)
