"""Why a command stops: one sentence, a way forward, an exit code. Raised anywhere in the CLI, shown in `main`."""

from __future__ import annotations

from collections.abc import Iterable

from hexgate.language.suggest import suggest
from hexgate_cli.exit_codes import ExitCode


class CommandError(Exception):
    """The command cannot go on. `message` is lower case without a final period, user text in back quotes."""

    def __init__(self, message: str, *, help: str = "", code: ExitCode = ExitCode.FAILURE) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code


class InputError(CommandError):
    """What the user typed or handed over cannot be used."""

    def __init__(self, message: str, *, help: str = "") -> None:  # noqa: A002
        super().__init__(message, help=help, code=ExitCode.USAGE)


def help_for_unknown(word: str, known: Iterable[str], what: str) -> str:
    """A help text for a name that is not among those known: the likely one, or all of them."""
    names = sorted(known)
    near = suggest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    if not names:
        return f"there is no {what}"
    shown = ", ".join(f"`{name}`" for name in names[:8])
    return f"{what}s: {shown}" + (f" and {len(names) - 8} more" if len(names) > 8 else "")
