"""Colour, widths, and user text that a terminal would obey."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate_cli.terminal import (
    Colour,
    Screen,
    escape_json,
    escape_name,
    escape_text,
    screen_of,
    shorten,
    show_source_line,
    width_of,
    wrap,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


COLOUR = [
    (True, {}, True),
    (False, {}, False),
    (True, {"NO_COLOR": "1"}, False),
    (True, {"NO_COLOR": ""}, True),
    (True, {"TERM": "dumb"}, False),
    (False, {"FORCE_COLOR": "1"}, True),
    (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
]


@pytest.mark.parametrize(("terminal", "environ", "colour"), COLOUR)
def test_colour_is_what_terminal_and_environment_ask_for(
    terminal: bool, environ: dict[str, str], colour: bool
) -> None:
    assert screen_of(Terminal() if terminal else io.StringIO(), environ).colour is colour


WIDTHS = [({}, 100), ({"COLUMNS": "60"}, 60), ({"COLUMNS": "5"}, 20), ({"COLUMNS": "x"}, 100), ({"COLUMNS": "-3"}, 100)]


@pytest.mark.parametrize(("environ", "width"), WIDTHS)
def test_width_is_what_the_environment_says(environ: dict[str, str], width: int) -> None:
    assert screen_of(io.StringIO(), environ).width == width


def test_without_colour_nothing_is_painted() -> None:
    assert Screen().paint("x", Colour.RED) == "x"
    assert Screen(colour=True).paint("x", Colour.RED) == "\x1b[31mx\x1b[0m"


ESCAPES = [
    ("plain é 日本 👍", "plain é 日本 👍"),
    ("a\x1b[31mb", "a\\x1b[31mb"),
    ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
    ("\x9b31m", "\\x9b31m"),
    ("a\u202eb\u2066c\u200bd\ufeff", "a\\u202eb\\u2066c\\u200bd\\ufeff"),
    ("\ud800", "\\ud800"),
    ("\U000e0041", "\\U000e0041"),
    ("a\U000e0120b\ufe0f", "a\\U000e0120b\\ufe0f"),
    ("\u3164\u115f\u2800\u180e", "\\u3164\\u115f\\u2800\\u180e"),
]


@pytest.mark.parametrize(("text", "shown"), ESCAPES)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, shown: str) -> None:
    assert escape_text(text) == shown


NAMES = [
    ("refund_order", "refund_order"),
    ("refund_\u043erder", "refund_\\u043erder"),
    ("a\x1bb'c\u200b", "a\\x1bb'c\\u200b"),
    ("x" * 500, "x" * 119 + "…"),
]


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_names_that_only_look_like_names_are_spelled_out(name: str, shown: str) -> None:
    assert escape_name(name) == shown


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_escaped_json_is_the_same_value(value: object) -> None:
    text = escape_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(text) == value
    text.encode()


WIDTH_OF = [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0), ("👍", 2)]


@pytest.mark.parametrize(("text", "width"), WIDTH_OF)
def test_columns_are_those_a_terminal_takes(text: str, width: int) -> None:
    assert width_of(text) == width


def test_tabs_and_controls_move_the_columns_behind_them() -> None:
    assert show_source_line("\ta\x1bb") == ("    a\\x1bb", [0, 4, 5, 9, 10])
    assert show_source_line("日x") == ("日x", [0, 2, 3])


@given(st.text(), st.integers(min_value=2, max_value=40))
def test_shortened_text_fits(text: str, columns: int) -> None:
    assert width_of(shorten(text, columns)) <= columns or width_of(text) <= columns


@given(st.text(alphabet="ab 日"), st.integers(min_value=1, max_value=20))
def test_wrapped_text_loses_only_spaces(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width_of(line) <= columns or " " not in line for line in lines)
