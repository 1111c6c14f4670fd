"""Servers and clients that behave badly: every conversation ends, within bounds, and nobody waits for what does not come."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from hexgate.mcp_proxy import child_process, relay
from hexgate.mcp_proxy.child_process import ChildProcess
from hexgate.mcp_proxy.limits import MESSAGE_BYTES, NOTES
from hexgate.mcp_proxy.relay import Ending
from tests.mcp_proxy.harness import call, proxied, proxied_server, rpc

ECHO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if 'id' in asked and 'method' in asked:
        print(json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'result': {'saw': asked}}), flush=True)
"""
"""A server with universal newlines, as Python's text streams have them."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can wait for, and that a busy machine keeps to where nothing is late on purpose."""
    monkeypatch.setattr(relay, "CLOSING_SECONDS", 1.0)
    monkeypatch.setattr(relay, "TERMINATING_SECONDS", 0.5)
    monkeypatch.setattr(child_process, "TERMINATING_SECONDS", 1.0)
    monkeypatch.setattr(relay, "_TICK_SECONDS", 0.1)
    monkeypatch.setattr(relay, "_FLUSH_SECONDS", 0.2)


def test_what_is_allowed_reaches_the_server_and_what_is_not_does_not() -> None:
    with proxied(ECHO) as client:
        client.send(call(1, "ok", x=1), call(2, "no", x=2), rpc(id=3, method="ping"))
        answers = {answer["id"]: answer for answer in (client.receive() for _ in range(3))}
        assert answers[1]["result"]["saw"]["params"] == {"name": "ok", "arguments": {"x": 1}}
        assert answers[2]["result"]["isError"] is True
        assert answers[3]["result"]["saw"]["method"] == "ping"
        client.close()
        assert client.end() is Ending.CLIENT_CLOSED
        assert client.child.status == 0


SMUGGLED = [
    '{"jsonrpc":"2.0","method":"notifications/progress","params":\r' + call(66, "no") + "\r}",
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":\r' + call(66, "no") + "\r}}",
    "\r" + call(66, "no") + "\r",
    '{"jsonrpc":"2.0","id":1,"result":\r' + call(66, "no") + "\r}",
]


@pytest.mark.parametrize("line", SMUGGLED, ids=range(len(SMUGGLED)))
def test_no_call_is_smuggled_in_a_message(line: str) -> None:
    """The proxy reads one message, and the server would read a call on a line of its own."""
    with proxied(ECHO) as client:
        client.send(line, rpc(id=2, method="ping"))
        seen = []
        while not seen or seen[-1].get("id") != 2:
            seen.append(client.receive())
        assert not any("saw" in answer.get("result", {}) and answer["id"] == 66 for answer in seen)


def test_messages_beyond_a_pipes_buffer_pass_both_ways() -> None:
    text = "ä" * 2_000_000
    with proxied(ECHO) as client:
        client.send(call(1, "ok", text=text))
        assert client.receive()["result"]["saw"]["params"]["arguments"]["text"] == text


def test_streams_that_somebody_made_non_blocking_are_waited_for() -> None:
    """Whoever has the same stream may: Node.js does."""
    with proxied(ECHO) as client:
        for descriptor in client.theirs:
            os.set_blocking(descriptor, False)
        client.send(call(1, "ok", text="ä" * 300_000))
        assert client.receive()["result"]["saw"]["params"]["arguments"]["text"] == "ä" * 300_000
        client.send(rpc(id=2, method="ping"))
        assert client.receive()["id"] == 2
        client.close()
        assert client.end() is Ending.CLIENT_CLOSED


def test_many_requests_at_once() -> None:
    with proxied(ECHO) as client:
        client.send(*(rpc(id=number, method="ping") for number in range(500)))
        assert [client.receive()["id"] for _ in range(500)] == list(range(500))


def test_garbage_is_dropped_and_told_only_so_often() -> None:
    with proxied("print('Listening on\\x1b[31m port 80\\n' * 50, flush=True)" + ECHO) as client:
        client.send(rpc(id=1, method="ping"))
        assert client.receive()["id"] == 1
        dropped = "a line of the server is dropped: the message is not strict JSON"
        assert client.notes == [dropped] * (NOTES - 1) + [f"{dropped}; more of these are not told"]


def test_an_answer_that_is_too_long_is_an_error() -> None:
    program = f"""
import sys
sys.stdin.readline()
sys.stdout.write('{{"jsonrpc":"2.0","id":1,"result":{{"x":"' + 'x' * {MESSAGE_BYTES} + '"}}}}\\n')
sys.stdout.flush()
""" + ECHO
    with proxied(program) as client:
        client.send(rpc(id=1, method="ping"), rpc(id=2, method="ping"))
        assert client.receive()["error"]["message"] == "the server's answer cannot be read: the message is too long"
        assert client.receive()["id"] == 2


def test_a_message_that_is_too_long_is_an_error_and_the_conversation_goes_on() -> None:
    with proxied(ECHO) as client:
        client.send(call(1, "ok", x="x" * MESSAGE_BYTES), rpc(id=2, method="ping"))
        assert client.receive()["error"]["message"] == "the message is too long"
        assert client.receive()["id"] == 2


