"""A line to a message: what has one reading, and what is refused."""

from __future__ import annotations

import json

import pytest

from hexgate.mcp_proxy.limits import MESSAGE_SIGNS
from hexgate.mcp_proxy.lines import TooLong
from hexgate.mcp_proxy.message import (
    INVALID_REQUEST,
    PARSE_ERROR,
    Batch,
    Malformed,
    Message,
    Notification,
    Request,
    Response,
    read_message,
)

NOT_STRICT = "the message is not strict JSON"
NOT_RPC = "the message is not JSON-RPC 2.0"
BAD_ID = "a request's id is a text of at most 256 characters or a whole number below 2^53"
NEITHER = "the message is neither a request nor a response"

MESSAGES: list[tuple[str, Message]] = [
    # line, message (`data`, the line itself, is filled in below)
    ('{"jsonrpc":"2.0","id":1,"method":"ping"}', Request(1, "ping", None, b"")),
    ('{"jsonrpc":"2.0","id":"a","method":"ping","params":{"x":1}}', Request("a", "ping", {"x": 1}, b"")),
    ('{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', Request(1, "ping", None, b"")),
    (' {"method":"m","jsonrpc":"2.0"} ', Notification("m", None, b"")),
    ('{"jsonrpc":"2.0","id":1,"result":{}}', Response(1, {}, b"")),
    ('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}', Response(1, None, b"")),
    ('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}', Response(None, None, b"")),
    ('{"jsonrpc":"2.0","error":{"code":1,"message":"m"}}', Response(None, None, b"")),
    # not one reading
    ("", Malformed(PARSE_ERROR, NOT_STRICT)),
    ("Listening on port 80", Malformed(PARSE_ERROR, NOT_STRICT)),
    ('{"jsonrpc":"2.0","id":1,"method":"ping"} {}', Malformed(PARSE_ERROR, NOT_STRICT)),
    ('{"jsonrpc":"2.0","id":7,"method":"a","method":"b"}', Malformed(PARSE_ERROR, NOT_STRICT, 7)),
    ('{"jsonrpc":"2.0","id":7,"method":"a","params":{"x":NaN}}', Malformed(PARSE_ERROR, NOT_STRICT, 7)),
    ('{"jsonrpc":"2.0","id":7,"result":{"x":Infinity}}', Malformed(PARSE_ERROR, NOT_STRICT, 7, True)),
    ('\ufeff{"jsonrpc":"2.0","id":7,"method":"a"}', Malformed(PARSE_ERROR, NOT_STRICT)),
    ('{"jsonrpc":"2.0","method":"a","params":\r{"x":1}\r}', Malformed(PARSE_ERROR, "a carriage return stands inside of the message")),
    ('{"jsonrpc":"2.0","id":3,"method":"a"\r}', Malformed(PARSE_ERROR, "a carriage return stands inside of the message", 3)),
    # not JSON-RPC
    ("7", Malformed(INVALID_REQUEST, "the message is no object")),
    ('{"id":1,"method":"a"}', Malformed(INVALID_REQUEST, NOT_RPC, 1)),
    ('{"jsonrpc":"1.0","id":1,"method":"a"}', Malformed(INVALID_REQUEST, NOT_RPC, 1)),
    ('{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', Malformed(INVALID_REQUEST, NOT_RPC, 1)),
    ('{"jsonrpc":"2.0","id":1,"method":"ping","ID":2}', Malformed(INVALID_REQUEST, NOT_RPC, 1)),
    ('{"jsonrpc":"2.0","id":1,"method":7}', Malformed(INVALID_REQUEST, "the message is no request", 1)),
    ('{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}', Malformed(INVALID_REQUEST, "the message is no request", 1)),
    ('{"jsonrpc":"2.0","id":1,"method":"a","result":{}}', Malformed(INVALID_REQUEST, "the message is no request", 1)),
    ('{"jsonrpc":"2.0","id":null,"method":"a"}', Malformed(INVALID_REQUEST, BAD_ID)),
    ('{"jsonrpc":"2.0","id":true,"method":"a"}', Malformed(INVALID_REQUEST, BAD_ID)),
    ('{"jsonrpc":"2.0","id":1.0,"method":"a"}', Malformed(INVALID_REQUEST, BAD_ID)),
    ('{"jsonrpc":"2.0","id":9007199254740992,"method":"a"}', Malformed(INVALID_REQUEST, BAD_ID)),
    ('{"jsonrpc":"2.0","id":{},"method":"a"}', Malformed(INVALID_REQUEST, BAD_ID)),
    ('{"jsonrpc":"2.0","id":1}', Malformed(INVALID_REQUEST, NEITHER, 1, True)),
    ('{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', Malformed(INVALID_REQUEST, NEITHER, 1, True)),
    ('{"jsonrpc":"2.0","id":1,"result":{},"params":{}}', Malformed(INVALID_REQUEST, NEITHER, 1, True)),
    ('{"jsonrpc":"2.0","result":{}}', Malformed(INVALID_REQUEST, "the response has no id")),
    ('{"jsonrpc":"2.0","id":[1],"error":{}}', Malformed(INVALID_REQUEST, "the response has no id")),
    ('{"jsonrpc":"2.0","id":1,"result":[]}', Malformed(INVALID_REQUEST, "the response has no object in it", 1, True)),
    ("[]", Malformed(INVALID_REQUEST, "the batch is empty")),
]


