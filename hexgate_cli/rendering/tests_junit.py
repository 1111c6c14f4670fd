"""Policy tests as JUnit XML: a test suite for each file, a test case for each case."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from hexgate.policy_tests.run import CaseResult
from hexgate_cli.policy_test_files import FileResults
from hexgate_cli.rendering.excerpt import format_place
from hexgate_cli.rendering.replay_human import describe_cause
from hexgate_cli.terminal import escape_text


def format_tests_junit(files: list[FileResults]) -> str:
    """The report as an XML document."""
    root = Xml.Element("testsuites", name="hexgate test")
    totals = [0, 0, 0]
    for file in files:
        counts = [len(file.results), sum(_is_failure(result) for result in file.results), sum(not result.engines_agree for result in file.results)]
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        seconds = sum(result.seconds for result in file.results)
        described = {"name": escape_text(file.suite.file), "time": f"{seconds:.3f}", "skipped": "0", **_counts(counts)}
        suite = Xml.SubElement(root, "testsuite", described)
        for result in file.results:
            _add_case(suite, result)
    for name, value in _counts(totals).items():
        root.set(name, value)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _is_failure(result: CaseResult) -> bool:
    return result.engines_agree and bool(result.mismatches)


def _counts(counts: list[int]) -> dict[str, str]:
    return dict(zip(("tests", "failures", "errors"), map(str, counts), strict=True))


def _add_case(suite: Xml.Element, result: CaseResult) -> None:
    case = result.case
    element = Xml.SubElement(
        suite, "testcase", classname=escape_text(case.user.role), name=escape_text(case.name), time=f"{result.seconds:.6f}",
        file=escape_text(case.place.file), line=str(case.place.line),
    )  # fmt: skip
    if not result.engines_agree:
        error = Xml.SubElement(element, "error", type="disagreement", message="the engines decide the case differently")
        error.text = "\n".join(f"{name}: {decision.verdict.value}, {describe_cause(decision)}" for name, decision in result.decisions.items())
    elif result.mismatches:
        first = result.mismatches[0]
        failure = Xml.SubElement(
            element, "failure", type=first.name, message=escape_text(f"{first.name}: expected {_value(first.expected)}, got {_value(first.got)}")
        )
        lines = [f"{found.name}: expected {_value(found.expected)}, got {_value(found.got)} ({format_place(found.place)})" for found in result.mismatches]
        lines.append(f"decided: {result.decision.verdict.value}, {describe_cause(result.decision)}")
        failure.text = "\n".join(escape_text(line) for line in lines)


def _value(text: str | None) -> str:
    return "none" if text is None else text
