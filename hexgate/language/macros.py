"""Macros: calls that bind variables in their arguments (CEL language definition, "Macros"; ext: bindings, two-variable)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hexgate.language import checked, tree
from hexgate.language.checked import Comprehension, ComprehensionKind, Node
from hexgate.language.members import NO_FACTS, check_member, facts_when
from hexgate.language.tree import Call, Expr
from hexgate.language.types import BOOL, DYN, ERROR, INT, STRING, ListOf, MapOf, Record, Type, format_type

if TYPE_CHECKING:
    from hexgate.language.check import Checker

_K = ComprehensionKind
_COMPREHENSIONS: dict[str, dict[int, tuple[ComprehensionKind, int, bool, bool]]] = {
    # name -> number of arguments -> kind, variables, has a condition, has a result
    "all": {2: (_K.ALL, 1, True, False), 3: (_K.ALL, 2, True, False)},
    "exists": {2: (_K.EXISTS, 1, True, False), 3: (_K.EXISTS, 2, True, False)},
    "exists_one": {2: (_K.EXISTS_ONE, 1, True, False), 3: (_K.EXISTS_ONE, 2, True, False)},
    "existsOne": {2: (_K.EXISTS_ONE, 1, True, False), 3: (_K.EXISTS_ONE, 2, True, False)},
    "map": {2: (_K.MAP, 1, False, True), 3: (_K.MAP, 1, True, True)},
    "filter": {2: (_K.FILTER, 1, True, False)},
    "transformList": {3: (_K.TRANSFORM_LIST, 2, False, True), 4: (_K.TRANSFORM_LIST, 2, True, True)},
    "transformMap": {3: (_K.TRANSFORM_MAP, 2, False, True), 4: (_K.TRANSFORM_MAP, 2, True, True)},
    "transformMapEntry": {3: (_K.TRANSFORM_MAP_ENTRY, 2, False, True), 4: (_K.TRANSFORM_MAP_ENTRY, 2, True, True)},
}

_EXAMPLES = {
    "all": "args.items.all(x, x.price < 10)",
    "exists": 'args.tags.exists(x, x == "urgent")',
    "exists_one": 'args.tags.exists_one(x, x == "urgent")',
    "existsOne": 'args.tags.existsOne(x, x == "urgent")',
    "map": "args.items.map(x, x.price)",
    "filter": "args.items.filter(x, x.price > 10)",
    "transformList": "args.items.transformList(i, x, x.price)",
    "transformMap": "args.prices.transformMap(k, v, v * 2)",
    "transformMapEntry": "args.prices.transformMapEntry(k, v, {v: k})",
}


def _has(checker: Checker, call: Call) -> Node:
    inner = call.arguments[0] if len(call.arguments) == 1 else None
    if type(inner) is not tree.Select:
        return checker.report("HG116", "`has` takes a field, for example `has(args.note)`", call.span, 'for an index write `"key" in map`')
    if inner.optional:
        return checker.report("HG121", "`.?` needs optional values, which the profile leaves out", inner.span, "write `has(a.b)`")
    operand = checker.visit(inner.operand)
    if check_member(checker, operand, inner.operand, inner.field, inner.field_span, guarding=True) is None:
        return checker.faulty(call.span)
    return checked.Has(operand, inner.field, BOOL, call.span)


def _variable(checker: Checker, expression: Expr) -> str | None:
    if type(expression) is tree.Ident and not expression.leading_dot:
        return expression.name
    checker.report("HG116", "a macro's variable is a plain name", expression.span, "for example `x`")
    return None


def _bind(checker: Checker, call: Call) -> Node:
    if len(call.arguments) != 3:
        return checker.report("HG116", f"`cel.bind` takes 3 arguments, not {len(call.arguments)}", call.span, "for example `cel.bind(x, args.amount * 2, x < 10)`")
    name = _variable(checker, call.arguments[0])
    value = checker.visit(call.arguments[1])
    if name is None:
        return checker.faulty(call.span)
    slot = checker.new_slot()
    body = checker.visit_with(call.arguments[2], {name: (slot, value.type)})
    return checked.Bind(slot, value, body, body.type, call.span)


def _element_types(range_type: Type, variables: int) -> tuple[Type, ...] | None:
    """The types of a macro's variables over a range; None where it is neither list nor map."""
    match range_type:
        case ListOf(element):
            return (element,) if variables == 1 else (INT, element)
        case MapOf(key, value):
            return (key,) if variables == 1 else (key, value)
        case Record():
            return (STRING,) if variables == 1 else (STRING, DYN)
    return (DYN,) * variables if range_type in (DYN, ERROR) else None


