"""Calls: functions of the table, `matches`, and what to say of those that are none or take other operands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexgate.language import checked, tree
from hexgate.language.checked import Node
from hexgate.language.constant_times import check_time
from hexgate.language.functions import Function
from hexgate.language.macros import GLOBAL_MACROS, METHOD_MACROS, expand_comprehension
from hexgate.language.names import free_path
from hexgate.language.overloads import GLOBALS, METHODS, Callee, join_all
from hexgate.language.patterns import check_pattern, check_zone
from hexgate.language.suggest import suggest
from hexgate.language.tree import Span
from hexgate.language.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    ERROR,
    NULL,
    NUMBER,
    NUMERIC,
    STRING,
    TIMESTAMP,
    UINT,
    ListOf,
    MapOf,
    Record,
    Type,
    format_type,
)  # fmt: skip

if TYPE_CHECKING:
    from hexgate.language.check import Checker

_NAMESPACES = frozenset({"math", "strings", "lists", "sets", "base64", "cel", "proto", "optional"})
_EXTREMES = frozenset({"math.greatest", "math.least"})
_FOREIGN_METHODS = {
    "startswith": "startsWith", "starts_with": "startsWith", "endswith": "endsWith", "ends_with": "endsWith",
    "includes": "contains", "lower": "lowerAscii", "toLowerCase": "lowerAscii",
    "upper": "upperAscii", "toUpperCase": "upperAscii", "strip": "trim", "match": "matches", "test": "matches",
    "beginsWith": "startsWith", "substr": "substring", "any": "exists", "some": "exists", "every": "all", "length": "size", "len": "size", "count": "size",
}  # fmt: skip
"""Other languages' names of methods."""

_FOREIGN_FUNCTIONS = {
    "len": "size", "length": "size", "str": "string", "float": "double", "integer": "int", "number": "double",
    "boolean": "bool", "max": "math.greatest", "min": "math.least", "abs": "math.abs", "round": "math.round",
    "ceil": "math.ceil", "floor": "math.floor", "typeof": "type", "defined": "has", "exists": "has",
}  # fmt: skip


def check_call(checker: Checker, node: tree.Call) -> Node:
    """A call: a macro's expansion, a function of the table, or `matches`."""
    name, target = node.name, node.target
    if target is None:
        return _check_global(checker, node, name, node.name_span)
    path = free_path(checker, target)
    if path is not None:
        qualified = ".".join((*path, name))
        if qualified in GLOBALS or qualified in GLOBAL_MACROS or path[0] in _NAMESPACES:
            return _check_global(checker, node, qualified, Span(target.span.start, node.name_span.end))
    if name in METHOD_MACROS:
        return expand_comprehension(checker, name, node)
    if name == "matches":
        return _matches(checker, node, (target, *node.arguments))
    arities = METHODS.get(name)
    if arities is None:
        checker.visit(target)
        return _unknown_method(checker, node)
    operands = (checker.visit(target), *[checker.visit(argument) for argument in node.arguments])
    callee = arities.get(len(operands))
    if callee is None:
        return _wrong_arity(checker, name, [arity - 1 for arity in arities], node, node.name_span)
    return _invoke(checker, callee, name, operands, node, node.name_span)


def _check_global(checker: Checker, node: tree.Call, name: str, at: Span) -> Node:
    if name in GLOBAL_MACROS:
        return GLOBAL_MACROS[name](checker, node)
    if name == "matches":
        return _matches(checker, node, node.arguments)
    arities = GLOBALS.get(name)
    if arities is None:
        return _unknown_function(checker, node, name, at)
    operands = tuple([checker.visit(argument) for argument in node.arguments])
    if name in _EXTREMES and operands:
        return _extreme(checker, arities[1], name, operands, node, at)
    callee = arities.get(len(operands))
    if callee is None:
        return _wrong_arity(checker, name, list(arities), node, at)
    return _invoke(checker, callee, name, operands, node, at)


