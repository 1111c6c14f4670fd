"""A parity run as JUnit XML: a test suite, a test case for each role and tool."""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

from hexgate.decision.decision import User
from hexgate.parity.run import Disagreement, Report
from hexgate_cli.rendering.call_text import call_to_dict
from hexgate_cli.rendering.replay_human import describe_cause
from hexgate_cli.terminal import escape_json, escape_name, escape_text


def format_junit(report: Report) -> str:
    """The report as an XML document. A disagreement on a name that the policy does not have is a test case of its own."""
    suite = Xml.Element("testsuite", name="hexgate test-parity", time=f"{report.seconds:.3f}", errors="0", skipped="0")
    properties = Xml.SubElement(suite, "properties")
    for name, value in (("engines", ",".join(report.engines)), ("seed", report.seed), ("cases", report.cases)):
        Xml.SubElement(properties, "property", name=name, value=str(value))
    failed = _target(report.disagreement)
    targets = dict.fromkeys((*report.targets, *(() if failed is None else (failed,))))
    for target in targets:
        role, tool = map(escape_name, target)
        case = Xml.SubElement(suite, "testcase", classname=role, name=tool, assertions=str(report.by_target[target]))
        if report.disagreement is not None and target == failed:
            failure = Xml.SubElement(case, "failure", type="disagreement", message="the engines decide a call differently")
            failure.text = _described(report.disagreement, report.seed)
    suite.set("tests", str(len(targets)))
    suite.set("failures", "0" if failed is None else "1")
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def _target(found: Disagreement | None) -> tuple[str, str] | None:
    if found is None:
        return None
    user = found.call.user
    return (str(user.role) if isinstance(user, User) else "(no role)", str(found.call.tool))


def _described(found: Disagreement, seed: int) -> str:
    lines = [f"call {found.number}, seed {seed}", escape_json(json.dumps(call_to_dict(found.call)))]
    lines += [f"{name}: {decision.verdict.value}, {describe_cause(decision)}" for name, decision in found.decisions.items()]
    return "\n".join(escape_text(line) for line in lines)
