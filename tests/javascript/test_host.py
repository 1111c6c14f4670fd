"""The JavaScript runtime decides, encodes, verifies and reads JSON as the Python one does, byte for byte in its answers."""

from __future__ import annotations

import datetime
import itertools
import json
import re
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import ormsgpack
import pytest

from benchmarks.policies import REFUNDS, checked
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import Decision, Reason, User
from hexgate.decision.policy_table import write_table
from hexgate.parity.calls import CallGenerator
from hexgate.parity.compare import TOOLS, PolicyGenerator
from hexgate.parity.derive import Derivation
from hexgate.parity.javascript_engine import JavaScriptEngine, JavaScriptHost, encode_bytes, tagged_call
from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.policy.link import link
from hexgate.policy.load import load_policy
from hexgate.policy.parse import parse
from hexgate.runtime.wasm_engine import WasmEngine
from hexgate.strict_json import StrictJsonError, parse_json
from hexgate_cli.rendering.decision_json import decision_to_dict
from tests.bundle_vectors import ACCEPTED, BundleVector, load_bundle_vectors
from tests.policy.decisions import FOLDER, read_table
from tests.policy.sets import check_files

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*/policies"))
TABLES = sorted(FOLDER.glob("*.txt"))
ALICE = User("alice", "billing")

WITHOUT_FUEL = {"starved_module"}
"""Vectors that only a host with WebAssembly fuel can judge."""


@pytest.fixture(scope="module")
def host() -> Iterator[JavaScriptHost]:
    """A Node process. Node is a tool of development: where it is missing, this fails and says so."""
    opened = JavaScriptHost()
    yield opened
    opened.close()


def _load(host: JavaScriptHost, policy: CheckedPolicy) -> None:
    compiled = compile_policy(policy)
    host.ask({"op": "load", "wasm": encode_bytes(compiled.wasm), "table": encode_bytes(write_table(compiled.table))})


def _text(decision: Decision) -> str:
    text = json.dumps(decision_to_dict(decision), ensure_ascii=False, separators=(",", ":"))
    # ECMAScript's JSON.stringify is well-formed: it escapes a lone surrogate.
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _require_same(host: JavaScriptHost, policy: CheckedPolicy, calls: list[Any]) -> None:
    interpreter = InterpreterEngine(policy)
    expected = [_text(interpreter.decide(tool, args, user, ctx=ctx, resource=resource, now=now)) for tool, args, user, ctx, resource, now in calls]
    found = host.ask({"op": "decide", "calls": [tagged_call(*call) for call in calls]})["decisions"]
    assert len(calls) == len(found) > 0
    for call, ours, theirs in zip(calls, expected, found, strict=True):
        assert theirs == ours, call


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_the_tables_of_decisions(host: JavaScriptHost, table: Path) -> None:
    file = table.with_suffix(".yaml")
    policy, _ = check_files({file.name: file.read_bytes()})
    _load(host, policy)
    calls = []
    for row in read_table(table):
        now = row.more.get("now")
        instant = 0 if now is None else int(datetime.datetime.fromisoformat(now).timestamp()) * 10**9
        calls.append((row.tool, row.args, row.user, row.more.get("ctx"), row.more.get("resource"), instant))
    _require_same(host, policy, calls)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_calls_that_the_examples_suggest(host: JavaScriptHost, example: Path) -> None:
    policy = check(link(load_policy(example)))
    _load(host, policy)
    calls = [call for call, _ in zip(Derivation(policy).calls(), range(3_000), strict=False)]
    for start in range(0, len(calls), 500):
        _require_same(host, policy, calls[start : start + 500])


def test_random_policies_and_values(host: JavaScriptHost) -> None:
    """`hexgate test-parity --engines interpreter,wasm,js` is the long one."""
    random = Random(11)
    for _ in range(12):
        policy = check(link(parse({"policy.yaml": PolicyGenerator(random).text().encode()})))
        _load(host, policy)
        draw = CallGenerator(random)
        tools = (*TOOLS, *TOOLS, "gx.push", "", "pay\0", "é")
        calls = []
        for _ in range(200):
            context = draw.members(2) if random.random() < 0.3 else None
            calls.append((random.choice(tools), draw.arguments(), draw.user(("parent", "child")), context, context, 10**18))
        _require_same(host, policy, calls)


