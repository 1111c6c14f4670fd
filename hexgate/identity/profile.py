"""What a token may say, and what that means: the guard before anything in it is evaluated (docs/identity.md I3, I4).

Whoever holds a token can add blocks to it, so a block is work that a stranger asks for. Only checks whose predicates each match at
most one fact pass, and of those a bounded number: nothing is left that could be joined or recursed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hexgate.decision.decision import User
from hexgate.decision.request import is_name, is_plain_name
from hexgate.identity.block import Block, Check, Comparison, Date, Kind, Operator, Predicate, Query, Unread, Variable
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.limits import TIMESTAMP_MAX
from hexgate.values import Timestamp

LAST_SECOND = 253_402_300_799
"""The last one of the year 9999, after which tokens have no times."""

TOKEN_CHECKS = 32
QUERIES = 8
PREDICATES = 4
COMPARISONS = 8
SET_ELEMENTS = 64
ARGUMENTS = 16
"""How many a token may have: checks in all, queries of a check, predicates and comparisons of a query, elements of a set, names of
arguments in all checks."""

NARROWER_ROLES = 16
AUDIENCES = 8
ATTRIBUTES = 64
"""How many facts of a kind the first block may state."""

FOREVER = 2**63
_SECOND = 10**9
_CALL_FACTS = ("tool", "arg", "arg_opaque", "time")
"""What the gate states of a call. A token that stated one of these itself would satisfy its own checks."""

_ORDER = (Operator.LESS, Operator.GREATER, Operator.LESS_OR_EQUAL, Operator.GREATER_OR_EQUAL)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. Times are nanoseconds since the epoch: it is valid from `since` and before `until`.

    `call_checks` are all checks but those that the two times say already, and `arguments` are the names that they read.
    """

    user: User
    narrower_roles: tuple[str, ...]
    audiences: tuple[str, ...]
    since: int
    until: int
    call_checks: tuple[Check, ...]
    arguments: tuple[str, ...]


def read_claims(blocks: Sequence[Block]) -> Claims:
    """What the blocks of a token say, if it is nothing else than a token may say. Raises TokenRefusedError."""
    for block in blocks:
        if block.derives:
            raise TokenRefusedError(TokenRefusal.RULE, "a block of the token derives facts, or chooses whom to trust")
    if any(block.facts for block in blocks[1:]):
        raise TokenRefusedError(TokenRefusal.FACT, "a block after the first states facts")
    if any(fact.name in _CALL_FACTS for fact in blocks[0].facts):
        raise TokenRefusedError(TokenRefusal.FACT, "the token states facts about a call, which only the gate does")
    checks = [check for block in blocks for check in block.checks]
    if len(checks) > TOKEN_CHECKS or not all(map(is_evaluated, checks)):
        raise TokenRefusedError(TokenRefusal.CHECK, "a check of the token has a form that is not evaluated")
    arguments = {str(name) for name in _names_of_arguments(checks)}
    if len(arguments) > ARGUMENTS:
        raise TokenRefusedError(TokenRefusal.CHECK, f"the checks of the token read more than {ARGUMENTS} arguments")
    spans = [(check, time_span(check)) for check in checks]
    times = [span for _, span in spans if span is not None]
    return Claims(
        _read_user(blocks[0].facts),
        _texts(blocks[0].facts, "narrower_role", NARROWER_ROLES),
        _texts(blocks[0].facts, "audience", AUDIENCES),
        max((since for since, _ in times), default=0),
        min((until for _, until in times), default=FOREVER),
        tuple(check for check, span in spans if span is None),
        tuple(sorted(arguments)),
    )


def is_evaluated(check: Check) -> bool:
    """Whether a check has one of the forms of I3. `reject if` has not: it holds where an argument is absent."""
    return check.kind is not Kind.REJECT and 1 <= len(check.queries) <= QUERIES and all(map(_is_query, check.queries))


def _is_query(query: Query) -> bool:
    return (
        not query.scoped
        and 1 <= len(query.predicates) <= PREDICATES
        and len(query.comparisons) <= COMPARISONS
        and all(map(_is_predicate, query.predicates))
        and all(comparison is not None and _is_comparison(comparison) for comparison in query.comparisons)
    )


