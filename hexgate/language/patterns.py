"""Operands that must be known when a policy is compiled: regular expressions and names of time zones."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from hexgate.language import checked
from hexgate.language.checked import Node
from hexgate.language.functions import Function
from hexgate.language.suggest import help_for
from hexgate.language.tree import Call, Expr, Literal, Span
from hexgate.language.types import ERROR, format_type

if TYPE_CHECKING:
    from hexgate.language.check import Checker


def check_pattern(checker: Checker, expression: Expr) -> str | None:
    """The pattern of `matches`: a constant that RE2 and the module's automata both take. None where reported."""
    node = checker.visit(expression)
    if type(node) is checked.Constant and type(node.value) is str:
        reason = refuse_pattern(node.value)
        if reason is None:
            return node.value
        message, offset, help_ = reason
        span = _inside(checker.text, expression, offset, node.value)
        checker.report("HG115", f"the pattern does not compile: {message}", span, help_)
    elif type(node) is checked.Constant:
        checker.report("HG112", f"`matches` takes its pattern as a string, and this is {format_type(node.type)}", expression.span, "put it in quotes")
    elif node.type is not ERROR:
        checker.report("HG117", "the pattern of `matches` is a constant", expression.span, "write it as a string, or as `consts.name`")
    return None


def _inside(text: str, expression: Expr, offset: int, pattern: str) -> Span:
    """Where in a literal a character of its text is; the whole of it where escapes make that unclear."""
    span = expression.span
    if type(expression) is not Literal or offset >= len(pattern):
        return span
    start = text.find(pattern, span.start, span.end)
    opening, closing = text[span.start : start].lstrip("rR"), text[start + len(pattern) : span.end]
    return Span(start + offset, start + offset + 1) if start >= 0 and opening == closing else span


@lru_cache(maxsize=1024)
def refuse_pattern(pattern: str) -> tuple[str, int, str] | None:
    """Why a pattern cannot be used, where, and a way forward or empty; None if it can."""
    from hexgate.language.re2_search import compile_re2
    from hexgate.regex import PatternError, compile_pattern

    try:
        compile_pattern(pattern)
    except PatternError as error:
        return error.message, error.offset, error.help
    try:
        compile_re2(pattern)
    except ValueError as error:
        return f"RE2 says `{error}`", len(pattern), "the syntax is that of RE2"
    return None


def check_zone(checker: Checker, function: Function, operands: tuple[Node, ...], call: Call) -> None:
    """Reports a constant time zone that is no offset and no name of the IANA database (L7.2)."""
    if not function.id.endswith("_in") or len(operands) != 2:
        return
    zone = operands[1]
    if type(zone) is not checked.Constant or type(zone.value) is not str or is_offset(zone.value):
        return
    if zone.value not in zone_names():
        help_ = help_for(zone.value, zone_names(), 'use a name such as `"Europe/Berlin"`, or an offset such as `"+02:00"`')
        checker.report("HG118", f"`{zone.value}` is not a time zone", call.arguments[-1].span, help_)


def is_offset(zone: str) -> bool:
    """Whether a zone is UTC or a fixed offset `[+-]HH:MM`."""
    return zone in ("", "UTC") or offset_seconds(zone) is not None


def offset_seconds(zone: str) -> int | None:
    """The seconds east of UTC of an offset `[+-]HH:MM` (00:00 to 23:59), or None for any other text."""
    sign = -1 if zone[:1] == "-" else 1
    digits = zone[1:] if zone[:1] in ("+", "-") else zone
    if len(digits) != 5 or digits[2] != ":" or not (digits[:2] + digits[3:]).isdecimal() or not digits.isascii():
        return None
    hours, minutes = int(digits[:2]), int(digits[3:])
    return sign * (hours * 3600 + minutes * 60) if hours < 24 and minutes < 60 else None


@cache
def zone_names() -> frozenset[str]:
    """The names of the IANA database, from the `tzdata` package."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(text.split())
