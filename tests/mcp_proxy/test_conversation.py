"""Both directions of a conversation, line by line: what is written where."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate.mcp_proxy import conversation as conversation_module
from hexgate.mcp_proxy.conversation import Conversation, Outcome
from hexgate.mcp_proxy.limits import OPEN_REQUESTS
from hexgate.mcp_proxy.lines import TooLong
from hexgate.mcp_proxy.meaning import Call
from tests.mcp_proxy.harness import ByName, call, rpc


def fault(id_: int | str | None, code: int, sentence: str, **data: str) -> str:
    return rpc(id=id_, error={"code": code, "message": sentence, **({"data": data} if data else {})})


def refused(id_: int, text: str, code: str, **more: Any) -> str:
    return rpc(id=id_, result={"content": [{"type": "text", "text": text}], "isError": True, "_meta": {"hexgate/code": code, **more}})


NO_TOOL = {"hexgate/code": "unknown_tool"}
STRANGE = '{ "jsonrpc" : "2.0", "id":1, "method": "ping" , "params":{"_meta":{"é":1.50}} }'

FROM_CLIENT: list[tuple[str, list[str], list[str]]] = [
    # line of the client, lines to the server, lines to the client
    (STRANGE, [STRANGE], []),
    (rpc(method="notifications/initialized"), [rpc(method="notifications/initialized")], []),
    (rpc(id=1, result={"role": "user"}), [rpc(id=1, result={"role": "user"})], []),
    (rpc(id=1, method="tools/list", params={"cursor": "x"}), [rpc(id=1, method="tools/list", params={"cursor": "x"})], []),
    (
        '{ "id":1, "jsonrpc":"2.0", "params":{"arguments":{"a": 1E2, "b":"\u2028"},"name":"ok", "_meta":{}}, "method":"tools/call"}',
        ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"a":100.0,"b":"\\u2028"},"name":"ok","_meta":{}}}'],
        [],
    ),
    (rpc(id=1, method="tools/call", params={"name": "no"}), [], [refused(1, "no", "unknown_tool")]),
    (
        rpc(id=1, method="tools/call", params={"name": "ask"}),
        [],
        [refused(1, "ask; once request r1 is approved, the same call runs", "approval_required", **{"hexgate/request": "r1"})],
    ),
    (
        rpc(id=1, method="tools/call", params={"name": "no", "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}),
        [],
        [rpc(id=1, result={"resultType": "complete", "content": [{"type": "text", "text": "no"}], "isError": True, "_meta": NO_TOOL})],
    ),
    (rpc(id=1, method="tools/call", params={"name": 1}), [], [fault(1, -32602, "`name` is no text")]),
    (rpc(id=1, method="resources/read", params={"uri": "ok:"}), [rpc(id=1, method="resources/read", params={"uri": "ok:"})], []),
    (rpc(id=1, method="resources/read", params={"uri": "no:"}), [], [fault(1, -32010, "no", **NO_TOOL)]),
    (rpc(id=1, method="resources/subscribe", params={"uri": "ask:"}), [], [fault(1, -32010, "ask", **{"hexgate/code": "approval_required"})]),
    (rpc(id=1, method="prompts/get", params={"name": "no"}), [], [fault(1, -32010, "no", **NO_TOOL)]),
    (rpc(id=1, method="x/execute", params={}), [], [fault(1, -32010, "no", **NO_TOOL)]),
    (rpc(id=1, method="ok/execute", params={}), [rpc(id=1, method="ok/execute", params={})], []),
    (
        rpc(id=1, method="completion/complete", params={"ref": {"type": "ref/prompt", "name": "some"}}),
        [],
        [rpc(id=1, result={"completion": {"values": [], "total": 0, "hasMore": False}})],
    ),
    (
        rpc(id=1, method="completion/complete", params={"ref": {"type": "ref/prompt", "name": "ok"}}),
        [rpc(id=1, method="completion/complete", params={"ref": {"type": "ref/prompt", "name": "ok"}})],
        [],
    ),
    # without an answer to give
    (rpc(method="tools/call", params={"name": "ok"}), [], []),
    (rpc(method="notifications/x"), [], []),
    (rpc(method="ok/x"), [rpc(method="ok/x")], []),
    # not one message
    ("hello", [], [fault(None, -32700, "the message is not strict JSON")]),
    ('{"jsonrpc":"2.0","id":4,"method":"ping","method":"tools/call"}', [], [fault(4, -32700, "the message is not strict JSON")]),
    (rpc(id=1, result={}, error={}), [fault(1, -32600, "the message is neither a request nor a response")], []),
    (
        "[" + ",".join([rpc(id=1, method="ping"), rpc(method="ok/x"), rpc(id=2, method="ping")]) + "]",
        [],
        ["[" + ",".join(fault(id_, -32600, "batches are not relayed; send the messages one by one") for id_ in (1, 2)) + "]"],
    ),
    ("[7]", [], [fault(None, -32600, "batches are not relayed; send the messages one by one")]),
]


def lines(written: tuple[bytes, ...]) -> list[str]:
    return [line.decode() for line in written]


@pytest.mark.parametrize(("line", "to_server", "to_client"), FROM_CLIENT, ids=range(len(FROM_CLIENT)))
def test_from_the_client(line: str, to_server: list[str], to_client: list[str]) -> None:
    outcome = Conversation(ByName()).from_client(line.encode())
    assert (lines(outcome.to_server), lines(outcome.to_client)) == (to_server, to_client)


LISTS = [
    # method, result of the server, result for the client
    ("tools/list", {"tools": [{"name": "ok"}, {"name": "no"}, {"name": "some"}, {"name": "ask"}], "nextCursor": "c"},
     {"tools": [{"name": "ok"}, {"name": "some"}, {"name": "ask"}], "nextCursor": "c"}),
    ("tools/list", {"tools": [{"name": "resource.read"}, {"name": 7}, 7, {"Name": "ok"}, {}]}, {"tools": []}),
    ("tools/list", {"tools": [{"name": "ok"}], "cacheScope": "public", "ttlMs": 9}, {"tools": [{"name": "ok"}], "cacheScope": "private", "ttlMs": 9}),
    ("resources/list", {"resources": [{"uri": "ok:"}, {"uri": "no:"}]}, {"resources": [{"uri": "ok:"}]}),
    ("resources/templates/list", {"resourceTemplates": [{"uriTemplate": "ok:{x}"}]}, {"resourceTemplates": []}),
    ("prompts/list", {"prompts": [{"name": "ok"}, {"name": "no"}]}, {"prompts": [{"name": "ok"}]}),
    ("tools/call", {"tools": [{"name": "no"}], "content": []}, {"tools": [{"name": "no"}], "content": []}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "sent", "shown"), LISTS)
def test_lists(method: str, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    conversation = Conversation(ByName())
    conversation.from_client(rpc(id="l", method=method, params={"name": "ok"}).encode())
    outcome = conversation.from_server(rpc(id="l", result=sent).encode())
    assert lines(outcome.to_client) == [rpc(id="l", result=shown)]
    assert conversation.waiting == 0


def opened(method: str = "tools/list", id_: int | str = 1) -> Conversation:
    conversation = Conversation(ByName())
    assert conversation.from_client(rpc(id=id_, method=method, params={"name": "ok"}).encode()).to_server
    return conversation


UNREADABLE = "the server's answer cannot be read: "
LIST = {"tools": [{"name": "no"}]}

FROM_SERVER: list[tuple[str | TooLong, list[str], list[str]]] = [
    # line of the server while `tools/list` with id 1 is open, lines to the client, lines to the server
    (rpc(id=1, error={"code": -1, "message": "m"}), [rpc(id=1, error={"code": -1, "message": "m"})], []),
    (rpc(id=1, result={"tools": 7}), [fault(1, -32603, "the server's list cannot be read")], []),
    (rpc(id=1, result={}), [fault(1, -32603, "the server's list cannot be read")], []),
    ('{"jsonrpc":"2.0","id":1,"result":{"tools":[],"x":1e999}}', [fault(1, -32603, "the server's list has a number that JSON does not have")], []),
    ('{"jsonrpc":"2.0","id":1,"result":{"x":NaN}}', [fault(1, -32603, UNREADABLE + "the message is not strict JSON")], []),
    ('{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{"tools":[]}}', [fault(1, -32603, UNREADABLE + "the message is not strict JSON")], []),
    (TooLong(b'{"jsonrpc":"2.0","id":1,"result":{', b"}}"), [fault(1, -32603, UNREADABLE + "the message is too long")], []),
    # SDKs take the id's text for the id, and so does the list's filter
    (rpc(id="1", result=LIST), [rpc(id="1", result={"tools": []})], []),
    # answers to nothing
    (rpc(id=2, result=LIST), [], []),
    (rpc(id=None, error={"code": -1, "message": "m"}), [rpc(id=None, error={"code": -1, "message": "m"})], []),
    # requests and notifications of the server
    (rpc(id=1, method="sampling/createMessage", params={}), [rpc(id=1, method="sampling/createMessage", params={})], []),
    (rpc(id=1, method="tools/call", params={"name": "no"}), [rpc(id=1, method="tools/call", params={"name": "no"})], []),
    ('{"jsonrpc":"2.0","id":1,"method":"roots/list","x":1}', [], [fault(1, -32600, "the message is not JSON-RPC 2.0")]),
    (rpc(method="notifications/progress", params={}), [rpc(method="notifications/progress", params={})], []),
    (rpc(method="notifications/resources/updated", params={"uri": "ok:"}), [rpc(method="notifications/resources/updated", params={"uri": "ok:"})], []),
    (rpc(method="notifications/resources/updated", params={"uri": "no:"}), [], []),
    (rpc(method="notifications/resources/updated"), [], []),
    # several at once
    (f"[{rpc(id=1, result=LIST)},{rpc(method='notifications/x')},7]", [rpc(id=1, result={"tools": []}), rpc(method="notifications/x")], []),
    # garbage
    ("Listening on port 80", [], []),
    ("{", [], []),
    (TooLong(b"x", b"x"), [], []),
]


@pytest.mark.parametrize(("line", "to_client", "to_server"), FROM_SERVER, ids=range(len(FROM_SERVER)))
def test_from_the_server(line: str | TooLong, to_client: list[str], to_server: list[str]) -> None:
    outcome = opened().from_server(line if isinstance(line, TooLong) else line.encode())
    assert (lines(outcome.to_client), lines(outcome.to_server)) == (to_client, to_server)


def test_a_batch_takes_time_in_proportion_to_its_length() -> None:
    """Everybody else waits for it."""
    many = 50_000
    line = b"[" + b",".join([b'{"jsonrpc":"2.0","method":"x"}', b"7"] * many) + b"]"
    start = time.monotonic()
    outcome = opened().from_server(line)
    assert time.monotonic() - start < 15
    assert (len(outcome.to_client), len(outcome.notes)) == (many, many)


def test_an_answer_is_forwarded_once() -> None:
    conversation = opened("ping")
    answer = rpc(id=1, result={}).encode()
    assert conversation.from_server(answer).to_client == (answer,)
    assert conversation.from_server(rpc(id=1, result=LIST).encode()) == Outcome(
        notes=("an answer of the server is dropped: the client has not asked for it",)
    )


def test_an_id_that_is_in_use_names_no_second_request() -> None:
    """Or the answer to `tools/list` would be taken for that to `ping`."""
    conversation = opened("tools/list")
    assert lines(conversation.from_client(rpc(id=1, method="ping").encode()).to_client) == [
        fault(1, -32600, "the id is that of a request that is not answered yet")
    ]
    assert lines(conversation.from_server(rpc(id=1, result=LIST).encode()).to_client) == [rpc(id=1, result={"tools": []})]
    assert conversation.from_client(rpc(id=1, method="ping").encode()).to_server


@pytest.mark.parametrize(("first", "second"), [(1, "1"), ("1", 1), (-7, "-7")])
def test_ids_that_differ_in_their_type_only_are_one(first: int | str, second: int | str) -> None:
    """A server that makes no difference would answer both with the same id, and a list would pass for the answer to `ping`."""
    conversation = opened("ping", first)
    assert lines(conversation.from_client(rpc(id=second, method="tools/list").encode()).to_client) == [
        fault(second, -32600, "the id is that of a request that is not answered yet")
    ]


def test_a_list_is_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or its answer, late, would pass for that to the next request with its id."""
    monkeypatch.setattr(conversation_module, "OPEN_REQUESTS", 2)
    conversation = opened("tools/list", 1)
    for id_ in (1, 2):
        conversation.from_client(rpc(id=id_, method="ping").encode())
        conversation.from_client(rpc(method="notifications/cancelled", params={"requestId": id_}).encode())
    conversation.from_client(rpc(id=3, method="ping").encode())
    assert not conversation.from_client(rpc(id=1, method="ping").encode()).to_server
    assert lines(conversation.from_server(rpc(id=1, result=LIST).encode()).to_client) == [rpc(id=1, result={"tools": []})]


