"""Split the text of an expression into the tokens of the grammar.

One pass of one regular expression, made from the grammar's terminals: policies hold thousands of short constraints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from lark.lexer import TerminalDef

from hexgate.language.tree import Span

_END, _OTHER = "$END", "$OTHER"
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
        groups = [*(t.pattern.to_regexp() for t in varying), marks, r"\Z", r"(?s:.)"]
        # The separators are possessive: the last two groups must never see a character of theirs.
        self._pattern = re.compile(f"(?:{blank})*+(?:" + "|".join(f"({group})" for group in groups) + ")")
        self._names = ["", *(t.name for t in varying), "", _END, _OTHER]

    def scan(self, text: str) -> Tokens:
        """The tokens of a text, up to the first character that begins none."""
        kinds: list[str] = []
        texts: list[str] = []
        spans: list[Span] = []
        fixed, names = self._fixed.get, self._names
        for match in self._pattern.finditer(text):
            index = match.lastindex or 0
            word = match[index]
            kinds.append(fixed(word) or names[index])
            texts.append(word)
            spans.append(_new(Span, match.span(index)))
        end = kinds.index(_OTHER if _OTHER in kinds else _END)
        rest = spans[end].start if kinds[end] == _OTHER else None
        return Tokens(tuple(kinds[:end]), texts[:end], spans[:end], rest)
