"""Strict YAML with places: bytes to a tree of scalars, lists and maps (docs/language.md P8).

Refused: other encodings than UTF-8, anchors, aliases, tags, merge keys, several documents, keys that are no strings or
come twice, and whatever is too large or too deep. Every problem is reported, not only the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias, Union

import yaml

from hexgate.diagnostics import Diagnostic, Place, Related
from hexgate.policy.source import SourceText

FILE_BYTES = 2**20
"""Length of a policy file in bytes, at most."""

DEPTH = 24
"""Nesting of a document, at most."""

_FORBIDDEN = re.compile("[\\x00-\\x08\\x0b-\\x0c\\x0e-\\x1f\\x7f\\x85\\u2028\\u2029\\ufeff]")
"""Control characters, and characters that some YAML readers take for line breaks."""

_Loader: Any = getattr(getattr(yaml, "cyaml", None), "CParser", None)
"""libyaml's parser, about ten times as fast as the pure one, which stands in where PyYAML was built without it."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar. `plain` is False where it was quoted or a block, so that it can only be text."""

    source: SourceText
    plain: bool

    @property
    def place(self) -> Place:
        return self.source.place


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[tuple[SourceText, Node], ...]
    place: Place

    def get(self, name: str) -> Node | None:
        """The value of a key, or None."""
        for key, value in self.entries:
            if key.text == name:
                return value
        return None


Node: TypeAlias = Union[Scalar, Sequence, Mapping]


def parse_yaml(file: str, data: bytes) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """The tree of a file, None where it has none, and what is wrong with it."""
    text, problem = _decode(file, data)
    if problem is not None:
        return None, (problem,)
    builder = _Builder(file, text)
    try:
        return builder.document(), tuple(builder.diagnostics)
    except yaml.YAMLError as error:
        return None, (*builder.diagnostics, _syntax_error(file, text, error))
    except _StopError:
        return None, tuple(builder.diagnostics)


class _StopError(Exception):
    """The rest of the file is not looked at."""


def _decode(file: str, data: bytes) -> tuple[str, Diagnostic | None]:
    start = Place(file, 1, 1)
    if len(data) > FILE_BYTES:
        return "", Diagnostic("HG208", f"the file has {len(data)} bytes, more than {FILE_BYTES}", start, "split it into several roles")
    if data[:3] == b"\xef\xbb\xbf" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "", Diagnostic("HG208", "the file begins with a byte order mark", start, "save it as UTF-8 without a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return "", Diagnostic("HG208", "the file is not UTF-8", Place(file, line, 1), "save it as UTF-8")
    match = _FORBIDDEN.search(text)
    if match is not None:
        before = text[: match.start()]
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        return "", Diagnostic("HG208", f"U+{ord(match.group()):04X} cannot stand in a policy file", place, "remove it, or write it as an escape in a quoted string")
    return text, None


def _syntax_error(file: str, text: str, error: yaml.YAMLError) -> Diagnostic:
    mark = getattr(error, "problem_mark", None)
    place = Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file, 1, 1)
    problem = " ".join(str(getattr(error, "problem", None) or "it cannot be read").split())
    help_ = "indent with spaces" if "\t" in text else "put a text that contains `: `, `#`, or begins with a special character, in quotes"
    return Diagnostic("HG201", f"the file is not YAML: {problem}", place, help_)