def test_a_cancelled_list_is_still_filtered() -> None:
    conversation = opened()
    cancelled = rpc(method="notifications/cancelled", params={"requestId": 1}).encode()
    assert conversation.from_client(cancelled).to_server == (cancelled,)
    assert conversation.waiting == 0
    assert lines(conversation.from_server(rpc(id=1, result=LIST).encode()).to_client) == [rpc(id=1, result={"tools": []})]


@pytest.mark.parametrize("id_", [True, 1.0, None, [1], {"a": 1}, "1", 2])
def test_cancelling_something_else_cancels_nothing(id_: object) -> None:
    conversation = opened()
    conversation.from_client(rpc(method="notifications/cancelled", params={"requestId": id_}).encode())
    assert conversation.waiting == 1


def test_requests_that_nobody_answers_are_bounded() -> None:
    conversation = Conversation(ByName())
    for id_ in range(OPEN_REQUESTS):
        assert conversation.from_client(rpc(id=id_, method="ping").encode()).to_server
    one_more = rpc(id="more", method="ping").encode()
    assert lines(conversation.from_client(one_more).to_client) == [fault("more", -32603, "10000 requests are not answered yet")]
    conversation.from_client(rpc(method="notifications/cancelled", params={"requestId": 7}).encode())
    assert conversation.from_client(one_more).to_server == (one_more,)
    assert conversation.from_server(rpc(id=7, result={}).encode()).to_client == ()
    assert len(conversation.end("the server has ended")) == OPEN_REQUESTS


