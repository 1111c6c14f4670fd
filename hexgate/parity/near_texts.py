"""Texts that are nearly a constant: case, normal forms, look-alikes, white space, cut and grown by a character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

TEXTS: tuple[Any, ...] = (
    "a", "", "A", "b", "ab", "abc", "aBc", "a b", " a ", "a\u0085", "\u3000a", "a,b", "a,b,c", ",", "é", "e\u0301", "ß", "İ", "K", "ſ",
    "😀", "a😀b", "\uffff", "\U00010000", "a\n", "\n", "a\0", "\0", "12", "-7", "0", "1.5", "1e3", "true", "t", "false", "%s", "aaaa", "'\"\\",
    "\x1b", "\u2028", "\ud800", "9223372036854775807", "9223372036854775808", "18446744073709551615", "x" * 300,
)  # fmt: skip
FEW: tuple[Any, ...] = ("a", "", "é", "a\0", "😀", "1", "true", "\ud800", "x" * 40)

NUMERALS: tuple[Any, ...] = (
    "0", "1", "-1", "+1", " 1", "1 ", "01", "0x10", "1.0", "1.", ".5", "-0", "1e3", "1E-3", "1e400", "1e-400", "4.9e-324", "2.5e-324", "NaN",
    "inf", "-Infinity", "+inf", "nan", "1_000", "9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "18446744073709551615", "18446744073709551616", "-9223372036854775809", "0.1", "123456789.123456789", "1.7976931348623159e308", "１",
    "T", "TRUE", "True", "f", "F", "FALSE", "False", "tRue", "",
)  # fmt: skip
"""What conversions from text take, and nearly take."""

BASE64: tuple[Any, ...] = ("YQ==", "YQ", "YQ=", "YWI=", "YWI", "YWJj", "YR==", "Y", "YQ==\n", "_-8=", "/+8=", "====", "", "é", b"a", b"", b"\xff\xfe")

_FOLDS = str.maketrans("aceopxyiABCEHKMOPTXSI0/.", "асеорхуіАВСЕНКМОРТХЅІО∕․")
"""Cyrillic letters and signs that look like the ASCII ones."""

_FULLWIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def near_text(text: str) -> Iterator[Any]:
    """A text, and what differs from it in one way."""
    yield text
    for form in ("NFC", "NFD", "NFKC"):
        yield unicodedata.normalize(form, text)
    yield "".join(chr(ord(character) ^ 0x20) if character.isascii() else character for character in text)
    yield from (text.lower(), text.upper(), text.swapcase(), text.title(), text.casefold())
    yield from (text + "a", text + "0", "a" + text, "a" + text + "b", text[:-1], text[1:], text + text, text[::-1])
    yield from (text + "\n", text + "\r\n", text + " ", " " + text, text + "\0", "\0" + text, text + "\u200b", "\ufeff" + text, text + "\u0301", text + "é", text + "😀")
    yield from (text.translate(_FOLDS), text.translate(_FULLWIDTH), text.replace("/", "//"), text.replace("s", "ſ").replace("k", "K"))
    if text:
        yield from (text[:-1] + chr(ord(text[-1]) ^ 1) if ord(text[-1]) < 0xD000 else text + "?", text[:-1] + text[-1] * 2)
        yield chr(ord(text[0]) + 1 if ord(text[0]) < 0xD000 else 0x61) + text[1:]
    for sign in "/@:,.-":
        if sign in text:
            yield from (text.partition(sign)[0], text.rpartition(sign)[2], text.rpartition(sign)[0])
    yield from (text.encode("utf-8", "replace"), [text], {text: text}, bytearray(text.encode("utf-8", "replace")), _Labelled(text))


def joined(texts: Sequence[str]) -> Iterator[str]:
    """Texts that hold one constant after another, as what is split, searched or replaced must."""
    few = texts[:6]
    for first in few:
        for second in few:
            yield from (first + second, "a" + first + second, first + "a" + second, "a" + first + "b" + second + "c")


def near_bytes(data: bytes) -> Iterator[Any]:
    """Bytes, and what differs from them in one way."""
    yield from (data, data[:-1], data[1:], data + b"\0", b"\0" + data, data + data, bytes(byte ^ 1 for byte in data))
    yield from (bytearray(data), memoryview(data), memoryview(data + data)[::2], data.decode("latin-1"))


class _Labelled(str):
    """A subclass of str, as enumerations of strings are: no text of a request."""

    __slots__ = ()
