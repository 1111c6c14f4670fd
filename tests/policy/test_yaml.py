"""The YAML layer: both parsers alike, exact places, limits, encodings."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.policy.plain_scalars import Kind, kind_of
from hexgate.policy.source import SourceText
from hexgate.policy.yaml_tree import (
    DEPTH,
    EXPLAINED_CHARACTERS,
    FILE_BYTES,
    SCALAR_CHARACTERS,
    Mapping,
    Node,
    PurePythonParser,
    Scalar,
    Sequence,
    parse_text,
    parse_yaml,
)  # fmt: skip

LIBYAML = getattr(getattr(yaml, "cyaml", None), "CParser", None)

KINDS = {
    Kind.NULL: ["", "~", "null", "Null", "NULL"],
    Kind.BOOL: ["true", "True", "TRUE", "false", "False", "FALSE"],
    Kind.INT: ["0", "-0", "+5", "12", "-9223372036854775809"],
    Kind.FLOAT: ["1.0", "-1.5e3", "1e3", ".5", "5.", "+.5E-7", "0.0", "-0.0"],
    Kind.DISPUTED: [
        "yes", "No", "ON", "off", "y", "N", "0777", "-010", "1_000", "0x1F", "0o17", "0b11", "12:30:45", "1:2.5",
        ".inf", "-.Inf", ".NaN", "2024-01-01", "2024-01-01T00:00:00Z", "=", "<<", "00", "1__0.5", "._5",
    ],
    Kind.TEXT: [
        "args.amount <= 500", "-", "+", ".", "..", "1.2.3", "1a", "-x", "nULL", "tRUE", "yess", "0x", "0o8", "12:99x", "inf",
        "2024-13", "1 2", "--5", "1e", "e5", "١٢", "٣.٥",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KINDS.items() for text in texts])
def test_plain_scalars(kind: Kind, text: str) -> None:
    assert kind_of(text) is kind


def outline(node: Node | None) -> Any:
    """A tree with all its places, comparable."""
    match node:
        case Scalar(source, plain):
            return "scalar", source.text, plain, source.place, source.inset, source.origin
        case Sequence(items, place, is_broken):
            return "list", place, is_broken, [outline(item) for item in items]
        case Mapping(entries, place, broken):
            return "map", place, broken, [(outline(Scalar(key, True)), outline(value)) for key, value in entries]
    return None


PIECES = [
    "a", "b:", "- ", "  ", "\n", "\n\n", " ", ":", "'", '"', "''", "\\n", "\\", "\\\n", "|", "|-\n", ">\n", ">+\n", "|2\n",
    "#", " # c", "[", "]", "{", "}", ",", "?", "? ", "!", "! x", "&a ", "*a", "%", "@", "`", "é", "😀", "x: y", "0", "<<: ",
    "---\n", "...", "~", "\r\n", "=", "\\u0041", "\\x41", "\\U0001F600", "\\ud800", "\\UFFFFFFFF", "\\q", ": ", "-",
    "http://x", "a ? b : c", "'it''s'", "!has(a)", 'a=="x"', "\t", "%YAML 1.1\n", "\u2028", "\x7f",
]  # fmt: skip
DOCUMENT = """\
a: 1
b:
  - x
  - 'y'
  - "z\\n"
  - |
    l1
     l2

    l3
  - >-
    f1
    f2

      more
    f3
  - multi
    line

    plain