def test_the_end_answers_what_is_open() -> None:
    conversation = opened()
    assert lines(conversation.end("the server has ended")) == [fault(1, -32603, "the server has ended")]
    assert conversation.end("the server has ended") == ()


TASKS = [
    # a call's result, the tasks that it makes this conversation's own
    ({"task": {"taskId": "t"}}, ["t"]),
    ({"resultType": "task", "taskId": "t"}, ["t"]),
    ({"taskId": "t", "content": []}, []),
    ({"task": "t"}, []),
    ({"structuredContent": {"task": {"taskId": "t"}}}, []),
]


@pytest.mark.parametrize(("result", "own"), TASKS)
def test_only_tasks_of_calls_that_were_decided_are_reached(result: dict[str, Any], own: list[str]) -> None:
    """A server may keep tasks of others under the same account."""
    conversation = opened("tools/call")
    conversation.from_server(rpc(id=1, result=result).encode())
    listed = rpc(id=2, method="tasks/list").encode()
    assert conversation.from_client(listed).to_server == (listed,)
    shown = conversation.from_server(rpc(id=2, result={"tasks": [{"taskId": "t"}, {"taskId": "u"}, 7]}).encode())
    assert lines(shown.to_client) == [rpc(id=2, result={"tasks": [{"taskId": task} for task in own]})]
    for number, task in enumerate(("t", "u"), 3):
        asked = rpc(id=number, method="tasks/result", params={"taskId": task})
        outcome = conversation.from_client(asked.encode())
        if task in own:
            assert lines(outcome.to_server) == [asked]
        else:
            assert lines(outcome.to_client) == [fault(number, -32010, "no", **NO_TOOL)]