def test_the_length_of_a_request_is_the_same(host: JavaScriptHost) -> None:
    """On both sides of the longest request, in each form of MessagePack's texts, lists, maps and numbers."""
    policy = checked({"r.yaml": b"version: 1\ntools:\n  t:\n    mode: allow\n    constraints: ['size(args) < 9']\n"})
    _load(host, policy)
    user = User("u", "r")
    calls = []
    # The rest of the request takes 20 bytes or so: somewhere in these steps it is one byte too long.
    for shape, size in itertools.product(("x", b"x", [0]), (31, 255, 65_507)):
        calls += [("t", {"v": shape * (size + step)}, user, None, None, 0) for step in range(-8, 9)]
    for number in (127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1):
        width = len(ormsgpack.packb(number))
        for step in range(-4, 5):
            texts = {"n": [number] * 9, "v": "x" * (65_503 - 9 * width + step)}
            calls.append(("t", texts, user, None, None, 0))
    for count in (15, 16, 17, 9_350, 9_357, 9_358, 9_359, 9_360, 9_400):
        calls.append(("t", {f"k{index:04}": 1 for index in range(count)}, user, None, None, 0))
    reasons = {InterpreterEngine(policy).decide(tool, args, caller).reason for tool, args, caller, *_ in calls}
    assert reasons == {Reason.RULE, Reason.REQUEST_TOO_LARGE, Reason.CONSTRAINT_FAILED}
    for start in range(0, len(calls), 100):
        _require_same(host, policy, calls[start : start + 100])


def _nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = [inner]
    return inner


TOO_LONG = "x" * 70_000
LENGTHS: tuple[tuple[Any, str], ...] = (
    (_nested(30, TOO_LONG), "request_too_large"),
    (_nested(31, TOO_LONG), "rule"),
    (_nested(2_000, TOO_LONG), "rule"),
    ([_nested(40, "x")] * 2_000, "rule"),
    ([_nested(40, "x")] * 2_100, "request_too_large"),
    ([_nested(40, "x"), TOO_LONG], "request_too_large"),
    ([2**70, _nested(31, TOO_LONG)], "rule"),
    (["\ud800" * 30_000], "rule"),
    (["\ud800", _nested(31, TOO_LONG)], "rule"),
    ([float("nan")] * 7_270, "rule"),
    ([float("inf")] * 7_281, "request_too_large"),
    ([2**70] * 21_820, "rule"),
    ([2**70] * 21_850, "request_too_large"),
    ([2**63] * 7_270, "rule"),
    ([b"x" * 60_000] * 2, "request_too_large"),
)


def test_what_is_not_sent_does_not_count(host: JavaScriptHost) -> None:
    """The length of a request is that of what is sent: of a value that is none, what stands for it (A2.3)."""
    policy = checked({"r.yaml": b"version: 1\ntools:\n  t:\n    mode: allow\n    constraints: ['size(args.v) >= 0']\n"})
    _load(host, policy)
    calls = [("t", {"v": [value, 1]}, User("u", "r"), None, None, 0) for value, _ in LENGTHS]
    _require_same(host, policy, calls)
    compiled = compile_policy(policy)
    engine = WasmEngine(compiled.wasm, compiled.table)
    for call, (_, reason) in zip(calls, LENGTHS, strict=True):
        assert engine.decide(*call[:3], now=0).reason.value == reason


@pytest.mark.parametrize("vector", load_bundle_vectors(), ids=lambda vector: vector.id)
def test_bundle_vectors(host: JavaScriptHost, vector: BundleVector) -> None:
    calls = [tagged_call("pay", {"amount": amount}, User("alice", "clerk"), None, None, 0) for amount in (100, 101)]
    asked = {
        "op": "verify", "bundle": encode_bytes(vector.data), "trust": vector.keys, "name": vector.name, "now": vector.now,
        "floor": None if vector.floor is None else asdict(vector.floor), "calls": calls,
    }  # fmt: skip
    found = host.ask(asked)
    expected = ACCEPTED if vector.id in WITHOUT_FUEL else vector.expect
    assert found["refusal"] == (None if expected == ACCEPTED else expected)
    if vector.expect == ACCEPTED:
        assert [json.loads(decision)["verdict"] for decision in found["decisions"]] == ["allow", "deny"]


