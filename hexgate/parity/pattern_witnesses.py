"""Texts that a pattern's automaton just takes and just refuses (hexgate/regex), and texts that settle several patterns at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from hexgate.regex import Dfa, compile_pattern

SEARCHED_STATES = 4_000
"""States that one search for a text visits at most."""

WITNESSES = 24
"""Texts of one pattern that are tried with each of its ways to fail."""

TOURED_STATES = 400
"""States of one automaton that the texts which match pass through, at most."""

TOURS = 64
"""Texts, at most, that go through the states and transitions of one automaton."""

_LIKED = "a0A_-. /@b1Bz9Z"
"""Characters to show a class of code points by, where it has one of them."""


def _state_after(dfa: Dfa, state: int, character: str) -> int:
    if state <= 1:
        return state
    return dfa.rows[state][dfa.columns[bisect_right(dfa.bounds, ord(character)) - 1]]


def _takes(dfa: Dfa, state: int) -> bool:
    return state == 1 or state >= dfa.first_accepting


@lru_cache(maxsize=256)
def _characters(dfa: Dfa) -> tuple[str, ...]:
    """A character of each column; of the edges of each class, the first and last too."""
    liked: dict[int, str] = {}
    for character in _LIKED:
        liked.setdefault(dfa.columns[bisect_right(dfa.bounds, ord(character)) - 1], character)
    for bound, column in zip(dfa.bounds, dfa.columns, strict=True):
        if not 0xD800 <= bound <= 0xDFFF:
            liked.setdefault(column, chr(bound))
    return tuple(liked[column] for column in sorted(liked))


@lru_cache(maxsize=256)
def edges(pattern: str) -> tuple[str, ...]:
    """The first character of each class of the pattern's alphabet, and the one before it."""
    dfa = compile_pattern(pattern)
    found = dict.fromkeys(chr(point) for bound in dfa.bounds[:64] for point in (bound, bound - 1) if point >= 0 and not 0xD800 <= point <= 0xDFFF)
    return tuple(found)


@lru_cache(maxsize=1024)
def settle(wanted: tuple[tuple[str, bool], ...]) -> str | None:
    """The shortest text that matches the patterns marked True and none of the others; None where the search finds none."""
    automata = [(compile_pattern(pattern), takes) for pattern, takes in wanted]
    alphabet = tuple(dict.fromkeys(character for dfa, _ in automata for character in _characters(dfa)))
    start = tuple(dfa.start for dfa, _ in automata)
    pending, reached = deque([(start, "")]), {start}
    while pending and len(reached) < SEARCHED_STATES:
        states, text = pending.popleft()
        if all(_takes(dfa, state) is takes for (dfa, takes), state in zip(automata, states, strict=True)):
            return text
        for character in alphabet:
            after = tuple(_state_after(dfa, state, character) for (dfa, _), state in zip(automata, states, strict=True))
            if after not in reached and all(takes or state != 1 for (_, takes), state in zip(automata, after, strict=True)):
                reached.add(after)
                pending.append((after, text + character))
    return None


@lru_cache(maxsize=1024)
def witnesses(pattern: str) -> tuple[str, ...]:
    """Texts that match and together pass every state of the automaton: one for each alternative, the shortest and the longest of a
    repetition; the same with a character more that leads astray. Then texts that visit every state that a short search reaches, each
    followed by each class of characters: those that just fail, and those that fail and would go on to match."""
    dfa = compile_pattern(pattern)
    found: dict[str, None] = {}
    for takes in (True, False):
        text = settle(((pattern, takes),))
        if text is not None:
            found[text] = None
    shortest = list(found)
    found.update(dict.fromkeys(islice(dict.fromkeys(_tours(dfa)), TOURS)))
    for text in shortest:
        found.update(dict.fromkeys(_one_change(text, edges(pattern))))
    found.update(dict.fromkeys(_visits(dfa)))
    return tuple(found)


def _visits(dfa: Dfa) -> Iterator[str]:
    """A text to each state, and from there one character of each column."""
    pending, reached = deque([(dfa.start, "")]), {dfa.start}
    alphabet = _characters(dfa)
    told = 0
    while pending and told < WITNESSES * 4:
        state, text = pending.popleft()
        for character in alphabet:
            after = _state_after(dfa, state, character)
            yield text + character
            told += 1
            if after > 1 and after not in reached:
                reached.add(after)
                pending.append((after, text + character))


def _tours(dfa: Dfa) -> Iterator[str]:
    """Matching texts through every state, the farthest first; then through every other transition, and where one leads to no match, the text
    with its character put in."""
    ahead, steps = _reached(dfa)
    rest = _to_the_end(dfa, ahead, steps)
    passed: set[int] = set()
    for state in reversed(ahead):
        if state in rest and state not in passed:
            text = ahead[state] + rest[state]
            yield text
            state = dfa.start
            for character in text:
                passed.add(state)
                state = _state_after(dfa, state, character)
            passed.add(state)
    for state, character, after in steps:
        end = rest.get(after, rest.get(state))
        if end is not None:
            yield ahead[state] + character + end


def _reached(dfa: Dfa) -> tuple[dict[int, str], list[tuple[int, str, int]]]:
    """The shortest text to each state, nearest first, and the transitions from each."""
    ahead, steps, pending = {dfa.start: ""}, [], deque([dfa.start])
    while pending:
        state = pending.popleft()
        for character in _characters(dfa) if state > 1 else ():
            after = _state_after(dfa, state, character)
            if after not in ahead:
                if len(ahead) >= TOURED_STATES:
                    continue
                ahead[after] = ahead[state] + character
                pending.append(after)
            steps.append((state, character, after))
    return ahead, steps


def _to_the_end(dfa: Dfa, ahead: Iterable[int], steps: Iterable[tuple[int, str, int]]) -> dict[int, str]:
    """The shortest text from each state to a match, as far as these transitions go."""
    before: dict[int, list[tuple[int, str]]] = {}
    for state, character, after in steps:
        before.setdefault(after, []).append((state, character))
    rest = {state: "" for state in ahead if _takes(dfa, state)}
    pending = deque(rest)
    while pending:
        after = pending.popleft()
        for state, character in before.get(after, ()):
            if state not in rest:
                rest[state] = character + rest[after]
                pending.append(state)
    return rest


def _one_change(text: str, replacements: Sequence[str]) -> Iterator[str]:
    """A text with one change: a line break at its end, a character less, more, or another."""
    yield from (text + "\n", "\n" + text, text + "\0", text[:-1], text[1:], text.swapcase(), "x" + text, text + "x", text + "\nx", "x\n" + text)
    for character in replacements[:WITNESSES]:
        yield text + character
        yield character + text
        if text:
            middle = len(text) // 2
            yield text[:middle] + character + text[middle + 1 :]
