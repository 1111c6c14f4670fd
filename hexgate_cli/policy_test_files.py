"""Which files `hexgate test` runs, and the policies that they are for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from hexgate.decision.engine import DecisionEngine
from hexgate.diagnostics import Diagnostic, Severity
from hexgate.parity.coverage import Coverage, ObservedInterpreter
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.load import SUFFIXES, TEST_SUFFIX
from hexgate.policy_tests.parse import parse_suite
from hexgate.policy_tests.run import CaseResult, RuleCoverage, run_case
from hexgate.policy_tests.suite import Suite
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import describe_os_error, is_there, read_bytes
from hexgate_cli.policies import require_policy
from hexgate_cli.rendering.diagnostics_human import format_diagnostics
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import screen_of

FOLDERS = 10_000
"""Files and folders below a directory that are looked at for tests, at most."""


@dataclass(slots=True)
class OpenedPolicy:
    """A policy that tests are for: its path as it is shown, its engines, and what the tests have seen of it so far."""

    path: str
    policy: CheckedPolicy
    engines: dict[str, DecisionEngine]
    coverage: Coverage
    rules: RuleCoverage


@dataclass(frozen=True, slots=True)
class FileResults:
    """The results of one file's cases."""

    suite: Suite
    data: bytes
    policy: OpenedPolicy
    results: tuple[CaseResult, ...]


def find_test_files(path: str) -> list[Path]:
    """The files of tests below a directory, in order; a file of tests itself; the tests of a policy file, `NAME_test.yaml` beside
    `NAME.yaml`. Raises InputError where there is none."""
    target = Path(path)
    if not path or not is_there(path):
        raise InputError(f"there is no file or directory `{path}`", help="pass a directory of policies, or a file of tests")
    if target.is_dir():
        found = _below(target)
    elif _is_test(target):
        found = [target]
    else:
        found = [beside for suffix in SUFFIXES if (beside := target.with_name(f"{target.stem}{TEST_SUFFIX}{suffix}")).is_file()]
    if not found:
        raise InputError(f"there is no file of tests for `{path}`", help="its name ends in `_test.yaml`; `hexgate init` writes one")
    return found


def named_policies(path: str) -> list[Path]:
    """The policies that the tests of a path name with `policy:`. What cannot be read names none: running it says so."""
    try:
        files = find_test_files(path)
        named = [(file, parse_suite(str(file), read_bytes(str(file)))[0].policy) for file in files]
    except CommandError:
        return []
    return [file.parent / policy for file, policy in named if policy is not None]


def _below(directory: Path) -> list[Path]:
    found: list[Path] = []
    pending, seen = [directory], 0
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            raise CommandError(f"cannot read `{folder}`: {describe_os_error(error)}") from None
        seen += len(entries)
        if seen > FOLDERS:
            raise CommandError(f"there are more than {FOLDERS:,} files below `{directory}`", help="name the directory of the policies")
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir() and not entry.is_symlink():
                pending.append(entry)
            elif _is_test(entry) and entry.is_file():
                found.append(entry)
    return sorted(found)


def _is_test(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.stem.endswith(TEST_SUFFIX)


class TestRun:
    """Runs files of tests; each policy is opened once."""

    __test__ = False  # pytest would collect it for its name

    def __init__(self, tools: str | None) -> None:
        self._tools = tools
        self._opened: dict[Path, OpenedPolicy] = {}

    @property
    def policies(self) -> list[OpenedPolicy]:
        """Every policy that was opened, in order."""
        return list(self._opened.values())

    def run(self, file: Path) -> FileResults:
        """The results of a file. Raises CommandError where its policy, or the file itself, is invalid; that is shown first."""
        data = read_bytes(str(file))
        named, _ = parse_suite(str(file), data)
        opened = self._open(_policy_of(file, named.policy))
        suite, diagnostics = parse_suite(str(file), data, opened.policy)
        _show(file, diagnostics)
        results = tuple(run_case(case, opened.engines) for case in suite.cases)
        opened.rules.add(results)
        return FileResults(suite, data, opened, results)

    def _open(self, path: Path) -> OpenedPolicy:
        key = path.resolve()
        if key not in self._opened:
            from hexgate.compiler.compile import compile_policy
            from hexgate.runtime.wasm_engine import WasmEngine

            policy = require_policy(str(path), self._tools)
            coverage, compiled = Coverage(policy), compile_policy(policy)
            engines: dict[str, DecisionEngine] = {"interpreter": ObservedInterpreter(policy, coverage), "wasm": WasmEngine(compiled.wasm, compiled.table)}
            self._opened[key] = OpenedPolicy(str(path), policy, engines, coverage, RuleCoverage.of(policy))
        return self._opened[key]


def _policy_of(file: Path, named: str | None) -> Path:
    """The policy of a file of tests: what the file names, counted from its folder; the file beside it of the same name, where that is a
    whole set; else its folder."""
    if named is not None:
        return file.parent / named
    for suffix in SUFFIXES:
        beside = file.with_name(f"{file.stem.removesuffix(TEST_SUFFIX)}{suffix}")
        if beside.is_file() and _is_set(beside):
            return beside
    return file.parent


def _is_set(path: Path) -> bool:
    from hexgate.policy.yaml_tree import Mapping, parse_yaml

    tree, _ = parse_yaml(str(path), read_bytes(str(path)))
    return isinstance(tree, Mapping) and (tree.get("roles") is not None or "roles" in tree.broken)


def _show(file: Path, diagnostics: tuple[Diagnostic, ...]) -> None:
    """Shows what is wrong with a file of tests. Raises CommandError where any of it is an error."""
    if not diagnostics:
        return
    sys.stderr.write(format_diagnostics(diagnostics, SourceText(), screen_of(sys.stderr)))
    if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        raise CommandError(
            f"the tests `{file}` are invalid", help="no test of a file runs where one cannot be read", code=ExitCode.POLICY_INVALID
        )
