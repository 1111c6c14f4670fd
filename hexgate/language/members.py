"""Members of records: what a tool's schema says of `args`, and what guards prove present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexgate.language import checked, tree
from hexgate.language.checked import Node
from hexgate.language.overloads import comparable
from hexgate.language.print import format_value
from hexgate.language.suggest import help_for, listed
from hexgate.language.tree import Expr, Span
from hexgate.language.types import DURATION, DYN, ERROR, TIMESTAMP, ListOf, MapOf, Record, Type, format_type
from hexgate.values import UInt

if TYPE_CHECKING:
    from hexgate.language.check import Checker

Facts = frozenset[tuple[str, ...]]
"""Paths that are known to be present."""

NO_FACTS: Facts = frozenset()


def facts_when(expression: Expr, holds: bool) -> Facts:
    """The paths that are present when an expression is true (`holds`) or false: from `has`, `in` under `&& || !`."""
    kind = type(expression)
    if kind is tree.Binary:
        return _facts_of_binary(expression, holds)  # type: ignore[arg-type]
    if kind is tree.Unary and expression.operator == "!":  # type: ignore[union-attr]
        return facts_when(expression.operand, not holds)  # type: ignore[union-attr]
    if kind is tree.Call and holds:
        match expression:
            case tree.Call(name="has", target=None, arguments=(inner,)):
                return _present(_place_of(inner))
    return NO_FACTS


def _facts_of_binary(expression: tree.Binary, holds: bool) -> Facts:
    if expression.operator == ("&&" if holds else "||"):
        return facts_when(expression.left, holds) | facts_when(expression.right, holds)
    if expression.operator == "in" and holds:
        match expression.left:
            case tree.Literal(value=str() as name):
                path = _place_of(expression.right)
                return _present((*path, name) if path else None)
    return NO_FACTS


def _present(path: tuple[str, ...] | None) -> Facts:
    """A path, and the paths that lead to it."""
    return frozenset(path[:length] for length in range(2, len(path) + 1)) if path else NO_FACTS


def check_member(
    checker: Checker, operand: Node, source: Expr, field: str, span: Span, guarding: bool = False
) -> Type | None:
    """The type of `operand.field`, None where a finding was reported. `guarding`: it is only asked whether it is
    present."""
    type_ = operand.type
    if type_ is DYN or type_ is ERROR:
        return DYN
    if isinstance(type_, MapOf):
        return type_.value
    if isinstance(type_, Record):
        return _record_member(checker, type_, source, field, span, guarding)
    if checker.environment.unchecked:
        return DYN
    takes = "`has` takes a field of a map" if guarding else f"`.{field}` takes a map"
    checker.report("HG112", f"{takes}, and this is {format_type(type_)}", span, _member_help(type_))
    return None


def _member_help(type_: Type) -> str:
    if isinstance(type_, ListOf):
        return "elements are read by an index, `x[0]`, or by a macro, `x.all(e, ...)`"
    if type_ in (TIMESTAMP, DURATION):
        return "its parts are read by methods, for example `x.getHours()`"
    return "only maps have fields"


def _record_member(
    checker: Checker, record: Record, source: Expr, field: str, span: Span, guarding: bool
) -> Type | None:
    member = record.members.get(field)
    if member is None:
        if record.open:
            return record.rest
        known = f"it has {listed(record.members)}" if record.members else "it declares none"
        checker.report("HG403", f"{record.title} has no `{field}`", span, help_for(field, record.members, known))
        return None
    if not member.required and not guarding:
        _warn_of_absence(checker, _place_of(source), field, span)
    return member.type


def _place_of(expression: Expr) -> tuple[str, ...] | None:
    """The steps from a name to a member, `args.items[0].note`; None where it is not reached by constant steps."""
    steps: list[str] = []
    while True:
        match expression:
            case tree.Select(operand=operand, field=field, optional=False):
                steps.append(field)
            case tree.Index(operand=operand, index=tree.Literal(value=str() as field), optional=False):
                steps.append(field)
            case tree.Index(operand=operand, index=tree.Literal(value=int() as number), optional=False):
                steps.append(f"[{number}]")
            case tree.Ident(name=name):
                return (name, *reversed(steps))
            case _:
                return None
        expression = operand


def _warn_of_absence(checker: Checker, source: tuple[str, ...] | None, field: str, span: Span) -> None:
    """Warns of a member that is read without a guard, once in an expression."""
    if source is None:
        return
    path = (*source, field)
    if path in checker.facts or path in checker.warned:
        return
    checker.warned.add(path)
    name = ".".join(path).replace(".[", "[")
    help_ = f"guard it: `has({name}) && ...` or `!has({name}) || ...`"
    checker.warn("HG404", f"`{name}` may be absent, and then the call is denied", span, help_)


def refuse_impossible(checker: Checker, operator: str, operands: tuple[Node, Node]) -> None:
    """Reports a comparison of a member that has few values with a constant that is none of them (HG405)."""
    left, right = operands
    known = _known_values(left)
    if known is not None:
        _refuse_values(checker, left, known, right, operator == "in")
    if operator != "in":
        known = _known_values(right)
        if known is not None:
            _refuse_values(checker, right, known, left, False)


def _refuse_values(
    checker: Checker, subject: Node, known: tuple[object, ...], against: Node, in_list: bool
) -> None:
    """Reports each constant in `against` that is none of the known values; of a list in `consts`, one without any."""
    shown = ", ".join(format_value(one) for one in known[:8]) + (", …" if len(known) > 8 else "")  # type: ignore[arg-type]
    if in_list and type(against) is checked.Constant:
        values = against.value if type(against.value) is tuple else ()
        if values and not any(_equal(value, one) for value in values for one in known):
            checker.report("HG405", f"`{_shown(subject)}` is never in this list", against.span, f"it is one of {shown}")
        return
    names = [one for one in known if isinstance(one, str)]
    for constant in against.elements if in_list and type(against) is checked.MakeList else (against,):
        if type(constant) is not checked.Constant or type(constant.value) not in _SCALARS:
            continue
        if not comparable(subject.type, constant.type):
            continue  # the operator's own operands say so
        value = constant.value
        if not any(_equal(value, one) for one in known):
            help_ = help_for(value, names, f"it is one of {shown}") if isinstance(value, str) else f"it is one of {shown}"
            checker.report("HG405", f"`{_shown(subject)}` is never {format_value(value)}", constant.span, help_)


def _equal(left: object, right: object) -> bool:
    """Equality of scalars as the language has it: a bool is no number."""
    return left == right and (type(left) is bool) == (type(right) is bool)


def _known_values(node: Node) -> tuple[object, ...] | None:
    """The only values of a node that reads a member of a record, where its schema lists them."""
    match node:
        case checked.Select(operand=operand, field=field):
            pass
        case checked.Invoke(function="index", operands=(operand, checked.Constant(value=str() as field))):
            pass
        case _:
            return None
    member = operand.type.members.get(field) if type(operand.type) is Record else None
    return None if member is None else member.values


def _shown(node: Node) -> str:
    """A member's path as the author may write it."""
    match node:
        case checked.Select(operand=operand, field=field):
            return f"{_shown(operand)}.{field}"
        case checked.Invoke(operands=(operand, checked.Constant(value=str() as field))):
            return f"{_shown(operand)}.{field}"
        case checked.Variable(name=name) | checked.Local(name=name):
            return name
    return "..."


_SCALARS = frozenset({str, int, UInt, float, bool})
