"""The tools of an agent as frameworks publish them: names with JSON Schemas, as the types of `args`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hexgate.diagnostics import Diagnostic, PolicyInvalidError
from hexgate.language.suggest import help_for
from hexgate.language.types import DYN, Member, Record
from hexgate.place import Place
from hexgate.policy.json_schema_types import SchemaError, type_of_arguments
from hexgate.strict_json import StrictJsonError, parse_json

SCHEMA_BYTES = 2**24
"""Length of a file with tools' schemas in bytes, at most."""

_FORMS = "give MCP `tools/list`, OpenAI function tools, or a map of tool names to JSON Schemas"
_SCHEMA_KEYS = ("inputSchema", "input_schema", "parameters")
_SHOWN_TOOLS = 8


@dataclass(frozen=True, slots=True)
class ToolSchemas:
    """The type of `args` for each tool that is described, and the SHA-256 of each schema's canonical JSON, in hex."""

    arguments: Mapping[str, Record]
    digests: Mapping[str, str] = field(default_factory=dict)

    def help_for(self, name: str) -> str:
        """The help text for a tool that is not described."""
        names = ", ".join(f"`{tool}`" for tool in list(self.arguments)[:_SHOWN_TOOLS])
        more = ", …" if len(self.arguments) > _SHOWN_TOOLS else ""
        return help_for(name, self.arguments, f"the schemas describe {names}{more}")


def parse_tool_schemas(file: str, data: bytes) -> ToolSchemas:
    """The tools of a file: MCP `tools/list`, OpenAI function tools, name to schema, or a map of lists of these. Raises
    PolicyInvalidError."""
    place = Place(file, 1, 1)
    if len(data) > SCHEMA_BYTES:
        message = f"the file has more than {SCHEMA_BYTES} bytes"
        raise _refuse([Diagnostic("HG401", message, place, "leave out other tools")])
    try:
        document = parse_json(data)
    except StrictJsonError as error:
        place = Place(file, error.line or 1, error.column or 1)
        raise _refuse([Diagnostic("HG401", error.message, place, "give one strict JSON document")]) from error
    arguments: dict[str, Record] = {}
    digests: dict[str, str] = {}
    problems: list[Diagnostic] = []
    try:
        for name, schema in _tools(document, ""):
            found = type_of_arguments(name, schema)
            if arguments.setdefault(name, found) != found:
                message = f"the tool `{name}` is described twice, in two ways"
                problems.append(Diagnostic("HG401", message, place, "give each server's tools names of their own"))
            digests.setdefault(name, _digest(schema))
    except SchemaError as error:
        problems.append(Diagnostic("HG401", error.message, place, error.help))
    if not arguments and not problems:
        problems.append(Diagnostic("HG401", "the file describes no tool", place, _FORMS))
    if problems:
        raise _refuse(problems)
    return ToolSchemas(arguments, digests)


def _refuse(problems: list[Diagnostic]) -> PolicyInvalidError:
    return PolicyInvalidError(tuple(dict.fromkeys(problems)))


def _digest(schema: Any) -> str:
    canonical = json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _tools(document: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Name and schema of each tool of a document. Raises SchemaError; `path` says where in the document this is."""
    if isinstance(document, list):
        for position, item in enumerate(document):
            yield _listed_tool(item, f"{path}[{position}]")
        return
    if not isinstance(document, dict):
        raise SchemaError(f"{_shown(path)} is no list and no object of tools", _FORMS)
    result = document.get("result")
    if isinstance(result, dict) and isinstance(result.get("tools"), list):
        # The whole answer of JSON-RPC, as MCP servers send it.
        yield from _tools(result["tools"], "result.tools")
    elif isinstance(document.get("tools"), list):
        yield from _tools(document["tools"], f"{path}.tools" if path else "tools")
    else:
        for name, value in document.items():
            if isinstance(value, list):
                yield from _tools(value, name)
            elif isinstance(value, dict):
                yield name, _schema_of(value, value)
            else:
                raise SchemaError(f"`{name}` has no JSON Schema", _FORMS)


def _listed_tool(item: Any, path: str) -> tuple[str, Any]:
    """A tool of a list: MCP's form, OpenAI's two forms, or a hosted tool, which only its type names."""
    if not isinstance(item, dict):
        raise SchemaError(f"{_shown(path)} is not a tool", _FORMS)
    inner = item.get("function")
    tool = inner if isinstance(inner, dict) else item
    name = tool.get("name")
    if name is None and inner is None and isinstance(item.get("type"), str) and item["type"] != "function":
        return item["type"], {}
    if not isinstance(name, str) or not name:
        raise SchemaError(f"{_shown(path)} has no `name`", _FORMS)
    return name, _schema_of(tool, {})


def _schema_of(tool: dict[str, Any], otherwise: dict[str, Any]) -> Any:
    for key in _SCHEMA_KEYS:
        if tool.get(key) is not None and not isinstance(tool.get("properties"), dict):
            return tool[key]
    return otherwise


def _shown(path: str) -> str:
    return f"`{path}`" if path else "the document"


def union_of(pattern: str, records: list[Record]) -> Record:
    """The type of `args` where any of several tools may be called: the members of all, required where all require
    them; a member of different types, or that an open tool may have besides, is `dyn`."""
    is_open = any(record.open for record in records)
    members: dict[str, Member] = {}
    for name in dict.fromkeys(name for record in records for name in record.members):
        having = [record.members[name] for record in records if name in record.members]
        elsewhere = any(record.open and name not in record.members for record in records)
        is_one_type = not elsewhere and all(member.type == having[0].type for member in having)
        has_values = not elsewhere and all(member.values is not None for member in having)
        values = tuple(dict.fromkeys(value for member in having for value in member.values or ()))
        required = len(having) == len(records) and all(member.required for member in having)
        members[name] = Member(having[0].type if is_one_type else DYN, required, values if has_values else None)
    return Record(members, is_open, f"what `{pattern}` covers", DYN)
