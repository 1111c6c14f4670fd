"""Protocol buffers in their one form: any other form of the same message is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate.identity.wire import BYTES, NUMBER, REPEATED, Field, Fields, WireError, data_field, number_field, signed

SHAPE = {1: NUMBER, 2: BYTES, 3: REPEATED, 20: NUMBER}

GOOD = [
    ("", {}),
    ("0800", {1: 0}),
    ("087f", {1: 127}),
    ("088001", {1: 128}),
    ("08ffffffffffffffffff01", {1: 2**64 - 1}),
    ("1200", {2: b""}),
    ("120161", {2: b"a"}),
    ("1a001a0161", {3: [b"", b"a"]}),
    ("080112016aa00107", {1: 1, 2: b"j", 20: 7}),
]


@pytest.mark.parametrize(("data", "values"), GOOD)
def test_the_one_form(data: str, values: dict[int, object]) -> None:
    assert Fields(bytes.fromhex(data), SHAPE)._values == values


BAD = {
    "an integer with a needless byte": "088000",
    "a key with a needless byte": "880000",
    "an integer above 64 bits": "08ffffffffffffffffff02",
    "an integer of 11 bytes": "0880808080808080808080 01",
    "an integer that ends early": "0880",
    "no integer": "08",
    "bytes that end early": "120261",
    "a length that ends early": "1280",
    "a field twice": "08000800",
    "fields in another order": "12000800",
    "repeated fields with another between": "1a0020001a00",
    "an unknown field": "2000",
    "field 0": "0000",
    "another wire type": "0a0161",
    "a fixed field": "0d00000000",
    "a group": "0b0c",
    "a byte too many": "080000",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_other_forms(data: str) -> None:
    with pytest.raises(WireError):
        Fields(bytes.fromhex(data), SHAPE)


def test_what_is_absent() -> None:
    fields = Fields(b"", SHAPE)
    assert (fields.all(3), fields.number(1, 5), 1 in fields) == ([], 5, False)
    for read in (lambda: fields.number(1), lambda: fields.data(2), fields.one):
        with pytest.raises(WireError):
            read()


VALUES = st.fixed_dictionaries(
    {}, optional={1: st.integers(0, 2**64 - 1), 2: st.binary(max_size=300), 3: st.lists(st.binary(max_size=5), min_size=1, max_size=4)}
)


@given(VALUES)
def test_what_is_written_is_read(values: dict[int, object]) -> None:
    assert Fields(write(values), SHAPE)._values == values


def write(values: dict[int, object]) -> bytes:
    out = b""
    for number, value in sorted(values.items()):
        if isinstance(value, int):
            out += number_field(number, value)
        elif isinstance(value, bytes):
            out += data_field(number, value)
        elif isinstance(value, list):
            out += b"".join(data_field(number, one) for one in value)
    return out


@given(st.binary(max_size=40))
def test_one_message_has_one_form(data: bytes) -> None:
    """Whatever is read gives the same bytes when it is written."""
    shape = {number: Field(wire_type, repeats) for number, wire_type, repeats in ((1, 0, False), (2, 2, False), (3, 2, True))}
    try:
        fields = Fields(data, shape)
    except WireError:
        return
    assert write(fields._values) == data


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_integers(value: int) -> None:
    assert signed(Fields(number_field(1, value), SHAPE).number(1)) == value
