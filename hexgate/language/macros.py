"""Macros: calls that bind variables in their arguments (CEL language definition, "Macros"; ext: bindings, two-variable)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexgate.language import checked, tree
from hexgate.language.checked import Comprehension, ComprehensionKind, Node
from hexgate.language.functions import Style
from hexgate.language.members import path_of
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

MACROS: frozenset[tuple[Style, str]] = frozenset(
    {(Style.METHOD, name) for name in _COMPREHENSIONS} | {(Style.GLOBAL, "has"), (Style.GLOBAL, "cel.bind")}
)
"""The names of all macros, by how they are written."""


def expand_macro(checker: Checker, style: Style, name: str, call: Call) -> Node | None:
    """The node of a macro call."""
    if name == "has":
        return _has(checker, call)
    if name == "cel.bind":
        return _bind(checker, call)
    shapes = _COMPREHENSIONS[name]
    shape = shapes.get(len(call.arguments))
    if shape is None:
        wanted = " or ".join(map(str, shapes))
        return checker.report("HG116", f"`{name}` takes {wanted} arguments, not {len(call.arguments)}", call.span, f"for example `{_EXAMPLES[name]}`")
    return _comprehension(checker, name, call, *shape)


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
    if type(inner) is not tree.Select or inner.optional:
        return checker.report("HG116", "`has` takes a field, for example `has(args.note)`", call.span, 'for an index write `"key" in map`')
    operand = checker.visit(inner.operand)
    type_ = operand.type
    if isinstance(type_, Record):
        facts = checker.facts
        path = path_of(inner)
        checker.facts = facts | ({path} if path else set())
        known = checker.visit(inner)
        checker.facts = facts
        if known.type is ERROR and type(known) is checked.Faulty:
            return known
    elif type_ not in (DYN, ERROR) and not isinstance(type_, MapOf) and not checker.environment.unchecked:
        return checker.report("HG112", f"`has` takes a field of a map, and this is {format_type(type_)}", inner.operand.span)
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
    slot = checker.new_slot()
    body = checker.visit_with(call.arguments[2], {name: (slot, value.type)} if name else {})
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


def _comprehension(
    checker: Checker, name: str, call: Call, kind: ComprehensionKind, variables: int, has_body: bool, has_result: bool
) -> Node:
    assert call.target is not None
    range_ = checker.visit(call.target)
    types = _element_types(range_.type, variables)
    if types is None:
        if not checker.environment.unchecked:
            return checker.report("HG112", f"`{name}` takes a list or a map, and this is {format_type(range_.type)}", call.target.span)
        types = (DYN,) * variables
    names = [_variable(checker, argument) for argument in call.arguments[:variables]]
    if len(set(names)) < len(names) and None not in names:
        return checker.report("HG116", "the two variables of a macro have different names", call.arguments[1].span)
    slots = tuple(checker.new_slot() for _ in names)
    scope = {n: (slot, type_) for n, slot, type_ in zip(names, slots, types, strict=True) if n is not None}
    rest = list(call.arguments[variables:])
    body = _condition(checker, rest.pop(0), scope, name) if has_body else None
    result = checker.visit_with(rest.pop(0), scope) if has_result else None
    return Comprehension(kind, range_, slots, body, result, _result_type(kind, types, range_.type, result), call.span)


def _condition(checker: Checker, expression: Expr, scope: dict[str, tuple[int, Type]], name: str) -> Node:
    node = checker.visit_with(expression, scope)
    if node.type not in (BOOL, DYN, ERROR) and not checker.environment.unchecked:
        return checker.report("HG112", f"the condition of `{name}` is a bool, and this is {format_type(node.type)}", expression.span)
    return node


def _result_type(kind: ComprehensionKind, types: tuple[Type, ...], range_type: Type, result: Node | None) -> Type:
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