ENDS = [
    # the server's code after it has read one line, exit status
    ("sys.exit(3)", 3),
    ("sys.exit(0)", 0),
    ("os.kill(os.getpid(), 9)", -9),
    ("os.close(1); time.sleep(60)", -signal.SIGTERM),
    ("signal.signal(15, signal.SIG_IGN); os.close(1); time.sleep(60)", -signal.SIGKILL),
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("code", "status"), ENDS)
def test_a_server_that_ends_leaves_nobody_waiting(code: str, status: int) -> None:
    with proxied(f"import os, signal, sys, time\nsys.stdin.readline()\n{code}") as client:
        client.send(rpc(id=1, method="ping"))
        assert client.receive() == {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "the server has ended"}}
        assert client.end() is Ending.SERVER_ENDED
        assert (client.child.status, client.relay.unanswered) == (status, 1)


@pytest.mark.usefixtures("impatient")
def test_a_server_whose_helper_holds_its_output_has_ended_all_the_same(tmp_path: Path) -> None:
    helper = tmp_path / "helper"
    program = f"import subprocess\nopen({str(helper)!r}, 'w').write(str(subprocess.Popen(['sleep', '60']).pid))"
    with proxied(program) as client:
        assert client.end() is Ending.SERVER_ENDED
    assert not _runs(int(helper.read_text()))


@pytest.mark.usefixtures("impatient")
def test_a_server_below_a_shell_has_its_time_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell goes at once when it is told to; what it has started must not be killed for that."""
    monkeypatch.setattr(child_process, "TERMINATING_SECONDS", 10.0)
    done = tmp_path / "done"
    server = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), pathlib.Path({str(done)!r}).touch(), sys.exit()))\n"
        "print('{\"jsonrpc\":\"2.0\",\"method\":\"x/up\"}', flush=True)\n"
        "time.sleep(60)"
    )
    child = ChildProcess(["sh", "-c", '"$0" -S -c "$1" & wait', sys.executable, server])
    with proxied_server(child) as client:
        assert client.receive()["method"] == "x/up"
        client.relay.stop()
        assert client.end() is Ending.STOPPED
    assert done.exists()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("code", ["time.sleep(60)", "signal.signal(15, signal.SIG_IGN)\nwhile True: time.sleep(60)"])
def test_a_server_that_does_not_end_is_ended(code: str) -> None:
    with proxied(f"import signal, time\nprint('[]', flush=True)\n{code}") as client:
        client.send(rpc(id=1, method="ping"))
        while not client.notes:
            time.sleep(0.01)
        client.close()
        assert client.end() is Ending.CLIENT_CLOSED
        assert client.child.status in (-signal.SIGTERM, -signal.SIGKILL)


def test_a_server_finishes_what_it_was_asked_before_the_client_closed() -> None:
    slow = "import json, sys, time\nline = json.loads(sys.stdin.readline())\nsys.stdin.read()\ntime.sleep(0.2)\nprint(json.dumps({'jsonrpc': '2.0', 'id': line['id'], 'result': {}}))"
    with proxied(slow) as client:
        client.send(rpc(id=1, method="ping"))
        client.close()
        assert client.receive() == {"jsonrpc": "2.0", "id": 1, "result": {}}
        assert client.end() is Ending.CLIENT_CLOSED
        assert client.child.status == 0


@pytest.mark.usefixtures("impatient")
def test_a_server_that_takes_no_input_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "STALLED_SECONDS", 0.3)
    with proxied("import time\ntime.sleep(60)") as client:
        client.send(call(1, "ok", x="x" * 1_000_000))
        assert client.receive() == {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "the server takes no input"}}
        assert client.end() is Ending.SERVER_STALLED


@pytest.mark.usefixtures("impatient")
def test_a_client_that_reads_no_more_ends_the_server() -> None:
    with proxied(ECHO) as client:
        client.leave()
        client.send(rpc(id=1, method="ping"))
        assert client.end() is Ending.CLIENT_GONE
        assert client.child.status is not None


@pytest.mark.usefixtures("impatient")
def test_a_stop_ends_both_and_answers() -> None:
    with proxied("import time\ntime.sleep(60)") as client:
        client.send(rpc(id=1, method="ping"), call(2, "no"))
        assert client.receive()["id"] == 2
        client.relay.stop()
        assert client.receive()["error"]["message"] == "the proxy was stopped"
        assert client.end() is Ending.STOPPED
        assert client.child.status == -signal.SIGTERM


@pytest.mark.usefixtures("impatient")
def test_a_fault_of_the_proxy_ends_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with proxied(ECHO) as client:
        monkeypatch.setattr(client.judge, "rule", lambda *_, **__: 1 / 0)
        client.send(call(1, "ok"))
        assert client.end() is Ending.FAILED
        assert client.child.status is not None


@pytest.mark.usefixtures("impatient")
def test_a_stop_ends_also_where_nobody_reads() -> None:
    with proxied("print('{\"jsonrpc\":\"2.0\",\"method\":\"' + 'x' * 1000000 + '\"}\\n' * 20, flush=True)\nimport time; time.sleep(60)") as client:
        client.send(rpc(id=1, method="ping"))
        time.sleep(0.1)
        client.relay.stop()
        assert client.end() is Ending.STOPPED


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat", encoding="ascii") as stat:  # noqa: PTH123
        return ") Z " not in stat.read()