JSON_TEXTS = (
    "null", "true", " false ", "0", "-0", "-0.0", "1", "10", "01", "+1", "1.", ".5", "1.0", "1e2", "1E+2", "1e", "9223372036854775808",
    "18446744073709551616", "1e999", "-1e999", "1e-999", "123456789012345678901234567890", "NaN", "Infinity", "-Infinity", "nul", "tru", "",
    " ", "[", "]", "[]", "[1,]", "[1 2]", "[1,2]", "{", "{}", '{"a":1}', '{"a":1,}', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{a:1}',
    "{'a':1}", '{"a" 1}', '{"__proto__":1,"10":2,"9":3}', '"', '"a', '"\\', '"\\x"', '"\\u12"', '"\\u12G4"', '"\\ud800"', '"\\udc00\\ud800"',
    '"\\ud83d\\ude00"', '"\t"', '"\\t"', '"\\/"', '"\x7f"', '"\u2028"', "1 2", "[] []", "// a\n1", "\ufeff1", "\x0b1", "\xa01", "1\x00",
    "[[[[]]]]", "[" * 256 + "]" * 256, "[" * 257 + "]" * 257, "[" * 5000, "9" * 4300, "9" * 4301, "-" + "9" * 4300, '"' + "a" * 100_000 + '"',
)  # fmt: skip


