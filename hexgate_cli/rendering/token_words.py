"""What a token restricts, in plain words."""

from __future__ import annotations

import json

from hexgate.bundle.strict_members import format_time
from hexgate.identity.block import Check, Comparison, Date, Kind, Operator, Predicate, Query, Term, Unread, Variable
from hexgate.identity.envelope import TOKEN_BLOCKS, read_envelope
from hexgate.identity.profile import FOREVER, is_evaluated, time_span

_ARGUMENT = "the argument"
_SECOND = 10**9
_LAST_SECOND = 253_402_300_799  # of the year 9999
_WORDS = {
    Operator.LESS: ("is less than", "is not less than"),
    Operator.GREATER: ("is more than", "is not more than"),
    Operator.LESS_OR_EQUAL: ("is at most", "is not at most"),
    Operator.GREATER_OR_EQUAL: ("is at least", "is not at least"),
    Operator.STRICTLY_EQUAL: ("is", "is not"),
    Operator.EQUAL: ("is", "is not"),
    Operator.STRICTLY_NOT_EQUAL: ("is not", "is"),
    Operator.NOT_EQUAL: ("is not", "is"),
    Operator.CONTAINS: ("contains", "does not contain"),
    Operator.STARTS_WITH: ("starts with", "does not start with"),
    Operator.ENDS_WITH: ("ends with", "does not end with"),
}


def count_blocks(token: str) -> str:
    """`2 of 8 blocks`. Raises TokenRefusedError."""
    return f"{len(read_envelope(token).blocks)} of {TOKEN_BLOCKS} blocks"


def describe_check(check: Check) -> str:
    """A check as a condition on calls; what is not evaluated refuses all of them."""
    if not is_evaluated(check):
        return "no call at all: a check here has a form that is not evaluated"
    span = time_span(check)
    if span is not None:
        return _describe_span(*span)
    alternatives = [_describe_query(query) for query in check.queries]
    if check.kind is Kind.ALL:
        return "only if always " + ", or always ".join(alternatives)
    return "only if " + ", or if ".join(alternatives)


def _describe_span(since: int, until: int) -> str:
    parts = []
    if since > 0:
        parts.append(f"from {format_instant(since // _SECOND)} on")
    if until < FOREVER:
        parts.append(f"before {format_instant(until // _SECOND)}")
    return "only " + " and ".join(parts)


def _describe_query(query: Query) -> str:
    subjects: dict[str, str] = {}
    conditions: list[str] = []
    for predicate in query.predicates:
        subject = _subject(predicate)
        last = predicate.terms[-1]
        if isinstance(last, Variable):
            first = subjects.setdefault(last.name, subject)
            if first != subject:
                conditions.append(f"{subject} equals {first}")
        elif predicate.name == "arg_opaque":
            conditions.append(f"{subject} is no string, integer or bool")
        else:
            conditions.append(f"{subject} is {format_term(last)}")
    used = {term.name for found in query.comparisons if found for term in (found.left, found.right) if isinstance(term, Variable)}
    for name, subject in subjects.items():
        # A tool and a time there are always.
        if name not in used and subject.startswith(_ARGUMENT):
            conditions.append(f"{subject} is a string, an integer or a bool")
    conditions += [_describe_comparison(comparison, subjects) for comparison in query.comparisons if comparison is not None]
    return " and ".join(conditions) or "there is a call"


def _subject(predicate: Predicate) -> str:
    match predicate:
        case Predicate("tool", _):
            return "the tool"
        case Predicate("time", _):
            return "the time"
        case Predicate(_, (name, *_)):
            return f"{_ARGUMENT} {format_term(name)}"
    return predicate.name


def _describe_comparison(comparison: Comparison, subjects: dict[str, str]) -> str:
    def name(term: Term) -> str:
        return subjects.get(term.name, term.name) if isinstance(term, Variable) else format_term(term)

    if comparison.operator is Operator.CONTAINS and isinstance(comparison.left, tuple):
        word = "is not one of" if comparison.negated else "is one of"
        return f"{name(comparison.right)} {word} {', '.join(format_term(element) for element in comparison.left)}"
    words = _WORDS[comparison.operator][comparison.negated]
    return f"{name(comparison.left)} {words} {name(comparison.right)}"


def describe_fact(fact: Predicate) -> str:
    """A fact as Datalog has it, with strings as JSON has them."""
    return f"{fact.name}({', '.join(format_term(term) for term in fact.terms)})"


def format_term(term: Term) -> str:
    """A value, visibly. A string is a JSON string, so that nothing in it passes for something else."""
    match term:
        case tuple():
            return f"[{', '.join(format_term(element) for element in term)}]"
        case Date(seconds):
            return format_instant(seconds)
        case bytes():
            return f"hex:{term.hex()}"
        case Variable(name):
            return f"${name}"
        case Unread():
            return "…"
    return json.dumps(term, ensure_ascii=False)


def format_instant(seconds: int) -> str:
    """RFC 3339 in UTC, as far as that goes."""
    return format_time(seconds) if seconds <= _LAST_SECOND else "after the year 9999"
