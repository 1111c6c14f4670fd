"""The values of literal tokens (CEL language definition, "String and Bytes Values", "Numeric Values")."""

from __future__ import annotations

from math import inf

from hexgate.language.finding import ExpressionError, refuse
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
    magnitude = _number(text)
    value = -magnitude if negative else magnitude
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise _too_large(f"{'-' if negative else ''}{text}", "an int", span, _INT_HELP)
    return value


def uint_value(text: str, span: Span) -> UInt:
    """The uint of a token, its suffix included."""
    value = _number(text[:-1])
    if value > UINT_MAX:
        raise _too_large(text, "a uint", span, "the largest is `18446744073709551615u`")
    return UInt(value)


_INT_HELP = "ints are from -9223372036854775808 to 9223372036854775807: write `1.0` for a double, `1u` for a uint"


def _number(digits: str) -> int:
    """The number of hexadecimal or decimal digits; any that is too large where there are more than the type has."""
    if digits[:2] in ("0x", "0X"):
        return int(digits, 16)
    # Python refuses to convert thousands of decimal digits, and would take quadratic time.
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= 20 else UINT_MAX + 1


def _too_large(text: str, type_: str, span: Span, help_: str) -> ExpressionError:
    return refuse("HG103", f"`{_short(text)}` does not fit {type_} of 64 bits", span, help_)


def double_value(text: str, span: Span) -> float:
    """The nearest double of a token."""
    value = float(text)
    if value == inf:
        raise refuse("HG103", f"`{_short(text)}` is beyond the largest double", span, "the largest is about 1.8e308")
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
    raise refuse("HG103", f"`\\{kind}` is no escape sequence", Span(start + slash, start + slash + 2), _escape_help(kind, of_bytes))


def _escape_help(kind: str, of_bytes: bool) -> str:
    if of_bytes and kind in "uU":
        return "write the character itself, or its bytes as `\\x..`"
    if kind in _HEX_DIGITS:
        return f"`\\{kind}` takes {_HEX_DIGITS[kind]} hexadecimal digits"
    if kind.isdecimal():
        return "an octal escape is three digits, from `\\000` to `\\377`"
    return "write `\\\\` for a backslash, or prefix the string with `r`"


def _code_point(number: int, slash: int, length: int, start: int) -> int:
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        where = Span(start + slash, start + slash + length)
        help_ = "characters are U+0000 to U+D7FF and U+E000 to U+10FFFF: write the character itself"
        raise refuse("HG103", f"U+{number:04X} is no Unicode scalar value", where, help_)
    return number