@pytest.mark.parametrize(("line", "expected"), MESSAGES, ids=range(len(MESSAGES)))
def test_messages(line: str, expected: Message) -> None:
    data = line.encode()
    found = read_message(data)
    if isinstance(found, Request | Notification | Response):
        assert found.data == data
        found = type(found)(**{name: getattr(found, name) for name in found.__dataclass_fields__ if name != "data"}, data=b"")
    assert found == expected


def test_a_batch_is_its_messages() -> None:
    found = read_message(b'[{"jsonrpc":"2.0", "id":1, "method":"a"}, 7, {"jsonrpc":"2.0","method":"b","params":{"x":1e999}}]')
    assert found == Batch(
        (
            Request(1, "a", None, b'{"jsonrpc":"2.0","id":1,"method":"a"}'),
            Malformed(INVALID_REQUEST, "the message is no object"),
            Malformed(PARSE_ERROR, NOT_STRICT),
        )
    )


EDGES = [
    # head, tail, id, looks like a response
    (b'{"jsonrpc":"2.0","id":5,"result":{"x', b'"}}', 5, True),
    (b'{"id":"a b","jsonrpc":"2.0","result":{"x', b'"}}', "a b", False),
    (b'{"result":{"x', b'"},"jsonrpc":"2.0","id":6}', 6, True),
    (b'{"method":"tools/call","params":{"x', b'"},"jsonrpc":"2.0","id":7}', 7, False),
    (b'{"method":"tools/call","params":{"x', b'"},"id":8}\n', 8, False),
    (b'{"method":"tools/call","params":{"x', b'"}}', None, False),
    (b'{"jsonrpc":"2.0","id":9999999999999999,"result":{"x', b'"}}', None, True),
    (b"xxxxxxx", b"xxxxxxxx", None, False),
]


@pytest.mark.parametrize(("head", "tail", "id_", "answers"), EDGES)
def test_the_id_of_a_message_that_is_too_long(head: bytes, tail: bytes, id_: int | str | None, answers: bool) -> None:
    assert read_message(TooLong(head, tail)) == Malformed(INVALID_REQUEST, "the message is too long", id_, answers)


def test_deep_and_wide_messages_are_refused() -> None:
    deep = b'{"jsonrpc":"2.0","id":1,"method":"a","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert read_message(deep) == Malformed(PARSE_ERROR, NOT_STRICT)
    wide = b'{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":[' + b",".join([b"1"] * (MESSAGE_SIGNS + 1)) + b"]}}"
    assert isinstance(read_message(wide), Malformed)


def test_lenient_ids_are_ids() -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": [1], "method": "a"}) + "x"
    assert read_message(line.encode()) == Malformed(PARSE_ERROR, NOT_STRICT)
