"""Failures of policy tests as GitHub Actions workflow commands, which annotate the lines that expect."""

from __future__ import annotations

from hexgate.policy_tests.run import CaseResult
from hexgate_cli.policy_test_files import FileResults
from hexgate_cli.rendering.diagnostics_github import format_workflow_command
from hexgate_cli.rendering.replay_human import describe_cause


def format_tests_github(files: list[FileResults]) -> str:
    """One line for each failed case, then the counts."""
    results = [result for file in files for result in file.results]
    failed = [result for result in results if not result.passed]
    lines = [_annotation(result) for result in failed]
    lines.append(f"{len(results) - len(failed):,} passed, {len(failed):,} failed; decided by interpreter and wasm")
    return "\n".join(lines) + "\n"


def _annotation(result: CaseResult) -> str:
    case = result.case
    lines = [f"{case.name}: {case.tool} for role {case.user.role}"]
    if not result.engines_agree:
        lines.append("the engines disagree: this is a fault of Hexgate")
        lines += [f"{name}: {decision.verdict.value}, {describe_cause(decision)}" for name, decision in result.decisions.items()]
    lines += [f"{found.name}: expected {found.expected or 'none'}, got {found.got or 'none'}" for found in result.mismatches]
    lines.append(f"decided: {result.decision.verdict.value}, {describe_cause(result.decision)}")
    place = result.mismatches[0].place if result.mismatches else case.place
    return format_workflow_command("error", place, "hexgate test", "\n".join(lines))
