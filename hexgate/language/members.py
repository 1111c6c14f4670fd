"""Members of records: what a tool's schema says of `args`, and what guards prove present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexgate.language import checked, tree
from hexgate.language.checked import Node
from hexgate.language.print import format_value
from hexgate.language.suggest import help_for
from hexgate.language.tree import Expr, Span
from hexgate.language.types import DYN, ERROR, MapOf, Member, Record, Type, format_type

if TYPE_CHECKING:
    from hexgate.language.check import Checker


def path_of(expression: Expr | None) -> tuple[str, ...] | None:
    """The names of a plain path `a.b.c`, or None for anything else."""
    names: list[str] = []
    while type(expression) is tree.Select and not expression.optional:
        names.append(expression.field)
        expression = expression.operand
    if type(expression) is not tree.Ident or expression.leading_dot:
        return None
    return (expression.name, *reversed(names))


def facts_when(expression: Expr, holds: bool) -> frozenset[tuple[str, ...]]:
    """The paths that are present when an expression is true (`holds`) or false: from `has`, `in` under `&& || !`."""
    match expression:
        case tree.Call(name="has", target=None, arguments=(inner,)) if holds:
            path = path_of(inner)
            return frozenset((path,)) if path else frozenset()
        case tree.Binary(operator="in", left=tree.Literal(value=str() as name), right=right) if holds:
            path = path_of(right)
            return frozenset(((*path, name),)) if path else frozenset()
        case tree.Binary(operator="&&", left=left, right=right) if holds:
            return facts_when(left, True) | facts_when(right, True)
        case tree.Binary(operator="||", left=left, right=right) if not holds:
            return facts_when(left, False) | facts_when(right, False)
        case tree.Unary(operator="!", operand=operand):
            return facts_when(operand, not holds)
    return frozenset()


def check_member(checker: Checker, operand: Node, source: Expr, field: str, span: Span) -> Type | None:
    """The type of `operand.field`, None where a finding was reported."""
    type_ = operand.type
    if type_ is DYN or type_ is ERROR:
        return DYN
    if isinstance(type_, MapOf):
        return type_.value
    if isinstance(type_, Record):
        return _record_member(checker, type_, source, field, span)
    if checker.environment.unchecked:
        return DYN
    checker.report("HG112", f"`.{field}` takes a map, and this is {format_type(type_)}", span)
    return None


def _record_member(checker: Checker, record: Record, source: Expr, field: str, span: Span) -> Type | None:
    member = record.members.get(field)
    if member is None:
        if record.open:
            return record.rest
        known = "it has " + ", ".join(f"`{name}`" for name in record.members) if record.members else "it takes no arguments"
        checker.report("HG403", f"{record.title} has no `{field}`", span, help_for(field, record.members, known))
        return None
    path = path_of(source)
    if not member.required and path is not None and (*path, field) not in checker.facts:
        name = ".".join((*path, field))
        checker.warn("HG404", f"`{name}` may be absent, and then the call is denied", span, f"guard it: `has({name}) && ...` or `!has({name}) || ...`")
    return member.type


def refuse_impossible(checker: Checker, operator: str, operands: tuple[Node, Node], node: tree.Binary) -> None:
    """Reports a comparison of a member that has few values with a constant that is none of them (HG405)."""
    pairs = [(operands[0], operands[1], node.right)]
    if operator != "in":
        pairs.append((operands[1], operands[0], node.left))
    for subject, constant, source in pairs:
        member = _member_of(subject)
        if member is None or member.values is None:
            continue
        for value, span in _constants(constant, source.span, in_list=operator == "in"):
            if not any(type(value) is type(known) and value == known for known in member.values):
                shown = ", ".join(format_value(known) for known in member.values[:8])  # type: ignore[arg-type]
                text = format_value(value)  # type: ignore[arg-type]
                names = [known for known in member.values if isinstance(known, str)]
                help_ = help_for(value, names, f"it is one of {shown}") if isinstance(value, str) else f"it is one of {shown}"
                checker.report("HG405", f"`{_shown(subject)}` is never {text}", span, help_)


def _member_of(node: Node) -> Member | None:
    if type(node) is checked.Select and isinstance(node.operand.type, Record):
        return node.operand.type.members.get(node.field)
    return None


def _shown(node: Node) -> str:
    parts: list[str] = []
    while type(node) is checked.Select:
        parts.append(node.field)
        node = node.operand
    if type(node) is checked.Variable:
        parts.append(node.name)
    return ".".join(reversed(parts))


def _constants(node: Node, span: Span, in_list: bool) -> list[tuple[object, Span]]:
    if type(node) is checked.Constant and not in_list and type(node.value) in (str, int, bool):
        return [(node.value, span)]
    if type(node) is checked.MakeList and in_list:
        return [(e.value, e.span) for e in node.elements if type(e) is checked.Constant and type(e.value) in (str, int, bool)]
    return []
