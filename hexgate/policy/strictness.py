"""Whether what one entry lets through, another one does: by mode and by the texts of constraints.

What is not provably as strict counts as wider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hexgate.decision.decision import Verdict
from hexgate.policy.linked import LinkedEntry
from hexgate.policy.source import SourceRule, SourceText
from hexgate.values import Value

_RANK = {Verdict.ALLOW: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.DENY: 2}
_ROOT = re.compile(r"\bconsts\b")
_CONSTANT = re.compile(r"\bconsts\s*\.\s*`?([A-Za-z_][A-Za-z0-9_]*)")
_SPACE = re.compile(r"""("[^"]*"|'[^']*')|\s+""")


class Rules:
    """The rules of an entry, each constraint as its text with the values of the constants in it."""

    def __init__(self, entry: LinkedEntry, constants: Mapping[str, Value]) -> None:
        self.rules: list[tuple[SourceRule, frozenset[str]]] = [
            (rule, frozenset(_meaning(text, constants) for text in rule.constraints)) for rule in entry.source.rules
        ]


def constants_in(text: SourceText) -> frozenset[str]:
    """The names of the constants that a constraint reads."""
    return frozenset(_CONSTANT.findall(text.text))


def same_text(text: SourceText) -> str:
    """A constraint's text with each run of white space outside of literals as one space."""
    stripped = text.text.strip()
    return stripped if "\\" in stripped else _SPACE.sub(lambda match: match[1] or " ", stripped)


def _meaning(text: SourceText, constants: Mapping[str, Value]) -> str:
    names = _CONSTANT.findall(text.text)
    if len(names) < len(_ROOT.findall(text.text)):
        names = list(constants)  # a comment stands inside the name, or the word is not a name: any may be read
    return " ".join([same_text(text), *(f"{name}={constants.get(name)!r}" for name in sorted(set(names)))])


def is_as_strict(own: Rules, parent: Rules) -> bool:
    """Whether each rule that grants is covered: the parent has a rule that grants as much under no more constraints, and
    what the parent decides more strictly before that rule, the role decides as strictly before its own."""
    return all(
        rule.mode is Verdict.DENY or any(_covers(own, position, parent, other) for other in range(len(parent.rules)))
        for position, (rule, _) in enumerate(own.rules)
    )


def _covers(own: Rules, position: int, parent: Rules, other: int) -> bool:
    rule, texts = own.rules[position]
    parent_rule, parent_texts = parent.rules[other]
    if parent_rule.mode is Verdict.DENY or _RANK[parent_rule.mode] > _RANK[rule.mode] or not parent_texts <= texts:
        return False
    return all(
        any(_RANK[mine.mode] >= _RANK[stricter.mode] and found <= under for mine, found in own.rules[:position])
        for stricter, under in parent.rules[:other]
        if _RANK[stricter.mode] > _RANK[rule.mode]
    )
