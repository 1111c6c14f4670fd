"""Policy tests for people: each failure with what was expected and what decided instead, then counts and what no test covers."""

from __future__ import annotations

from collections.abc import Iterable

from hexgate.decision.decision import Decision
from hexgate.policy_tests.run import CaseResult, Mismatch
from hexgate.policy_tests.update import Edit, Stuck
from hexgate_cli.policy_test_files import FileResults, OpenedPolicy
from hexgate_cli.rendering.decision_human import format_rule_name
from hexgate_cli.rendering.excerpt import format_excerpt, format_place, gutter_width
from hexgate_cli.rendering.replay_human import describe_cause
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, shorten

SHOWN_FAILURES = 50
"""How many failures are shown whole."""

SHOWN_RULES = 20
"""How many rules that held in no test are listed."""


def format_tests(files: list[FileResults], policies: list[OpenedPolicy], screen: Screen) -> str:
    """The whole report. Ends with a line break."""
    sources = SourceText()
    failures = [result for file in files for result in file.results if not result.passed]
    blocks = ["\n".join(_file_line(file, screen) for file in files)]
    blocks += [_failure(result, sources, screen) for result in failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        blocks.append(f"and {len(failures) - SHOWN_FAILURES:,} more failures")
    blocks += [_coverage(opened, screen, len(policies) > 1) for opened in policies]
    blocks.append(_summary(sum(len(file.results) for file in files), len(failures), screen))
    return "\n\n".join(blocks) + "\n"


def _file_line(file: FileResults, screen: Screen) -> str:
    failed = sum(not result.passed for result in file.results)
    word = screen.paint("FAIL", Colour.BOLD_RED) if failed else screen.paint("ok", Colour.GREEN)
    count = f"{len(file.results):,} {'case' if len(file.results) == 1 else 'cases'}"
    return f"{word}  {escape_text(file.suite.file)}  {count}" + (f", {failed:,} failed" if failed else "")


def _failure(result: CaseResult, sources: SourceText, screen: Screen) -> str:
    case = result.case
    lines = [f"{screen.paint('FAIL', Colour.BOLD_RED)} {screen.paint(escape_text(case.name), Colour.BOLD)}"]
    lines.append(f"  {escape_name(case.tool)} for role {escape_name(case.user.role)}, {format_place(case.place)}")
    if not result.engines_agree:
        lines.append("  the engines disagree: this is a fault of Hexgate, not of the policy; please report it with these lines")
        lines += [f"    {name:<11}  {_described(decision)}" for name, decision in result.decisions.items()]
    for mismatch in result.mismatches:
        lines += _mismatch(mismatch, sources, screen)
    if result.mismatches:
        lines.append(f"  decided: {_described(result.decision)}")
        lines += _decider(result.decision, sources, screen)
    return "\n".join(lines)


def _mismatch(mismatch: Mismatch, sources: SourceText, screen: Screen) -> list[str]:
    expected, got = (_value(text) for text in (mismatch.expected, mismatch.got))
    excerpt = format_excerpt(mismatch.place, sources, screen, gutter=gutter_width(mismatch.place), label=f"got {got}")
    lines = [f"  {mismatch.name}: expected {screen.paint(expected, Colour.GREEN)}, got {screen.paint(got, Colour.BOLD_RED)}"]
    return [*lines, *(f"    {line}" for line in excerpt)]


def _value(text: str | None) -> str:
    return "none" if text is None else shorten(" ".join(escape_text(text).split()), 120)


def _described(decision: Decision) -> str:
    return f"{decision.verdict.value}, {describe_cause(decision)}"


def _decider(decision: Decision, sources: SourceText, screen: Screen) -> list[str]:
    """The line of the policy that decided."""
    place = decision.constraint.place if decision.constraint is not None else None if decision.rule is None else decision.rule.place
    if place is None:
        return []
    excerpt = format_excerpt(place, sources, screen, gutter=gutter_width(place), colour=Colour.CYAN)
    return [f"    {line}" for line in excerpt]


def _coverage(opened: OpenedPolicy, screen: Screen, is_named: bool) -> str:
    missed = opened.rules.missed
    total = len(opened.rules.rules)
    seen, unseen, _ = opened.coverage.branches
    name = f"{escape_text(opened.path)}: " if is_named else ""
    lines = [f"{name}{total - len(missed):,} of {total:,} rules held in a test; {seen:,} of {seen + unseen:,} outcomes of constraints seen"]
    for rule in missed[:SHOWN_RULES]:
        lines.append(f"  {screen.paint('no test', Colour.BOLD_YELLOW)}  {format_rule_name(rule)}  {format_place(rule.place)}")
    if len(missed) > SHOWN_RULES:
        lines.append(f"  and {len(missed) - SHOWN_RULES:,} more rules")
    return "\n".join(lines)


def _summary(cases: int, failed: int, screen: Screen) -> str:
    text = f"{cases - failed:,} passed, {failed:,} failed; decided by interpreter and wasm"
    return screen.paint(text, Colour.BOLD_RED if failed else Colour.BOLD_GREEN)


def format_update(file: str, edits: Iterable[Edit], stuck: Iterable[Stuck], screen: Screen) -> str:
    """What `--update` writes into a file, and what it cannot. Ends with a line break unless there is nothing."""
    lines = []
    for edit in edits:
        old, new = screen.paint(escape_text(edit.old), Colour.BOLD_RED), screen.paint(escape_text(edit.new), Colour.GREEN)
        lines.append(f"{escape_text(file)}:{edit.place.line}:{edit.place.column}: {old} -> {new}")
    lines += [f"{escape_text(file)}:{one.place.line}:{one.place.column}: not updated: {one.reason}" for one in stuck]
    return "".join(f"{line}\n" for line in lines)
