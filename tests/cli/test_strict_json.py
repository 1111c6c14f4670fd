"""Strict JSON: what is read, what is refused, and in which words."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate.strict_json import JSON_DEPTH, JSON_NUMBER_DIGITS, StrictJsonError, parse_json

READ = [
    ("null", None),
    (" true\r\n\t", True),
    ('{"a": {"b": [1, 2.5, "x"]}}', {"a": {"b": [1, 2.5, "x"]}}),
    ("-0", 0),
    ("18446744073709551616", 2**64),
    ("1" * JSON_NUMBER_DIGITS, int("1" * JSON_NUMBER_DIGITS)),
    ("1e400", math.inf),
    (r'"\ud800"', "\ud800"),
    (r'"\ud83d\ude00"', "😀"),
    ('{"a": 1, "A": 2, "ａ": 3}', {"a": 1, "A": 2, "ａ": 3}),
    ('"[[[[" ', "[[[["),
    ('"\u2028"', "\u2028"),
    (b'"\xc3\xa9"', "é"),
    ("[" * JSON_DEPTH + "]" * JSON_DEPTH, None),
]

REFUSED = [
    ("", "the JSON is empty (line 1, column 1)"),
    (" \n ", "the JSON is empty (line 2, column 2)"),
    ("{", "the JSON ends early (line 1, column 2)"),
    ('{"a": 1, "b": {"c": 1, "c": 1}}', "the key `c` appears twice in one object"),
    (r'{"a": 1, "\u0061": 2}', "the key `a` appears twice in one object"),
    ("NaN", "`NaN` is not JSON"),
    ("[-Infinity]", "`-Infinity` is not JSON"),
    ("Infinity", "`Infinity` is not JSON"),
    ("1 2", "something follows the JSON value (line 1, column 3)"),
    ('{"a": 1}\n,', "something follows the JSON value (line 2, column 1)"),
    ("\ufeff1", "a byte order mark before the JSON (line 1, column 1)"),
    (b"\xef\xbb\xbf1", "a byte order mark before the JSON (line 1, column 1)"),
    (b'"\n\xc3\xa9 \xff"', "the JSON is not UTF-8 (line 2, column 3)"),
    (b'"\xed\xa0\x80"', "the JSON is not UTF-8 (line 1, column 2)"),
    ('"a\nb"', "not JSON: invalid control character (line 1, column 3)"),
    ("01", "something follows the JSON value (line 1, column 2)"),
    ("[1,]", "not JSON: expecting value (line 1, column 4)"),
    ("{'a': 1}", "not JSON: expecting property name enclosed in double quotes (line 1, column 2)"),
    ("tru", "not JSON: expecting value (line 1, column 1)"),
    ("[1, // no\n 2]", "not JSON: expecting value (line 1, column 5)"),
    ("1" * (JSON_NUMBER_DIGITS + 1), f"an integer of more than {JSON_NUMBER_DIGITS} digits"),
    ("\n" + "[" * (JSON_DEPTH + 1), f"the JSON is nested deeper than {JSON_DEPTH} (line 2, column {JSON_DEPTH + 1})"),
    ('{"a":' * 100_000, f"the JSON is nested deeper than {JSON_DEPTH} (line 1, column {5 * JSON_DEPTH + 1})"),
]


@pytest.mark.parametrize(("text", "value"), READ, ids=[repr(text)[:30] for text, _ in READ])
def test_strict_json_is_read(text: str | bytes, value: object) -> None:
    found = parse_json(text)
    if value is not None:
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_is_not_strict_json_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(StrictJsonError) as caught:
        parse_json(text)
    assert str(caught.value) == message


def test_a_lower_depth_can_be_asked_for() -> None:
    assert parse_json('[{"a": []}]', depth=3) == [{"a": []}]
    with pytest.raises(StrictJsonError) as caught:
        parse_json('[{"a": [[]]}]', depth=3)
    assert str(caught.value) == "the JSON is nested deeper than 3 (line 1, column 9)"


SIGNS = (
    # text, how many signs may be in it, whether they are no more
    ('[1, {"a": 2}]', 3, True),
    ('[1, {"a": 2}]', 2, False),
    ('",,,[[["', 0, True),
    ('{",[": "{"}', 1, True),
    ('["\\",", 1]', 2, True),
    ('["\\",", 1]', 1, False),
    ("[" * 300, 299, False),
    ('""' * 7 + ",,", 1, False),
)


@pytest.mark.parametrize(("text", "most", "few"), SIGNS, ids=range(len(SIGNS)))
def test_the_signs_of_a_text_can_be_bounded(text: str, most: int, few: bool) -> None:
    if few:
        assert parse_json(text, signs=most) == json.loads(text)
        return
    with pytest.raises(StrictJsonError) as caught:
        parse_json(text, signs=most)
    assert str(caught.value) == f"the JSON has more than {most} commas and brackets"


def test_brackets_in_an_unterminated_string_do_not_take_quadratic_time() -> None:
    with pytest.raises(StrictJsonError):
        parse_json('"' + '\\"' * 200_000)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_is_written_is_read_back(value: object, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@given(st.text(alphabet='[]{}",:\\ \n01eE-+.NaIntrufls\x00\ud800é'))
def test_any_text_is_read_or_refused_with_one_error(text: str) -> None:
    with contextlib.suppress(StrictJsonError):
        parse_json(text)
