"""Read a call's arguments where a framework has them as the model's text."""

from __future__ import annotations

from typing import Any

from hexgate.strict_json import StrictJsonError, parse_json


def read_arguments(text: str) -> Any:
    """The object of a JSON text; `{}` of an empty one.

    A text that is anything else, or that two parsers may read differently (a key given twice, `NaN`), stays the text: constraints that
    read `args` are then in error, and what runs is the very text that was decided on.
    """
    if not text:
        return {}
    try:
        value = parse_json(text)
    except StrictJsonError:
        return text
    return value if type(value) is dict else text
