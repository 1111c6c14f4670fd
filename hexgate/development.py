"""Policies in the making: sources on disk, decided by the interpreter. Nothing here is signed or trusted.

This is what `HEXGATE_KEY=dev:<path>` selects. The only way from the runtime to the language; loaded for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hexgate.diagnostics import PolicyInvalidError
from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.policy.link import link
from hexgate.policy.load import read_files
from hexgate.policy.parse import parse

__all__ = ["CheckedPolicy", "DevelopmentPolicy", "InterpreterEngine", "PolicyInvalidError"]


class DevelopmentPolicy:
    """The policy set at a path, read again when its files have changed."""

    def __init__(self, path: str, clock: Callable[[], int]) -> None:
        """`clock` gives nanoseconds since the epoch."""
        self._path = Path(path)
        self._clock = clock
        self._files: dict[str, bytes] | None = None

    def load(self) -> tuple[InterpreterEngine, CheckedPolicy] | None:
        """An engine for the files as they are now, and their policy; None where they are those of the last engine. Raises
        PolicyInvalidError."""
        files = read_files(self._path)
        if files == self._files:
            return None
        policy = check(link(parse(files)))
        self._files = files
        return InterpreterEngine(policy, self._clock), policy
