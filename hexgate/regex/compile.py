"""From a pattern to its automaton."""

from __future__ import annotations

from functools import lru_cache

from hexgate.regex.determinize import determinize
from hexgate.regex.dfa import Dfa
from hexgate.regex.encode import encode_dfa
from hexgate.regex.limits import TABLE_BYTES, StepCounter, refuse
from hexgate.regex.minimize import minimize
from hexgate.regex.nfa import build_nfa
from hexgate.regex.parse import parse_pattern


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Dfa:
    """The automaton that finds a pattern, in RE2's syntax and meaning, anywhere in a text.

    Raises PatternError where RE2 rejects the pattern, for `\\C`, and where the pattern is past one of the limits in
    limits.py. What it returns can always be encoded.
    """
    dfa = minimize(determinize(build_nfa(parse_pattern(pattern)), StepCounter()))
    if len(encode_dfa(dfa)) > TABLE_BYTES:
        raise refuse(
            TABLE_BYTES, "bytes of automaton", "anchor it with `^`, shorten its counted repetitions, or split it"
        )
    return dfa
