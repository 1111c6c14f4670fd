"""From a tool's JSON Schema to the type of its arguments.

Gradual: a keyword that only narrows (`minimum`, `not`, `if`, …) is passed over, and what may have several types is `dyn`.
Source: JSON Schema 2020-12; `definitions`, `nullable` and boolean `required` of older drafts and OpenAPI are understood
or harmless.
"""

from __future__ import annotations

from typing import Any

from hexgate.language.types import BOOL, DYN, INT, NULL, NUMBER, STRING, ListOf, MapOf, Member, Record, Type

SCHEMA_DEPTH = 16
"""How deep a schema is followed, through `$ref` too; beyond, a value may be anything."""

SCHEMA_NODES = 10_000
"""How many schemas within one tool's are looked at, `$ref` counted each time; beyond, a value may be anything."""

_SIMPLE: dict[str, Type] = {"string": STRING, "integer": INT, "number": NUMBER, "boolean": BOOL, "null": NULL}
_KINDS = (*_SIMPLE, "array", "object")
_NUMBERS = frozenset({INT, NUMBER})
_OF_VALUE: dict[type, Type] = {str: STRING, int: INT, float: NUMBER, bool: BOOL, type(None): NULL}


_MORE_MEMBERS = ("allOf", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies", "patternProperties")
"""Keywords that may name members beside `properties`."""


class SchemaError(Exception):
    """A document that is no tools' schemas. `message` is one sentence, `help` a way forward."""

    def __init__(self, message: str, help_: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_


def type_of_arguments(tool: str, schema: Any) -> Record:
    """The type of a tool's `args`: closed where the schema names the arguments and does not allow others. Raises
    SchemaError."""
    if not isinstance(schema, dict):
        raise SchemaError(f"the schema of `{tool}` is no object", "a tool's arguments are described by an object")
    title = f"tool `{tool}`"
    found = _Converter(title, schema).type(schema, title, 0)
    if isinstance(found, Record):
        return found
    if found is not DYN and not isinstance(found, MapOf):
        raise SchemaError(f"the schema of `{tool}` is not that of an object", 'begin it with `"type": "object"`')
    return Record({}, True, title, found.value if isinstance(found, MapOf) else DYN)


class _Converter:
    """Converts one tool's schema; `$ref` is looked up in it."""

    def __init__(self, title: str, document: dict[str, Any]) -> None:
        self._title = title
        self._document = document
        self._nodes = SCHEMA_NODES

    def type(self, schema: Any, title: str, depth: int) -> Type:
        """The type of the values that a schema admits. `title` names the place in messages."""
        schema = self._resolved(schema)
        self._nodes -= 1
        if not isinstance(schema, dict) or depth > SCHEMA_DEPTH or self._nodes < 0 or schema.get("nullable") is True:
            return DYN
        kinds = self._kinds(schema, title)
        if not kinds:
            return self._undeclared(schema, title, depth)
        found = [self._of_kind(kind, schema, title, depth) for kind in kinds]
        return _one_of(found)

    def _kinds(self, schema: dict[str, Any], title: str) -> list[str]:
        """The names under `type`, or what `properties` and `items` tell without it."""
        declared = schema.get("type")
        kinds = [declared] if isinstance(declared, str) else declared
        if kinds is None:
            return ["object"] if "properties" in schema else ["array"] if "items" in schema else []
        if not isinstance(kinds, list) or not all(kind in _KINDS for kind in kinds):
            help_ = f"the types are {', '.join(_KINDS)}"
            raise SchemaError(f"{title} has a `type` that JSON Schema does not know", help_)
        return kinds

    def _of_kind(self, kind: str, schema: dict[str, Any], title: str, depth: int) -> Type:
        if kind == "array":
            items = schema.get("items", True)
            return ListOf(DYN if "prefixItems" in schema else self.type(items, f"an element of {title}", depth + 1))
        if kind == "object":
            return self._object(schema, title, depth)
        return _SIMPLE[kind]

    def _undeclared(self, schema: dict[str, Any], title: str, depth: int) -> Type:
        """A schema without `type`: its alternatives, its parts, or its values."""
        for keyword in ("anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list):
                return _one_of([self.type(part, title, depth + 1) for part in schema[keyword]])
        if isinstance(schema.get("allOf"), list):
            return _all_of([self.type(part, title, depth + 1) for part in schema["allOf"]])
        values = _listed_values(schema)
        return _one_of([_OF_VALUE.get(type(value), DYN) for value in values]) if values else DYN

    def _object(self, schema: dict[str, Any], title: str, depth: int) -> Type:
        """A record where the members are named; a map where they are not."""
        properties, required = schema.get("properties"), schema.get("required", [])
        extra = schema.get("additionalProperties")
        if properties is None:
            if extra is False and "patternProperties" not in schema:
                return Record({}, False, title, DYN)
            return MapOf(STRING, self.type(extra, f"a member of {title}", depth + 1))
        if not isinstance(properties, dict):
            raise SchemaError(f"`properties` of {title} is no object", "it maps names to schemas")
        names = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
        members = {
            name: Member(
                self.type(inner, f"`{name}` of {title}", depth + 1), name in names, self._values(inner)
            )
            for name, inner in properties.items()
        }
        members |= {name: Member(DYN, True) for name in sorted(names - members.keys())}
        # JSON Schema allows other members unless told not to. Frameworks refuse arguments that a tool does not have.
        is_whole = extra is None and title == self._title and not any(keyword in schema for keyword in _MORE_MEMBERS)
        is_open = "patternProperties" in schema or not (extra is False or is_whole)
        rest = self.type(extra, f"a member of {title}", depth + 1) if isinstance(extra, dict) else DYN
        return Record(members, is_open, title, rest)

    def _values(self, schema: Any) -> tuple[object, ...] | None:
        """The only values of a member, where its schema lists them and all are texts, integers, bools or null."""
        schema = self._resolved(schema)
        values = _listed_values(schema) if isinstance(schema, dict) else None
        if not values or schema.get("nullable") is True:
            return None
        whole = [int(value) if type(value) is float and value.is_integer() else value for value in values]
        return tuple(whole) if all(type(value) in (str, int, bool, type(None)) for value in whole) else None

    def _resolved(self, schema: Any) -> Any:
        """A schema, or the one of the same document that it refers to; None for any other reference, and for one with
        keywords beside it that add to what it refers to."""
        for _ in range(SCHEMA_DEPTH):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                return schema
            path = schema["$ref"]
            adds = "properties" in schema or schema.get("nullable") is True
            if adds or any(keyword in schema for keyword in _MORE_MEMBERS) or (path != "#" and not path.startswith("#/")):
                return None
            schema = self._document
            for part in path[2:].split("/") if path != "#" else ():
                schema = schema.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(schema, dict) else None
        return None


def _listed_values(schema: dict[str, Any]) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else None


def _one_of(types: list[Type]) -> Type:
    """The type of a value that has one of these."""
    if not types:
        return DYN
    if all(type_ == types[0] for type_ in types):
        return types[0]
    return NUMBER if all(type_ in _NUMBERS for type_ in types) else DYN


def _all_of(types: list[Type]) -> Type:
    """The type of a value that has all of these: the first that says something; records together."""
    telling = [type_ for type_ in types if type_ is not DYN]
    records = [type_ for type_ in telling if isinstance(type_, Record)]
    if len(records) < 2:
        return telling[0] if telling else DYN
    members: dict[str, Member] = {}
    for record in records:
        for name, member in record.members.items():
            known = members.get(name)
            if known is not None:
                member = Member(known.type, known.required or member.required, known.values)
            members[name] = member
    return Record(members, any(record.open for record in records), records[0].title, DYN)
