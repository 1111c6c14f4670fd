"""What requests of the client mean to the gate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hexgate.mcp_proxy.meaning import (
    REQUESTS,
    Call,
    Completed,
    Decided,
    Invalid,
    Listed,
    Meaning,
    OfTask,
    Passed,
    meaning_of,
    meaning_of_notification,
)
from hexgate.mcp_proxy.message import INVALID_PARAMS, Notification, Request

CASE_OF_KEYS = "two keys of one object differ in case only"
CASE_OF_MEMBER = "a key differs from a member of the protocol in case only"
BEYOND = "a number is beyond the range of a double"
RESERVED = "the name is what policies call something else than a tool"


def invalid(sentence: str) -> Invalid:
    return Invalid(INVALID_PARAMS, sentence)


def tool(name: str, arguments: dict[str, Any]) -> Decided:
    return Decided((Call(name, arguments),), of_tool=True)


def read(uri: str, *, can_hold: bool = True) -> Decided:
    return Decided((Call("resource.read", {"uri": uri}),), can_hold=can_hold)


MEANINGS: list[tuple[str, str | None, Meaning]] = [
    # method, parameters, meaning
    ("initialize", '{"capabilities":{}}', Passed()),
    ("ping", None, Passed()),
    ("logging/setLevel", '{"level":"debug"}', Passed()),
    ("resources/unsubscribe", '{"uri":"a"}', Passed()),
    ("server/discover", "{}", Passed()),
    ("tasks/list", None, Listed("tasks")),
    ("tasks/result", '{"taskId":"1"}', OfTask("1", Call("mcp.request", {"method": "tasks/result", "params": {"taskId": "1"}}))),
    ("tasks/get", '{"taskId":1}', invalid("`taskId` is no text")),
    ("tasks/cancel", '{"taskId":"1","TaskID":"2"}', invalid(CASE_OF_KEYS)),
    ("tasks/cancel", '{"TaskID":"2"}', invalid(CASE_OF_MEMBER)),
    ("tools/list", '{"cursor":"c"}', Listed("tools")),
    ("resources/list", None, Listed("resources")),
    ("resources/templates/list", None, Listed("resourceTemplates")),
    ("prompts/list", None, Listed("prompts")),
    # tools/call
    ("tools/call", '{"name":"a","arguments":{"x":1}}', tool("a", {"x": 1})),
    ("tools/call", '{"name":"a"}', tool("a", {})),
    ("tools/call", '{"name":"a","arguments":{"x":{"y":[{"z":1}]}},"_meta":{"progressToken":1},"task":{}}', tool("a", {"x": {"y": [{"z": 1}]}})),
    ("tools/call", None, invalid("`name` is no text")),
    ("tools/call", '{"name":7}', invalid("`name` is no text")),
    ("tools/call", '{"name":"a\\ud800"}', invalid("`name` is no text")),
    ("tools/call", '{"name":"a","arguments":null}', invalid("`arguments` is no object")),
    ("tools/call", '{"name":"a","arguments":"{}"}', invalid("`arguments` is no object")),
    ("tools/call", '{"name":"a","Name":"b"}', invalid(CASE_OF_KEYS)),
    ("tools/call", '{"name":"a","Arguments":{}}', invalid(CASE_OF_MEMBER)),
    ("tools/call", '{"name":"a","argument\u017f":{}}', invalid(CASE_OF_MEMBER)),
    ("tools/call", '{"name":"a","arguments":{"x":1,"X":2}}', invalid(CASE_OF_KEYS)),
    ("tools/call", '{"name":"a","arguments":{"l":[{"kind":1,"\u212aind":2}]}}', invalid(CASE_OF_KEYS)),
    ("tools/call", '{"name":"a","arguments":{"x":1e999}}', invalid(BEYOND)),
    ("tools/call", '{"name":"a","arguments":{"x":-1%s}}' % ("0" * 309), invalid(BEYOND)),
    ("tools/call", '{"name":"resource.read","arguments":{"uri":"a"}}', invalid(RESERVED)),
    ("tools/call", '{"name":"prompt.get"}', invalid(RESERVED)),
    ("tools/call", '{"name":"mcp.request"}', invalid(RESERVED)),
    # resources
    ("resources/read", '{"uri":"file:///a"}', read("file:///a")),
    ("resources/read", '{"uri":1}', invalid("`uri` is no text")),
    ("resources/read", '{"uri":"a","URI":"b"}', invalid(CASE_OF_KEYS)),
    ("resources/read", '{"URI":"b"}', invalid(CASE_OF_MEMBER)),
    ("resources/subscribe", '{"uri":"a"}', read("a", can_hold=False)),
    ("subscriptions/listen", '{"notifications":{"toolsListChanged":true}}', Passed()),
    (
        "subscriptions/listen",
        '{"notifications":{"resourceSubscriptions":["a","b","a"]}}',
        Decided((Call("resource.read", {"uri": "a"}), Call("resource.read", {"uri": "b"})), can_hold=False),
    ),
    ("subscriptions/listen", '{"notifications":{"ResourceSubscriptions":["a"]}}', invalid(CASE_OF_MEMBER)),
    ("subscriptions/listen", '{"notifications":{"resourceSubscriptions":"a"}}', invalid("`resourceSubscriptions` is no list of texts")),
    ("subscriptions/listen", "{}", invalid("`notifications` is no object")),
    # prompts
    ("prompts/get", '{"name":"a"}', Decided((Call("prompt.get", {"name": "a", "arguments": {}}),))),
    ("prompts/get", '{"name":"a","arguments":{"x":"1"}}', Decided((Call("prompt.get", {"name": "a", "arguments": {"x": "1"}}),))),
    ("prompts/get", "{}", invalid("`name` is no text")),
    ("prompts/get", '{"name":"a","arguments":[]}', invalid("`arguments` is no object")),
    # completion
    ("completion/complete", '{"ref":{"type":"ref/prompt","name":"a"}}', Completed("prompt.get", {"name": "a"}, "arguments")),
    ("completion/complete", '{"ref":{"type":"ref/resource","uri":"a/{b}"}}', Completed("resource.read", {}, "uri")),
    ("completion/complete", '{"ref":{"type":"ref/other"}}', invalid("`ref` names neither a prompt nor a resource")),
    ("completion/complete", '{"ref":{"type":"ref/prompt","Name":"a"}}', invalid(CASE_OF_MEMBER)),
    ("completion/complete", '{"ref":"a"}', invalid("`ref` is no object")),
    # what the proxy does not know
    ("tools/callMany", '{"calls":[]}', Decided((Call("mcp.request", {"method": "tools/callMany", "params": {"calls": []}}),))),
    ("Tools/Call", None, Decided((Call("mcp.request", {"method": "Tools/Call", "params": {}}),))),
    ("x", '{"a":1,"A":2}', invalid(CASE_OF_KEYS)),
]


@pytest.mark.parametrize(("method", "params", "expected"), MEANINGS)
def test_requests(method: str, params: str | None, expected: Meaning) -> None:
    assert meaning_of(Request(1, method, None if params is None else json.loads(params), b"")) == expected


NOTIFICATIONS = [
    # method, parameters, meaning
    ("notifications/initialized", None, Passed()),
    ("notifications/cancelled", {"requestId": 1}, Passed()),
    ("notifications/progress", {"progressToken": 1}, Passed()),
    ("notifications/roots/list_changed", None, Passed()),
    ("notifications/x", {"a": 1}, Decided((Call("mcp.notification", {"method": "notifications/x", "params": {"a": 1}}),), can_hold=False)),
    ("notifications/x", {"a": 1, "A": 1}, invalid(CASE_OF_KEYS)),
    *((method, None, invalid("the message is a request without an id")) for method in sorted(REQUESTS)),
]


@pytest.mark.parametrize(("method", "params", "expected"), NOTIFICATIONS)
def test_notifications(method: str, params: dict[str, Any] | None, expected: Meaning) -> None:
    assert meaning_of_notification(Notification(method, params, b"")) == expected


def test_every_method_of_the_protocol_is_known() -> None:
    """In every version that the `mcp` package has: a new one is decided as `mcp.request` until somebody has thought about it."""
    methods = pytest.importorskip("mcp_types.methods")
    assert methods.CLIENT_REQUESTS
    assert {method for method, _ in methods.CLIENT_REQUESTS} <= REQUESTS
    for method, _ in methods.CLIENT_NOTIFICATIONS:
        assert meaning_of_notification(Notification(method, None, b"")) == Passed(), method
