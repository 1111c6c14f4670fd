"""Diagnostics as people, code scanning and pull requests get them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hexgate import __version__
from hexgate.diagnostic_codes import CODES
from hexgate.diagnostics import Diagnostic, Related, Severity
from hexgate.place import Place
from hexgate_cli.rendering.diagnostics_github import format_github
from hexgate_cli.rendering.diagnostics_human import format_diagnostics
from hexgate_cli.rendering.diagnostics_json import diagnostics_to_sarif
from hexgate_cli.rendering.excerpt import format_excerpt
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Screen

SOURCE = "version: 1\nname: 日本 bad\n\ttab: bad\nevil: \x1b[31m\u202e bad\nshort\n"
FILE = "a.yaml"


def render(*diagnostics: Diagnostic, width: int = 80, colour: bool = False) -> str:
    return format_diagnostics(diagnostics, SourceText({FILE: SOURCE}), Screen(colour, width))


def test_a_diagnostic_shows_code_sentence_place_caret_and_help() -> None:
    found = render(Diagnostic("HG202", "unknown key `version`", Place(FILE, 1, 1, 7), "did you mean `verse`?"))
    assert found == (
        "error[HG202]: unknown key `version`\n"
        " --> a.yaml:1:1\n"
        "  |\n"
        "1 | version: 1\n"
        "  | ^^^^^^^\n"
        "  = help: did you mean `verse`?\n"
        "\n"
        "1 error\n"
    )


CARETS = [
    (Place(FILE, 2, 10, 3), ["2 | name: 日本 bad", "  |            ^^^"]),
    (Place(FILE, 2, 7, 2), ["2 | name: 日本 bad", "  |       ^^^^"]),
    (Place(FILE, 3, 7, 3), ["3 |     tab: bad", "  |          ^^^"]),
    (Place(FILE, 4, 14, 3), ["4 | evil: \\x1b[31m\\u202e bad", "  |                      ^^^"]),
    (Place(FILE, 5, 3, 99), ["5 | short", "  |   ^^^"]),
    (Place(FILE, 5, 99, 1), ["5 | short", "  |      ^"]),
    (Place(FILE, 5, 1, 0), ["5 | short", "  | ^"]),
    (Place(FILE, 6, 1, 1), ["6 |", "  | ^"]),
    (Place(FILE, 7, 1, 1), []),
    (Place("missing.yaml", 1, 1, 1), []),
]


@pytest.mark.parametrize(("place", "lines"), CARETS)
def test_carets_stand_below_what_they_point_at(place: Place, lines: list[str]) -> None:
    assert format_excerpt(place, SourceText({FILE: SOURCE}), Screen(), gutter=1) == lines


def test_a_long_line_is_cut_around_the_place() -> None:
    sources = SourceText({FILE: "x" * 300 + "HERE" + "y" * 300})
    line, carets = format_excerpt(Place(FILE, 1, 301, 4), sources, Screen(width=60), gutter=1)
    assert len(line) <= 60
    assert line.startswith("1 | …x")
    assert line.endswith("y…")
    start = carets.index("^")
    assert line[start : start + 4] == "HERE"
    assert carets.count("^") == 4


def test_related_places_are_shown_and_diagnostics_are_sorted_and_counted() -> None:
    late = Diagnostic("HG203", "duplicate key", Place(FILE, 5, 1, 5), related=(Related(Place(FILE, 1, 1, 7), "first"),))
    nowhere = Diagnostic("HG211", "no role", None, severity=Severity.WARNING)
    far = Diagnostic("HG501", "wider", Place("b.yaml", 1, 1), related=(Related(Place("b.yaml", 2, 2), "parent"),), severity=Severity.NOTE)  # fmt: skip
    assert render(far, late, nowhere) == (
        "warning[HG211]: no role\n"
        "\n"
        "error[HG203]: duplicate key\n"
        " --> a.yaml:5:1\n"
        "  |\n"
        "5 | short\n"
        "  | ^^^^^\n"
        " ::: a.yaml:1:1\n"
        "  |\n"
        "1 | version: 1\n"
        "  | ^^^^^^^ first\n"
        "\n"
        "note[HG501]: wider\n"
        " --> b.yaml:1:1\n"
        " ::: b.yaml:2:2\n"
        "  = parent\n"
        "\n"
        "1 error, 1 warning, 1 note\n"
    )


def test_help_is_wrapped_and_user_text_is_escaped() -> None:
    found = render(Diagnostic("HG110", "`\x1b]0;x\x07` is not a name", None, "one two three four five"), width=28)
    assert found == (
        "error[HG110]: `\\x1b]0;x\\x07` is not a name\n"
        "  = help: one two three four\n"
        "          five\n"
        "\n"
        "1 error\n"
    )


def test_colour_adds_nothing_but_colour() -> None:
    diagnostic = Diagnostic("HG110", "x", Place(FILE, 1, 1, 7), "y", (Related(Place(FILE, 2, 1), "z"),))
    painted = render(diagnostic, colour=True)
    assert "\x1b[1;31merror[HG110]\x1b[0m" in painted
    plain = painted
    for code in ("1;31", "1;32", "34", "36", "1"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain.replace("\x1b[0m", "") == render(diagnostic)


def test_github_commands_escape_what_would_end_them() -> None:
    diagnostic = Diagnostic("HG110", "50% of\r\nit, here: x", Place("a,b:c%.yaml", 3, 4, 2), "help\nme", severity=Severity.NOTE)  # fmt: skip
    assert format_github([diagnostic]) == (
        "::notice file=a%2Cb%3Ac%25.yaml,line=3,col=4,endColumn=6,title=hexgate HG110"
        "::50%25 of%0D%0Ait, here: x%0Ahelp: help%0Ame\n"
    )
    assert format_github([Diagnostic("HG211", "none", None)]) == "::error title=hexgate HG211::none\n"


def test_sarif_has_what_the_standard_requires() -> None:
    found = diagnostics_to_sarif([
        Diagnostic("HG203", "twice", Place("dir/ä b.yaml", 2, 3, 4), "rename", (Related(Place("c:d.yaml", 1, 1), "first"),)),
        Diagnostic("HG501", "wider", Place("/abs/x.yaml", 1, 1), severity=Severity.NOTE),
        Diagnostic("HG211", "none", None, severity=Severity.WARNING),
    ])  # fmt: skip
    json.dumps(found)
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]  # type: ignore[misc, union-attr]
    driver = run["tool"]["driver"]  # type: ignore[index, call-overload]
    assert (driver["name"], driver["version"]) == ("hexgate", __version__)
    assert driver["rules"] == [
        {"id": code, "shortDescription": {"text": CODES[code]}} for code in ("HG203", "HG211", "HG501")
    ]
    results = run["results"]  # type: ignore[index, call-overload]
    assert [(r["ruleId"], r["level"], driver["rules"][r["ruleIndex"]]["id"]) for r in results] == [
        ("HG211", "warning", "HG211"),
        ("HG501", "note", "HG501"),
        ("HG203", "error", "HG203"),
    ]
    assert "locations" not in results[0]
    assert results[1]["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///abs/x.yaml"}
    assert results[2]["message"] == {"text": "twice; help: rename"}
    assert results[2]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "dir/%C3%A4%20b.yaml"},
                "region": {"startLine": 2, "startColumn": 3, "endColumn": 7},
            }
        }
    ]
    assert results[2]["relatedLocations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "c%3Ad.yaml"}


LINE_ENDS = [b"one\ntwo", b"one\r\ntwo", b"one\rtwo", b"\xef\xbb\xbfone\ntwo", "one\u2028two".encode()]


@pytest.mark.parametrize("data", LINE_ENDS)
def test_lines_are_those_that_yaml_counts(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(data)
    assert [SourceText().line(str(file), number) for number in (0, 1, 2, 3)] == [None, "one", "two", None]
