"""The frameworks' own tests, without the gate and with one that allows everything: `python -m benchmarks.framework_suites [NAME …]`.

The tests are those of the source distribution on the package index, in an environment of their own, so that both runs differ in the
gate alone. A framework whose distributions hold no tests needs a clone of its repository, at the release or near it (`--clone
NAME=FOLDER`), and is left out without one: tests of another release fail without the gate too, and say less. What fails only behind the gate is named; a run in which the gate decided nothing proves nothing, and is an error. The
counts are kept in `framework_suites.json`, and as the table in `docs/framework-suites.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_name("framework_suites.json")
TABLE = ROOT / "docs" / "framework-suites.md"
DECISIONS = re.compile(r"^hexgate: (\d+) decisions$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Suite:
    """A framework's tests. `extra` is ours that installs it, `requirement` the release whose tests they are, `tests` are globs in its
    source distribution and `left_out` those of them that do not run there; `attach` is a function of `benchmarks.framework_attachments`.
    `explained` has a sentence for each test that fails behind the gate only."""

    name: str
    extra: str
    requirement: str
    needs: tuple[str, ...]
    tests: tuple[str, ...]
    attach: str
    left_out: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    folder: str = "."
    cloned: tuple[str, ...] = ()
    """What a clone is needed for: the paths in it, as git's pathspecs."""
    explained: tuple[tuple[str, str], ...] = ()

    @property
    def project(self) -> str:
        """The name of the source distribution."""
        return self.requirement.partition("==")[0]


_PYDANTIC_AI_TOPICS = (
    "agent", "capabilities", "concurrency", "deps", "history_processor", "nested_sync_agent", "run_cancellation", "streaming", "tool_availability", "tool_search", "tools",
    "toolsets", "usage_limits", "validation_context",
)  # fmt: skip
_OPENAI_TOPICS = ("agent", "run", "tool", "hitl", "approval", "handoff", "guardrail", "hook")

SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            name="openai",
            extra="openai",
            requirement="openai-agents==0.24.0",
            needs=("pytest-asyncio", "pytest-mock", "pytest-timeout", "pytest-xdist", "inline-snapshot", "fakeredis", "sqlalchemy",
                   "aiosqlite", "fastapi", "httpx", "websockets", "rich<15"),
            tests=("tests/mcp/test_*.py", *(f"tests/test_*{topic}*.py" for topic in _OPENAI_TOPICS)),
            # Their fixtures are not in the source distribution.
            left_out=("test_integration_runner.py", "test_run_serial_tests.py", "test_code_change_verification_runner.py", "test_run_examples_script.py"),
            options=("-n", "2", "--dist", "loadscope", "-m", "not serial", "--timeout=120"),
            environment=(("OPENAI_API_KEY", "none"),),
            attach="attach_openai",
            explained=(
                ("tests.test_local_shell_tool::test_local_shell_action_execute_invokes_executor",
                 "the executor is given an equal copy of the call, which nobody can change after the decision; the test asks for the same object"),
            ),
        ),
        Suite(
            name="langchain",
            extra="langchain",
            requirement="langchain==1.4.7",
            needs=("pytest-asyncio", "pytest-mock", "pytest-socket", "pytest-xdist", "pytest-timeout", "pytest-benchmark", "syrupy>=5,<6", "blockbuster>=1.5.26,<1.6",
                   "langchain-tests>=1.1.9,<2", "langchain-openai", "vcrpy", "fastmcp>=4.0.11,<5"),
            tests=("tests/unit_tests/agents/**/test_*.py", "tests/unit_tests/mcp/**/test_*.py", "tests/unit_tests/tools/**/test_*.py"),
            options=("-n", "2", "--dist", "loadscope", "--timeout=120", "--disable-socket", "--allow-unix-socket"),
            attach="attach_langchain",
        ),
        Suite(
            name="pydantic_ai",
            extra="pydantic-ai",
            requirement="pydantic-ai-slim==2.68.0",
            needs=("pytest-asyncio", "pytest-mock", "pytest-recording", "pytest-timeout", "pytest-xdist", "anyio", "dirty-equals", "httpx", "httpx2", "inline-snapshot", "logfire",
                   "fastmcp>=3.3,<5"),
            tests=tuple(f"tests/test_{topic}.py" for topic in _PYDANTIC_AI_TOPICS),
            cloned=("pyproject.toml", ":(glob)tests/*.py", "tests/assets"),
            # A deprecation since the tests were written is no failure.
            options=("-n", "2", "--dist", "loadscope", "--timeout=120", "-o", "filterwarnings=default", "-o", "xfail_strict=false"),
            environment=(("BLOCKBUSTER_ENABLED", "false"),),
            attach="attach_pydantic_ai",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: what became of each test, and how many decisions the gate made."""

    results: dict[str, str]
    decisions: int

    def count(self, result: str) -> int:
        """How many tests ended so."""
        return sum(each == result for each in self.results.values())


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the suites of the frameworks named, or of all. 1 where the gate makes a difference that nobody has explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SUITES)}; default: all")
    parser.add_argument("--clone", action="append", default=[], metavar="NAME=FOLDER", help="a git repository with the tests of a framework")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "framework-suites", help="where sources and environments are kept")
    options = parser.parse_args(None if arguments is None else list(arguments))
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    unexplained = 0
    clones = dict(clone.split("=", 1) for clone in options.clone)
    for name in options.names or [name for name in SUITES if not SUITES[name].cloned or name in clones]:
        suite = SUITES[name]
        sources, python, revision = _prepare(suite, options.folder / name, clones.get(name))
        known[name] = record = _compare(suite, _run(suite, sources, python, False), _run(suite, sources, python, True))
        record["release"] += f", tests of its repository at {revision}" if revision else ""
        unexplained += sum(not sentence for sentence in record["only_behind_the_gate"].values())
        RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        TABLE.write_text(format_table(known), encoding="utf-8")
        sys.stdout.write(format_table({name: record}))
    return 1 if unexplained else 0


def format_table(results: dict[str, Any]) -> str:
    """The results of `framework_suites.json` as a document."""
    lines = [
        "# The frameworks' own tests behind the gate",
        "",
        "Written by `make framework-suites`. Each framework's tests, from its source distribution, without the gate and with one that"
        " allows everything. Where no distribution holds the tests they are those of its repository"
        " (`python -m benchmarks.framework_suites pydantic_ai --clone pydantic_ai=FOLDER`), at a commit that may be older than the release:"
        " what has changed since fails both ways.",
        "",
        "| framework | tests | without: passed, failed, skipped | behind the gate: passed, failed, skipped | decisions |",
        "|---|---|---|---|---|",
    ]
    notes: list[str] = []
    for name in sorted(results):
        record = results[name]
        cells = [", ".join(f"{record[run][word]:,}" for word in ("passed", "failed", "skipped")) for run in ("without", "behind")]
        lines.append(f"| {record['release']} | {record['tests']:,} | {cells[0]} | {cells[1]} | {record['decisions']:,} |")
        differences = record["only_behind_the_gate"]
        notes += ["", f"## {name}: fails behind the gate only", ""] if differences else []
        notes += [f"* `{test}`: {sentence or 'not explained'}" for test, sentence in sorted(differences.items())]
    return "\n".join([*lines, *notes]) + "\n"


def _prepare(suite: Suite, folder: Path, clone: str | None) -> tuple[Path, Path, str]:
    """The unpacked sources, the Python of an environment with the framework, this package and what the tests need, and the commit of a clone."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = folder / "environment"
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--editable", f"{ROOT}[{suite.extra}]", suite.requirement, "pytest", *suite.needs], check=True)
    sources = folder / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    if suite.cloned:
        return (sources, python, _export(suite, clone, sources))
    if not list(folder.glob(f"{suite.project.replace('-', '_')}*.tar.gz")):
        download = [*pip, "download", "--no-deps", "--no-binary", ":all:", suite.requirement, "--dest", str(folder)]
        subprocess.run(download, check=True)
    archive = next(iter(sorted(folder.glob("*.tar.gz"))))
    with tarfile.open(archive) as opened:
        opened.extractall(sources, filter="data")
    return next(each for each in sources.iterdir() if each.is_dir()) / suite.folder, python, ""


def _export(suite: Suite, clone: str | None, sources: Path) -> str:
    """The tests as the newest commit of a clone has them. Returns that commit and the release before it."""
    if clone is None:
        raise SystemExit(f"no distribution of {suite.requirement} holds its tests: give a clone of its repository with `--clone {suite.name}=FOLDER`")
    git = ["git", "-C", clone]
    sources.mkdir()
    index = {**os.environ, "GIT_INDEX_FILE": str(sources.parent.absolute() / "index")}  # the clone's own stays as it is
    subprocess.run([*git, f"--work-tree={sources.absolute()}", "checkout", "HEAD", "--", *suite.cloned], check=True, env=index)
    return subprocess.run([*git, "describe", "--tags", "--always"], check=True, capture_output=True, text=True).stdout.strip()


def _run(suite: Suite, sources: Path, python: Path, gated: bool) -> Outcome:
    tests = sorted({path for glob in suite.tests for path in sources.glob(glob) if path.name not in suite.left_out})
    if not tests:
        raise SystemExit(f"the source distribution of {suite.requirement} has none of the tests")
    report = sources / f"report-{gated}.xml"
    command = [str(python), "-m", "pytest", "-q", "-p", "benchmarks.framework_attachments", f"--junitxml={report}", *suite.options]
    environment = {
        **os.environ, **dict(suite.environment), "PYTHONPATH": str(ROOT), "HEXGATE_SUITE": suite.attach if gated else "",
        "XDG_STATE_HOME": str(sources / "state"),
    }  # fmt: skip
    done = subprocess.run([*command, *map(str, tests)], cwd=sources, env=environment, text=True, capture_output=True, check=False)
    sys.stderr.write(done.stdout[-2_000:] + done.stderr[-2_000:])
    if not report.exists():
        raise SystemExit(f"the tests of {suite.requirement} did not run")
    results: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        test = f"{case.get('classname')}::{case.get('name')}"
        marks = {child.tag for child in case}
        results[test] = "failed" if marks & {"failure", "error"} else "skipped" if "skipped" in marks else "passed"
    decisions = sum(map(int, DECISIONS.findall(done.stdout)))
    if gated and not decisions:
        raise SystemExit(f"the gate decided nothing in the tests of {suite.requirement}: it was not attached")
    return Outcome(results, decisions)


def _compare(suite: Suite, without: Outcome, behind: Outcome) -> dict[str, Any]:
    explained = dict(suite.explained)
    worse = [test for test, result in behind.results.items() if result == "failed" and without.results.get(test) != "failed"]
    return {
        "release": suite.requirement.replace("==", " "),
        "tests": len(without.results),
        "without": {word: without.count(word) for word in ("passed", "failed", "skipped")},
        "behind": {word: behind.count(word) for word in ("passed", "failed", "skipped")},
        "decisions": behind.decisions,
        "only_behind_the_gate": {test: explained.get(test, "") for test in worse},
    }


if __name__ == "__main__":
    sys.exit(main())
