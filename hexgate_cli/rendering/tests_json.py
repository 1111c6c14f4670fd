"""Policy tests for programs (`schemas/policy-test-report.schema.json`)."""

from __future__ import annotations

from hexgate.decision.decision import RuleReference
from hexgate.place import Place
from hexgate.policy_tests.run import CaseResult
from hexgate.strict_json import Json
from hexgate_cli.policy_test_files import FileResults, OpenedPolicy
from hexgate_cli.rendering.decision_json import decision_to_dict


def tests_to_dict(files: list[FileResults], policies: list[OpenedPolicy]) -> dict[str, Json]:
    """The whole report."""
    results = [result for file in files for result in file.results]
    failed = sum(not result.passed for result in results)
    return {
        "passed": len(results) - failed,
        "failed": failed,
        "files": [
            {"file": file.suite.file, "policy": file.policy.path, "cases": [_case(result) for result in file.results]} for file in files
        ],
        "coverage": [_coverage(opened) for opened in policies],
    }


def _case(result: CaseResult) -> dict[str, Json]:
    case = result.case
    return {
        "name": case.name,
        "role": case.user.role,
        "tool": case.tool,
        "place": _place(case.place),
        "passed": result.passed,
        "engines_agree": result.engines_agree,
        "mismatches": [
            {"name": found.name, "expected": found.expected, "got": found.got, "place": _place(found.place)} for found in result.mismatches
        ],
        "decisions": {name: decision_to_dict(decision) for name, decision in result.decisions.items()},
    }


def _coverage(opened: OpenedPolicy) -> dict[str, Json]:
    seen, unseen, impossible = opened.coverage.branches
    return {
        "policy": opened.path,
        "rules": len(opened.rules.rules),
        "rules_missed": [_rule(rule) for rule in opened.rules.missed],
        "outcomes_seen": seen,
        "outcomes_missed": unseen,
        "outcomes_impossible": impossible,
    }


def _rule(rule: RuleReference) -> dict[str, Json]:
    return {"role": rule.role, "tool": rule.tool, "number": rule.number, "place": _place(rule.place)}


def _place(place: Place) -> dict[str, Json]:
    return {"file": place.file, "line": place.line, "column": place.column, "length": place.length}
