"""Random constraints: expressions over the table of functions, mostly well typed, damaged on purpose."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

from hexgate.language.functions import FUNCTIONS, Function, Style
from hexgate.language.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    ListOf,
    MapOf,
    Type,
)  # fmt: skip
from hexgate.values import Value

MEMBERS = ("a", "b", "c", "s", "t", "n", "l", "m")
"""Names of the arguments that constraints read and calls carry, or leave out."""

INTS = ("0", "1", "-1", "2", "16", "63", "64", "100", "500", "9223372036854775807", "-9223372036854775808", "9007199254740993")
UINTS = ("0u", "1u", "2u", "500u", "9223372036854775808u", "18446744073709551615u")
DOUBLES = ("0.0", "-0.0", "0.5", "1.0", "-1.5", "500.0", "1e308", "9007199254740992.0", "9223372036854775808.0", "(0.0 / 0.0)", "(1.0 / 0.0)")
STRINGS = ('""', '"a"', '"A"', '"abc"', '"é"', '"e\\u0301"', '"😀b"', '"a,b"', '"12"', '"1.5"', '"true"', '"USD"', '"a\\n"', '"\\u0000"', '"2024-02-29T12:00:00Z"', '"1h30m"')  # fmt: skip
BYTES_ = ('b""', 'b"a"', 'b"\\xff"', 'b"abc"')
TIMES = ('timestamp("1970-01-01T00:00:00Z")', 'timestamp("9999-12-31T23:59:59.999999999Z")', 'timestamp("0001-01-01T00:00:00Z")', 'timestamp("2024-02-29T23:30:15.25Z")', "now")  # fmt: skip
SPANS = ('duration("0s")', 'duration("1h30m")', 'duration("-1.5s")', 'duration("9223372036854775807ns")')
ZONES = ('"UTC"', '"+05:30"', '"America/New_York"', '"Europe/Dublin"', '"Australia/Lord_Howe"', "args.s")
PATTERNS = ('"^a"', '"[a-c]+$"', '"(?i)usd|eur"', '"^[0-9]{1,3}$"', '"é"', '"^\\\\w+,\\\\w+$"', '"a.c"', '"(a|b)*c?$"')
TEMPLATES = ('"%s"', '"%d %s"', '"%.2f"', '"%e"', '"%x|%X"', '"%b%%"', '"%o"', '"%q"', '"%.99e"')
MACROS = ("all", "exists", "exists_one", "filter", "map")
CONSTANTS: dict[str, Value] = {
    "limit": 500, "rate": 0.5, "name": "USD", "names": ("a", "USD", "é"), "numbers": (1, 2, 500), "mixed": (1, "a", True, 2.0),
    "by_name": {"a": 1, "b": "x"}, "nested": {"a": {"a": 1, "m": (1, 2)}, "s": "abc"}, "on": True, "empty": (), "none": {},
}  # fmt: skip
"""The `consts` of generated policies, as values."""


@cache
def _by_result() -> dict[Type, list[tuple[Function, int]]]:
    """Functions and the index of an overload that yields a type."""
    found: dict[Type, list[tuple[Function, int]]] = {}
    for function in FUNCTIONS:
        for position, overload in enumerate(function.overloads):
            found.setdefault(_plain(overload.result), []).append((function, position))
    return found


def _plain(type_: Type) -> Type:
    """Lists and maps of anything are one kind here; type parameters and types are dynamic."""
    if isinstance(type_, ListOf):
        return ListOf(DYN)
    if isinstance(type_, MapOf):
        return MapOf(DYN, DYN)
    return type_ if type_ in _LITERALS else DYN


class ExpressionGenerator:
    """Draws expressions from one source of randomness."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._names: list[str] = []

    def constraint(self) -> str:
        """The text of an expression that is a bool, or looks like one. It need not pass the checker."""
        return self.expression(BOOL, self._random.choice((1, 2, 2, 3, 3, 4)))

    def expression(self, type_: Type, depth: int) -> str:
        """An expression of about a type, nested so deep at most."""
        random = self._random
        if random.random() < 0.07:
            type_ = random.choice(tuple(_LITERALS))
        if depth <= 0 or random.random() < 0.12:
            return self._leaf(type_)
        kind = random.random()
        if type_ is BOOL and kind < 0.3:
            return f"({self.expression(BOOL, depth - 1)} {random.choice(('&&', '||'))} {self.expression(BOOL, depth - 1)})"
        if kind < 0.36:
            test, then, other = BOOL, type_, type_
            return f"({self.expression(test, depth - 1)} ? {self.expression(then, depth - 1)} : {self.expression(other, depth - 1)})"
        if kind < 0.5:
            return self._macro(type_, depth)
        if type_ is BOOL and kind < 0.56:
            return f"{self.expression(STRING, depth - 1)}.matches({random.choice(PATTERNS)})"
        return self._call(type_, depth)

    def _call(self, type_: Type, depth: int) -> str:
        candidates = _by_result().get(_plain(type_)) or _by_result()[DYN]
        function, position = self._random.choice(candidates)
        if function.id == "format":
            inner = ", ".join(self.expression(DYN, depth - 1) for _ in range(self._random.randint(0, 3)))
            return f"{self._random.choice(TEMPLATES)}.format([{inner}])"
        operands = [self.expression(_plain(o), depth - 1) for o in function.overloads[position].operands]
        if function.id.endswith("_in"):
            operands[1] = self._random.choice(ZONES)
        return _written(function, operands)

    def _macro(self, type_: Type, depth: int) -> str:
        random = self._random
        name = f"x{len(self._names)}"
        over = self.expression(random.choice((ListOf(DYN), ListOf(DYN), MapOf(DYN, DYN))), depth - 1)
        if random.random() < 0.15:
            value = self.expression(DYN, depth - 1)
            self._names.append(name)
            body = self.expression(type_, depth - 1)
            self._names.pop()
            return f"cel.bind({name}, {value}, {body})"
        self._names.append(name)
        if random.random() < 0.3 or isinstance(type_, MapOf):
            text = self._two_variables(over, name, type_, depth)
        elif type_ is BOOL:
            text = f"{over}.{random.choice(MACROS[:3])}({name}, {self.expression(BOOL, depth - 1)})"
        elif random.random() < 0.5:
            text = f"{over}.filter({name}, {self.expression(BOOL, depth - 1)})"
        else:
            text = f"{over}.map({name}, {self.expression(DYN, depth - 1)})"
        self._names.pop()
        return text

    def _two_variables(self, over: str, name: str, type_: Type, depth: int) -> str:
        """A macro over keys and values, or positions and elements. The first name is known to be in use."""
        random, second = self._random, f"{name}v"
        self._names.append(second)
        where = f"{self.expression(BOOL, depth - 1)}, " if random.random() < 0.4 else ""
        if type_ is BOOL:
            text = f"{over}.{random.choice(('all', 'exists', 'existsOne'))}({name}, {second}, {self.expression(BOOL, depth - 1)})"
        elif not isinstance(type_, MapOf):
            text = f"{over}.transformList({name}, {second}, {where}{self.expression(DYN, depth - 1)})"
        elif random.random() < 0.5:
            text = f"{over}.transformMap({name}, {second}, {where}{self.expression(DYN, depth - 1)})"
        else:
            key = random.choice((name, second, f"string({name})", self.expression(STRING, 1)))
            text = f"{over}.transformMapEntry({name}, {second}, {where}{{{key}: {self.expression(DYN, depth - 1)}}})"
        self._names.pop()
        return text

    def _leaf(self, type_: Type) -> str:
        random = self._random
        if self._names and random.random() < 0.4:
            return random.choice(self._names)
        if random.random() < 0.55:
            return self._read()
        return _LITERALS.get(type_, _anything)(self)

    def _read(self) -> str:
        random = self._random
        member = random.choice(MEMBERS)
        return random.choice((
            f"args.{member}", f"args.{member}", f"args.{member}", f"args.{member}", f"args.m.{member}", f"args.l[{random.randint(0, 3)}]",
            f"user.attrs.{member}", f"ctx.{member}", f"resource.{member}", "user.id", "user.role", "tool", "now", f'args["{member}"]', f"has(args.{member})",
            f"has(args.m.{member})", f'("{member}" in args)', "args", "user",
            f"consts.{random.choice(tuple(CONSTANTS))}",
        ))  # fmt: skip

    def literal(self, choices: tuple[str, ...]) -> str:
        return self._random.choice(choices)

    def list_literal(self) -> str:
        elements = ", ".join(self.expression(DYN, 0) for _ in range(self._random.randint(0, 4)))
        return f"[{elements}]"

    def map_literal(self) -> str:
        keys = self._random.sample(('"a"', '"m"', "1", "2u", "true", '"n"', "-3"), self._random.randint(0, 4))
        if self._random.random() < 0.15:
            keys += self._random.choices((*keys, "args.s", "args.a", "1u", "1.0"), k=2)
        return "{" + ", ".join(f"{key}: {self.expression(DYN, 0)}" for key in keys) + "}"


