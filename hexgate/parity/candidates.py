"""From the shape of a place to the values tried there, those that look right first."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from hexgate.faults import EvaluationFault
from hexgate.language.operations_time import parse_duration, parse_timestamp
from hexgate.language.types import BYTES, DURATION, STRING, TIMESTAMP, ListOf, MapOf, TypeParameter
from hexgate.limits import ITERATION_BUDGET, REQUEST_BYTES
from hexgate.parity import near_numbers, near_texts, near_times
from hexgate.parity.call import ABSENT
from hexgate.parity.pattern_witnesses import settle, witnesses
from hexgate.parity.shapes import Shape
from hexgate.values import Duration, Timestamp, UInt

NUMERIC_NAMES = frozenset({"int", "uint", "double"})
SIZED_ELEMENTS = 200
"""Largest list or map that is made for a size that a constraint compares with."""

SEPARATOR = 3
"""Characters of a text that texts are split at, at most."""

CANDIDATES = 600
"""Values of one place, at most."""

_ELEMENT, _KEY, _VALUE = TypeParameter("A"), TypeParameter("A"), TypeParameter("B")
_TEXTUAL = {"to_int", "to_uint", "to_double", "to_bool"}
_ANY: tuple[Any, ...] = (
    ABSENT, None, True, False, *near_numbers.FEW, *near_texts.FEW, b"", b"a", bytearray(b"a"), [], {}, [1], ["a"], (1, "a"), {"a": 1}, {1: 2}, {"\ud800": 1},
    [float("nan")], [10**30], {"a": object()}, Timestamp(near_times.NOW), Duration(1), Timestamp(10**30), Duration(2**63), memoryview(b"ab")[::2],
    datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC), datetime.datetime(2024, 2, 29), decimal.Decimal("1"), {1, 2}, 1j, [[[[]]]],
)  # fmt: skip
"""Absent, null, and one or two of each type: what no author of a constraint expects."""


def candidates(shape: Shape, depth: int = 3) -> tuple[Any, ...]:
    """Values for a place: around its constants, of the types that its uses take, then of every other kind."""
    if shape.values is None:
        values = _Distinct()
        values.add(_settled(shape))
        values.add(_right(shape, depth))
        values.add(_ANY)
        shape.values = tuple(islice(values, CANDIDATES))
    return shape.values


def fewer(values: tuple[Any, ...], limit: int) -> tuple[Any, ...]:
    """At most so many of a place's values: two of three are the first ones, the others one of each kind."""
    if len(values) <= limit:
        return values
    kinds = _Distinct()
    kinds.add(values[: limit - limit // 3])
    kinds.add(_ANY)
    return tuple(islice(kinds, limit))


_EXACT = frozenset({str, int, bool, bytes, type(None)})
"""Types whose equal values are the same."""


class _Distinct:
    """Values in order, each once: `1`, `1.0`, `True` and `UInt(1)` are four."""

    def __init__(self) -> None:
        self._values: dict[tuple[type, Any], Any] = {}

    def add(self, values: Iterable[Any]) -> None:
        for value in values:
            kind = type(value)
            self._values.setdefault((kind, value if kind in _EXACT else repr(value)), value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values.values())


def _settled(shape: Shape) -> Iterator[Any]:
    """Texts that all patterns, or all but one, or only one take."""
    patterns = tuple(shape.patterns)
    if not patterns:
        return
    choices = [[True] * len(patterns), [False] * len(patterns)]
    for position in range(len(patterns)):
        choices.append([other == position for other in range(len(patterns))])
        choices.append([other != position for other in range(len(patterns))])
    for choice in choices:
        text = settle(tuple(zip(patterns, choice, strict=True)))
        if text is not None:
            yield text
            for constant in shape.constants.values():
                if type(constant) is int and len(text) < constant <= 4_096 and text:
                    for length in (constant, constant - 1, constant + 1):
                        yield text + text[-1] * (length - len(text))


def _right(shape: Shape, depth: int) -> Iterator[Any]:
    constants = list(shape.constants.values())
    if "to_timestamp" in shape.functions:
        yield from near_times.TIME_TEXTS
        for span in (span for constant in constants if type(constant) is str for span in _named_by(constant)):
            if type(span) is Duration:
                yield from near_times.texts_of(span.nanoseconds)
    if ListOf(_ELEMENT) in shape.types and MapOf(_KEY, _VALUE) in shape.types and BYTES in shape.types:
        yield from ("a", *_sized(shape))
    yield from _affixed(shape)
    for constant in constants:
        yield from islice(_first_of(constant), 6)
    if depth > 0:
        yield from _containers(shape, depth)
    for constant in constants:
        yield from _near(constant)
    texts = [constant for constant in constants if type(constant) is str]
    for text in texts:
        yield from (text.split(separator) for separator in texts if separator and separator != text)
    if len(texts) > 1 or shape.functions.keys() & {"split", "index_of", "replace", "substring", "last_index_of"}:
        yield from near_texts.joined(texts)
    yield from _sized(shape)
    for pattern in shape.patterns:
        yield from witnesses(pattern)
    yield from _of_uses(shape)


def _affixed(shape: Shape) -> Iterator[str]:
    """What begins with, ends with or holds a constant, where that is asked; also of the sizes that are compared with."""
    texts = [constant for constant in shape.constants.values() if type(constant) is str]
    sizes = _text_sizes(shape)
    for function, before, after in (("starts_with", "", "a"), ("ends_with", "a", ""), ("contains", "a", "a")):
        if function in shape.functions:
            yield from (before + text + after for text in texts)
            for text in texts:
                yield from (before * (size - len(text)) + text if not after else text + after * (size - len(text)) for size in sizes if size > len(text))
    if "split" in shape.functions:
        yield from (separator.join("a" * parts) for separator in texts if 0 < len(separator) <= SEPARATOR for parts in sizes if parts <= SIZED_ELEMENTS)


def _text_sizes(shape: Shape) -> tuple[int, ...]:
    """The sizes that a text, or what it is split into, is compared with, one less and one more."""
    if "size" not in shape.functions:
        return ()
    constants = [int(constant) for constant in shape.constants.values() if type(constant) in (int, UInt) and 0 < constant <= 4_096]
    return tuple(dict.fromkeys(size for constant in constants for size in (constant, constant - 1, constant + 1) if size > 0))


def _first_of(constant: Any) -> Iterator[Any]:
    """A constant as a host would send it, and the instant or span that a text names; of a list or map, its elements or keys."""
    if type(constant) is str:
        yield constant
        for sign in "/@:":
            if sign in constant:
                head, _, tail = constant.partition(sign)
                yield from (head, tail)
        yield from _named_by(constant)
    elif type(constant) is tuple:
        yield from (element for element in constant if type(element) in (str, int, float, bool))
    elif type(constant) is dict:
        yield from (key for key in constant if type(key) is str)
    elif type(constant) is UInt:
        yield int(constant)
    elif type(constant) in (int, float, bool, bytes, Timestamp, Duration):
        yield constant


def _named_by(text: str) -> Iterator[Timestamp | Duration]:
    for parse in (parse_timestamp, parse_duration):
        try:
            yield parse(text)
        except EvaluationFault:
            continue


def _near(constant: Any) -> Iterator[Any]:
    kind = type(constant)
    if kind in (int, float, UInt):
        yield from near_numbers.near_number(constant)
    elif kind is str:
        yield from near_texts.near_text(constant)
        for named in _named_by(constant):
            yield from _near(named)
    elif kind is bytes:
        yield from near_texts.near_bytes(constant)
    elif kind is Timestamp:
        yield from near_times.near_instant(constant.nanoseconds)
    elif kind is Duration:
        yield from near_times.near_span(constant.nanoseconds)
    elif kind is bool or constant is None:
        yield from (True, False, None, "true", 1, 0, 1.0)
    elif kind is tuple:
        yield from _near_list(constant)
    elif kind is dict:
        plain = _plain(constant)
        if type(plain) is dict:
            yield from (plain, dict(reversed(plain.items())), {**plain, "extra": 1}, dict(list(plain.items())[:-1]))
            for name in plain:
                yield {(name + "x" if name == other else other): value for other, value in plain.items()}
                yield {**plain, name: None}


def _near_list(constant: tuple[Any, ...]) -> Iterator[Any]:
    """A list, in other orders, with more, fewer, repeated and nested elements; and what is nearly one of its elements."""
    elements = [_plain(element) for element in constant]
    yield from (elements, elements[::-1], elements[:-1], elements[1:], [*elements, "a"], ["a", *elements], [*elements[:1], *elements], [*elements, *elements])
    yield from ([elements], [[element] for element in elements], tuple(elements), [elements[1:], elements[:1]], elements[1:] + elements[:1])
    for element in constant[:8]:
        yield from islice(_near(element), 12)


def _plain(constant: Any) -> Any:
    """A constant as a host would send it."""
    if type(constant) is tuple:
        return [_plain(element) for element in constant]
    if type(constant) is dict and all(type(key) is str for key in constant):
        return {key: _plain(value) for key, value in constant.items()}
    return int(constant) if type(constant) is UInt else constant


def _sized(shape: Shape) -> Iterator[Any]:
    """Texts, lists and maps of about the sizes that are compared with."""
    if not shape.functions.keys() & {"size", "substring", "substring_range", "char_at", "slice", "index"} and not shape.ranged:
        return
    for constant in list(shape.constants.values()):
        if type(constant) in (int, UInt) and 4_096 < constant < REQUEST_BYTES:
            yield from ("a" * (int(constant) - 1), "a" * int(constant), "a" * (int(constant) + 1))
        if type(constant) in (int, UInt) and 0 <= constant <= 4_096:
            for size in (int(constant), int(constant) - 1, int(constant) + 1):
                if size >= 0:
                    yield from ("a" * size, "é" * size, "😀" * size, b"a" * size)
                if 0 <= size <= SIZED_ELEMENTS:
                    yield from (list(range(size)), {f"k{n}": n for n in range(size)})


def _of_uses(shape: Shape) -> Iterator[Any]:
    """Values of the types that the functions applied here take."""
    functions = shape.functions.keys()
    if functions & _TEXTUAL:
        yield from near_texts.NUMERALS
    if functions & {"to_duration"}:
        yield from near_times.SPAN_TEXTS
    if functions & {"base64_encode", "base64_decode"}:
        yield from near_texts.BASE64
    if any(name.endswith("_in") for name in functions):
        yield from near_times.ZONES
    types = shape.types.keys()
    generic = any(type(type_) is TypeParameter for type_ in types)
    if generic or any(getattr(type_, "name", "") in NUMERIC_NAMES for type_ in types):
        yield from near_numbers.EDGES
    if generic or STRING in types:
        yield from near_texts.TEXTS
    if generic or BYTES in types:
        yield from (b"", b"a", b"ab", b"\xff", b"\0", b"aa")
    if TIMESTAMP in types:
        yield from map(Timestamp, near_times.INSTANTS)
    if functions & near_times.GETTERS:
        yield from map(Timestamp, near_times.FIELDS)
    if DURATION in types:
        yield from near_times.SPANS
    if any(type(type_) is ListOf for type_ in types) and shape.element is None:
        yield from ([1, 2], [2, 1], [1, 1], ["b", "a"], [1, 1.0, UInt(1)], [1, "a"], [[1], [2, [3]]], [True, False], [None], [1, float("nan")], list(range(20)), [[1], [1]])
    if any(type(type_) is MapOf for type_ in types) and shape.element is None:
        yield from ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": {"a": 1}}, {"": 0})


def _containers(shape: Shape, depth: int) -> Iterator[Any]:
    """Maps with the members that are read, and lists and maps of the elements that are."""
    if shape.members:
        yield from _records(shape, depth)
    if shape.element is not None:
        yield from _lists(candidates(shape.element, depth - 1), shape)


def _records(shape: Shape, depth: int) -> Iterator[Any]:
    choices = {name: candidates(member, depth - 1) for name, member in shape.members.items()}
    base = {name: values[0] for name, values in choices.items() if values[0] is not ABSENT}
    yield base
    yield from ({**base, "extra": 1}, list(base.values()), list(base))


def _lists(elements: tuple[Any, ...], shape: Shape) -> Iterator[Any]:
    """Lists and maps in which the first, a later or no element decides: what short-circuits a comprehension."""
    plain = [element for element in elements if element is not ABSENT]
    first = plain[0] if plain else 1
    yield from ([first], [], plain[:2], plain[:3])
    for other in plain[1:16]:
        yield from ([other], [first, other], [other, first])
    for other in plain[1:12]:
        yield from ([first, first, other], [other, other], [other, None], [None, other], [first, other, first], {"a": first, "b": other}, {"b": other, "a": first}, {"a": other})
    yield from ([first, first], [first] * 3, {"a": first}, {"a": first, "b": first}, plain[:8], plain[7::-1], (first, first))


def many(element: Any) -> Iterator[Any]:
    """Lists and maps of one element as often as the iteration budget has steps, one less and one more; as far as requests go."""
    room = REQUEST_BYTES - 1_000
    width = len(repr(element))
    for count in (100, ITERATION_BUDGET - 1, ITERATION_BUDGET, ITERATION_BUDGET + 1):
        yield [element] * min(count, room // width)
    yield {f"k{number:05d}": element for number in range(min(2_000, room // (8 + width)))}


def huge(shape: Shape) -> Iterator[Any]:
    """Values that take long to decide on, or are too large to."""
    if STRING in shape.types or shape.patterns:
        text = next((constant for constant in shape.constants.values() if type(constant) is str and constant), "a")
        yield from (text * (4_000 // len(text)), "a" * 65_000, "é" * 30_000, "a" * 66_000)
    inner: Any = 1
    for _ in range(40):
        inner = {"a": inner}
    yield inner
