"""Why a pattern is refused."""

from __future__ import annotations


class PatternError(Exception):
    """A pattern that does not compile. Its addressee is the author of the policy.

    `message`: one sentence, lower case, no final period. `offset`: the code point of the pattern it is about, from 0.
    `help`: a way forward, or empty.
    """

    def __init__(self, message: str, offset: int, help: str = "") -> None:  # noqa: A002 - the word of diagnostics
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.help = help
