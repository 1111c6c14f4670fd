"""Unicode as RE2 knows it: general categories, scripts, and the characters that (?i) takes for the same.

The two tables are data files; their heads say how they are written and where the facts come from.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from importlib import resources

from hexgate.regex.ranges import ALL, Ranges, normalise


def _lines(name: str) -> Iterator[str]:
    text = resources.files("hexgate.regex").joinpath(name).read_text(encoding="ascii")
    return (line for line in text.splitlines() if not line.startswith("#"))


@cache
def _groups() -> dict[str, str]:
    return {name: rest for name, _, rest in (line.partition(" ") for line in _lines("unicode_groups.txt"))}


@cache
def group_names() -> tuple[str, ...]:
    """Every name that `\\p{..}` takes, sorted."""
    majors = {name[0] for name in _groups() if len(name) == 2 and name != "Yi"}
    return tuple(sorted({*_groups(), *majors, "Any"}))


@cache
def group(name: str) -> Ranges | None:
    """The code points of a general category, a script or `Any`; None where RE2 has no group of that name."""
    if name == "Any":
        return ALL
    if len(name) == 1:
        parts = [g for part in _groups() if len(part) == 2 and part[0] == name and part != "Yi" and (g := group(part))]
        return normalise(r for part in parts for r in part) if parts else None
    if name not in _groups():
        return None
    ranges: list[tuple[int, int]] = []
    end = 0
    for field in _groups()[name].split():
        distance, _, extent = field.partition("+")
        low = end + int(distance, 16)
        end = low + int(extent or "0", 16)
        ranges.append((low, end))
    return normalise(ranges)


@cache
def _orbits() -> dict[int, tuple[int, ...]]:
    orbits: dict[int, tuple[int, ...]] = {}
    for line in _lines("unicode_folds.txt"):
        if line.startswith("="):
            members = tuple(int(field, 16) for field in line.split()[1:])
            orbits.update(dict.fromkeys(members, members))
            continue
        first, count, step, distance = (int(field, 16) for field in line.split())
        for low in range(first, first + count * step, step):
            orbits[low] = orbits[low + distance] = (low, low + distance)
    return orbits


@cache
def _folding() -> tuple[int, ...]:
    return tuple(sorted(_orbits()))


def orbit(code_point: int) -> tuple[int, ...]:
    """The code points that match a character under (?i), itself among them, sorted."""
    return _orbits().get(code_point, (code_point,))


def fold(ranges: Ranges) -> Ranges:
    """A set with everything that matches one of its members under (?i)."""
    folding, orbits = _folding(), _orbits()
    more: list[tuple[int, int]] = []
    for low, high in ranges:
        for i in range(bisect_left(folding, low), bisect_left(folding, high + 1)):
            more += [(member, member) for member in orbits[folding[i]]]
    return normalise([*ranges, *more])
