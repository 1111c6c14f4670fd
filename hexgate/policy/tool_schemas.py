"""JSON Schemas of tools, in the forms in which frameworks publish them, as the types of `args`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hexgate.diagnostics import Diagnostic, Place, PolicyInvalidError
from hexgate.language.suggest import help_for
from hexgate.language.types import BOOL, DYN, INT, NULL, NUMBER, STRING, ListOf, MapOf, Member, Record, Type
from hexgate.strict_json import StrictJsonError, parse_json

_SIMPLE: dict[str, Type] = {"string": STRING, "integer": INT, "number": NUMBER, "boolean": BOOL, "null": NULL}
REFERENCES = 16
"""How many `$ref`s deep a schema is followed; beyond, a value may be anything."""


@dataclass(frozen=True, slots=True)
class ToolSchemas:
    """The type of `args` for each tool that is described."""

    arguments: Mapping[str, Record]

    def help_for(self, name: str) -> str:
        """The help text for a tool that is not described."""
        names = ", ".join(f"`{tool}`" for tool in list(self.arguments)[:8])
        more = ", …" if len(self.arguments) > 8 else ""
        return help_for(name, self.arguments, f"the schemas describe {names}{more}")


def parse_tool_schemas(file: str, data: bytes) -> ToolSchemas:
    """The tools of a file: MCP `tools/list`, OpenAI function tools, name to schema, or a map of lists of these. Raises
    PolicyInvalidError."""
    try:
        document = parse_json(data)
    except StrictJsonError as error:
        raise _refuse(file, f"the file is not JSON: {error}", "give it one JSON document") from error
    schemas: dict[str, Any] = {}
    for name, schema in _tools(document):
        if name in schemas and schemas[name] != schema:
            raise _refuse(file, f"the tool `{name}` is described twice, in two ways", "give each server's tools names of their own")
        schemas[name] = schema
    if not schemas:
        raise _refuse(file, "the file describes no tool", "MCP `tools/list`, OpenAI function tools, or a map of names to JSON Schemas")
    return ToolSchemas({name: arguments_type(name, schema) for name, schema in schemas.items()})


def _refuse(file: str, message: str, help_: str) -> PolicyInvalidError:
    return PolicyInvalidError((Diagnostic("HG401", message, Place(file, 1, 1), help_),))


def _tools(document: Any) -> Iterator[tuple[str, Any]]:
    """Name and schema of each tool of a document."""
    if isinstance(document, list):
        for item in document:
            if isinstance(item, dict):
                yield from _tool(item)
        return
    if not isinstance(document, dict):
        return
    if isinstance(document.get("result"), dict):
        document = document["result"]
    if isinstance(document.get("tools"), list):
        yield from _tools(document["tools"])
        return
    for name, value in document.items():
        if isinstance(value, list):
            yield from _tools(value)
        elif isinstance(value, dict):
            yield name, value.get("inputSchema", value.get("parameters", value))


def _tool(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    inner = item.get("function") if isinstance(item.get("function"), dict) else item
    assert isinstance(inner, dict)
    name = inner.get("name")
    if isinstance(name, str):
        for key in ("inputSchema", "input_schema", "parameters"):
            if key in inner:
                yield name, inner[key]
                return
        yield name, {}


def arguments_type(name: str, schema: Any) -> Record:
    """The type of a tool's `args`. A schema without properties says nothing of them."""
    title = f"tool `{name}`"
    if not isinstance(schema, dict):
        return Record({}, True, title, DYN)
    made = _Converter(schema).record(schema, title)
    return made if made is not None else Record({}, True, title, DYN)


def union_of(pattern: str, records: list[Record]) -> Record:
    """The type of `args` where any of several tools may be called: the members of all, required where all require
    them; a member of different types, or that only an open tool may have, is `dyn`."""
    members: dict[str, Member] = {}
    for name in dict.fromkeys(name for record in records for name in record.members):
        having = [record.members[name] for record in records if name in record.members]
        type_ = having[0].type if all(member.type == having[0].type for member in having) else DYN
        values = having[0].values if all(member.values == having[0].values for member in having) else None
        required = len(having) == len(records) and all(member.required for member in having)
        members[name] = Member(type_, required, values)
    return Record(members, any(record.open for record in records), f"the tools of `{pattern}`", DYN)


class _Converter:
    """Converts the schemas of one document; `$ref` is looked up in it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def record(self, schema: dict[str, Any], title: str, depth: int = 0) -> Record | None:
        """The record of an object schema; None where its members are not known."""
        properties = schema.get("properties")
        extra = schema.get("additionalProperties", not isinstance(properties, dict) or depth > 0)
        if not isinstance(properties, dict):
            return Record({}, False, title, DYN) if schema.get("additionalProperties") is False else None
        required = schema.get("required")
        names = set(required) if isinstance(required, list) else set()
        members = {
            name: Member(self.type(inner, depth + 1), name in names, self._values(inner))
            for name, inner in properties.items()
        }
        rest = self.type(extra, depth + 1) if isinstance(extra, dict) else DYN
        return Record(members, extra is not False, title, rest)

    def type(self, schema: Any, depth: int) -> Type:
        """The type of the values that a schema admits; DYN where they have several."""
        schema = self._resolved(schema)
        if not isinstance(schema, dict) or depth > REFERENCES:
            return DYN
        if any(key in schema for key in ("anyOf", "oneOf", "allOf", "not", "if")):
            return DYN
        kind = schema.get("type")
        if kind == "array":
            items = schema.get("items")
            return ListOf(self.type(items, depth + 1) if isinstance(items, dict) else DYN)
        if kind == "object":
            return self.record(schema, "the object", depth) or MapOf(STRING, DYN)
        return _SIMPLE.get(kind, DYN) if isinstance(kind, str) else DYN

    def _values(self, schema: Any) -> tuple[object, ...] | None:
        """The only values of a member, where its schema lists them and all are texts, ints or bools."""
        schema = self._resolved(schema)
        if not isinstance(schema, dict):
            return None
        listed = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(listed, list) and listed and all(type(value) in (str, int, bool) for value in listed):
            return tuple(listed)
        return None

    def _resolved(self, schema: Any) -> Any:
        for _ in range(REFERENCES):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                return schema
            path = schema["$ref"]
            if not path.startswith("#/"):
                return None
            schema = self._document
            for part in path[2:].split("/"):
                schema = schema.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(schema, dict) else None
        return None