c: {d: e, 'f': [g, h]}
"""


def mutate(text: str, source: random.Random) -> str:
    """A text with a few stretches replaced by pieces of YAML."""
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(text) + 1)
        end = min(len(text), start + source.choice((0, 0, 1, 2, 5)))
        text = text[:start] + source.choice(PIECES) + text[end:]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_both_parsers_accept_the_same_and_read_the_same(seed: int) -> None:
    assert LIBYAML is not None, "PyYAML is tested with libyaml"
    source = random.Random(seed)
    accepted = 0
    for _ in range(1500):
        if source.random() < 0.5:
            text = mutate(DOCUMENT, source)
        else:
            text = "".join(source.choice(PIECES) for _ in range(source.randint(1, 14)))
        if parse_yaml("f", text.encode())[1] and any(sign in text for sign in "\t\u2028\x7f"):
            continue
        fast, fast_found = parse_text("f", text, LIBYAML)
        slow, slow_found = parse_text("f", text, PurePythonParser)
        assert bool(fast_found) == bool(slow_found), text
        if not fast_found:
            accepted += 1
            assert outline(fast) == outline(slow), text
            require_places(fast, text)
    assert accepted > 100


def require_places(node: Node | None, text: str) -> None:
    """Every code point of every scalar stands where its place says, unless it was escaped or folded."""
    match node:
        case Sequence(items):
            for item in items:
                require_places(item, text)
        case Mapping(entries):
            for key, value in entries:
                require_places(Scalar(key, True), text)
                require_places(value, text)
        case Scalar(source):
            require_scalar_places(source, text.split("\n"))


def require_scalar_places(source: SourceText, lines: list[str]) -> None:
    before = (0, 0)
    for position, character in enumerate(source.text):
        place = source.at(position, position + 1)
        line = lines[place.line - 1]
        found = line[place.column - 1 : place.column]
        assert before <= (place.line, place.column)
        before = place.line, place.column
        is_folded = character in " \n" and (found in ("", "\r") or not line[place.column - 1 :].strip())
        assert found == character or found == "\\" or is_folded, (source, position)


@pytest.mark.parametrize("text", [DOCUMENT, DOCUMENT.replace("\n", "\r\n")], ids=["LF", "CRLF"])
def test_places_in_a_document_of_all_styles(text: str) -> None:
    tree, found = parse_yaml("f", text.encode())
    assert not found
    require_places(tree, text)


TEXTS = st.text(st.sampled_from("ab é😀'\"\\#:-?,[]{}&*!|>%@`\n "), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(value=TEXTS, style=st.sampled_from(["'", '"', "|", ">", ""]), width=st.sampled_from([10, 20, 1000]))
def test_places_of_what_yaml_writes(value: str, style: str, width: int) -> None:
    text = yaml.safe_dump({"k": [value]}, default_style=style or None, width=width, allow_unicode=True, indent=4)
    tree, found = parse_yaml("f", text.encode())
    if found:
        assert {finding.code for finding in found} <= {"HG201", "HG204", "HG207"}
        return
    assert isinstance(tree, Mapping)
    ((_, items),) = tree.entries
    assert isinstance(items, Sequence)
    (item,) = items.items
    assert isinstance(item, Scalar)
    # Some texts its emitter folds so that they read as another: what counts is what its reader sees.
    assert item.source.text == yaml.load(text, yaml.BaseLoader)["k"][0]
    require_places(tree, text)


def single(text: str) -> SourceText:
    tree, found = parse_yaml("f", text.encode())
    assert isinstance(tree, Mapping), found
    value = tree.entries[0][1]
    assert isinstance(value, Scalar)
    return value.source


STRETCHES = [
    # text of the file, start and end in the value, line, column and length in the file
    ("k: abc", 1, 2, (1, 5, 1)),
    ("k: abc", 0, 3, (1, 4, 3)),
    ("k: abc", 3, 3, (1, 7, 1)),
    ("k: 'abc'", 1, 3, (1, 6, 2)),
    ("k: 'it''s'", 2, 3, (1, 7, 2)),
    ("k: 'it''s'", 3, 4, (1, 9, 1)),
    ('k: "a\\u0041b"', 1, 2, (1, 6, 6)),
    ('k: "a\\u0041b"', 1, 3, (1, 6, 7)),
    ('k: "\\U0001F600x"', 1, 2, (1, 15, 1)),
    ("k: 😀é x", 3, 4, (1, 7, 1)),
    ('k: "ab\\\n  cd"', 0, 2, (1, 5, 2)),
    ('k: "ab\\\n  cd"', 2, 3, (2, 3, 1)),
    ('k: "ab\\\n  cd"', 1, 3, (1, 6, 1)),
    ("k: ab\n  cd", 3, 5, (2, 3, 2)),
    ("k: ab\n  cd", 1, 4, (1, 5, 2)),
    ("k: ab\n\n\n  cd", 4, 5, (4, 3, 1)),
    ("k: |\n    ab\n     cd\n", 3, 6, (3, 5, 3)),
    ("k: |\n    ab\n     cd\n", 6, 7, (3, 8, 1)),
    ("k: |2\n    ab\n", 0, 2, (2, 3, 2)),
    ("k: |-  # why\n    ab", 2, 2, (2, 7, 1)),
    ("k: >\n\n    ab\n    cd\n", 4, 6, (4, 5, 2)),
    ("k: >+\n    ab\n      cd\n    ef\n\n", 3, 7, (3, 5, 4)),
    ("k: |", 0, 0, (1, 5, 1)),
    ("k: |\r\n  ab\r\n  cd\r\n", 3, 5, (3, 3, 2)),
]


@pytest.mark.parametrize(("text", "start", "end", "expected"), STRETCHES)
def test_stretches(text: str, start: int, end: int, expected: tuple[int, int, int]) -> None:
    place = single(text).at(start, end)
    assert (place.line, place.column, place.length) == expected


REFUSED = [
    ("byte order mark", b"\xef\xbb\xbfa: 1", "HG208", "the file begins with a byte order mark", (1, 1)),
    ("UTF-16 LE", "a: 1".encode("utf-16"), "HG208", "the file begins with a byte order mark", (1, 1)),
    ("UTF-16 BE without mark", "a: 1".encode("utf-16-be"), "HG208", "the character U+0000 cannot stand in a policy file", (1, 1)),
    ("UTF-32", "a: 1".encode("utf-32-le"), "HG208", "the character U+0000 cannot stand in a policy file", (1, 2)),
    ("Latin-1", "a: 1\né: ü".encode("latin-1"), "HG208", "the file is not UTF-8", (2, 1)),
    ("half a character", b"a: 1\nb: x\xf0\x9f", "HG208", "the file is not UTF-8", (2, 5)),
    ("overlong", b"a: \xc0\xaf", "HG208", "the file is not UTF-8", (1, 4)),
    ("surrogate", b"a: \xed\xa0\x80", "HG208", "the file is not UTF-8", (1, 4)),
    ("NUL", b"a: x\0y", "HG208", "the character U+0000 cannot stand in a policy file", (1, 5)),
    ("escape character", b"a: 1\nb: \x1b[2J", "HG208", "the character U+001B cannot stand in a policy file", (2, 4)),
    ("DEL", b"a: \x7f", "HG208", "the character U+007F cannot stand in a policy file", (1, 4)),
    ("next line", "a: 1\u0085b: 2".encode(), "HG208", "the character U+0085 cannot stand in a policy file", (1, 5)),
    ("line separator", "a: é\u2028b".encode(), "HG208", "the character U+2028 cannot stand in a policy file", (1, 5)),
    ("override", "a: \u202exyz".encode(), "HG208", "the character U+202E cannot stand in a policy file", (1, 4)),
    ("inner mark", "a: x\ufeff".encode(), "HG208", "the character U+FEFF cannot stand in a policy file", (1, 5)),
    ("lone return", b"a: 1\rb: 2", "HG208", "the character U+000D cannot stand in a policy file", (1, 5)),
    ("tab", b"a: 1\nb:\n\tc: 1", "HG201", "a tab stands here, and YAML needs spaces", (3, 1)),
    ("half an escape", b'a: "\\ud83d"', "HG201", "a malformed escape stands in a double-quoted text", (1, 12)),
    ("no escape", b'a: "\\UFFFFFFFF"', "HG201", "a malformed escape stands in a double-quoted text", (1, 7)),
    ("too large", b"#" * (FILE_BYTES + 1), "HG208", "the file has more than 1048576 bytes", (1, 1)),
    ("mega scalar", b"a: " + b"x" * (SCALAR_CHARACTERS + 1), "HG208", "a text has more than 65536 characters", (1, 4)),
    ("mega quoted scalar", b'a: "' + b"\\n" * (SCALAR_CHARACTERS + 1) + b'"', "HG208", "a text has more than 65536 characters", (1, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("data", "code", "message", "place"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(data: bytes, code: str, message: str, place: tuple[int, int]) -> None:
    _, found = parse_yaml("f", data)
    assert found[0].place is not None
    assert (found[0].code, found[0].message, (found[0].place.line, found[0].place.column)) == (code, message, place)


def test_a_comment_may_be_long_and_a_file_as_large_as_the_limit() -> None:
    assert parse_yaml("f", b"a: 1 #".ljust(FILE_BYTES, b"x"))[1] == ()


def test_a_scalar_may_be_as_long_as_the_limit() -> None:
    assert parse_yaml("f", b"a: " + b"x" * SCALAR_CHARACTERS)[1] == ()


def nested(depth: int) -> str:
    """A map at depth 1 whose value is lists within lists, `depth` levels in all."""
    return "a: " + "[" * (depth - 1) + "]" * (depth - 1)


def test_depth() -> None:
    assert parse_yaml("f", nested(DEPTH).encode())[1] == ()
    _, found = parse_yaml("f", nested(DEPTH + 1).encode())
    assert [finding.message for finding in found] == [f"the file nests deeper than {DEPTH} levels"]


HOSTILE = {
    "flow lists": "[" * 5_000,
    "closed flow lists": "[" * 5_000 + "]" * 5_000,
    "flow maps": "{a: " * 5_000,
    "mixed": "[{a: " * 5_000,
    "block lists": "- " * 5_000 + "x",
    "block maps": "".join(" " * depth + "a:\n" for depth in range(1_000)),
    "explicit keys": "? " * 5_000 + "x",
    "large flow lists": "[" * 500_000,
    "laughs": "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)),
    "list of itself": "a: &a [*a]",
    "tags": "a: !!python/object/apply:os.system ['true']",
    "many anchors": "".join(f"k{i}: &a{i} x\n" for i in range(2_000)),
    "many keys": "".join(f"k{i}: x\n" for i in range(50_000)),
    "one key": "k: x\n" * 20_000,
    "long key": "k" * 60_000 + ": x",
    "quotes": "'" * 9_999,
    "escapes": '"' + "\\" * 9_999,
    "block indentation": "a: |\n" + " " * 9_999 + "x\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_read_quickly(text: str) -> None:
    before = time.process_time()
    parse_yaml("f", text.encode())
    assert time.process_time() - before < 10


@pytest.mark.parametrize(
    ("name", "code"),
    [("flow lists", "HG208"), ("large flow lists", "HG208"), ("block lists", "HG208"), ("laughs", "HG207"), ("list of itself", "HG207"),
     ("tags", "HG207"), ("many anchors", "HG207"), ("one key", "HG203"), ("quotes", "HG201")],
)  # fmt: skip
def test_hostile_files_are_refused_for_what_they_are(name: str, code: str) -> None:
    assert parse_yaml("f", HOSTILE[name].encode())[1][0].code == code


def test_errors_of_long_files_are_explained_too() -> None:
    text = "a: 1\n" + "#" * EXPLAINED_CHARACTERS + "\nb: @x\n"
    _, found = parse_yaml("f", text.encode())
    assert [(finding.message, finding.place.line) for finding in found if finding.place] == [
        ("`@` cannot begin a text that has no quotes", 3)
    ]


def test_the_slow_parser_reads_policies_where_libyaml_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parse_yaml("f", DOCUMENT.encode())
    monkeypatch.setattr("hexgate.policy.yaml_tree._PARSER", None)
    slow = parse_yaml("f", DOCUMENT.encode())
    assert (outline(slow[0]), slow[1]) == (outline(fast[0]), fast[1])
