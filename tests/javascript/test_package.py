"""The package as its README shows it, and its types."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

import hexgate
from hexgate import limits
from hexgate.bundle.envelope import PAYLOAD_BYTES
from hexgate.bundle.sign import candidate, sign_bundle
from hexgate.bundle.statement import Vector
from hexgate.bundle.strict_members import LONGEST_TEXT
from hexgate.bundle.trust import CLOCK_SKEW_SECONDS
from hexgate.bundle.trust_root import TRUSTED_KEYS
from hexgate.compiler.compile import compile_policy
from hexgate.decision.policy_table import write_table
from hexgate.faults import Fault
from hexgate.parity.vectors import signing_vectors
from hexgate.policy.check import check
from hexgate.policy.link import link
from hexgate.policy.load import load_policy
from hexgate.runtime.module_limits import RUNTIME_LIMITS
from hexgate.strict_json import JSON_DEPTH, JSON_NUMBER_DIGITS
from tests.vectors.bundle.material import RELEASE

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "runtime_wasm" / "js"


def test_what_the_readme_shows_runs(tmp_path: Path) -> None:
    policy = check(link(load_policy(ROOT / "examples" / "refunds" / "policies")))
    compiled = compile_policy(policy)
    now = int(time.time())
    unsigned = candidate(
        compiled.wasm, write_table(compiled.table), name="policy", version=3, issued_at=now, not_after=now + 3_600,
        sources={}, vectors=tuple(Vector(*vector) for vector in signing_vectors(policy, compiled, 8)), min_runtime="0.1.0",
    )  # fmt: skip
    (tmp_path / "policy.hexgate").write_bytes(sign_bundle(unsigned, [RELEASE]))
    shown = re.search(r"```js\n(.*?)```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    script = tmp_path / "shown.mjs"
    script.write_text(shown[1].replace('"./hexgate.js"', json.dumps(str(PACKAGE / "hexgate.js"))) + "console.log(decision.verdict, decision.rule.tool);\n")
    done = subprocess.run(["node", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("allow refund_order\n", "")
    assert json.loads((tmp_path / "floor.json").read_text())["version"] == 3


CONSTANTS: dict[str, int] = {
    "fuel": limits.MODULE_FUEL,
    "memory": limits.MODULE_MEMORY_BYTES,
    "functions": limits.MODULE_FUNCTIONS,
    "MODULE_BYTES": RUNTIME_LIMITS.module,
    "BUNDLE_BYTES": limits.BUNDLE_BYTES,
    "PAYLOAD_BYTES": PAYLOAD_BYTES,
    "REQUEST_BYTES": limits.REQUEST_BYTES,
    "REQUEST_DEPTH": limits.REQUEST_DEPTH,
    "NAME_BYTES": limits.NAME_BYTES,
    "ABI_VERSION": limits.ABI_VERSION,
    "JSON_DEPTH": JSON_DEPTH,
    "JSON_NUMBER_DIGITS": JSON_NUMBER_DIGITS,
    "TRUSTED_KEYS": TRUSTED_KEYS,
    "LONGEST_TEXT": LONGEST_TEXT,
    "CLOCK_SKEW": CLOCK_SKEW_SECONDS,
}


@pytest.mark.parametrize(("name", "value"), CONSTANTS.items(), ids=CONSTANTS)
def test_limits_are_those_of_the_python_runtime(name: str, value: int) -> None:
    code = (PACKAGE / "hexgate.js").read_text(encoding="utf-8")
    found = re.search(rf"\b{name}(?: =|:) ([0-9_]+)n?(?: << ([0-9]+)n?)?", code)
    assert found is not None
    assert int(found[1]) << int(found[2] or 0) == value


def test_faults_are_those_of_the_python_runtime() -> None:
    found = re.search(r"const FAULTS = \[\s*null,([^\]]*)\]", (PACKAGE / "hexgate.js").read_text(encoding="utf-8"))
    assert found is not None
    assert re.findall(r'"(\w+)"', found[1]) == [fault.code for fault in Fault]
    assert [int(fault) for fault in Fault] == list(range(1, len(Fault) + 1))


def test_every_export_has_a_type() -> None:
    code, types = ((PACKAGE / name).read_text(encoding="utf-8") for name in ("hexgate.js", "hexgate.d.ts"))
    exported = set(re.findall(r"^export (?:async )?(?:class|function|const) (\w+)", code, re.MULTILINE))
    declared = set(re.findall(r"^export declare (?:class|function|const) (\w+)", types, re.MULTILINE))
    # `readTable` is for the engine's own tests.
    assert exported - declared <= {"readTable"} and declared <= exported and "loadBundle" in exported


def test_it_depends_on_nothing() -> None:
    assert not re.search(r"\bimport\b(?!ant)", re.sub(r"//.*", "", (PACKAGE / "hexgate.js").read_text(encoding="utf-8")).replace("importKey", "").replace("imports", ""))
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert package["type"] == "module" and "dependencies" not in package
    version = re.search(r'RUNTIME_VERSION = "(.+)"', (PACKAGE / "hexgate.js").read_text(encoding="utf-8"))
    assert version is not None and version[1] == package["version"] == hexgate.__version__