def test_tasks_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_module, "OPEN_TASKS", 10)
    conversation = Conversation(ByName())
    for number in range(11):
        conversation.from_client(call(number, "ok").encode())
        conversation.from_server(rpc(id=number, result={"task": {"taskId": str(number)}}).encode())
    asked = [conversation.from_client(rpc(id=task, method="tasks/get", params={"taskId": task}).encode()) for task in ("0", "1")]
    assert [bool(outcome.to_server) for outcome in asked] == [False, True]


def test_a_subscription_is_decided_uri_by_uri() -> None:
    judge = ByName()
    asked = rpc(id=1, method="subscriptions/listen", params={"notifications": {"resourceSubscriptions": ["ok:a", "no:b", "ok:c"]}})
    outcome = Conversation(judge).from_client(asked.encode())
    assert (lines(outcome.to_client), outcome.to_server) == ([fault(1, -32010, "no", **NO_TOOL)], ())
    assert judge.ruled == [(Call("resource.read", {"uri": uri}), "1", False) for uri in ("ok:a", "no:b")]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["ok", "tools/call", "tools/list", "2.0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "uri", "arguments", "tools", "ref", "x"]), inner, max_size=3),
    max_leaves=6,
)
documents = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0")},
    optional={
        "id": st.integers(0, 3) | values,
        "method": st.sampled_from(["tools/call", "tools/list", "resources/read", "ping", "completion/complete", "notifications/cancelled", "y"]) | values,
        "params": values,
        "result": values,
        "error": values,
    },
)


@given(st.lists(st.tuples(st.booleans(), st.one_of(documents.map(lambda d: json.dumps(d).encode()), st.binary(max_size=40))), max_size=12))
def test_whatever_comes_is_answered_without_an_exception(messages: list[tuple[bool, bytes]]) -> None:
    judge = ByName()
    conversation = Conversation(judge)
    for of_client, line in messages:
        outcome = (conversation.from_client if of_client else conversation.from_server)(line)
        for written in outcome.to_server + outcome.to_client:
            assert b"\n" not in written.replace(line, b"")
            json.loads(written)
        for written in outcome.to_server if of_client else ():
            forwarded = json.loads(written)
            if forwarded.get("method") == "tools/call":
                ruled, _, _ = judge.ruled[-1]
                assert (ruled.tool, ruled.arguments) == (forwarded["params"]["name"], forwarded["params"].get("arguments", {}))
