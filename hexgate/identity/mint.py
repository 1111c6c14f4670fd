"""Make a token: what an issuer says of a user, signed with a root key (docs/identity.md I6)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hexgate.bundle.keys import SigningKey
from hexgate.decision.request import is_name, is_plain_name
from hexgate.identity.biscuit import sign_first_block
from hexgate.identity.block import read_blocks
from hexgate.identity.envelope import read_envelope
from hexgate.identity.profile import LAST_SECOND, read_claims
from hexgate.identity.refusal import TokenRefusedError
from hexgate.limits import INT_MAX, INT_MIN

_KEY_ID_MAX = 2**32 - 1


class GrantError(Exception):
    """A token cannot say that. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says of its bearer. Times are seconds since the epoch; attributes are strings, ints of 64 bits, bools, or lists of
    those; `narrower_roles` are what the bearer may choose instead of `role`."""

    user_id: str
    role: str
    expires: int | None
    not_before: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    narrower_roles: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()


def mint(grant: Grant, key: SigningKey, key_id: int | None) -> str:
    """The token of a grant, in base64, signed by the root key with an id (`rootKeys` of the signed bundle). Raises GrantError."""
    _require_sense(grant, key_id)
    parts: list[tuple[str, dict[str, Any]]] = [
        ("user({value})", {"value": grant.user_id}),
        ("role({value})", {"value": grant.role}),
        *(("narrower_role({value})", {"value": role}) for role in grant.narrower_roles),
        *(("audience({value})", {"value": audience}) for audience in grant.audiences),
        *(_attribute_fact(name, value) for name, value in sorted(grant.attributes.items())),
    ]
    if grant.not_before is not None:
        parts.append(("check if time($time), $time >= {instant}", {"instant": _instant(grant.not_before)}))
    if grant.expires is not None:
        parts.append(("check if time($time), $time < {instant}", {"instant": _instant(grant.expires)}))
    try:
        token = sign_first_block(key.seed, key_id, parts)
        read_claims(read_blocks(read_envelope(token).blocks))
    except TokenRefusedError as error:
        raise GrantError(f"this makes no token: {error.detail}") from None
    return token


def _attribute_fact(name: str, value: Any) -> tuple[str, dict[str, Any]]:
    """A fact and its parameters. The library would take a whole list of small integers, or an empty one, for bytes."""
    if not isinstance(value, list):
        return "attr({name}, {value})", {"name": name, "value": value}
    elements = {f"value{number}": element for number, element in enumerate(value)}
    return f"attr({{name}}, [{', '.join(f'{{{element}}}' for element in elements)}])", {"name": name, **elements}


def _instant(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _require_sense(grant: Grant, key_id: int | None) -> None:
    """Raises GrantError."""
    if not is_name(grant.user_id):
        raise GrantError("the user's id is empty, too long, or no Unicode")
    if not all(map(is_plain_name, (grant.role, *grant.narrower_roles, *grant.audiences))):
        raise GrantError("a role or an audience is empty, too long, or not ASCII")
    if not all(map(is_name, grant.attributes)) or not all(map(_is_attribute, grant.attributes.values())):
        raise GrantError("an attribute has a name or a value that a token cannot have")
    times = [time for time in (grant.not_before, grant.expires) if time is not None]
    if not all(0 <= time <= LAST_SECOND for time in times):
        raise GrantError("a time is before 1970 or after the year 9999")
    if times != sorted(set(times)):
        raise GrantError("the token would never be valid")
    if key_id is not None and not 0 <= key_id <= _KEY_ID_MAX:
        raise GrantError("the id of a root key is between 0 and 4294967295")


def _is_attribute(value: object) -> bool:
    if type(value) is list:
        return all(type(element) is not list and _is_attribute(element) for element in value)
    if type(value) is str:
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return type(value) is bool or (type(value) is int and INT_MIN <= value <= INT_MAX)