class _Builder:
    """Builds the tree from the parser's events, so that depth and foreign features are seen before anything grows."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._lines: list[int] | None = None
        self._parser: Any = (_Loader or _PureParser)(text)
        self.diagnostics: list[Diagnostic] = []

    def document(self) -> Node | None:
        """The one document of the file, None where it is empty."""
        self._next(yaml.StreamStartEvent)
        if isinstance(self._peek(), yaml.StreamEndEvent):
            return None
        self._parser.get_event()
        node = self._node(1)
        self._parser.get_event()
        following = self._peek()
        if not isinstance(following, yaml.StreamEndEvent):
            self._report("HG207", "the file has more than one document", self._place(following), "put each role in a file of its own, or use `roles:`")
        return node

    def _peek(self) -> Any:
        return self._parser.peek_event()

    def _next(self, _kind: type) -> Any:
        return self._parser.get_event()

    def _place(self, event: Any, length: int = 1) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1, max(1, length))

    def _report(self, code: str, message: str, place: Place, help_: str = "", related: tuple[Related, ...] = ()) -> None:
        self.diagnostics.append(Diagnostic(code, message, place, help_, related))

    def _node(self, depth: int) -> Node | None:
        event = self._parser.get_event()
        place = self._place(event)
        if depth > DEPTH:
            self._report("HG208", f"the file nests deeper than {DEPTH} levels", place, "policies need five")
            raise _StopError
        if isinstance(event, yaml.AliasEvent):
            self._report("HG207", "aliases are not used in policies", place, "write the value again, or declare it under `consts:`")
            return None
        if event.anchor is not None:
            self._report("HG207", "anchors are not used in policies", place, "write the value again, or declare it under `consts:`")
        if event.tag is not None and (not isinstance(event, yaml.ScalarEvent) or event.tag != "!"):
            self._report("HG207", "tags are not used in policies", place, "remove the tag")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _sequence(self, event: Any, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            item = self._node(depth + 1)
            if item is not None:
                items.append(item)
        self._parser.get_event()
        return Sequence(tuple(items), self._place(event))

    def _mapping(self, event: Any, depth: int) -> Mapping:
        entries: list[tuple[SourceText, Node]] = []
        seen: dict[str, Place] = {}
        while not isinstance(self._peek(), yaml.MappingEndEvent):
            key_event = self._peek()
            key = self._node(depth + 1)
            value = self._node(depth + 1)
            name = self._key(key, key_event)
            if name is None:
                continue
            if name.text in seen:
                related = (Related(seen[name.text], "the first one is here"),)
                self._report("HG203", f"`{name.text}` stands here twice", name.place, "keep one of them", related)
                continue
            seen[name.text] = name.place
            if value is not None:
                entries.append((name, value))
        self._parser.get_event()
        return Mapping(tuple(entries), self._place(event))

    def _key(self, key: Node | None, event: Any) -> SourceText | None:
        """The text of a key, or None where it is reported."""
        if not isinstance(key, Scalar):
            if key is not None:
                self._report("HG204", "a key is a name", self._place(event), "write a plain word before the colon")
            return None
        text = key.source.text
        if key.plain and text == "<<":
            self._report("HG207", "merge keys are not used in policies", key.place, "write the keys out, or use `inherits`")
            return None
        if key.plain and not isinstance(plain_value(text), str):
            self._report("HG204", f"the key `{text}` is not a string in YAML", key.place, f'put it in quotes: `"{text}"`')
            return None
        return key.source

    def _scalar(self, event: Any) -> Scalar:
        value = event.value
        plain = event.style in (None, "")
        start, end = event.start_mark, event.end_mark
        if start.line == end.line and plain:
            # One place for each character would cost more than the rest; it is made when an error needs it.
            return Scalar(_LineText(value, Place(self._file, start.line + 1, start.column + 1, max(1, len(value)))), True)
        raw = self._text[self._offset(start) : self._offset(end)]
        places = scalar_places(raw, value, event.style, start.line + 1, start.column + 1)
        length = end.column - start.column if start.line == end.line else 1
        place = Place(self._file, start.line + 1, start.column + 1, max(1, length))
        return Scalar(SourceText(value, place, places), plain)

    def _offset(self, mark: Any) -> int:
        """The position of a mark in the text. libyaml counts bytes or characters; lines and columns are characters."""
        if self._lines is None:
            self._lines = [0]
            for line in self._text.splitlines(keepends=True):
                self._lines.append(self._lines[-1] + len(line))
        return self._lines[min(mark.line, len(self._lines) - 1)] + int(mark.column)


class _LineText(SourceText):
    """A plain scalar on one line: its characters stand side by side."""

    __slots__ = ()

    def at(self, start: int, end: int) -> Place:
        return Place(self.place.file, self.place.line, self.place.column + start, max(1, end - start))


class _PureParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """The pure Python parser, for a PyYAML built without libyaml."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


def plain_value(text: str) -> object:
    """What a plain scalar is in YAML 1.1 or 1.2 other than text: None, bool, int, float; the text itself otherwise."""
    lowered = text.lower()
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if lowered in ("true", "false", "yes", "no", "on", "off", "y", "n"):
        return lowered in ("true", "yes", "on", "y")
    if text.lstrip("+-")[:1].isdigit() or text.lstrip("+-")[:2] in (".i", ".I") or lowered == ".nan" or text.lstrip("+-")[:1] == ".":
        number = yaml.SafeLoader.yaml_implicit_resolvers
        for first in (text[:1],):
            for tag, pattern in number.get(first, ()):
                if pattern.match(text) and tag.rpartition(":")[2] in ("int", "float", "timestamp"):
                    return 0
        try:
            return float(text)
        except ValueError:
            return text
    return text


def scalar_places(raw: str, value: str, style: str | None, line: int, column: int) -> tuple[tuple[int, int], ...]:
    """The line and column of each code point of a scalar's value, found again in its raw text, and of its end.

    Characters are matched in order; what YAML folded or escaped stands at the nearest raw character before the match.
    """
    places: list[tuple[int, int]] = []
    positions = _raw_positions(raw, line, column)
    at = 1 if style in ("'", '"') else _block_start(raw) if style in ("|", ">") else 0
    for character in value:
        step = at
        if style == '"' and raw[step : step + 1] == "\\":
            width = {"x": 4, "u": 6, "U": 10}.get(raw[step + 1 : step + 2], 2)
            places.append(positions[min(step, len(positions) - 1)])
            at = step + width
            continue
        while step < len(raw) and raw[step] != character and raw[step] in " \n\r\t":
            step += 1
        if step < len(raw) and raw[step] == character:
            places.append(positions[step])
            at = step + (2 if style == "'" and raw[step : step + 2] == "''" else 1)
        else:
            places.append(positions[min(at, len(positions) - 1)])
    places.append(positions[min(at, len(positions) - 1)])
    return tuple(places)


def _raw_positions(raw: str, line: int, column: int) -> list[tuple[int, int]]:
    positions = []
    for character in raw:
        positions.append((line, column))
        line, column = (line + 1, 1) if character == "\n" else (line, column + 1)
    return [*positions, (line, column)]


def _block_start(raw: str) -> int:
    """Where the text of a block scalar begins: after its header's line."""
    return raw.find("\n") + 1
