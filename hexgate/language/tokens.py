"""Split the text of an expression into the tokens of the grammar.

One pass of one regular expression, made from the grammar's terminals: policies hold thousands of short constraints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from lark.lexer import TerminalDef

from hexgate.language.tree import Span

KNOWN_WORDS = 8_192
"""How many words' terminals are remembered; then all are forgotten."""

KNOWN_WORD_CHARACTERS = 64
"""Longer words are not remembered."""

_COMMENT = re.compile("//[^\n]*")
_new = tuple.__new__


class TextToken(NamedTuple):
    """A token: the terminal's name, its text, and where it is."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


class Tokens(NamedTuple):
    """The tokens of a text in columns: terminals, texts, spans. `rest` is where a character begins no token, or None."""

    kinds: tuple[str, ...]
    texts: list[str]
    spans: list[Span]
    rest: int | None

    def rows(self) -> list[TextToken]:
        """The same as rows."""
        columns = zip(self.kinds, self.texts, self.spans, strict=True)
        return [TextToken(kind, text, *span) for kind, text, span in columns]


class Scanner:
    """Scans texts by the terminals of a grammar; those in `ignored` separate tokens."""

    def __init__(self, terminals: Iterable[TerminalDef], ignored: Iterable[str]) -> None:
        ignored = frozenset(ignored)
        ranked = sorted(terminals, key=lambda terminal: (-terminal.priority, -len(terminal.pattern.value)))
        self._fixed = {t.pattern.value: t.name for t in ranked if t.pattern.type == "str"}
        blank = "|".join(t.pattern.to_regexp() for t in ranked if t.name in ignored)
        varying = [t for t in ranked if t.pattern.type == "re" and t.name not in ignored]
        marks = "|".join(re.escape(text) for text in self._fixed if not text.isalpha())
        patterns = [t.pattern.to_regexp() for t in varying]
        # The separators are possessive: what begins no token must never be a character of theirs.
        words = "|".join([*patterns, marks, r"\Z"])
        self._pieces = re.compile(f"((?:{blank})*+)(?:({words})|((?s:.)))").findall
        self._word = re.compile("|".join(f"({pattern})" for pattern in patterns)).fullmatch
        self._names = ["", *(t.name for t in varying)]
        self._known = dict(self._fixed)

    def scan(self, text: str) -> Tokens:
        """The tokens of a text, up to the first character that begins none."""
        kinds: list[str] = []
        texts: list[str] = []
        spans: list[Span] = []
        known, end = self._known, 0
        for blank, word, other in self._pieces(text):
            start = end + len(blank)
            if not word:
                return Tokens(tuple(kinds), texts, spans, start if other else None)
            end = start + len(word)
            kinds.append(known.get(word) or self._kind(word))
            texts.append(word)
            spans.append(_new(Span, (start, end)))
        raise AssertionError("the end of a text is a piece of it")

    def comments(self, text: str) -> list[Span]:
        """Where the comments of a text are that can be scanned to its end."""
        found, end = [], 0
        for blank, word, _ in self._pieces(text):
            found += [Span(end + match.start(), end + match.end()) for match in _COMMENT.finditer(blank)]
            end += len(blank) + len(word)
        return found

    def _kind(self, word: str) -> str:
        """The terminal of a word, which is the same wherever it stands."""
        match = self._word(word)
        if match is None or match.lastindex is None:
            raise AssertionError("a word is a token")
        kind = self._names[match.lastindex]
        if len(self._known) >= KNOWN_WORDS:
            self._known = dict(self._fixed)
        if len(word) <= KNOWN_WORD_CHARACTERS:
            self._known[word] = kind
        return kind
