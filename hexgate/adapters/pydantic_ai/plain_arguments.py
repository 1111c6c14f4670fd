"""The arguments of a call as plain data to decide on, beside a copy to run that nobody else has.

The framework validates arguments before a tool is called: models, dataclasses, enumerations and dates are objects by then. A policy reads them
as the JSON that the tool's schema speaks of, whatever serializers a model has, so that it means the same in every framework.
"""

from __future__ import annotations

import copy
import dataclasses
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import AliasChoices, AnyUrl, BaseModel, RootModel, SecretBytes, SecretStr
from pydantic_core import MultiHostUrl, Url, to_jsonable_python

from hexgate.limits import REQUEST_DEPTH

DEPTH = 2 * REQUEST_DEPTH
"""What is nested deeper is neither copied nor read: the language has no value for it."""

INTEGER_DIGITS = 20
"""Decimal numbers with more digits before the point are not integers of the language."""

_SCALARS = frozenset({str, int, float, bool, type(None)})
_AS_JSON = (date, time, timedelta, UUID, Url, MultiHostUrl, AnyUrl,
            IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network)  # fmt: skip
_UNCHANGING = (Enum, Decimal, bytes, PurePath, *_AS_JSON)
_NOT_COPIED = (TypeError, ValueError, AttributeError, RuntimeError, NotImplementedError, copy.Error)


def take(value: Any) -> tuple[Any, Any]:
    """A copy of a value, and the same value as plain data. An object that cannot be copied or has no form in JSON is itself in both: to the
    language it is an unsupported value."""
    if type(value) is dict:
        own = dict(value)
        if all(type(key) is str and type(member) in _SCALARS for key, member in own.items()):
            return own, own
    return _take(value, 0)


def _take(value: Any, depth: int) -> tuple[Any, Any]:
    kind = type(value)
    if kind in _SCALARS or depth > DEPTH:
        return value, value
    if kind is dict:
        taken = [(key, _take(member, depth + 1)) for key, member in list(value.items())]
        return {key: own for key, (own, _) in taken}, {_key(key): plain for key, (_, plain) in taken}
    if kind is list or kind is tuple:
        pairs = [_take(member, depth + 1) for member in list(value)]
        return kind([own for own, _ in pairs]), [plain for _, plain in pairs]
    if isinstance(value, set | frozenset):
        members = copy.copy(value)
        return members, _ordered([_take(member, depth + 1)[1] for member in members])
    if isinstance(value, _UNCHANGING):
        return value, _scalar(value)  # they do not change
    if isinstance(value, SecretStr | SecretBytes):
        return value, _take(value.get_secret_value(), depth + 1)[1]
    return _take_object(value, depth)


def _take_object(value: Any, depth: int) -> tuple[Any, Any]:
    """Objects with fields, and kinds of containers and texts that have classes of their own."""
    named = isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type))
    if not named and not isinstance(value, dict | list | tuple | str | int | float):
        return value, value
    try:
        own = copy.deepcopy(value)
    except _NOT_COPIED:
        return value, value
    if named:
        return own, _fields(own, depth)
    for base in (str, int, float):
        if isinstance(own, base):
            return own, base(own)
    return own, _take(dict(own) if isinstance(own, dict) else list(own), depth)[1]


def _fields(value: Any, depth: int) -> Any:
    """An object's fields under the names that the tool's schema gives them."""
    if isinstance(value, RootModel):
        return _take(value.root, depth + 1)[1]
    infos: dict[str, Any] = getattr(type(value), "__pydantic_fields__", {})
    names = infos if isinstance(value, BaseModel) or infos else [field.name for field in dataclasses.fields(value)]
    found = {_name(name, infos.get(name)): _take(getattr(value, name, None), depth + 1)[1] for name in names}
    extra: dict[str, Any] = getattr(value, "__pydantic_extra__", None) or {}
    found.update((name, _take(member, depth + 1)[1]) for name, member in extra.items())
    return found


def _name(name: str, info: Any) -> str:
    alias = getattr(info, "validation_alias", None)
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name


def _key(key: Any) -> Any:
    return key if type(key) is str else _scalar(key)


def _scalar(value: Any) -> Any:
    """A value that does not change, as JSON has it."""
    if isinstance(value, Enum):
        return _take(value.value, 0)[1]
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return bytes(value)
    if isinstance(value, PurePath):
        return str(value)
    return to_jsonable_python(value) if isinstance(value, _AS_JSON) else value


def _number(value: Decimal) -> Any:
    """The integer or the float that prints as the number does; itself where none does, since another number would be decided on."""
    if not value.is_finite() or value.adjusted() >= INTEGER_DIGITS:
        return value
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else value


def _ordered(members: list[Any]) -> list[Any]:
    """A set's members in an order that does not change from process to process."""
    return sorted(members, key=lambda member: (type(member).__name__, repr(member)))
