"""The table of functions: the one place that names every operator and function of the language.

The checker takes overloads from here, the interpreter and the compiler bind each `id` to an implementation, and
`docs/functions.md` is generated from it. An implementation dispatches on run-time types and yields
`no_such_overload` where no overload fits: the checker's types are never relied on.

Ids are `[a-z0-9_]+`; the prelude's function for an id is `$fn_<id>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from hexgate.language.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    ListOf,
    MapOf,
    Type,
    TypeOf,
    TypeParameter,
)  # fmt: skip


class Style(Enum):
    """How a function is written: `OPERATOR` infix or prefix, `GLOBAL` `f(x)`, `METHOD` `x.f()`."""

    OPERATOR = "operator"
    GLOBAL = "global"
    METHOD = "method"


class Group(Enum):
    """Where CEL defines the function: the core language or one of its extension libraries."""

    CORE = "core"
    STRINGS = "strings"
    MATH = "math"
    LISTS = "lists"
    SETS = "sets"
    ENCODERS = "encoders"


@dataclass(frozen=True, slots=True)
class Overload:
    """Operand types (a method's target first) and the result's type."""

    operands: tuple[Type, ...]
    result: Type


@dataclass(frozen=True, slots=True)
class Function:
    """One spelling of one function at one arity. Several spellings may share an `id` (`size(x)`, `x.size()`)."""

    name: str
    style: Style
    id: str
    group: Group
    overloads: tuple[Overload, ...]
    summary: str

    @property
    def arity(self) -> int:
        """The number of operands, a method's target included."""
        return len(self.overloads[0].operands)


_A, _B = TypeParameter("A"), TypeParameter("B")
_LIST, _MAP = ListOf(_A), MapOf(_A, _B)


def _overload(*types: Type) -> Overload:
    return Overload(types[:-1], types[-1])


def _function(
    group: Group, style: Style, name: str, id_: str, summary: str, *overloads: tuple[Type, ...]
) -> Function:
    return Function(name, style, id_, group, tuple(_overload(*types) for types in overloads), summary)


def _operators() -> Iterator[Function]:
    def op(name: str, id_: str, summary: str, *overloads: tuple[Type, ...]) -> Function:
        return _function(Group.CORE, Style.OPERATOR, name, id_, summary, *overloads)

    kinds: tuple[Type, ...] = (INT, UINT, DOUBLE)
    numbers: list[tuple[Type, ...]] = [(t, t, t) for t in kinds]
    ordered: list[tuple[Type, ...]] = [(a, b, BOOL) for a in kinds for b in kinds]
    ordered += [(t, t, BOOL) for t in (STRING, BYTES, BOOL, TIMESTAMP, DURATION)]
    yield op("!_", "not", "logical negation", (BOOL, BOOL))
    yield op("-_", "negate", "arithmetic negation; `overflow` for the smallest int", (INT, INT), (DOUBLE, DOUBLE))
    yield op(
        "_+_", "add", "sum of numbers, concatenation, time plus duration", *numbers,
        (STRING, STRING, STRING), (BYTES, BYTES, BYTES), (_LIST, _LIST, _LIST),
        (TIMESTAMP, DURATION, TIMESTAMP), (DURATION, TIMESTAMP, TIMESTAMP), (DURATION, DURATION, DURATION),
    )  # fmt: skip
    yield op(
        "_-_", "subtract", "difference of numbers and times", *numbers,
        (TIMESTAMP, TIMESTAMP, DURATION), (TIMESTAMP, DURATION, TIMESTAMP), (DURATION, DURATION, DURATION),
    )  # fmt: skip
    yield op("_*_", "multiply", "product", *numbers)
    yield op("_/_", "divide", "quotient, truncated towards zero for int and uint", *numbers)
    yield op("_%_", "modulo", "remainder with the sign of the dividend", (INT, INT, INT), (UINT, UINT, UINT))
    yield op("_==_", "equal", "equality; numbers of all types compare by value", (_A, _A, BOOL))
    yield op("_!=_", "not_equal", "inequality", (_A, _A, BOOL))
    yield op("_<_", "less", "order; strings by code point", *ordered)
    yield op("_<=_", "less_equal", "order", *ordered)
    yield op("_>_", "greater", "order", *ordered)
    yield op("_>=_", "greater_equal", "order", *ordered)
    yield op("_in_", "in", "membership in a list, key of a map", (_A, _LIST, BOOL), (_A, _MAP, BOOL))
    yield op(
        "_[_]", "index", "element of a list, value of a map",
        (_LIST, INT, _A), (_LIST, UINT, _A), (_LIST, DOUBLE, _A), (_MAP, _A, _B),
    )  # fmt: skip


def _conversions() -> Iterator[Function]:
    def conversion(name: str, summary: str, *overloads: tuple[Type, ...]) -> Function:
        return _function(Group.CORE, Style.GLOBAL, name, f"to_{name}", summary, *overloads)

    yield conversion("bool", "`true`/`t`/`1` and the like", (BOOL, BOOL), (STRING, BOOL))
    yield conversion("bytes", "UTF-8 of a string", (BYTES, BYTES), (STRING, BYTES))
    yield conversion("double", "nearest double", (DOUBLE, DOUBLE), (INT, DOUBLE), (UINT, DOUBLE), (STRING, DOUBLE))
    yield conversion("duration", "`1h2m3.5s`", (DURATION, DURATION), (STRING, DURATION), (INT, DURATION))
    yield conversion(
        "int", "truncated towards zero; seconds of a timestamp",
        (INT, INT), (UINT, INT), (DOUBLE, INT), (STRING, INT), (TIMESTAMP, INT), (DURATION, INT),
    )  # fmt: skip
    yield conversion(
        "string", "text of a value",
        *((t, STRING) for t in (STRING, BOOL, INT, UINT, DOUBLE, BYTES, TIMESTAMP, DURATION)),
    )  # fmt: skip
    yield conversion(
        "timestamp", "RFC 3339 text, or seconds since the epoch",
        (TIMESTAMP, TIMESTAMP), (STRING, TIMESTAMP), (INT, TIMESTAMP),
    )  # fmt: skip
    yield conversion("uint", "truncated towards zero", (UINT, UINT), (INT, UINT), (DOUBLE, UINT), (STRING, UINT))
    yield _function(Group.CORE, Style.GLOBAL, "dyn", "dyn", "the value, typed dynamically", (_A, DYN))
    yield _function(Group.CORE, Style.GLOBAL, "type", "type", "the type of a value", (_A, TypeOf(_A)))


def _core() -> Iterator[Function]:
    sized: list[tuple[Type, ...]] = [(STRING, INT), (BYTES, INT), (_LIST, INT), (_MAP, INT)]
    for style in (Style.GLOBAL, Style.METHOD):
        yield _function(Group.CORE, style, "size", "size", "code points, bytes, elements or entries", *sized)
    text = (STRING, STRING, BOOL)
    yield _function(Group.CORE, Style.METHOD, "contains", "contains", "whether a string holds another", text)
    yield _function(Group.CORE, Style.METHOD, "startsWith", "starts_with", "whether a string has a prefix", text)
    yield _function(Group.CORE, Style.METHOD, "endsWith", "ends_with", "whether a string has a suffix", text)
    getters = [
        ("getFullYear", "full_year", "year"), ("getMonth", "month", "month, from 0"),
        ("getDayOfYear", "day_of_year", "day of the year, from 0"),
        ("getDayOfMonth", "day_of_month", "day of the month, from 0"), ("getDate", "date", "day of the month, from 1"),
        ("getDayOfWeek", "day_of_week", "day of the week, from 0, Sunday"), ("getHours", "hours", "hour, or whole hours"),
        ("getMinutes", "minutes", "minute, or whole minutes"), ("getSeconds", "seconds", "second, or whole seconds"),
        ("getMilliseconds", "milliseconds", "milliseconds of the second"),
    ]  # fmt: skip
    with_durations = {"hours", "minutes", "seconds", "milliseconds"}
    for name, id_, summary in getters:
        spans: list[tuple[Type, ...]] = [(DURATION, INT)] if id_ in with_durations else []
        yield _function(Group.CORE, Style.METHOD, name, id_, summary, (TIMESTAMP, INT), *spans)
        yield _function(
            Group.CORE, Style.METHOD, name, f"{id_}_in", f"{summary}, in a time zone", (TIMESTAMP, STRING, INT)
        )


def _strings() -> Iterator[Function]:
    def method(name: str, id_: str, summary: str, *overloads: tuple[Type, ...]) -> Function:
        return _function(Group.STRINGS, Style.METHOD, name, id_, summary, *overloads)

    s, strings = STRING, ListOf(STRING)
    yield method("charAt", "char_at", "the code point at an index; empty at the end", (s, INT, s))
    yield method("format", "format", "text by a template of `%s %d %f %e %b %o %x %X`", (s, ListOf(DYN), s))
    yield method("indexOf", "index_of", "first position of a string, or -1", (s, s, INT))
    yield method("indexOf", "index_of_from", "the same, from an offset", (s, s, INT, INT))
    yield method("join", "join", "concatenation of a list of strings", (strings, s))
    yield method("join", "join_with", "the same, with a separator", (strings, s, s))
    yield method("lastIndexOf", "last_index_of", "last position of a string, or -1", (s, s, INT))
    yield method("lastIndexOf", "last_index_of_from", "the same, up to an offset", (s, s, INT, INT))
    yield method("lowerAscii", "lower_ascii", "ASCII letters in lower case", (s, s))
    yield method("upperAscii", "upper_ascii", "ASCII letters in upper case", (s, s))
    yield method("replace", "replace", "every occurrence replaced", (s, s, s, s))
    yield method("replace", "replace_limit", "at most so many replaced; negative: all", (s, s, s, INT, s))
    yield method("split", "split", "parts between a separator", (s, s, strings))
    yield method("split", "split_limit", "at most so many parts; negative: all", (s, s, INT, strings))
    yield method("substring", "substring", "from an index on", (s, INT, s))
    yield method("substring", "substring_range", "from an index to before another", (s, INT, INT, s))
    yield method("trim", "trim", "without Unicode white space at both ends", (s, s))
    yield _function(Group.STRINGS, Style.GLOBAL, "strings.quote", "quote", "a quoted literal of the text", (s, s))


def _math() -> Iterator[Function]:
    def f(name: str, id_: str, summary: str, *overloads: tuple[Type, ...]) -> Function:
        return _function(Group.MATH, Style.GLOBAL, f"math.{name}", f"math_{id_}", summary, *overloads)

    numbers: tuple[Type, ...] = (INT, UINT, DOUBLE)
    d: tuple[Type, ...] = (DOUBLE, DOUBLE)
    # `math.greatest` and `math.least` take any number of operands: with two or more, `check` makes a list of them.
    extremes: list[tuple[Type, ...]] = [*((t, t) for t in numbers), (ListOf(DYN), DYN)]
    yield f("greatest", "greatest", "largest of numbers, or of a list of numbers; the first of equals", *extremes)
    yield f("least", "least", "smallest of numbers, or of a list of numbers; the first of equals", *extremes)
    for name in ("ceil", "floor", "round", "trunc"):
        yield f(name, name, "rounding of a double; `round` takes halves away from zero", d)
    yield f("abs", "abs", "absolute value; `overflow` for the smallest int", *((t, t) for t in numbers))
    yield f("sign", "sign", "-1, 0 or 1 in the operand's type; NaN for NaN", *((t, t) for t in numbers))
    yield f("sqrt", "sqrt", "square root", *((t, DOUBLE) for t in numbers))
    for name, id_ in (("isNaN", "is_nan"), ("isInf", "is_inf"), ("isFinite", "is_finite")):
        yield f(name, id_, "class of a double", (DOUBLE, BOOL))
    for name, id_ in (("bitAnd", "bit_and"), ("bitOr", "bit_or"), ("bitXor", "bit_xor")):
        yield f(name, id_, "bit by bit", (INT, INT, INT), (UINT, UINT, UINT))
    yield f("bitNot", "bit_not", "bits inverted", (INT, INT), (UINT, UINT))
    for name, id_ in (("bitShiftLeft", "bit_shift_left"), ("bitShiftRight", "bit_shift_right")):
        yield f(name, id_, "logical shift; 0 from 64 bits on; a negative offset is a fault", (INT, INT, INT), (UINT, INT, UINT))  # fmt: skip


def _lists() -> Iterator[Function]:
    def method(name: str, id_: str, summary: str, *overloads: tuple[Type, ...]) -> Function:
        return _function(Group.LISTS, Style.METHOD, name, id_, summary, *overloads)

    yield method("distinct", "distinct", "first of each run of equal elements, in order", (_LIST, _LIST))
    yield method("flatten", "flatten", "one level of lists opened", (ListOf(DYN), ListOf(DYN)))
    yield method("flatten", "flatten_depth", "so many levels of lists opened", (ListOf(DYN), INT, ListOf(DYN)))
    yield method("reverse", "reverse", "last first: a list, or the code points of a string", (_LIST, _LIST), (STRING, STRING))
    yield method("slice", "slice", "from an index to before another", (_LIST, INT, INT, _LIST))
    yield method("sort", "sort", "ascending; all elements of one ordered type, else `no_such_overload`", (_LIST, _LIST))
    yield _function(Group.LISTS, Style.GLOBAL, "lists.range", "lists_range", "0, 1, … below n", (INT, ListOf(INT)))
    for name, summary in (
        ("contains", "whether every element of the second is in the first"),
        ("equivalent", "whether each contains the other"),
        ("intersects", "whether they share an element"),
    ):
        yield _function(Group.SETS, Style.GLOBAL, f"sets.{name}", f"sets_{name}", summary, (_LIST, _LIST, BOOL))
    yield _function(Group.ENCODERS, Style.GLOBAL, "base64.encode", "base64_encode", "RFC 4648 text", (BYTES, STRING))
    yield _function(Group.ENCODERS, Style.GLOBAL, "base64.decode", "base64_decode", "bytes of RFC 4648 text, padded or not", (STRING, BYTES))  # fmt: skip


FUNCTIONS: tuple[Function, ...] = (
    *_operators(), *_conversions(), *_core(), *_strings(), *_math(), *_lists(),
)  # fmt: skip
"""Every function, in the order of the documentation. `matches` is not here: it is the checked node `Matches`."""

TYPE_NAMES: dict[str, Type] = {
    "bool": BOOL, "bytes": BYTES, "double": DOUBLE, "int": INT, "uint": UINT, "string": STRING,
    "null_type": NULL, "list": ListOf(DYN), "map": MapOf(DYN, DYN), "type": TypeOf(DYN),
    "google.protobuf.Timestamp": TIMESTAMP, "google.protobuf.Duration": DURATION,
}  # fmt: skip
"""Identifiers that denote a type value."""
