"""Tools' schemas: the forms in which frameworks publish them, and the types that they give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hexgate.diagnostics import PolicyInvalidError
from hexgate.language.types import BOOL, DYN, INT, NULL, NUMBER, STRING, ListOf, MapOf, Member, Record, Type
from hexgate.policy.json_schema_types import SCHEMA_NODES
from hexgate.policy.tool_schemas import SCHEMA_BYTES, ToolSchemas, parse_tool_schemas, union_of
from tests.shared_data import shared_data

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}


def read(document: Any) -> ToolSchemas:
    return parse_tool_schemas("tools.json", json.dumps(document).encode())


FORMS = {
    "MCP tools/list": {"tools": [{"name": "t", "description": "d", "inputSchema": SCHEMA}]},
    "MCP over JSON-RPC": {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "t", "inputSchema": SCHEMA}]}},
    "a list of MCP tools": [{"name": "t", "inputSchema": SCHEMA, "outputSchema": {"type": "object"}}],
    "OpenAI chat": [{"type": "function", "function": {"name": "t", "parameters": SCHEMA, "strict": True}}],
    "OpenAI responses": [{"type": "function", "name": "t", "parameters": SCHEMA}],
    "OpenAI under tools": {"tools": [{"type": "function", "function": {"name": "t", "parameters": SCHEMA}}]},
    "input_schema": [{"name": "t", "input_schema": SCHEMA}],
    "a map of schemas": {"t": SCHEMA},
    "a map of tools": {"t": {"description": "d", "inputSchema": SCHEMA}},
    "a map of suites": {"one": [{"name": "t", "parameters": SCHEMA}], "two": []},
    "the same tool in two suites": {"one": [{"name": "t", "parameters": SCHEMA}], "two": [{"name": "t", "parameters": {**SCHEMA, "title": "other"}}]},
}  # fmt: skip


@pytest.mark.parametrize("document", FORMS.values(), ids=FORMS.keys())
def test_forms(document: Any) -> None:
    expected = Record({"x": Member(STRING, True)}, False, "tool `t`", DYN)
    found = read(document)
    assert found.arguments == {"t": expected}
    assert found.digests.keys() == {"t"}


def test_tools_without_a_schema_take_anything() -> None:
    anything = Record({}, True, "tool `t`", DYN)
    assert read([{"name": "t"}]).arguments == {"t": anything}
    assert read({"t": {}}).arguments == {"t": anything}
    assert read({"t": {"type": "object"}}).arguments == {"t": anything}
    assert read([{"name": "t", "parameters": None}]).arguments == {"t": anything}
    assert read([{"type": "web_search"}]).arguments == {"web_search": Record({}, True, "tool `web_search`", DYN)}


def test_a_tool_may_be_called_tools_or_have_an_argument_called_parameters() -> None:
    inner = {"type": "object", "properties": {"parameters": {"type": "object"}, "tools": {"type": "array"}}}
    found = read({"tools": inner, "result": inner})
    assert list(found.arguments) == ["tools", "result"]
    assert list(found.arguments["tools"].members) == ["parameters", "tools"]


def test_digests_are_of_canonical_json() -> None:
    left = parse_tool_schemas("f", b'{"t": {"type": "object", "properties": {"\\u00e9": {}}}}')
    right = parse_tool_schemas("f", '{"t": {"properties":{"é":{}},  "type":"object"}}'.encode())
    assert left.digests == right.digests
    assert left.digests["t"] != read({"t": {}}).digests["t"]
    assert len(left.digests["t"]) == 64


def of_tool(*members: tuple[str, Member], is_open: bool = False) -> Record:
    return Record(dict(members), is_open, "`m` of tool `t`", DYN)


DEFS = {
    "money": {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"], "additionalProperties": False},
    "tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
    "twice": {"$ref": "#/$defs/text"},
    "text": {"type": "string"},
    "self": {"$ref": "#/$defs/self"},
    "a/b~c": {"type": "boolean"},
}  # fmt: skip
MONEY = of_tool(("amount", Member(NUMBER, True)))

TYPES: list[tuple[Any, Type]] = [
    ({"type": "string"}, STRING),
    ({"type": "string", "format": "date-time"}, STRING),
    ({"type": "integer"}, INT),
    ({"type": "number"}, NUMBER),
    ({"type": "boolean"}, BOOL),
    ({"type": "null"}, NULL),
    ({"type": ["string"]}, STRING),
    ({"type": ["string", "null"]}, DYN),
    ({"type": ["integer", "number"]}, NUMBER),
    ({"type": ["integer", "string"]}, DYN),
    ({"type": "string", "nullable": True}, DYN),
    ({}, DYN),
    (True, DYN),
    ({"description": "anything"}, DYN),
    ({"type": "array"}, ListOf(DYN)),
    ({"type": "array", "items": {"type": "string"}}, ListOf(STRING)),
    ({"items": {"type": "string"}}, ListOf(STRING)),
    ({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, ListOf(ListOf(INT))),
    ({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, ListOf(DYN)),
    ({"type": "array", "items": [{"type": "string"}]}, ListOf(DYN)),
    ({"type": "object"}, MapOf(STRING, DYN)),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, MapOf(STRING, INT)),
    ({"type": "object", "additionalProperties": True}, MapOf(STRING, DYN)),
    ({"type": "object", "additionalProperties": False}, of_tool()),
    ({"type": "object", "properties": {"a": {"type": "integer"}}}, of_tool(("a", Member(INT, False)), is_open=True)),
    ({"properties": {"a": {}}, "additionalProperties": False}, of_tool(("a", Member(DYN, False)))),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, DYN),
    ({"anyOf": [{"type": "string", "minLength": 1}, {"type": "string", "maxLength": 0}]}, STRING),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, NUMBER),
    ({"anyOf": []}, DYN),
    ({"allOf": [{"$ref": "#/$defs/money"}], "description": "d"}, MONEY),
    ({"allOf": [{"minimum": 1}, {"type": "integer"}]}, INT),
    ({"type": "integer", "not": {"const": 5}}, INT),
    ({"type": "string", "anyOf": [{"minLength": 1}]}, STRING),
    ({"enum": ["a", "b"]}, STRING),
    ({"enum": [1, 2.5]}, NUMBER),
    ({"enum": ["a", None]}, DYN),
    ({"const": True}, BOOL),
    ({"enum": [[1]]}, DYN),
    ({"$ref": "#/$defs/money"}, MONEY),
    ({"$ref": "#/$defs/twice"}, STRING),
    ({"$ref": "#/$defs/a~1b~0c"}, BOOL),
    ({"$ref": "#/$defs/none"}, DYN),
    ({"$ref": "#/$defs/self"}, DYN),
    ({"$ref": "https://example.com/x"}, DYN),
    ({"$ref": "other.json#/x"}, DYN),
    ({"$ref": "#/$defs/text", "description": "d", "default": "x"}, STRING),
    ({"$ref": "#/$defs/text", "nullable": True}, DYN),
    ({"$ref": "#/$defs/money", "properties": {"more": {}}}, DYN),
    ({"$ref": "#/$defs/money", "anyOf": [{"required": ["amount"]}]}, DYN),
    ({"allOf": [{"$ref": "#/$defs/money"}, {"properties": {"more": {}}}]}, of_tool(("amount", Member(NUMBER, True)), ("more", Member(DYN, False)), is_open=True)),
    ({"properties": {"a": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False}, of_tool(("a", Member(DYN, False)), is_open=True)),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "expected"), TYPES, ids=lambda value: json.dumps(value) if not isinstance(value, Type) else "")
def test_types(schema: Any, expected: Type) -> None:
    found = read({"t": {"type": "object", "properties": {"m": schema}, "$defs": DEFS}})
    assert found.arguments["t"].members["m"].type == expected


def test_a_cycle_ends_in_anything() -> None:
    found: Any = read({"t": {"type": "object", "properties": {"m": {"$ref": "#/$defs/tree"}}, "$defs": DEFS}}).arguments["t"].members["m"].type
    depth = 0
    while isinstance(found, ListOf):
        found, depth = found.element, depth + 1
    assert found is DYN
    assert 1 < depth < 40


def test_references_that_multiply() -> None:
    """Each definition has two of the next: 2^100 schemas without a bound."""
    defs = {f"d{n}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/d{n + 1}"}, "b": {"$ref": f"#/$defs/d{n + 1}"}}} for n in range(100)}
    found = read({"t": {"$ref": "#/$defs/d0", "$defs": defs}})
    assert list(found.arguments["t"].members) == ["a", "b"]
    assert SCHEMA_NODES <= 10_000


VALUES = [
    ({"enum": ["a", "b"]}, ("a", "b")),
    ({"type": "string", "enum": ["a", None]}, ("a", None)),
    ({"const": 5}, (5,)),
    ({"type": "number", "enum": [1.0, 2]}, (1, 2)),
    ({"enum": [1.5]}, None),
    ({"enum": [True]}, (True,)),
    ({"enum": []}, None),
    ({"enum": "a"}, None),
    ({"enum": ["a"], "nullable": True}, None),
    ({"$ref": "#/$defs/e"}, ("x",)),
    ({"type": "string"}, None),
]


@pytest.mark.parametrize(("schema", "expected"), VALUES)
def test_values(schema: Any, expected: tuple[object, ...] | None) -> None:
    found = read({"t": {"properties": {"m": schema}, "$defs": {"e": {"enum": ["x"]}}}})
    assert found.arguments["t"].members["m"].values == expected


ARGUMENTS = [
    ({"properties": {"a": {}}}, ["a"], [], False),
    ({"properties": {"a": {}}, "additionalProperties": True}, ["a"], [], True),
    ({"properties": {"a": {}}, "additionalProperties": {"type": "string"}}, ["a"], [], True),
    ({"properties": {"a": {}}, "patternProperties": {"^x": {}}}, ["a"], [], True),
    ({"properties": {"a": {}, "b": {}}, "required": ["b"]}, ["a", "b"], ["b"], False),
    ({"properties": {"a": {}}, "required": ["c"]}, ["a", "c"], ["c"], False),
    ({"properties": {"a": {"required": True}}, "required": True}, ["a"], [], False),
    ({"type": "object", "properties": {}}, [], [], False),
    ({"allOf": [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}}]}, ["a", "b"], ["a"], False),
    ({"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"z": {}}}}}, ["z"], [], False),
    ({"$ref": "#/$defs/x", "properties": {"a": {}}, "$defs": {"x": {"properties": {"z": {}}}}}, [], [], True),
    *(
        ({"properties": {"a": {}}, keyword: [{"properties": {"b": {}}}]}, ["a"], [], True)
        for keyword in ("allOf", "anyOf", "oneOf", "if", "dependentSchemas")
    ),
    ({"properties": {"a": {}}, "oneOf": [{"required": ["a"]}], "additionalProperties": False}, ["a"], [], False),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "members", "required", "is_open"), ARGUMENTS)
def test_arguments(schema: Any, members: list[str], required: list[str], is_open: bool) -> None:
    found = read({"t": schema}).arguments["t"]
    assert list(found.members) == members
    assert [name for name, member in found.members.items() if member.required] == required
    assert found.open is is_open
    assert found.title == "tool `t`"


UNUSABLE = [
    (b"", "the JSON is empty", 1),
    (b'{"a": {}, "a": {}}', "the key `a` appears twice in one object", 1),
    (b'{"a":\n NaN}', "`NaN` is not JSON", 1),
    (b'{"a": {}\n', "the JSON ends early", 2),
    (b"\xff", "the JSON is not UTF-8", 1),
    (b"[" * 10_000, "the JSON is nested deeper than 256", 1),
    (b" " * (SCHEMA_BYTES + 1), "the file has more than 16777216 bytes", 1),
    (b"5", "the document is no list and no object of tools", 1),
    (b"{}", "the file describes no tool", 1),
    (b'{"tools": []}', "the file describes no tool", 1),
    (b'{"tools": [{"inputSchema": {}}]}', "`tools[0]` has no `name`", 1),
    (b'[{"name": ""}]', "`[0]` has no `name`", 1),
    (b'[{"type": "function"}]', "`[0]` has no `name`", 1),
    (b'{"github": [5]}', "`github[0]` is not a tool", 1),
    (b'{"a": 5}', "`a` has no JSON Schema", 1),
    (b'[{"name": "a", "inputSchema": true}]', "the schema of `a` is no object", 1),
    (b'{"a": {"type": "array"}}', "the schema of `a` is not that of an object", 1),
    (b'{"a": {"properties": []}}', "`properties` of tool `a` is no object", 1),
    (b'{"a": {"properties": {"x": {"type": "int"}}}}', "`x` of tool `a` has a `type` that JSON Schema does not know", 1),
    (b'{"a": {"properties": {"x": {"type": [[]]}}}}', "`x` of tool `a` has a `type` that JSON Schema does not know", 1),
    (b'{"one": [{"name": "a", "parameters": {"properties": {"x": {}}}}], "two": [{"name": "a"}]}', "the tool `a` is described twice, in two ways", 1),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message", "line"), UNUSABLE, ids=[row[1] for row in UNUSABLE])
def test_unusable(data: bytes, message: str, line: int) -> None:
    with pytest.raises(PolicyInvalidError) as caught:
        parse_tool_schemas("tools.json", data)
    (found,) = caught.value.diagnostics
    assert found.place is not None
    assert (found.code, found.message, found.place.line) == ("HG401", message, line)
    assert found.help


def test_union_of_tools() -> None:
    left = Record({"a": Member(STRING, True, ("x",)), "b": Member(INT, True), "c": Member(INT, True)}, False, "", DYN)
    right = Record({"a": Member(STRING, True, ("y", "x")), "b": Member(STRING, False)}, False, "", DYN)
    union = union_of("t_*", [left, right])
    assert union.members == {
        "a": Member(STRING, True, ("x", "y")), "b": Member(DYN, False), "c": Member(INT, False),
    }  # fmt: skip
    assert (union.open, union.title) == (False, "what `t_*` covers")
    opened = union_of("t_*", [left, Record({}, True, "", DYN)])
    assert opened.members["a"] == Member(DYN, False)
    assert opened.open


def test_published_schemas() -> None:
    servers = json.loads(shared_data("mcp_tools.json").read_text(encoding="utf-8"))
    assert len(servers) > 5
    for tools in servers.values():
        assert read(tools).arguments.keys() == {tool["name"] for tool in tools}
    assert read(servers["github"]).arguments["create_issue"].members["owner"] == Member(STRING, True)
    with pytest.raises(PolicyInvalidError):
        read(servers)
    suites = shared_data("agentdojo", "tools.json")
    assert len(parse_tool_schemas("tools.json", suites.read_bytes()).arguments) > 50