def _is_predicate(predicate: Predicate) -> bool:
    match predicate:
        case Predicate("tool", (str() | Variable(),)) | Predicate("time", (Variable(),)):
            return True
        case Predicate("arg", (str() as name, Variable() | str() | int())) | Predicate("arg_opaque", (str() as name,)):
            return is_name(name)
    return False


def _is_comparison(comparison: Comparison) -> bool:
    left, right = comparison.left, comparison.right
    if comparison.operator is Operator.CONTAINS and isinstance(left, tuple):
        return 1 <= len(left) <= SET_ELEMENTS and _is_constant(left[0]) and len(set(map(type, left))) == 1 and isinstance(right, Variable)
    return isinstance(left, Variable) and (isinstance(right, Variable) or _is_constant(right))


def _is_constant(term: object) -> bool:
    return isinstance(term, str | int) or (isinstance(term, Date) and term.seconds * _SECOND <= TIMESTAMP_MAX)


def _names_of_arguments(checks: Sequence[Check]) -> Iterator[object]:
    for check in checks:
        for query in check.queries:
            for predicate in query.predicates:
                if predicate.name in ("arg", "arg_opaque"):
                    yield predicate.terms[0]


def time_span(check: Check) -> tuple[int, int] | None:
    """The instants at which a check on the time alone holds: from the first, before the second. None for any other check.

    The gate states the time of a call in whole seconds, rounded down.
    """
    match check.queries:
        case (Query((Predicate("time", (Variable(bound),)),), comparisons),) if comparisons:
            since, until = 0, FOREVER
            for comparison in comparisons:
                match comparison:
                    case Comparison(Variable(name), operator, Date(seconds), False) if name == bound and operator in _ORDER:
                        instant = (seconds + (operator in (Operator.LESS_OR_EQUAL, Operator.GREATER))) * _SECOND
                        if operator in (Operator.LESS, Operator.LESS_OR_EQUAL):
                            until = min(until, instant)
                        else:
                            since = max(since, instant)
                    case _:
                        return None
            return since, until
    return None


def _read_user(facts: Sequence[Predicate]) -> User:
    """The one user of the first block. Raises TokenRefusedError."""
    users = [fact.terms for fact in facts if fact.name == "user"]
    roles = [fact.terms for fact in facts if fact.name == "role"]
    match users, roles:
        case [(str() as user_id,)], [(str() as role,)] if is_name(user_id) and is_plain_name(role):
            return User(user_id, role, _read_attributes(facts))
    raise TokenRefusedError(TokenRefusal.IDENTITY, "the token does not name exactly one user and one role in its first block")


def _read_attributes(facts: Sequence[Predicate]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    found = [fact.terms for fact in facts if fact.name == "attr"]
    for terms in found[: ATTRIBUTES + 1]:
        match terms:
            case (str() as name, value) if is_name(name) and name not in attributes and not isinstance(value, Unread | Variable):
                attributes[name] = _attribute(value)
            case _:
                raise TokenRefusedError(TokenRefusal.IDENTITY, "an attribute of the token is stated twice, or has no name or value to use")
    if len(attributes) > ATTRIBUTES:
        raise TokenRefusedError(TokenRefusal.IDENTITY, f"the token states more than {ATTRIBUTES} attributes")
    return attributes


def _attribute(value: Any) -> Any:
    """A term as the language has it (docs/identity.md I1.3)."""
    if isinstance(value, tuple):
        return tuple(_attribute(element) for element in value)
    if isinstance(value, Date):
        if value.seconds * _SECOND > TIMESTAMP_MAX:
            raise TokenRefusedError(TokenRefusal.IDENTITY, "an attribute of the token is a time after the year 9999")
        return Timestamp(value.seconds * _SECOND)
    return value


def _texts(facts: Sequence[Predicate], name: str, most: int) -> tuple[str, ...]:
    """The terms of facts that have one, a name. Raises TokenRefusedError."""
    texts: list[str] = []
    for fact in facts:
        if fact.name == name:
            match fact.terms:
                case (str() as text,) if is_plain_name(text) and len(texts) < most:
                    texts.append(text)
                case _:
                    raise TokenRefusedError(TokenRefusal.IDENTITY, f"a fact `{name}` of the token is no name, or there are more than {most}")
    return tuple(texts)
