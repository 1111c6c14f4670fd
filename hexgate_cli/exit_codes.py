"""What the command's exit status means: the one place that says so. `--help` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of every command. `meaning` is the line of `--help`."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    DENIED = 3
    APPROVAL_REQUIRED = 4
    POLICY_INVALID = 5
    UNTRUSTED = 6
    INTERRUPTED = 130
    BROKEN_PIPE = 141

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "allowed, or done",
    ExitCode.FAILURE: "it could not be done, or a comparison failed",
    ExitCode.USAGE: "the command line or its input is wrong",
    ExitCode.DENIED: "denied",
    ExitCode.APPROVAL_REQUIRED: "approval required",
    ExitCode.POLICY_INVALID: "the policy, or the expression, is invalid",
    ExitCode.UNTRUSTED: "a bundle, key or token is not trusted",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.BROKEN_PIPE: "the reader of the output went away",
}


def format_exit_codes(codes: Iterable[ExitCode]) -> str:
    """The lines of `--help`, without wrapping."""
    lines = [f"  {code.value:<4} {code.meaning}" for code in codes]
    return "\n".join(["\b", "Exit codes:", *lines])
