"""What is wrong with a user's text, and where: the one shape of every static error.

A diagnostic has a stable code from `CODES`, one sentence, a place in the user's own text, and a way forward. Stages
collect diagnostics and report all of a run. Rendering them (caret, colours, SARIF) is the rim's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hexgate.diagnostic_codes import CODES
from hexgate.place import Place


class Severity(Enum):
    """`ERROR` refuses the policy set; `WARNING` and `NOTE` inform."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the first: the other definition, the parent, the tie."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` is one sentence, lower case, no final period; `help` is a way forward or empty."""

    code: str
    message: str
    place: Place | None
    help: str = ""
    related: tuple[Related, ...] = ()
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"diagnostic code {self.code!r} is not in the registry")


class PolicyInvalidError(Exception):
    """The author's policy set cannot be used. Carries every diagnostic of the run, errors first."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        first = diagnostics[0].message if diagnostics else "invalid policy"
        more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
        super().__init__(first + more)
        self.diagnostics = diagnostics
