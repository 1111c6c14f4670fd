"""The values of literal tokens (CEL language definition, "String and Bytes Values", "Numeric Values")."""

from __future__ import annotations

from hexgate.language.finding import refuse
from hexgate.language.tree import Span
from hexgate.limits import INT_MAX, UINT_MAX
from hexgate.values import UInt

_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_HEX_DIGITS = {"x": 2, "X": 2, "u": 4, "U": 8}


def int_value(text: str, span: Span, negative: bool = False) -> int:
    """The int of a token without sign; `negative` where a minus sign belongs to the literal."""
    magnitude = int(text, 16) if text[:2] in ("0x", "0X") else _decimal(text, span)
    value = -magnitude if negative else magnitude
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise refuse("HG103", f"`{'-' if negative else ''}{_short(text)}` does not fit an int of 64 bits", span)
    return value


def uint_value(text: str, span: Span) -> UInt:
    """The uint of a token, its suffix included."""
    digits = text[:-1]
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else _decimal(digits, span)
    if value > UINT_MAX:
        raise refuse("HG103", f"`{_short(text)}` does not fit a uint of 64 bits", span)
    return UInt(value)


def _decimal(text: str, span: Span) -> int:
    if len(text.lstrip("0")) > 20:
        raise refuse("HG103", f"`{_short(text)}` does not fit 64 bits", span)
    return int(text)


def double_value(text: str, span: Span) -> float:
    """The nearest double of a token."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise refuse("HG103", f"`{_short(text)}` is beyond the largest double", span)
    return value


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def string_value(token: str, span: Span) -> str:
    """The text of a string token, quotes and prefix included."""
    raw = token[0] in "rR"
    body, offset = _unquote(token[1:] if raw else token, 1 if raw else 0)
    if raw or "\\" not in body:
        return body
    return "".join(
        part if isinstance(part, str) else chr(part) for part in _escapes(body, span.start + offset, of_bytes=False)
    )


def bytes_value(token: str, span: Span) -> bytes:
    """The bytes of a bytes token, quotes and prefixes included. Characters stand for their UTF-8."""
    prefix = 2 if token[1] in "rRbB" else 1
    body, offset = _unquote(token[prefix:], prefix)
    if prefix == 2 or "\\" not in body:
        return body.encode()
    return b"".join(
        part.encode() if isinstance(part, str) else bytes((part,))
        for part in _escapes(body, span.start + offset, of_bytes=True)
    )


def _unquote(token: str, offset: int) -> tuple[str, int]:
    """The text between the quotes, and where it starts."""
    width = 3 if token[:3] in ('"""', "'''") and len(token) >= 6 else 1
    return token[width:-width], offset + width


def _escapes(body: str, start: int, of_bytes: bool) -> list[str | int]:
    """Plain stretches as text, numeric escapes as numbers: code points, or bytes where `of_bytes`."""
    parts: list[str | int] = []
    position = 0
    while position < len(body):
        slash = body.find("\\", position)
        if slash < 0:
            parts.append(body[position:])
            break
        parts.append(body[position:slash])
        part, position = _escape(body, slash, start, of_bytes)
        parts.append(part)
    return parts


def _escape(body: str, slash: int, start: int, of_bytes: bool) -> tuple[str | int, int]:
    kind = body[slash + 1]
    if kind in _SIMPLE:
        return _SIMPLE[kind], slash + 2
    if kind in _HEX_DIGITS and not (of_bytes and kind in "uU"):
        digits = body[slash + 2 : slash + 2 + _HEX_DIGITS[kind]]
        if len(digits) == _HEX_DIGITS[kind] and all(d in "0123456789abcdefABCDEF" for d in digits):
            return _code_point(int(digits, 16), slash, len(digits) + 2, start), slash + 2 + len(digits)
    if kind in "0123":
        digits = body[slash + 1 : slash + 4]
        if len(digits) == 3 and all(d in "01234567" for d in digits):
            return int(digits, 8), slash + 4
    where = Span(start + slash, start + slash + 2)
    raise refuse("HG103", f"`\\{kind}` is no escape sequence", where, "write `\\\\` for a backslash, or prefix the string with `r`")


def _code_point(number: int, slash: int, length: int, start: int) -> int:
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        where = Span(start + slash, start + slash + length)
        raise refuse("HG103", f"U+{number:04X} is no Unicode scalar value", where)
    return number