def expand_comprehension(checker: Checker, name: str, call: Call) -> Node:
    """The node of a macro that is written `x.f()`."""
    shape = _COMPREHENSIONS[name].get(len(call.arguments))
    if shape is None or call.target is None:
        wanted = " or ".join(map(str, _COMPREHENSIONS[name]))
        message = f"`{name}` takes {wanted} arguments, not {len(call.arguments)}"
        return checker.report("HG116", message, call.span, f"for example `{_EXAMPLES[name]}`")
    kind, variables, has_body, has_result = shape
    range_ = checker.visit(call.target)
    types, unchecked = _element_types(range_.type, variables), checker.environment.unchecked
    if types is None:
        if not unchecked:
            message = f"`{name}` takes a list or a map, and this is {format_type(range_.type)}"
            return checker.report("HG112", message, call.target.span, f"for example `{_EXAMPLES[name]}`")
        types = (DYN,) * variables
    names = [_variable(checker, argument) for argument in call.arguments[:variables]]
    if None in names:
        return checker.faulty(call.span)
    if len(set(names)) < len(names):
        return checker.report("HG116", "the two variables of a macro have different names", call.arguments[1].span, "rename one")
    slots = tuple(checker.new_slot() for _ in names)
    scope = {n: (slot, type_) for n, slot, type_ in zip(names, slots, types, strict=True) if n is not None}
    body, given = None, NO_FACTS
    if has_body:
        condition = call.arguments[variables]
        given = facts_when(condition, True)
        body = checker.as_bool(checker.visit_with(condition, scope), condition.span, f"the condition of `{name}` is a bool")
    result = checker.visit_with(call.arguments[-1], scope, given) if has_result else None
    if kind is _K.TRANSFORM_MAP_ENTRY and result is not None and not _may_be_map(result.type) and not unchecked:
        message = f"`{name}` takes a map for each entry, and this is {format_type(result.type)}"
        return checker.report("HG112", message, call.arguments[-1].span, "for example `{k: v}`")
    return Comprehension(kind, range_, slots, body, result, _result_type(kind, types, result), call.span)


def _may_be_map(type_: Type) -> bool:
    return type_ in (DYN, ERROR) or isinstance(type_, (MapOf, Record))


def _result_type(kind: ComprehensionKind, types: tuple[Type, ...], result: Node | None) -> Type:
    match kind:
        case _K.ALL | _K.EXISTS | _K.EXISTS_ONE:
            return BOOL
        case _K.FILTER:
            return ListOf(types[0])
        case _K.MAP | _K.TRANSFORM_LIST:
            return ListOf(result.type if result is not None else DYN)
        case _K.TRANSFORM_MAP:
            return MapOf(types[0], result.type if result is not None else DYN)
        case _K.TRANSFORM_MAP_ENTRY:
            return result.type if result is not None and isinstance(result.type, MapOf) else MapOf(DYN, DYN)


GLOBAL_MACROS: dict[str, Callable[[Checker, Call], Node]] = {"has": _has, "cel.bind": _bind}
"""The macros that are written `f(x)`, with what makes their nodes."""

METHOD_MACROS = frozenset(_COMPREHENSIONS)
"""The macros that are written `x.f()`: `expand_comprehension` makes their nodes."""
