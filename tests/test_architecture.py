"""The pipeline is the architecture: which package may import which, and which third-party package lives where."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOTTOM = {"hexgate", "hexgate.values", "hexgate.limits", "hexgate.collector_pause", "hexgate.faults", "hexgate.diagnostics",
          "hexgate.diagnostic_codes", "hexgate.place", "hexgate.strict_json", "hexgate.atomic_file"}  # fmt: skip
LAYERS: dict[str, set[str]] = {
    # package -> packages that it may import besides itself and the bottom layer
    "hexgate.regex": set(),
    "hexgate.decision": set(),
    "hexgate.language": {"hexgate.regex", "hexgate.decision"},
    "hexgate.policy": {"hexgate.language", "hexgate.decision", "hexgate.regex"},
    "hexgate.compiler": {"hexgate.policy", "hexgate.language", "hexgate.decision", "hexgate.regex"},
    "hexgate.bundle": set(),
    "hexgate.runtime": {"hexgate.bundle", "hexgate.decision", "hexgate.identity", "hexgate.audit", "hexgate.approvals", "hexgate.development"},
    "hexgate.approvals": {"hexgate.audit", "hexgate.bundle", "hexgate.decision", "hexgate.identity"},
    "hexgate.audit": {"hexgate.decision"},
    "hexgate.identity": {"hexgate.bundle", "hexgate.decision"},
    "hexgate.parity": {"hexgate.compiler", "hexgate.runtime", "hexgate.policy", "hexgate.language", "hexgate.decision", "hexgate.regex"},
    "hexgate.adapters": {"hexgate.runtime", "hexgate.decision", "hexgate.bundle", "hexgate.approvals", "hexgate.audit"},
    "hexgate.mcp_proxy": {"hexgate.adapters", "hexgate.runtime", "hexgate.decision", "hexgate.identity"},
    "hexgate.difference": {"hexgate.parity", "hexgate.policy", "hexgate.decision"},
    "hexgate.policy_tests": {"hexgate.policy", "hexgate.language", "hexgate.decision"},
}
FENCES = {
    # third-party package -> where it may be imported
    "lark": ("hexgate/language/",),
    "yaml": ("hexgate/policy/", "hexgate_cli/"),
    "wasmtime": ("hexgate/runtime/sandbox.py", "hexgate/compiler/assemble.py"),
    "re2": ("hexgate/language/",),
    "ormsgpack": ("hexgate/decision/request.py", "hexgate/decision/argument_digest.py", "hexgate/runtime/", "hexgate/adapters/pauses.py"),
    "rich": ("hexgate_cli/",),
    "typer": ("hexgate_cli/",),
    "click": ("hexgate_cli/",),
    "jsonschema": ("hexgate_cli/",),
    "cryptography": ("hexgate/bundle/keys.py", "hexgate/audit/checkpoint.py"),
    "opentelemetry": ("hexgate/audit/opentelemetry_sink.py",),
    # Each framework belongs to its own adapter, which alone pays for importing it.
    "agents": ("hexgate/adapters/openai/",),
    "langchain": ("hexgate/adapters/langchain/",),
    "langchain_core": ("hexgate/adapters/langchain/",),
    "langgraph": ("hexgate/adapters/langchain/",),
    "google": ("hexgate/adapters/google_adk/",),
    "pydantic_ai": ("hexgate/adapters/pydantic_ai/",),
    **dict.fromkeys(("mcp", "mcp_types", "httpx2", "anyio"), ("hexgate/mcp_proxy/http_upstream.py",)),
    "biscuit_auth": ("hexgate/identity/biscuit.py",),
}

_HTTPS = ("hexgate/runtime/https_exchange.py", "hexgate/runtime/https_source.py")
STANDARD_FENCES = {
    # module of the standard library -> the files that may import it
    "ssl": _HTTPS,
    "socket": _HTTPS,
    "http": _HTTPS,
    "urllib.request": (),
    "sqlite3": ("hexgate/approvals/store.py", "hexgate/adapters/pauses.py"),
    "fcntl": ("hexgate/bundle/state.py", "hexgate/audit/process_lock.py"),
    "msvcrt": ("hexgate/bundle/state.py", "hexgate/audit/process_lock.py"),
}


def _modules() -> list[Path]:
    found = sorted([*(ROOT / "hexgate").rglob("*.py"), *(ROOT / "hexgate_cli").rglob("*.py")])
    assert found
    return found


@cache
def _imports(path: Path) -> set[str]:
    """The names of the modules that a file imports, anywhere in it, but for type checking."""
    names: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", _modules(), ids=_module_name)
def test_dependencies_point_one_way(path: Path) -> None:
    name = _module_name(path)
    package = next((layer for layer in LAYERS if name == layer or name.startswith(layer + ".")), None)
    used = {i for i in _imports(path) if i.split(".")[0] == "hexgate"}
    assert not any(i.split(".")[0] == "hexgate_cli" for i in _imports(path)) or name.startswith("hexgate_cli")
    if package is None:
        if name in BOTTOM:
            assert all(_is_bottom(i) for i in used), used
        return
    allowed = {package, *LAYERS[package]}
    for imported in used:
        assert _is_bottom(imported) or any(imported == a or imported.startswith(a + ".") for a in allowed) or (
            imported in {"hexgate.grammar", "hexgate.runtime_wasm"}
        ), f"{name} imports {imported}"


def _is_bottom(imported: str) -> bool:
    return any(imported == b or imported.rpartition(".")[0] == b for b in BOTTOM if b != "hexgate") or imported == "hexgate"


@pytest.mark.parametrize("path", _modules(), ids=_module_name)
def test_third_party_packages_stay_behind_their_fences(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for package, places in FENCES.items():
        if any(imported.split(".")[0] == package for imported in _imports(path)):
            assert relative.startswith(places), f"{relative} imports {package}"


@pytest.mark.parametrize("path", _modules(), ids=_module_name)
def test_one_place_speaks_to_the_network(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for module, places in STANDARD_FENCES.items():
        if any(imported == module or imported.startswith(module + ".") for imported in _imports(path)):
            assert relative in places, f"{relative} imports {module}"


def test_the_runtime_loads_no_compiler_and_no_parser() -> None:
    code = (
        "import sys, hexgate.runtime.wasm_engine\n"
        "bad = {'lark', 'yaml', 'jsonschema', 'typer', 'rich', 're2', 'hexgate.language', 'hexgate.policy',"
        " 'hexgate.compiler', 'hexgate.regex'} & set(sys.modules)\n"
        "print(sorted(bad))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_only_the_engines_have_a_broad_except() -> None:
    """Fail closed, in one visible place for each engine, and at the command's edge: a user's module may raise anything."""
    broad = {
        path.relative_to(ROOT).as_posix()
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    }
    assert broad <= {
        "hexgate/policy/interpret.py", "hexgate/runtime/wasm_engine.py", "hexgate/audit/recorder.py",
        "hexgate/identity/biscuit.py", "hexgate_cli/commands/coverage.py",
    }  # fmt: skip
