"""What a plain YAML scalar means: YAML 1.2's core schema, and where YAML 1.1 readers see something else.

Sources: YAML 1.2.2, section 10.3.2; YAML 1.1's type repository (bool, int, float, timestamp, null, merge, value).
"""

from __future__ import annotations

import re
from enum import Enum


class Kind(Enum):
    """What a plain scalar is. `DISPUTED` is a text in YAML 1.2 and something else in YAML 1.1, or the other way round, or
    another number in each."""

    TEXT = "text"
    NULL = "null"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    DISPUTED = "disputed"


NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""The forms of null; a value that is left out is one."""

_BOOL = ("true", "True", "TRUE", "false", "False", "FALSE")
_BOOL_OF_1_1 = tuple(
    form for word in ("yes", "no", "on", "off", "y", "n") for form in (word, word.capitalize(), word.upper())
)
_WORDS = {
    **dict.fromkeys(NULLS, Kind.NULL),
    **dict.fromkeys(_BOOL, Kind.BOOL),
    **dict.fromkeys(_BOOL_OF_1_1, Kind.DISPUTED),
    **dict.fromkeys(("=", "<<"), Kind.DISPUTED),
}

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DISPUTED = re.compile(
    r"""
      [-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?     # 0777 is octal in 1.1 only, 1_000 a number in 1.1 only
    | [-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?
    | [-+]?0[bB][01_]+ | [-+]?0o[0-7]+ | [-+]?0x[0-9a-fA-F_]+
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?        # 12:30:45 is a number to the base of 60 in 1.1
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\ \t].*)?           # a timestamp in 1.1
    """,
    re.VERBOSE,
)
_STARTS = frozenset("0123456789+-.")


def kind_of(text: str) -> Kind:
    """What a plain scalar is."""
    word = _WORDS.get(text)
    if word is not None:
        return word
    if text[0] not in _STARTS:
        return Kind.TEXT
    if _INT.fullmatch(text):
        return Kind.INT
    if _FLOAT.fullmatch(text):
        return Kind.FLOAT
    return Kind.DISPUTED if _DISPUTED.fullmatch(text) else Kind.TEXT


def is_text_as_key(text: str) -> bool:
    """Whether every reader takes a plain key for a text. `y` and `n` count as texts: only readers of YAML 1.1 to the
    letter see a bool, and a key means its text either way."""
    return kind_of(text) is Kind.TEXT or text in ("y", "Y", "n", "N")
