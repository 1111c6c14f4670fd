"""Strict YAML with places: bytes to a tree of scalars, lists and maps.

Refused: other encodings than UTF-8, anchors, aliases, tags, merge keys, directives, several documents, keys that are no
texts or come twice, and whatever is too large or too deep. Every problem is reported, not only the first. The tree is
built from the parser's events, so that depth and foreign features are seen before anything grows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, Union

import yaml

from hexgate.diagnostics import Diagnostic, Related
from hexgate.place import Place
from hexgate.policy.plain_scalars import NULLS, is_text_as_key
from hexgate.policy.source import RawScalar, SourceText
from hexgate.policy.yaml_errors import explain_syntax

FILE_BYTES = 2**20
"""Length of a policy file in bytes, at most."""

DEPTH = 24
"""Nesting of a document, at most: lists and maps."""

SCALAR_CHARACTERS = 65_536
"""Length of one scalar in code points, at most."""

EXPLAINED_CHARACTERS = 65_536
"""Length in code points of a file whose errors are looked for a second time, with the pure parser: it takes a second for
about so many."""

_FORBIDDEN = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\r(?!\n)"
)
"""Control characters, characters that some readers take for line breaks, and those that make text look other than it is.
Tabs too: readers of YAML differ in where they allow them."""

_PARSER: Any = getattr(getattr(yaml, "cyaml", None), "CParser", None)
"""libyaml's parser, about ten times as fast as the pure one, which stands in where PyYAML was built without it."""


_BLOCKS = ("|", ">")
_BLOCK_HEADER = re.compile(r"[|>][-+1-9]{0,2}[ ]*(?:[ ]#.*)?\r?(?:\n|\Z)")


class _Context(NamedTuple):
    """How many lists and maps are around a node, and whether the nearest one is in brackets or braces."""

    depth: int
    is_flow: bool


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar. `plain` is False where it was quoted or a block, so that it can only be text."""

    source: SourceText
    plain: bool

    @property
    def place(self) -> Place:
        """Where it stands; an empty value stands where its key does."""
        return self.source.place

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written: `key:`."""
        return self.plain and not self.source.text

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's null, written or left out: never a text, as any other scalar is where one is expected."""
        return self.plain and self.source.text in NULLS


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list. `is_broken` where an item was reported and does not stand here."""

    items: tuple[Node, ...]
    place: Place
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map. A key stands here once. `broken` are the keys whose values were reported and do not stand here."""

    entries: tuple[tuple[SourceText, Node], ...]
    place: Place
    broken: frozenset[str] = frozenset()

    def get(self, name: str) -> Node | None:
        """The value of a key, or None."""
        for key, value in self.entries:
            if key.text == name:
                return value
        return None

    def key_place(self, name: str) -> Place:
        """Where a key stands; the map's own place where it has no such key."""
        return next((key.place for key, _ in self.entries if key.text == name), self.place)


Node: TypeAlias = Union[Scalar, Sequence, Mapping]


def parse_yaml(file: str, data: bytes) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """The tree of a file, None where it has none, and what is wrong with it."""
    text, problem = _decode(file, data)
    if problem is not None:
        return None, (problem,)
    tree, found = parse_text(file, text, _PARSER or PurePythonParser)
    if found and _PARSER is not None and len(text) <= EXPLAINED_CHARACTERS:
        # The slow parser's findings, so that messages do not depend on how PyYAML was built.
        again, explained = parse_text(file, text, PurePythonParser)
        if explained:
            return again, explained
    return tree, found


def parse_text(file: str, text: str, parser: Any) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """As `parse_yaml`, of a text. `parser` makes a PyYAML parser of it."""
    builder = _Builder(file, text, parser(text))
    try:
        return builder.document(), tuple(builder.diagnostics)
    except yaml.MarkedYAMLError as error:
        return None, (*builder.diagnostics, explain_syntax(file, text, error))
    except _StopError:
        return None, tuple(builder.diagnostics)


class PurePythonParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's own parser."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)

    def get_event(self) -> Any:
        return self._guarded(yaml.parser.Parser.get_event)

    def peek_event(self) -> Any:
        return self._guarded(yaml.parser.Parser.peek_event)

    def _guarded(self, step: Any) -> Any:
        """An event. An escape that is no character of Unicode is a syntax error, as it is in libyaml."""
        try:
            event = step(self)
            if type(event) is yaml.ScalarEvent and event.style == '"':
                event.value.encode()
        except (ValueError, OverflowError) as error:
            problem = "found invalid Unicode character escape code"
            raise yaml.scanner.ScannerError(None, None, problem, self.get_mark()) from error
        return event


class _StopError(Exception):
    """The rest of the file is not looked at."""


def _decode(file: str, data: bytes) -> tuple[str, Diagnostic | None]:
    """The text of a file, or why there is none."""
    start = Place(file, 1, 1)
    if len(data) > FILE_BYTES:
        message = f"the file has more than {FILE_BYTES} bytes"
        return "", Diagnostic("HG208", message, start, "write each role in a file of its own")
    if data[:3] == b"\xef\xbb\xbf" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        message = "the file begins with a byte order mark"
        return "", Diagnostic("HG208", message, start, "save it as UTF-8 without a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        return "", Diagnostic("HG208", "the file is not UTF-8", _place_after(file, before), "save it as UTF-8")
    match = _FORBIDDEN.search(text)
    if match is None:
        return text, None
    sign = ord(match.group()[0])
    place = _place_after(file, text[: match.start()])
    if sign == 0x09:
        help_ = "indent with spaces, and write a tab in a text as `\\t` in double quotes"
        return "", Diagnostic("HG201", "a tab stands here, and YAML needs spaces", place, help_)
    help_ = "save the file with line feeds" if sign == 0x0D else "remove it, or write it as an escape in double quotes"
    return "", Diagnostic("HG208", f"the character U+{sign:04X} cannot stand in a policy file", place, help_)


def _place_after(file: str, before: str) -> Place:
    """The place of the code point that follows a text."""
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Builder:
    """Builds the tree of one file."""

    def __init__(self, file: str, text: str, parser: Any) -> None:
        self._file = file
        self._text = text
        self._next = parser.get_event
        self._peek = parser.peek_event
        self.diagnostics: list[Diagnostic] = []

    def document(self) -> Node | None:
        """The one document of the file, None where it is empty."""
        self._next()
        start = self._next()
        if isinstance(start, yaml.StreamEndEvent):
            return None
        if start.version is not None or start.tags:
            self._report("HG207", "directives are not used in policies", start, "remove the line that begins with `%`")
        node = self._node(self._next(), _Context(0, False))
        self._next()
        following = self._peek()
        if not isinstance(following, yaml.StreamEndEvent):
            help_ = "put each role in a file of its own, or use `roles:`"
            self._report("HG207", "the file has more than one document", following, help_)
        return None if isinstance(node, Scalar) and node.is_empty else node

    def _place(self, event: Any) -> Place:
        """Where an event begins, and its length where that is on one line."""
        start, end = event.start_mark, event.end_mark
        line, column = start.line, start.column
        length = end.column - column if end.line == line else 1
        return Place(self._file, line + 1, column + 1, length if length > 0 else 1)

    def _report(self, code: str, message: str, event: Any, help_: str) -> None:
        self.diagnostics.append(Diagnostic(code, message, self._place(event), help_))

    def _node(self, event: Any, context: _Context) -> Node | None:
        """The node that begins with an event; None where it is reported."""
        kind = type(event)
        if kind is yaml.AliasEvent:
            self._refuse_alias(event)
            return None
        if event.anchor is not None:
            help_ = "write the value where it is needed, or under `consts:`; put a text that begins with `&` in quotes"
            self._report("HG207", "anchors are not used in policies", event, help_)
        if event.tag is not None:
            self._refuse_tag(event)
        if kind is yaml.ScalarEvent:
            return self._scalar(event, context) if event.tag is None and event.anchor is None else None
        if context.depth == DEPTH:
            self._report("HG208", f"the file nests deeper than {DEPTH} levels", event, "policies need few")
            raise _StopError
        inner = _Context(context.depth + 1, event.flow_style)
        return self._sequence(event, inner) if kind is yaml.SequenceStartEvent else self._mapping(event, inner)

    def _refuse_alias(self, event: Any) -> None:
        help_ = "write the value again, or declare it under `consts:`; put a text that begins with `*` in quotes"
        self._report("HG207", "aliases are not used in policies", event, help_)

    def _refuse_tag(self, event: Any) -> None:
        """`- !args.flag` is a tag to YAML, and `- ! args.flag` too."""
        written = self._text[event.start_mark.index : event.end_mark.index].partition("\n")[0]
        if isinstance(event, yaml.ScalarEvent) and not str(event.tag).startswith("tag:"):
            quoted = "'" + written.replace("'", "''") + "'"
            message, help_ = "the leading `!` is a tag to YAML", f"put the whole text in quotes: `{quoted}`"
        else:
            message, help_ = "tags are not used in policies", "remove the tag"
        self._report("HG207", message, event, help_)

    def _sequence(self, event: Any, context: _Context) -> Sequence:
        items: list[Node | None] = []
        following = self._next()
        while type(following) is not yaml.SequenceEndEvent:
            items.append(self._node(following, context))
            following = self._next()
        whole = tuple(item for item in items if item is not None)
        return Sequence(whole, self._place(event), len(whole) < len(items))

    def _mapping(self, event: Any, context: _Context) -> Mapping:
        begins_with = self._text[event.start_mark.index : event.start_mark.index + 1]
        if context.is_flow and begins_with not in ("{", "!", "&"):
            help_ = "put a text that contains `:` in quotes, or the map in braces"
            self._report("HG201", "a `:` in a list in brackets makes a map", event, help_)
        entries: list[tuple[SourceText, Node]] = []
        seen: dict[str, SourceText] = {}
        broken: set[str] = set()
        key_event = self._next()
        while type(key_event) is not yaml.MappingEndEvent:
            name = self._key(self._node(key_event, context), key_event)
            value = self._node(self._next(), context)
            if name is not None:
                first = seen.setdefault(name.text, name)
                if first is not name:
                    self._refuse_duplicate(name, first)
                elif isinstance(value, Scalar) and value.is_empty:
                    entries.append((name, Scalar(SourceText("", name.place), True)))
                elif value is not None:
                    entries.append((name, value))
                else:
                    broken.add(name.text)
            key_event = self._next()
        return Mapping(tuple(entries), self._place(event), frozenset(broken))

    def _refuse_duplicate(self, key: SourceText, first: SourceText) -> None:
        related = (Related(first.place, "the first one is here"),)
        self.diagnostics.append(
            Diagnostic("HG203", f"`{key.text}` stands here twice", key.place, "keep one of them", related)
        )

    def _key(self, key: Node | None, event: Any) -> SourceText | None:
        """The text of a key, or None where it is reported."""
        if not isinstance(key, Scalar):
            if key is not None:
                self._report("HG204", "a key is a text", event, "write one word before the colon, or quote the key")
            return None
        text = key.source.text
        if not key.plain or is_text_as_key(text):
            return key.source
        if text == "<<":
            self._report("HG207", "merge keys are not used in policies", event, "write the keys out, or use `inherits`")
        else:
            self._report("HG204", f"the key `{text}` is not a text in YAML", event, f'put it in quotes: `"{text}"`')
        return None

    def _scalar(self, event: Any, context: _Context) -> Scalar | None:
        value, style = event.value, event.style
        place = self._place(event)
        if len(value) > SCALAR_CHARACTERS:
            self._report("HG208", f"a text has more than {SCALAR_CHARACTERS} characters", event, "make it shorter")
            return None
        start, end = event.start_mark, event.end_mark
        if not style and context.is_flow and (not value or "?" in value):
            # Here the two parsers read different things.
            message = "a text with `?` stands in brackets without quotes" if value else "a value is missing in brackets"
            self._report("HG201", message, event, "put the text in quotes" if value else 'write the value, or `""`')
            return None
        if not style and start.line == end.line:
            return Scalar(SourceText(value, place), True)
        raw = self._text[start.index : end.index]
        if style not in _BLOCKS and start.line == end.line and raw[1:-1] == value:
            return Scalar(SourceText(value, place, inset=1), False)
        if style in _BLOCKS and not _BLOCK_HEADER.match(raw):
            help_ = "write `|` or `>`, and the text on the next lines"
            self._report("HG201", "the header of a block text is malformed", event, help_)
            return None
        return Scalar(SourceText(value, place, origin=RawScalar(raw, style or "")), not style)