def _anything(generator: ExpressionGenerator) -> str:
    kinds = tuple(_LITERALS.values())
    return kinds[generator._random.randrange(len(kinds))](generator)


_LITERALS: dict[Type, Callable[[ExpressionGenerator], str]] = {
    BOOL: lambda g: g.literal(("true", "false")),
    INT: lambda g: g.literal(INTS),
    UINT: lambda g: g.literal(UINTS),
    DOUBLE: lambda g: g.literal(DOUBLES),
    STRING: lambda g: g.literal(STRINGS),
    BYTES: lambda g: g.literal(BYTES_),
    TIMESTAMP: lambda g: g.literal(TIMES),
    DURATION: lambda g: g.literal(SPANS),
    ListOf(DYN): lambda g: g.list_literal(),
    MapOf(DYN, DYN): lambda g: g.map_literal(),
}


def _written(function: Function, operands: list[str]) -> str:
    """A call in CEL's spelling."""
    if function.style is Style.GLOBAL:
        return f"{function.name}({', '.join(operands)})"
    if function.style is Style.METHOD:
        target = operands[0] if operands[0][:1] not in "-" else f"({operands[0]})"
        return f"{target}.{function.name}({', '.join(operands[1:])})"
    if function.name == "_[_]":
        return f"{operands[0]}[{operands[1]}]"
    sign = function.name.strip("_")
    if len(operands) == 1:
        return f"{sign}({operands[0]})"
    return f"({operands[0]} {sign} {operands[1]})"
