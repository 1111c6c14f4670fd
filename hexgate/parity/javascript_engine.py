"""The JavaScript runtime as an engine: one Node process, asked in batches (runtime_wasm/js/line_protocol.js)."""

from __future__ import annotations

import base64
import datetime
import json
import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib import resources
from typing import Any

from hexgate.compiler.compile import CompiledPolicy
from hexgate.decision.decision import ConstraintReference, Decision, Reason, RuleReference, User, Verdict
from hexgate.decision.policy_table import write_table
from hexgate.decision.request import instant_of
from hexgate.faults import Fault
from hexgate.limits import REQUEST_DEPTH
from hexgate.parity.call import Call
from hexgate.parity.engines import EngineUnavailableError
from hexgate.place import Place
from hexgate.values import Duration, Timestamp, UInt

OLDEST_NODE = 20
_HELP = f"install Node {OLDEST_NODE} or later, or leave `js` out of `--engines`"
_UNSUPPORTED = ["x"]


class JavaScriptHost:
    """A Node process with the runtime in it."""

    def __init__(self) -> None:
        """Raises EngineUnavailableError."""
        node = shutil.which("node")
        if node is None:
            raise EngineUnavailableError("the JavaScript engine needs Node, and there is no `node` on the path", _HELP)
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
        release = re.match(r"v([0-9]+)\.", version)
        if release is None or int(release[1]) < OLDEST_NODE:
            raise EngineUnavailableError(f"the JavaScript engine needs Node {OLDEST_NODE}, and this is `{version[:40]}`", _HELP)
        self._files = ExitStack()
        folder = self._files.enter_context(resources.as_file(resources.files("hexgate.runtime_wasm").joinpath("js")))
        self._process = subprocess.Popen(
            [node, str(folder / "line_protocol.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to one line. Raises RuntimeError where the host fails: that is a fault of Hexgate."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        try:
            answer: dict[str, Any] = json.loads(line) if line else {"error": "the process has ended"}
        except ValueError:
            answer = {"error": f"it answers `{line.strip()[:40]}`"}
        if "error" in answer:
            raise RuntimeError(f"the JavaScript host failed: {answer['error']}")
        return answer

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._files.close()


class JavaScriptEngine:
    """A policy's module in the JavaScript runtime."""

    def __init__(self, compiled: CompiledPolicy) -> None:
        """Raises EngineUnavailableError."""
        self._host = JavaScriptHost()
        self._known: dict[str, Decision] = {}
        self._host.ask({"op": "load", "wasm": encode_bytes(compiled.wasm), "table": encode_bytes(write_table(compiled.table))})

    def decide_all(self, calls: Sequence[Call]) -> list[Decision]:
        """The decision on each call, in order."""
        asked = [tagged_call(*call) for call in calls]
        return [self._decision(text) for text in self._host.ask({"op": "decide", "calls": asked})["decisions"]]

    def _decision(self, text: str) -> Decision:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = decision_of(json.loads(text))
        return known

    def close(self) -> None:
        """Ends the process."""
        self._host.close()


def encode_bytes(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def tagged_call(tool: Any, args: Any, user: Any, ctx: Any, resource: Any, now: int | None) -> list[Any]:
    """A call as the line protocol has it."""
    caller = None if type(user) is not User else [tagged(user.user_id), tagged(user.role), tagged(user.attrs)]
    return [tagged(tool), tagged(args), caller, tagged(ctx), tagged(resource), None if now is None else str(now)]


def tagged(value: Any, depth: int = 0) -> list[Any]:
    """A value as the line protocol has it. What is no value of the language, or nests deeper than any, is told as such."""
    kind = type(value)
    if value is None:
        return []
    if kind is bool:
        return ["b", value]
    if kind is int:
        return ["i", str(value)] if value.bit_length() < 10_000 else _UNSUPPORTED
    if kind is float:
        return ["d", value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")]
    if kind is str:
        return ["s", value]
    if kind in (list, tuple, dict):
        return _UNSUPPORTED if depth > REQUEST_DEPTH else _tagged_container(value, depth)
    return _tagged_scalar(value)


def _tagged_container(value: Any, depth: int) -> list[Any]:
    if type(value) is dict:
        return ["m", *([key if type(key) is str else _UNSUPPORTED, tagged(member, depth + 1)] for key, member in value.items())]
    return ["l", *(tagged(element, depth + 1) for element in value)]


def _tagged_scalar(value: Any) -> list[Any]:
    kind = type(value)
    if kind is bytes or kind is bytearray:
        return ["y", encode_bytes(bytes(value))]
    if kind is memoryview:
        try:
            return ["y", encode_bytes(bytes(value))] if value.c_contiguous else _UNSUPPORTED
        except ValueError:
            return _UNSUPPORTED
    if kind is datetime.datetime:
        instant = instant_of(value)
        return _UNSUPPORTED if instant is None else ["t", str(instant.nanoseconds)]
    if kind is UInt:
        return ["u", str(int(value))]
    if kind in (Timestamp, Duration) and type(value.nanoseconds) is int:
        return ["t" if kind is Timestamp else "p", str(value.nanoseconds)]
    return _UNSUPPORTED


def decision_of(members: dict[str, Any]) -> Decision:
    """The decision of its JSON form (schemas/decision.schema.json), without a bundle."""
    rule = members["rule"]
    fault = members["fault"]
    constraint = members["constraint"]
    return Decision(
        Verdict(members["verdict"]),
        Reason(members["reason"]),
        members["role"],
        members["tool"],
        None if rule is None else _rule(rule),
        None if constraint is None else _constraint(constraint),
        None if fault is None else Fault[fault.upper()],
    )


def _constraint(members: dict[str, Any]) -> ConstraintReference:
    return ConstraintReference(members["text"], Place(**members["place"]))


def _rule(members: dict[str, Any]) -> RuleReference:
    return RuleReference(
        members["role"],
        members["tool"],
        members["number"],
        Verdict(members["mode"]),
        Place(**members["place"]),
        tuple(_constraint(constraint) for constraint in members["constraints"]),
        members["message"],
        tuple(members["approvers"]),
        members["expires_in"],
    )