def _invoke(checker: Checker, callee: Callee, name: str, operands: tuple[Node, ...], node: tree.Call, at: Span) -> Node:
    check_zone(checker, callee.function, operands, node)
    check_time(checker, callee.function, operands, node)
    return checker.invoke(callee, name, operands, node.span, at)


def _extreme(
    checker: Checker, callee: Callee, name: str, operands: tuple[Node, ...], node: tree.Call, at: Span
) -> Node:
    """`math.greatest` and `math.least` of two or more operands are those of one list."""
    if len(operands) == 1:
        return checker.invoke(callee, name, operands, node.span, at)
    for operand, argument in zip(operands, node.arguments, strict=True):
        if operand.type not in NUMERIC and operand.type not in (DYN, ERROR) and not checker.environment.unchecked:
            message = f"`{name}` takes numbers, and this is {format_type(operand.type)}"
            return checker.report("HG112", message, argument.span, "convert it, for example with `double(...)`")
    types = [operand.type for operand in operands]
    type_ = NUMBER if NUMERIC.issuperset(types) and len(set(types)) > 1 else join_all(types)
    gathered = checked.MakeList(operands, (False,) * len(operands), ListOf(type_), node.span)
    return checked.Invoke(callee.function.id, (gathered,), type_, node.span)


def _matches(checker: Checker, node: tree.Call, operands: tuple[tree.Expr, ...]) -> Node:
    if len(operands) != 2:
        help_ = 'write `args.name.matches("^[a-z]+$")`'
        return checker.report("HG112", "`matches` takes a string and a pattern", node.name_span, help_)
    subject = checker.visit(operands[0])
    pattern = check_pattern(checker, operands[1])
    if subject.type not in (STRING, DYN, ERROR):
        message = f"`matches` takes a string, and this is {format_type(subject.type)}"
        return checker.report("HG112", message, operands[0].span, "convert it with `string(...)`")
    if pattern is None:
        return checker.faulty(node.span)
    return checked.Matches(subject, pattern, BOOL, node.span)


def _unknown_function(checker: Checker, node: tree.Call, name: str, at: Span) -> Node:
    if name.startswith("proto."):
        return checker.report("HG121", f"`{name}` is for protobuf messages, which the profile leaves out", at, "use a map")
    if name.startswith("optional."):
        message = f"`{name}` makes optional values, which the profile leaves out"
        return checker.report("HG121", message, at, "guard fields with `has(...)`")
    if name in METHODS or (name in METHOD_MACROS and len(node.arguments) > 1):
        help_ = f"write `x.{name}(...)`"
    elif name in ("math.max", "math.min"):
        help_ = f"did you mean `{_FOREIGN_FUNCTIONS[name.removeprefix('math.')]}`?"
    else:
        help_ = _nearest(name, [*GLOBALS, *GLOBAL_MACROS, "matches"], _FOREIGN_FUNCTIONS)
    if suggest(name, (*METHOD_MACROS, *GLOBAL_MACROS)) is None:
        _visit_all(checker, node.arguments)
    return checker.report("HG111", f"`{name}` is not a function", at, help_)


def _unknown_method(checker: Checker, node: tree.Call) -> Node:
    name = node.name
    if name == "has":
        help_ = 'write `has(x.field)`, or `"key" in x`'
    elif name in GLOBALS:
        help_ = f"write `{name}(x)`"
    else:
        help_ = _nearest(name, [*METHODS, *METHOD_MACROS, "matches"], _FOREIGN_METHODS)
    if suggest(name, METHOD_MACROS) is None and _FOREIGN_METHODS.get(name) not in METHOD_MACROS:
        _visit_all(checker, node.arguments)
    return checker.report("HG111", f"`{name}` is not a method", node.name_span, help_)


def _nearest(name: str, names: list[str], foreign: dict[str, str]) -> str:
    """The help text of an unknown function: the one that is meant, perhaps by its name in another language."""
    found = name if name in foreign else suggest(name, [*names, *foreign])
    return "docs/functions.md lists the functions" if found is None else f"did you mean `{foreign.get(found, found)}`?"


