"""Wheel and sdist, as a user installs them: everything inside, nothing beside."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SMOKE = """
import json, hexgate
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import User
from hexgate.policy.check import check
from hexgate.policy.link import link
from hexgate.policy.parse import parse
from hexgate.runtime.wasm_engine import WasmEngine
files = {"billing.yaml": b"version: 1\\ntools:\\n  t:\\n    mode: allow\\n    constraints: ['args.a.matches(\\"^x\\")']\\n"}
compiled = compile_policy(check(link(parse(files))))
print(hexgate.__file__, WasmEngine(compiled.wasm, compiled.table).decide("t", {"a": "xy"}, User("u", "billing")).verdict.value)
"""


def _run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from an sdist that is built from a copy of the tracked files."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    listed = _run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source), cwd=folder)
    return folder


def test_the_wheel_has_all_data_and_no_stray_top_level_names(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"hexgate", "hexgate_cli"}
    packaged = {name.removeprefix("hexgate/") for name in names}
    for folder, suffix in (("grammar", "*.lark"), ("runtime_wasm", "*.wat"), ("runtime_wasm/js", "*.*"), ("schemas", "*.json")):
        files = [f"{folder}/{path.name}" for path in (ROOT / folder).glob(suffix)]
        assert files
        assert packaged.issuperset(files)
    sources = {path.relative_to(ROOT).as_posix() for top in ("hexgate", "hexgate_cli") for path in (ROOT / top).rglob("*.py")}
    assert not sources - set(names), "a package is missing in pyproject.toml"


def test_the_sdist_has_tests_free_sources(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "grammar/cel.lark", "runtime_wasm/core.wat", "hexgate/values.py"} <= names


def test_an_installed_wheel_compiles_and_decides(distributions: Path, tmp_path: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path / "site"), str(wheel), cwd=tmp_path)
    printed = _run(sys.executable, "-c", SMOKE, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert printed == f"{tmp_path}/site/hexgate/__init__.py allow\n"


def test_an_editable_install_finds_the_data_folders(tmp_path: Path) -> None:
    printed = _run(sys.executable, "-c", SMOKE, cwd=tmp_path)
    assert printed.endswith(" allow\n")


def test_a_checkout_has_its_own_data(distributions: Path) -> None:
    """Also where another version is installed: Python puts the folder that it runs in first."""
    printed = _run(sys.executable, "-c", "from importlib import resources; print(resources.files('hexgate.grammar'))", cwd=distributions / "source")
    assert printed == f"{distributions}/source/grammar\n"
