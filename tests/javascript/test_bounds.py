"""Time and memory of the JavaScript runtime: what a mirror or a signed module can have it spend before it decides anything."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hexgate.bundle.envelope import OUTER_SIGNS, read_bundle
from hexgate.compiler.assemble import assemble
from hexgate.parity.javascript_engine import JavaScriptHost, encode_bytes
from tests.bundle_vectors import FOLDER
from tests.vectors.bundle.material import NOW, RELEASE, keys_text, seconds

MODULE = Path(__file__).parents[2] / "runtime_wasm" / "js" / "hexgate.js"
HEAP_MIB = 96
"""What Node may use: several times the file, far less than its objects would take."""

ENDLESS = """
import {loadBundle} from %(module)s;
const part = %(part)s;
const data = new TextEncoder().encode("[" + part.repeat(Math.floor(((16 << 20) - 3) / part.length)) + "0]");
try {
  await loadBundle(data, {trust: %(trust)s, name: "policy", now: %(now)d});
} catch (error) {
  console.log(error.refusal, error.message);
}
"""


@pytest.mark.parametrize("part", ["{},", "1,", '"",', "[0],"])
def test_a_file_of_nothing_but_signs_takes_no_memory(part: str) -> None:
    words = {"module": json.dumps(MODULE.as_uri()), "part": json.dumps(part), "trust": json.dumps(keys_text(RELEASE)), "now": seconds(NOW)}
    done = subprocess.run(
        ["node", f"--max-old-space-size={HEAP_MIB}", "--input-type=module", "-e", ENDLESS % words],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.startswith("malformed ")
    assert f"the JSON has more than {OUTER_SIGNS} commas and brackets" in done.stdout


TABLES = (
    # tables of a module, what the runtime says of it
    ("", None),
    ("(table 20001 20001 funcref)", None),
    ("(table 20002 20002 funcref)", "the table is too large, or has no fixed size"),
    ("(table 1 1 funcref) (table 9000000 9000000 funcref)", "the module has more than one table"),
    ("(table 1 1 funcref) (table 0 funcref)", "the module has more than one table"),
)


@pytest.mark.parametrize(("tables", "finding"), TABLES, ids=range(len(TABLES)))
def test_a_module_has_one_table_of_a_bounded_size(tables: str, finding: str | None) -> None:
    wasm = assemble(
        '(module (memory (export "memory") 2 2) (global (export "input") i32 (i32.const 1024)) (global (export "capacity") i32'
        ' (i32.const 65536)) (global (export "abi") i32 (i32.const 1))'
        f' (func (export "decide") (param i32) (result i32) (i32.const 8)) {tables})'
    )
    table = read_bundle((FOLDER / "bundles" / "accepted.hexgate").read_bytes()).artifacts["policy.json"]
    host = JavaScriptHost()
    try:
        asked = {"op": "load", "wasm": encode_bytes(wasm), "table": encode_bytes(table)}
        if finding is None:
            assert host.ask(asked) == {"ok": True}
        else:
            with pytest.raises(RuntimeError, match=f"ModuleError: {finding}"):
                host.ask(asked)
    finally:
        host.close()
