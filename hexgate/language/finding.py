"""What is wrong with one expression: positions are in the expression's own text.

The policy layer turns findings into diagnostics with a file, a line and a column.
"""

from __future__ import annotations

from dataclasses import dataclass

from hexgate.diagnostics import Severity
from hexgate.language.tree import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `code`, `message` and `help` as in `hexgate.diagnostics.Diagnostic`."""

    code: str
    message: str
    span: Span
    help: str = ""
    severity: Severity = Severity.ERROR


class ExpressionError(Exception):
    """An expression cannot be used. Carries every finding, in order of position."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings[0].message if findings else "invalid expression")
        self.findings = findings


def refuse(code: str, message: str, span: Span, help_: str = "") -> ExpressionError:
    """The error of a single finding."""
    return ExpressionError((Finding(code, message, span, help_),))
