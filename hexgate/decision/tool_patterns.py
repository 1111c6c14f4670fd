"""Names of tools and patterns over them: `github.*`. `*` stands for any run of characters, also none.

An exact name beats a pattern, a longer literal prefix beats a shorter one (`docs/language.md` P3).
"""

from __future__ import annotations


def is_pattern(name: str) -> bool:
    """Whether a key of `tools:` is a pattern rather than one tool's name."""
    return "*" in name


def literal_prefix(pattern: str) -> str:
    """The text before the first `*`."""
    return pattern.partition("*")[0]


def matches_pattern(pattern: str, name: str) -> bool:
    """Whether a pattern covers a name. Time is at most the product of the two lengths."""
    at_pattern = at_name = 0
    star, resume = -1, 0
    while at_name < len(name):
        if at_pattern < len(pattern) and pattern[at_pattern] == "*":
            star, resume = at_pattern, at_name
            at_pattern += 1
        elif at_pattern < len(pattern) and pattern[at_pattern] == name[at_name]:
            at_pattern += 1
            at_name += 1
        elif star >= 0:
            at_pattern = star + 1
            resume += 1
            at_name = resume
        else:
            return False
    return all(character == "*" for character in pattern[at_pattern:])


def patterns_overlap(left: str, right: str) -> bool:
    """Whether some name is covered by both patterns."""
    reached = {(0, 0)}
    pending = [(0, 0)]
    while pending:
        i, j = pending.pop()
        steps: list[tuple[int, int]] = []
        if i < len(left) and left[i] == "*":
            steps.append((i + 1, j))
        if j < len(right) and right[j] == "*":
            steps.append((i, j + 1))
        if i < len(left) and j < len(right):
            if left[i] == right[j] != "*":
                steps.append((i + 1, j + 1))
            if left[i] == "*" != right[j]:
                steps.append((i, j + 1))
            if right[j] == "*" != left[i]:
                steps.append((i + 1, j))
        for step in steps:
            if step not in reached:
                reached.add(step)
                pending.append(step)
    return (len(left), len(right)) in reached
