"""Freezing: every Python object has a value, by its exact type (docs/language.md L1.5)."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import fractions
import math
import types
import uuid
import zoneinfo
from dataclasses import dataclass
from typing import Any

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate.decision.request import pack_carefully
from hexgate.faults import EvaluationFault, Fault
from hexgate.language.freeze import MISSING, UNSUPPORTED, RequestMap, freeze
from hexgate.limits import REQUEST_DEPTH, TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Unsupported
from tests.engines.notation import same

UTC = datetime.UTC
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")

SUPPORTED: list[tuple[object, object]] = [
    (None, None),
    (True, True),
    (False, False),
    (0, 0),
    (-(2**63), -(2**63)),
    (2**63 - 1, 2**63 - 1),
    (2**63, UInt(2**63)),
    (2**64 - 1, UInt(2**64 - 1)),
    (UInt(5), UInt(5)),
    (1.5, 1.5),
    (-0.0, -0.0),
    ("", ""),
    ("é😀\0", "é😀\0"),
    (b"\xff", b"\xff"),
    (bytearray(b"\xff"), b"\xff"),
    (memoryview(b"abc")[1:], b"bc"),
    ([], ()),
    ((), ()),
    ([1, "a", [None]], (1, "a", (None,))),
    ({}, {}),
    ({"b": 1, "a": {"": []}}, {"b": 1, "a": {"": ()}}),
    (datetime.datetime(1970, 1, 1, tzinfo=UTC), Timestamp(0)),
    (datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), Timestamp(-1000)),
    (datetime.datetime(2024, 7, 1, 12, tzinfo=BERLIN), Timestamp(1_719_828_000 * 10**9)),
    (datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN), Timestamp(1_729_989_000 * 10**9)),
    (datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1), Timestamp(1_729_992_600 * 10**9)),
    (datetime.datetime(1, 1, 1, tzinfo=UTC), Timestamp(TIMESTAMP_MIN)),
    (datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), Timestamp(TIMESTAMP_MAX - 999)),
    (Timestamp(TIMESTAMP_MAX), Timestamp(TIMESTAMP_MAX)),
    (Duration(-(2**63)), Duration(-(2**63))),
]


class Text(str):
    pass


class Number(int):
    pass


class Real(float):
    pass


class Items(list[object]):
    pass


class Members(dict[str, object]):
    pass


class Moment(datetime.datetime):
    pass


class Zone(datetime.tzinfo):
    def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta:
        raise AssertionError("code of the caller's object was run")


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


@dataclass
class Record:
    amount: int


Point = collections.namedtuple("Point", "x y")


class Hostile:
    """Whatever is asked of it fails."""

    def _refuse(self, *_: object) -> Any:
        raise AssertionError("code of the caller's object was run")

    __eq__ = __hash__ = __str__ = __repr__ = __iter__ = __len__ = __bool__ = __getattr__ = _refuse
    __int__ = __float__ = __index__ = __bytes__ = __getitem__ = __contains__ = __reduce__ = _refuse


UNSUPPORTED_OBJECTS: list[tuple[str, object]] = [
    ("int below 64 bits", -(2**63) - 1),
    ("int above 64 bits", 2**64),
    ("NaN", float("nan")),
    ("infinity", float("inf")),
    ("negative infinity", float("-inf")),
    ("complex", 1j),
    ("lone surrogate", "\ud800"),
    ("lone surrogate after text", "é\udfff"),
    ("str subclass", Text("a")),
    ("int subclass", Number(1)),
    ("float subclass", Real(1)),
    ("list subclass", Items()),
    ("dict subclass", Members()),
    ("ordered dict", collections.OrderedDict(a=1)),
    ("default dict", collections.defaultdict(int)),
    ("mapping proxy", types.MappingProxyType({})),
    ("named tuple", Point(1, 2)),
    ("enum", Colour.RED),
    ("int enum", Level.LOW),
    ("str enum", Word.YES),
    ("dataclass", Record(1)),
    ("dataclass type", Record),
    ("decimal", decimal.Decimal("1")),
    ("fraction", fractions.Fraction(1)),
    ("uuid", uuid.UUID(int=0)),
    ("set", {1}),
    ("frozen set", frozenset()),
    ("range", range(3)),
    ("generator", (x for x in ())),
    ("function", freeze),
    ("module", types),
    ("object", object()),
    ("hostile object", Hostile()),
    ("array", array.array("b", [1])),
    ("scattered memory", memoryview(b"abcd")[::2]),
    ("naive datetime", datetime.datetime(2024, 1, 1)),
    ("datetime of another zone class", datetime.datetime(2024, 1, 1, tzinfo=Zone())),
    ("datetime subclass", Moment(2024, 1, 1, tzinfo=UTC)),
    ("before year 1", datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))),
    ("date", datetime.date(2024, 1, 1)),
    ("time", datetime.time(1)),
    ("timedelta", datetime.timedelta(1)),
    ("timestamp out of range", Timestamp(TIMESTAMP_MAX + 1)),
    ("timestamp of no number", Timestamp("now")),  # type: ignore[arg-type]
    ("duration out of range", Duration(2**63)),
    ("type value", TypeValue("int")),
    ("unsupported", Unsupported()),
    ("int key", {1: "a"}),
    ("str enum key", {Word.YES: 1}),
    ("str subclass key", {Text("a"): 1}),
    ("surrogate key", {"\ud800": 1}),
    ("one bad key", {"a": 1, None: 2}),
]


@pytest.mark.parametrize(("source", "value"), SUPPORTED, ids=lambda source: type(source).__name__)
def test_a_supported_object_becomes_its_value(source: object, value: object) -> None:
    assert same(freeze(source), value)
    assert same(freeze([source]), (value,))


@pytest.mark.parametrize("source", [s for _, s in UNSUPPORTED_OBJECTS], ids=[name for name, _ in UNSUPPORTED_OBJECTS])
def test_any_other_object_is_unsupported(source: object) -> None:
    assert freeze(source) == UNSUPPORTED
    assert freeze({"a": [source], "b": 1}) == {"a": (UNSUPPORTED,), "b": 1}


def test_released_memory_is_unsupported() -> None:
    view = memoryview(b"abc")
    view.release()
    assert freeze(view) == UNSUPPORTED


def _nested(levels: int, make: Any) -> Any:
    source: Any = make(0)
    for _ in range(levels - 1):
        source = make(source)
    return source


def _levels(value: object) -> int:
    levels = 0
    while type(value) in (tuple, dict):
        value = value[0] if type(value) is tuple else value["a"]  # type: ignore[index]
        levels += 1
    return levels


@pytest.mark.parametrize("make", [lambda x: [x], lambda x: (x,), lambda x: {"a": x}], ids=["list", "tuple", "dict"])
def test_lists_and_maps_stand_at_depth_32_at_most(make: Any) -> None:
    assert _levels(freeze(_nested(REQUEST_DEPTH, make))) == REQUEST_DEPTH
    assert 0 in _leaves(freeze(_nested(REQUEST_DEPTH, make)))
    assert _leaves(freeze(_nested(REQUEST_DEPTH + 1, make))) == [UNSUPPORTED]
    assert _leaves(freeze(_nested(100_000, make))) == [UNSUPPORTED]
    assert _leaves(freeze(make(0), REQUEST_DEPTH)) == [0]
    assert freeze(make(0), REQUEST_DEPTH + 1) == UNSUPPORTED


def _leaves(value: object) -> list[object]:
    if type(value) is tuple:
        return [leaf for part in value for leaf in _leaves(part)]
    if type(value) is dict:
        return [leaf for part in value.values() for leaf in _leaves(part)]
    return [value]


def test_an_object_that_contains_itself_ends_at_the_depth() -> None:
    items: list[object] = []
    items.append(items)
    assert _leaves(freeze(items)) == [UNSUPPORTED]
    members: dict[str, object] = {}
    members["a"] = members
    assert _leaves(freeze(members)) == [UNSUPPORTED]


FOREIGN = (1j, Text("a"), Number(1), Real(1), Word.YES, decimal.Decimal(1), uuid.UUID(int=0), object(), (Point(1, 2),))
HOST_OBJECTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters())
    | st.binary(max_size=8)
    | st.datetimes(timezones=st.sampled_from([UTC, None, BERLIN]))
    | st.sampled_from(FOREIGN),
    lambda inner: st.lists(inner, max_size=4)
    | st.tuples(inner, inner)
    | st.dictionaries(st.text(st.characters(), max_size=3) | st.integers(0, 2), inner, max_size=3),
    max_leaves=12,
)


def _received(data: bytes) -> object:
    """What a module reads from an encoded value (docs/abi.md A2.2, A2.3)."""

    def extension(tag: int, payload: bytes) -> object:
        match tag:
            case 0:
                return UNSUPPORTED
            case 1:
                return UInt(int.from_bytes(payload, "big"))
            case 2:
                return Duration(int.from_bytes(payload, "big", signed=True))
            case 6:
                nanoseconds, seconds = int.from_bytes(payload[:4], "big"), int.from_bytes(payload[4:], "big", signed=True)
                return Timestamp(seconds * 10**9 + nanoseconds)
        raise AssertionError(tag)

    def value(read: Any) -> object:
        if type(read) is list:
            return tuple(map(value, read))
        if type(read) is dict:
            return {key: value(member) for key, member in read.items()}
        if type(read) is float and not math.isfinite(read):
            return UNSUPPORTED
        return UInt(read) if type(read) is int and read >= 2**63 else read

    return value(ormsgpack.unpackb(data, ext_hook=extension))


@given(HOST_OBJECTS)
def test_both_engines_get_the_same_value(source: object) -> None:
    assert same(freeze(source, 0), _received(pack_carefully(source)))


@given(HOST_OBJECTS)
def test_freezing_a_value_changes_nothing(source: object) -> None:
    value = freeze(source)
    assert same(freeze(value), value)


class TestRequestMap:
    def test_a_member_is_frozen_when_it_is_read_and_once(self) -> None:
        root = RequestMap({"a": [1], "b": {"c": 2.5}, "d": Hostile()})
        assert root.member("a") == (1,)
        assert root.member("a") is root.member("a")
        assert root.member("b") == {"c": 2.5}
        assert root.member("d") is UNSUPPORTED
        assert root.member("e") is MISSING

    def test_presence_does_not_freeze(self) -> None:
        root = RequestMap({"a": Hostile()})
        assert root.has("a")
        assert not root.has("b")

    def test_a_bad_key_hides_the_whole_and_no_member(self) -> None:
        root = RequestMap({"a": 1, 2: 3})
        assert root.member("a") == 1
        assert root.whole() is UNSUPPORTED

    @pytest.mark.parametrize("source", [[], "a", Members(), Hostile(), 1], ids=["list", "str", "subclass", "hostile", "int"])
    def test_what_is_no_dict_is_unsupported(self, source: object) -> None:
        root = RequestMap(source)
        assert root.member("a") is UNSUPPORTED
        assert root.whole() is UNSUPPORTED
        with pytest.raises(EvaluationFault) as caught:
            root.has("a")
        assert caught.value.fault is Fault.UNSUPPORTED_VALUE

    def test_none_is_the_empty_map(self) -> None:
        root = RequestMap(None)
        assert root.member("a") is MISSING
        assert not root.has("a")
        assert root.whole() == {}

    def test_a_member_is_at_depth_2(self) -> None:
        assert _leaves(RequestMap({"a": _nested(REQUEST_DEPTH - 1, lambda x: [x])}).member("a")) == [0]
        assert _leaves(RequestMap({"a": _nested(REQUEST_DEPTH, lambda x: [x])}).member("a")) == [UNSUPPORTED]

    def test_texts_are_checked(self) -> None:
        root = RequestMap({"a": "\ud800", "b": "é"})
        assert root.member("a") is UNSUPPORTED
        assert root.member("b") == "é"
