"""RE2 itself, and the three answers that must be one."""

from __future__ import annotations

import re2

from hexgate.regex import Dfa, PatternError, compile_pattern, encode_dfa
from tests.regex.wasm_search import WasmSearch

_SILENT = re2.Options()
_SILENT.log_errors = False


def compile_re2(pattern: str) -> re2._Regexp | None:
    """RE2's compiled pattern, or None where it refuses."""
    try:
        return re2.compile(pattern, _SILENT)
    except re2.error:
        return None


def compile_ours(pattern: str) -> Dfa | PatternError:
    """Our automaton, or why there is none."""
    try:
        return compile_pattern(pattern)
    except PatternError as error:
        return error


def is_our_limit(error: PatternError) -> bool:
    """Whether a refusal is one that RE2 need not share: `\\C`, or a named limit."""
    return error.message.startswith(("`\\C` ", "the pattern needs more than ", "the pattern is longer than "))


def answers(dfa: Dfa, wasm: WasmSearch, text: str) -> tuple[bool, bool]:
    """What the automaton says, and what the module says with its table. The table is loaded here."""
    wasm.load(encode_dfa(dfa))
    return dfa.search(text.encode()), wasm.search(text.encode())