def test_json_is_read_alike() -> None:
    random = Random(7)
    texts = list(JSON_TEXTS)
    for _ in range(4_000):
        text = list(random.choice(JSON_TEXTS)[:60] + random.choice(JSON_TEXTS)[:30])
        for _ in range(random.randrange(3)):
            text[random.randrange(len(text)) : random.randrange(len(text)) + 1] = random.choice('[]{}",:\\u0e-+. \n1a')
            text = text or ["0"]
        texts.append("".join(text))
    done = subprocess.run(
        ["node", str(ROOT / "tests/javascript/parse_driver.mjs")],
        input="".join(json.dumps(text) + "\n" for text in texts), capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(found) == len(texts)
    for text, theirs in zip(texts, found, strict=True):
        assert theirs == _parsed(text), text[:200]


KINDS = ("int", "uint", "double", "string", "bool", "null_type", "list", "map")
JSON_ARGUMENTS = (
    "1", "1.0", "1e0", "-0", "-0.0", "0.5", "5e-324", "1e-400", "1.7976931348623157e308", "1e309", "-1e309", "9007199254740993", "9007199254740993.0",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "1e18", "1e19",
    '""', '"1"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\ud800"', '"é"', "true", "null", "[]", "[1, 1.0]", "{}", '{"__proto__": 1}', '{"2": 1, "1": 2}', '{"\\ud800": 1}',
    '{"toString": 1}', "[[[]]]", "[" * 31 + "]" * 31, "[" * 32 + "]" * 32, "[" * 33 + "]" * 33,
)  # fmt: skip


def test_json_is_decided_alike(host: JavaScriptHost) -> None:
    """`1` is an int and `1.0` a double, whatever JavaScript's own numbers are."""
    rules = "".join(f"\n      - mode: allow\n        constraints: ['type(args.v) == {kind}']" for kind in KINDS)
    values = "".join(
        f"\n      - mode: allow\n        constraints: [{json.dumps(constraint)}]"
        for constraint in ("args.v == 1", "args.v > 1.0e300", "size(args.v) > 1", "'1' in args.v", "args.v.map(k, k)[0] == '2'")
    )
    policy = checked({"r.yaml": f"version: 1\ntools:\n  kind:\n    rules:{rules}\n  value:\n    rules:{values}\n".encode()})
    _load(host, policy)
    interpreter, user = InterpreterEngine(policy), User("u", "r")
    rules_that_held = set()
    for tool in ("kind", "value"):
        for text in JSON_ARGUMENTS:
            args = f'{{"v": {text}}}'
            call = [["s", tool], ["j", args], [["s", "u"], ["s", "r"], []], [], [], "0"]
            ours = interpreter.decide(tool, parse_json(args), user, now=0)
            assert host.ask({"op": "decide", "calls": [call]})["decisions"] == [_text(ours)], text
            rules_that_held.add((tool, ours.rule.number if ours.allowed and ours.rule is not None else None))
    assert len(rules_that_held) >= len(KINDS) + 3


def _parsed(text: str) -> Any:
    """What the strict reader makes of a text, tagged; None where it refuses it."""
    try:
        return _tagged(parse_json(text))
    except StrictJsonError:
        return None


def _tagged(value: Any) -> Any:
    if value is None:
        return []
    if isinstance(value, bool):
        return ["b", value]
    if isinstance(value, int):
        return ["i", str(value)]
    if isinstance(value, float):
        return ["d", f"{int.from_bytes(struct.pack('>d', value), 'big'):x}"]
    if isinstance(value, str):
        return ["s", value]
    if isinstance(value, list):
        return ["l", *map(_tagged, value)]
    return ["m", *([key, _tagged(member)] for key, member in value.items())]


NODE_SCRIPT = """
import {Engine, loadBundle, parseTrust, UNSUPPORTED} from "%(module)s";
import {readFileSync} from "node:fs";
const read = (name) => new Uint8Array(readFileSync("%(folder)s/" + name));
const engine = await Engine.load(read("policy.wasm"), read("policy.json"));
const user = {userId: "alice", role: "billing"};
const verdict = (args, who = user) => { const made = engine.decide("refund_order", args, {user: who}); return made.verdict + " " + made.reason; };
let ran = 0;
const hostile = {get amount() { ran += 1; return 1; }, currency: "USD"};
const proto = JSON.parse('{"__proto__": {"amount": 1}, "currency": "USD"}');
console.log(verdict({amount: 30, currency: "USD"}));
console.log(verdict({amount: 500.5, currency: "USD"}));
console.log(verdict(new Map([["amount", 30n], ["currency", "USD"]])));
console.log(verdict(hostile), ran);
console.log(verdict(proto));
console.log(verdict(Object.create({amount: 1, currency: "USD"})));
console.log(verdict({amount: {valueOf: () => 1}, currency: "USD"}));
console.log(verdict(null), verdict([]), verdict("x"));
console.log(verdict({amount: 1, currency: "USD"}, null), verdict({amount: 1, currency: "USD"}, {userId: "", role: "billing"}));
console.log(verdict({amount: 1, currency: "USD"}, {get userId() { ran += 1; return "a"; }, role: "billing"}), ran);
console.log(Object.isFrozen(engine.decide("refund_order", {}, {user})), engine.decide(Symbol("x"), 1n, 5) === undefined);
for (const bad of ["", "ed25519:x", "0/ed25519:x"]) { try { parseTrust(bad); } catch (error) { console.log(error.constructor.name, error.message); } }
"""


def test_values_of_javascript(tmp_path: Path) -> None:
    """What no other language has: getters, prototypes, numbers without a kind; no code of a caller's runs."""
    compiled = compile_policy(checked(REFUNDS))
    (tmp_path / "policy.wasm").write_bytes(compiled.wasm)
    (tmp_path / "policy.json").write_bytes(write_table(compiled.table))
    script = tmp_path / "script.mjs"
    script.write_text(NODE_SCRIPT % {"module": ROOT / "runtime_wasm/js/hexgate.js", "folder": tmp_path})
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "allow rule",
        "deny constraint_failed",
        "allow rule",
        "deny evaluation_error 0",
        "deny evaluation_error",
        "deny evaluation_error",
        "deny evaluation_error",
        "deny evaluation_error deny evaluation_error deny evaluation_error",
        "deny missing_user deny missing_user",
        "deny missing_user 0",
        "true false",
        "KeyError a public key is `ed25519:` and 43 base64url digits",
        "KeyError a public key is `ed25519:` and 43 base64url digits",
        "KeyError the threshold is a number from 1, without sign or leading zero",
    ]


def test_values_and_settings_of_hostile_callers() -> None:
    """`callers.txt` holds a line for each case of `callers.mjs`."""
    vector = next(vector for vector in load_bundle_vectors() if vector.id == "accepted")
    script = ROOT / "tests/javascript/callers.mjs"
    done = subprocess.run(
        ["node", str(script), str(vector.file), vector.keys, str(vector.now)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    assert [line.rstrip() for line in done.stdout.splitlines()] == script.with_suffix(".txt").read_text(encoding="utf-8").splitlines()


def test_the_engine_of_parity_runs_decides_alike() -> None:
    compiled = compile_policy(checked(REFUNDS))
    engine = JavaScriptEngine(compiled)
    interpreter = InterpreterEngine(checked(REFUNDS))
    decide = partial(interpreter.decide, "refund_order", user=ALICE)
    amounts: list[Any] = [1, 500, 501, 500.0, "1", None, 2**70, float("nan")]
    calls = [("refund_order", {"amount": amount, "currency": "USD"}, ALICE, None, None, 0) for amount in amounts]
    assert engine.decide_all(calls) == [decide(args=call[1]) for call in calls]  # type: ignore[arg-type]
    engine.close()