def _visit_all(checker: Checker, expressions: tuple[tree.Expr, ...]) -> None:
    """For the findings in them only."""
    for expression in expressions:
        checker.visit(expression)


def _wrong_arity(checker: Checker, name: str, arities: list[int], node: tree.Call, at: Span) -> Node:
    if name in _EXTREMES:
        return checker.report("HG112", f"`{name}` takes at least 1 argument", at, f"write `{name}(a, b)`")
    wanted = " or ".join(map(str, sorted(arities)))
    plural = "" if wanted == "1" else "s"
    message = f"`{name}` takes {wanted} argument{plural}, not {len(node.arguments)}"
    return checker.report("HG112", message, at, _arity_help(name, wanted))


def _arity_help(name: str, wanted: str) -> str:
    if wanted == "0":
        return f"write `x.{name}()`"
    return f"write `{name}(x)`" if wanted == "1" and name in GLOBALS else "docs/functions.md shows its arguments"


_TAKES = {
    "+": "it takes two numbers of one type, two texts, two bytes, two lists, or times and durations",
    "-": "it takes two numbers of one type, or times and durations",
    "*": "it takes two numbers of one type",
    "/": "it takes two numbers of one type",
    "%": "it takes two ints or two uints",
}
_CONVERSIONS = {TIMESTAMP: "timestamp", DURATION: "duration", BYTES: "bytes", BOOL: "bool", DOUBLE: "double", UINT: "uint"}


def overload_help(function: Function, shown: str, types: tuple[Type, ...]) -> str:
    """The way forward where no overload takes the operands' types."""
    if shown == "in":
        return _help_in(types[0], types[1])
    if shown == "[]":
        return _help_index(types[0])
    if shown in ("==", "!=", "<", "<=", ">", ">="):
        return _help_comparison(shown, types)
    if len(types) == 2 and shown in _TAKES:
        if STRING in types and shown == "+":
            return "convert the other side with `string(...)`"
        numbers = NUMERIC.issuperset(types) and types[0] != types[1]
        return "convert one side with `int(...)` or `double(...)`: both must be of one type" if numbers else _TAKES[shown]
    if shown == "contains" and isinstance(types[0], ListOf):
        return "write `x in list`"
    forms = list(dict.fromkeys(", ".join(map(format_type, overload.operands)) for overload in function.overloads))
    return "it takes " + " or ".join(f"({form})" for form in forms[:6]) + (" or others" if len(forms) > 6 else "")


def _help_in(element: Type, container: Type) -> str:
    if isinstance(container, ListOf):
        if element is BOOL:
            return "for the opposite of `a in b` write `!(a in b)`"
        return "no element can be equal: convert one side, for example with `int(...)` or `string(...)`"
    if isinstance(container, (MapOf, Record)):
        keys = STRING if isinstance(container, Record) else container.key
        return f"the map's keys are {format_type(keys)}, and this is {format_type(element)}"
    return 'the right side is a list, `["a", "b"]`, or a map; for a part of a text write `x.contains(y)`'


def _help_index(operand: Type) -> str:
    if isinstance(operand, ListOf):
        return "a list's index is an int, from 0"
    if isinstance(operand, (MapOf, Record)):
        return f"the map's keys are {format_type(STRING if isinstance(operand, Record) else operand.key)}"
    if operand == STRING:
        return "a part of a text is read with `charAt(0)` or `substring(0, 1)`"
    return "only lists and maps have an index"


def _help_comparison(shown: str, types: tuple[Type, ...]) -> str:
    if NULL in types:
        return "a field that may be absent is tested with `has(...)`" if shown in ("==", "!=") else "null has no order"
    names = [_CONVERSIONS[type_] for type_ in types if type_ in _CONVERSIONS] if STRING in types else []
    example = f"`{names[0]}(...)`" if names else "`int(...)` or `string(...)`"
    relation = "have types that are never equal; convert one" if shown in ("==", "!=") else "have no order: convert one"
    return f"the two sides {relation}, for example with {example}"
