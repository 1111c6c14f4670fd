"""Suggestions for misspelt names, by edit distance."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate nearest to a name, if it is near enough to be meant; the first of equally near ones."""
    best: tuple[int, str] | None = None
    limit = max(1, len(name) // 3) if len(name) > 1 else 0
    for candidate in candidates:
        if name.lower() == candidate.lower():
            return candidate
        if abs(len(candidate) - len(name)) <= limit:
            distance = edit_distance(name, candidate)
            if distance <= limit and (best is None or distance < best[0]):
                best = (distance, candidate)
    return best[1] if best else None


def listed(names: Iterable[str]) -> str:
    """Names for a message, in back quotes, at most eight of them."""
    shown = [f"`{name}`" for name in names]
    return ", ".join(shown[:8]) + (", …" if len(shown) > 8 else "")


def help_for(name: str, candidates: Iterable[str], otherwise: str = "") -> str:
    """The help text of an unknown name: ``did you mean `x`?``, or another text."""
    found = suggest(name, candidates)
    return f"did you mean `{found}`?" if found else otherwise


def edit_distance(left: str, right: str) -> int:
    """The optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours."""
    older: list[int] = []
    previous = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            current.append(cost)
        older, previous = previous, current
    return previous[-1]
