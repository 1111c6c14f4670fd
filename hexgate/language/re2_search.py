"""Regular expressions as RE2 itself takes them: what the interpreter runs, and what the checker asks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

PROGRAM_BYTES = 64 << 20
"""What RE2 may take for one pattern and its search. The module's automata are refused long before."""


@lru_cache(maxsize=1024)
def compile_re2(pattern: str) -> Any:
    """RE2's own object for a pattern. Raises ValueError with RE2's reason."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PROGRAM_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b"unknown"
        raise ValueError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
