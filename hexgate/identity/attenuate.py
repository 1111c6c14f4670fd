"""Narrow a token: add a block of checks to it, offline and without any key but the one inside (docs/identity.md I6).

The library appends to tokens that it verified, for which a holder would need the issuer's public key; so the block is written
here, in the forms that `profile` takes. Format: the Biscuit specification, version 3, "Appending" and `schema.proto`.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from hexgate.bundle.keys import KeyRefusedError, SigningKey, generate_key, signing_key_of
from hexgate.decision.request import is_name
from hexgate.identity.block import DEFAULT_SYMBOLS, FIRST_SYMBOL, Operator, read_blocks, read_symbols
from hexgate.identity.envelope import TOKEN_BLOCKS, TOKEN_CHARACTERS, Envelope, decode_base64, read_envelope
from hexgate.identity.profile import LAST_SECOND, SET_ELEMENTS, read_claims
from hexgate.identity.refusal import TokenRefusedError
from hexgate.identity.wire import WireError, data_field, number_field
from hexgate.limits import INT_MAX, INT_MIN

_BLOCK_VERSION = 3
_PROOF = 4


class NarrowingError(Exception):
    """A token cannot be narrowed so. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a block shall restrict: calls to some tools, integer arguments to bounds, arguments to one value, the time to before an
    instant in seconds since the epoch."""

    tools: tuple[str, ...] = ()
    maxima: Mapping[str, int] = field(default_factory=dict)
    minima: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, str | int | bool] = field(default_factory=dict)
    expires: int | None = None


def attenuate(token: str, narrowing: Narrowing) -> str:
    """The token with one more block. Raises NarrowingError, and TokenRefusedError for what is no token or would be refused."""
    envelope = read_envelope(token)
    if envelope.next_seed is None:
        raise NarrowingError("the token is sealed: no block can be added to it")
    if len(envelope.blocks) >= TOKEN_BLOCKS:
        raise NarrowingError(f"the token has {TOKEN_BLOCKS} blocks already, and a longer one is refused everywhere")
    _require_sense(narrowing)
    try:
        block = _Writer(read_symbols(envelope.blocks)).block(narrowing)
        made = _append(decode_base64(token), envelope, block, signing_key_of(envelope.next_seed), generate_key())
        read_claims(read_blocks(read_envelope(made).blocks))
    except (WireError, KeyRefusedError):
        raise NarrowingError("the token is damaged") from None
    except TokenRefusedError as error:
        raise NarrowingError(f"the narrowed token would be refused: {error.detail}") from None
    return made


def _require_sense(narrowing: Narrowing) -> None:
    names = [*narrowing.tools, *narrowing.maxima, *narrowing.minima, *narrowing.values]
    if not names and narrowing.expires is None:
        raise NarrowingError("nothing is narrowed")
    if not all(map(is_name, names)):
        raise NarrowingError("the name of a tool or an argument is empty, too long, or no Unicode")
    if any("\ud800" <= character <= "\udfff" for value in narrowing.values.values() if isinstance(value, str) for character in value):
        raise NarrowingError("the value of an argument is no Unicode")
    if len(narrowing.tools) > SET_ELEMENTS:
        raise NarrowingError(f"a block names at most {SET_ELEMENTS} tools")
    numbers = [*narrowing.maxima.values(), *narrowing.minima.values()]
    numbers += [value for value in narrowing.values.values() if type(value) is int]
    if not all(INT_MIN <= number <= INT_MAX for number in numbers):
        raise NarrowingError("a bound is no integer of 64 bits")
    if narrowing.expires is not None and not 0 <= narrowing.expires <= LAST_SECOND:
        raise NarrowingError("the expiry is before 1970 or after the year 9999")


def _append(token: bytes, envelope: Envelope, block: bytes, signer: SigningKey, next_key: SigningKey) -> str:
    """Raises NarrowingError."""
    public = next_key.public.raw
    version = envelope.signature_version
    payload = _payload(version, block, public, bytes.fromhex(envelope.ids[-1]))
    fields = [data_field(1, block), data_field(2, number_field(1, 0), data_field(2, public)), data_field(3, signer.sign(payload))]
    if version:
        fields.append(number_field(5, version))
    # The proof is the last field, in the one form that the envelope has.
    proof = data_field(_PROOF, data_field(1, signer.seed))
    made = token.removesuffix(proof) + data_field(3, *fields) + data_field(_PROOF, data_field(1, next_key.seed))
    text = urlsafe_b64encode(made).decode()
    if len(text) > TOKEN_CHARACTERS:
        raise NarrowingError(f"the narrowed token would have more than {TOKEN_CHARACTERS:,} characters")
    return text


def _payload(version: int, block: bytes, public: bytes, previous: bytes) -> bytes:
    """What is signed, by version of the signature. Raises NarrowingError."""
    algorithm = struct.pack("<i", 0)
    match version:
        case 0:
            return block + algorithm + public
        case 1:
            return (
                b"\0BLOCK\0\0VERSION\0" + struct.pack("<I", version) + b"\0PAYLOAD\0" + block + b"\0ALGORITHM\0" + algorithm
                + b"\0NEXTKEY\0" + public + b"\0PREVSIG\0" + previous
            )  # fmt: skip
    raise NarrowingError("the token is signed in a newer way than this version knows")


class _Writer:
    """Writes a block, with symbols that come after those of the blocks before it."""

    def __init__(self, symbols: list[str]) -> None:
        self._numbers = {symbol: FIRST_SYMBOL + number for number, symbol in enumerate(symbols)}
        self._numbers.update((symbol, number) for number, symbol in enumerate(DEFAULT_SYMBOLS))
        self._first_free = FIRST_SYMBOL + len(symbols)
        self._new: list[str] = []

    def block(self, narrowing: Narrowing) -> bytes:
        checks = []
        if len(narrowing.tools) == 1:
            checks.append(self._check(self._predicate("tool", self._text(narrowing.tools[0]))))
        elif narrowing.tools:
            tools = sorted({self._symbol(tool) for tool in narrowing.tools})
            names = data_field(7, *(data_field(1, number_field(3, tool)) for tool in tools))
            tool = self._variable("tool")
            checks.append(self._check(self._predicate("tool", tool), _comparison(names, Operator.CONTAINS, tool)))
        for bounds, operator in ((narrowing.maxima, Operator.LESS_OR_EQUAL), (narrowing.minima, Operator.GREATER_OR_EQUAL)):
            for name, bound in bounds.items():
                value = self._variable("value")
                found = self._predicate("arg", self._text(name), value)
                checks.append(self._check(found, _comparison(value, operator, number_field(2, bound))))
        for name, wanted in narrowing.values.items():
            checks.append(self._check(self._predicate("arg", self._text(name), self._constant(wanted))))
        if narrowing.expires is not None:
            time = self._variable("time")
            checks.append(self._check(self._predicate("time", time), _comparison(time, Operator.LESS, number_field(4, narrowing.expires))))
        symbols = [data_field(1, symbol.encode()) for symbol in self._new]
        return b"".join([*symbols, number_field(3, _BLOCK_VERSION), *checks])

    def _check(self, predicate: bytes, *expressions: bytes) -> bytes:
        head = data_field(1, number_field(1, self._symbol("query")))
        return data_field(6, data_field(1, head, data_field(2, predicate), *expressions))

    def _predicate(self, name: str, *terms: bytes) -> bytes:
        return number_field(1, self._symbol(name)) + b"".join(data_field(2, term) for term in terms)

    def _constant(self, value: str | int | bool) -> bytes:
        if isinstance(value, bool):
            return number_field(6, int(value))
        return self._text(value) if isinstance(value, str) else number_field(2, value)

    def _text(self, text: str) -> bytes:
        return number_field(3, self._symbol(text))

    def _variable(self, name: str) -> bytes:
        return number_field(1, self._symbol(name))

    def _symbol(self, symbol: str) -> int:
        number = self._numbers.get(symbol)
        if number is None:
            number = self._numbers[symbol] = self._first_free + len(self._new)
            self._new.append(symbol)
        return number


def _comparison(left: bytes, operator: Operator, right: bytes) -> bytes:
    """The field of a query with two values and an operator, in postfix order."""
    operations = (data_field(1, left), data_field(1, right), data_field(3, number_field(1, operator.value)))
    return data_field(3, *(data_field(1, operation) for operation in operations))
