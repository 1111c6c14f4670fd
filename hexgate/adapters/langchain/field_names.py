"""Arguments under the names of a tool's fields.

The framework shows a model the names of the fields of `args_schema`, and constraints read those. pydantic fills a field by its aliases
first: a call that gives `amount` and an alias of it runs with the alias's value, and one that gives the alias alone gives the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.v1 import BaseModel as BaseModelV1

Path = tuple[str | int, ...]
"""Where a value is: the name of an argument, and keys and positions inside of it."""

_ABSENT = object()


def by_field_names(schema: object, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with each field that has aliases under its own name, as pydantic fills it, besides what was given; those very
    arguments where no field has any. Raises nothing."""
    aliased = _aliased(schema) if isinstance(schema, type) else ()
    if not aliased:
        return arguments
    named = dict(arguments)
    for name, paths in aliased:
        named.pop(name, None)
        for path in paths:
            value = _find(arguments, path)
            if value is not _ABSENT:
                named[name] = value
                break
    return named


@lru_cache(maxsize=1024)
def _aliased(schema: type[Any]) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    """The fields of a model that have aliases, and where pydantic looks for the value of each, in its order."""
    if issubclass(schema, BaseModelV1):
        by_name = bool(schema.__config__.allow_population_by_field_name)
        found = {name: [(field.alias,)] for name, field in schema.__fields__.items() if field.alias != name}
        return tuple((name, (*paths, (name,)) if by_name else tuple(paths)) for name, paths in found.items())
    if not issubclass(schema, BaseModel):
        return ()
    config = schema.model_config
    by_alias = config.get("validate_by_alias") is not False
    named = bool(config.get("populate_by_name") or config.get("validate_by_name"))
    made = []
    for name, field in schema.model_fields.items():
        paths = _paths(field.validation_alias)
        if paths:
            made.append((name, ((*paths,) if by_alias else ()) + (((name,),) if named else ())))
    return tuple(made)


def _paths(alias: str | AliasPath | AliasChoices | None) -> list[Path]:
    if isinstance(alias, AliasChoices):
        return [path for each in alias.choices for path in _paths(each)]
    if isinstance(alias, AliasPath):
        return [tuple(alias.path)]
    return [] if alias is None else [(alias,)]


def _find(value: Any, path: Path) -> Any:
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(key, _ABSENT)
        elif isinstance(value, list | tuple) and isinstance(key, int) and -len(value) <= key < len(value):
            value = value[key]
        else:
            return _ABSENT
    return value
