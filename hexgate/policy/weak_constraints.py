"""Constraints that limit less than they seem to: warnings and notes, whatever the policy around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hexgate.diagnostics import Severity
from hexgate.language import checked
from hexgate.language.checked import CheckedExpression, Node, operands_of
from hexgate.language.finding import Finding

_ANCHOR = re.compile(r"(?<!\\)(?:\\\\)*(?:[\^$]|\\[Az])")
"""`^`, `$`, `\\A` or `\\z` in a pattern. One within a class counts too: it is no more than a note that is left out."""

_NAME = re.compile(r"\w{3}", re.ASCII)
"""Some letters in a row: a name, of a host or a folder, that is looked for. `[0-9]` asks for a character, wherever it is."""

_CLASS_OR_ESCAPE = re.compile(r"\[[^]]*\]|\\.")


def weaknesses(expression: CheckedExpression, grants: bool) -> Iterator[Finding]:
    """What is weak about a constraint; `grants`: its rule allows, or asks for approval."""
    if "consts" not in expression.text and not _reads_the_call(expression.root):
        yield Finding(
            "HG508", "the constraint reads nothing of the call: it is the same for every one", expression.root.span,
            "leave it out, or compare a member of `args`, `user`, `ctx` or `resource`", Severity.WARNING,
        )  # fmt: skip
    if grants:
        for node in _patterns_that_grant(expression.root):
            yield Finding(
                "HG509", "the pattern may match anywhere in the text, and whatever stands around it", node.span,
                "write `^` before it and `$` after it to match the whole text", Severity.NOTE,
            )  # fmt: skip


def _reads_the_call(node: Node) -> bool:
    return type(node) is checked.Variable or any(map(_reads_the_call, operands_of(node)))


def _patterns_that_grant(node: Node) -> Iterator[checked.Matches]:
    """The matches whose truth makes the constraint true, without an anchor. What is negated, or compared, is left out."""
    if type(node) is checked.Matches:
        if _ANCHOR.search(node.pattern) is None and _NAME.search(_CLASS_OR_ESCAPE.sub(" ", node.pattern)):
            yield node
    elif type(node) in (checked.And, checked.Or, checked.Conditional, checked.Comprehension):
        for operand in operands_of(node):
            yield from _patterns_that_grant(operand)
    elif type(node) is checked.Bind:
        yield from _patterns_that_grant(node.body)
