"""The one module that calls the Biscuit library, and the one place where its failures become refusals."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import biscuit_auth as library

from hexgate.identity.block import Check
from hexgate.identity.datalog import check_to_datalog
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.limits import INT_MAX, INT_MIN

ARGUMENT_CHARACTERS = 4_096
"""Longest string of a call that a check of a token can read, in code points; a longer one is opaque."""

_AUTHORIZER_LIMIT = datetime.timedelta(milliseconds=250)
"""Wall time of one evaluation. What passes the profile takes microseconds: this is for a machine that stalls, not for hostile tokens,
since the library looks at the clock only between rounds (its default of 1 ms refuses valid calls under load)."""

_T = TypeVar("_T")
_ALLOW = library.Policy("allow if true")
_EXPECTED = (
    library.AuthorizationError,
    library.BiscuitBlockError,
    library.BiscuitBuildError,
    library.BiscuitSerializationError,
    library.BiscuitValidationError,
    library.DataLogError,
)


def _limits() -> Any:
    limits = library.AuthorizerBuilder().limits()  # type: ignore[attr-defined]
    limits.max_time = _AUTHORIZER_LIMIT
    return limits


_LIMITS = _limits()
_TOOL, _TIME = "tool({name})", "time({instant})"
_ARGUMENT, _OPAQUE = "arg({name}, {value})", "arg_opaque({name})"


def call_library(operation: Callable[[], _T], refusal: TokenRefusal, detail: str) -> _T:
    """What an operation of the library gives. Its errors raise TokenRefusedError with the refusal, and so does whatever else fails.

    A panic in the library derives from BaseException and from nothing below it: `except Exception` would let it through.
    """
    try:
        return operation()
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except _EXPECTED:
        raise TokenRefusedError(refusal, detail) from None
    except BaseException as error:
        raise TokenRefusedError(TokenRefusal.LIBRARY_FAULT, "the token library failed") from error


class VerifiedToken:
    """A token whose every block is signed, from the root key on."""

    __slots__ = ("_token",)

    def __init__(self, text: str, root: bytes) -> None:
        """`root` are the 32 bytes of an Ed25519 public key. Raises TokenRefusedError."""
        self._token = call_library(
            lambda: library.Biscuit.from_base64(text, _public_key(root)),
            TokenRefusal.SIGNATURE,
            "a signature of the token does not verify",
        )

    def require_readable(self) -> None:
        """Let the library read the blocks too, which it puts off: their versions, and what each version may have. Only for a token
        of the profile, and nothing is evaluated. Raises TokenRefusedError."""
        call_library(
            lambda: library.AuthorizerBuilder().build(self._token), TokenRefusal.MALFORMED, "a block of the token is malformed"
        )


class CallChecks:
    """The checks of a token that depend on the call, ready to be evaluated by an authorizer of their own for each call.

    The library evaluates them, and not with the whole token, which takes twice as long: their predicates are about the call alone, and
    no fact of the token is one of those (`profile`), so that it makes no difference in which block a check stands.
    """

    __slots__ = ("_checks", "_names")

    def __init__(self, checks: Sequence[Check], names: Sequence[str]) -> None:
        """`names` are the arguments that the checks read. Raises TokenRefusedError."""
        self._names = names
        self._checks = call_library(
            lambda: _block_of_checks(checks), TokenRefusal.CHECK, "a check of the token has a form that is not evaluated"
        )

    def authorize(self, tool: str, arguments: Mapping[str, Any], seconds: int) -> None:
        """Evaluate every check for a call at a time since the epoch. Raises TokenRefusedError.

        A new authorizer each time: the library's limit on time is for all that one ever does.
        """

        def evaluate() -> None:
            builder = library.AuthorizerBuilder()
            builder.set_limits(_LIMITS)  # type: ignore[attr-defined]
            builder.merge_block(self._checks)
            builder.add_fact(_tool_fact(tool))
            builder.add_fact(_time_fact(seconds))
            for name in self._names:
                if name in arguments:
                    builder.add_fact(_argument_fact(name, arguments[name]))
            builder.add_policy(_ALLOW)
            builder.build_unauthenticated().authorize()  # type: ignore[attr-defined]

        call_library(evaluate, TokenRefusal.ATTENUATION, "a check of the token does not hold for this call")


def _block_of_checks(checks: Sequence[Check]) -> library.BlockBuilder:
    block = library.BlockBuilder("")
    for check in checks:
        source, parameters = check_to_datalog(check)
        block.add_check(library.Check(source, parameters))
    return block


@lru_cache(maxsize=1_024)
def _tool_fact(name: str) -> library.Fact:
    return library.Fact(_TOOL, {"name": name})


@lru_cache(maxsize=8)
def _time_fact(seconds: int) -> library.Fact:
    """Calls come many to a second, and a fact takes longer to make than to state."""
    return library.Fact(_TIME, {"instant": datetime.datetime.fromtimestamp(seconds, datetime.UTC)})


def sign_first_block(seed: bytes, key_id: int | None, parts: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """A new token in base64 of facts and checks, each a line of Datalog with its parameters, signed by the Ed25519 key of 32 secret
    bytes. Raises TokenRefusedError."""

    def build() -> str:
        builder = library.BiscuitBuilder()
        for source, parameters in parts:
            builder.add_code(source, dict(parameters))
        if key_id is not None:
            builder.set_root_key_id(key_id)
        return builder.build(library.PrivateKey.from_bytes(seed, library.Algorithm.Ed25519)).to_base64()  # type: ignore[call-arg, attr-defined]

    return call_library(build, TokenRefusal.MALFORMED, "a value cannot be written into a token")


def _argument_fact(name: str, value: Any) -> library.Fact:
    """The one fact for an argument. What is not exactly a bool, an int of 64 bits or a short string of Unicode is opaque."""
    kind = type(value)
    if kind is bool or (kind is int and INT_MIN <= value <= INT_MAX) or (kind is str and _is_short_unicode(value)):
        return library.Fact(_ARGUMENT, {"name": name, "value": value})
    return library.Fact(_OPAQUE, {"name": name})


def _is_short_unicode(text: str) -> bool:
    if len(text) > ARGUMENT_CHARACTERS:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _public_key(raw: bytes) -> library.PublicKey:
    return library.PublicKey.from_bytes(raw, library.Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]
