"""Checks as the library's Datalog. The texts of a token go in as parameters only: none of them is ever parsed again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hexgate.identity.block import Check, Comparison, Date, Kind, Operator, Predicate, Query, Term, Variable

_METHODS = {Operator.CONTAINS: "contains", Operator.STARTS_WITH: "starts_with", Operator.ENDS_WITH: "ends_with"}
_SIGNS = {
    Operator.LESS: "<", Operator.GREATER: ">", Operator.LESS_OR_EQUAL: "<=", Operator.GREATER_OR_EQUAL: ">=",
    Operator.STRICTLY_EQUAL: "===", Operator.STRICTLY_NOT_EQUAL: "!==", Operator.EQUAL: "==", Operator.NOT_EQUAL: "!=",
}  # fmt: skip
_KINDS = {Kind.IF: "check if", Kind.ALL: "check all", Kind.REJECT: "reject if"}


def check_to_datalog(check: Check) -> tuple[str, dict[str, Any]]:
    """The source of a check of the profile, and its parameters. Variables get names of our own."""
    writer = _Writer()
    return f"{_KINDS[check.kind]} {' or '.join(writer.query(query) for query in check.queries)}", writer.parameters


class _Writer:
    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self._variables: dict[str, str] = {}

    def query(self, query: Query) -> str:
        found = [self._predicate(predicate) for predicate in query.predicates]
        return ", ".join(found + [self._comparison(comparison) for comparison in query.comparisons if comparison is not None])

    def _predicate(self, predicate: Predicate) -> str:
        return f"{predicate.name}({', '.join(map(self._term, predicate.terms))})"

    def _comparison(self, comparison: Comparison) -> str:
        left, right = self._term(comparison.left), self._term(comparison.right)
        method = _METHODS.get(comparison.operator)
        text = f"{left}.{method}({right})" if method else f"{left} {_SIGNS[comparison.operator]} {right}"
        return f"!({text})" if comparison.negated else text

    def _term(self, term: Term) -> str:
        if isinstance(term, Variable):
            return "$" + self._variables.setdefault(term.name, f"v{len(self._variables)}")
        if isinstance(term, tuple) and not isinstance(term[0], str | Date):
            # Python's sets take True for 1, and the library takes a list of small integers for bytes. Digits need no parameter.
            return f"[{', '.join(str(element).lower() for element in term)}]"
        name = f"p{len(self.parameters)}"
        self.parameters[name] = {_parameter(element) for element in term} if isinstance(term, tuple) else _parameter(term)
        return f"{{{name}}}"


def _parameter(term: Term) -> Any:
    return datetime.fromtimestamp(term.seconds, UTC) if isinstance(term, Date) else term
