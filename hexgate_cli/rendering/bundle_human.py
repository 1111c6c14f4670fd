"""Bundles for people: the checks of one, and what is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexgate_cli.rendering.table import format_table
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, pad

if TYPE_CHECKING:
    from hexgate_cli.bundle_content_summary import Summary
    from hexgate_cli.bundle_report import Report


def format_report(location: str, report: Report, screen: Screen) -> str:
    """Every check with what it found, and what it comes to."""
    width = max(len(finding.check) for finding in report.findings)
    lines = [screen.paint(escape_text(location), Colour.BOLD)]
    for finding in report.findings:
        word = screen.paint("ok     ", Colour.GREEN) if finding.passed else screen.paint("refused", Colour.BOLD_RED)
        lines.append(f"  {word}  {pad(finding.check, width)}  {escape_text(finding.detail)}")
    lines.append("")
    if report.trusted and report.verified is not None:
        predicate = report.verified.statement.predicate
        lines.append(
            f"{screen.paint('trusted', Colour.BOLD_GREEN)}: {predicate.name} version {predicate.version}, sha256 {report.verified.digest}"
        )
    else:
        word = SOURCES_WORD if report.refusal is None else report.refusal.value
        lines.append(f"{screen.paint('not trusted', Colour.BOLD_RED)}: {word}")
    return "\n".join(lines) + "\n"


SOURCES_WORD = "not these sources"
"""What is said where a bundle is trusted by itself and does not come from the policies it was compared with."""


def format_summary(location: str, summary: Summary, screen: Screen) -> str:
    """What a bundle says and has."""
    facts = [(name, value) for name, value in summary.facts.items()]
    width = max(len(name) for name, _ in facts)
    lines = [screen.paint(escape_text(location), Colour.BOLD) + "  nothing in it was verified or run"]
    lines += [f"  {screen.paint(pad(name, width), Colour.DIM)}  {escape_text(value)}" for name, value in facts]
    lines += ["", _artifacts(summary, screen), "", _signatures(summary, screen)]
    if summary.rules:
        lines += ["", _rules(summary, screen)]
    return "\n".join(lines) + "\n"


def _artifacts(summary: Summary, screen: Screen) -> str:
    rows = [
        [
            (escape_text(artifact.name), None),
            (artifact.state, None if artifact.state == "as stated" else Colour.RED),
            (f"{artifact.size:,} bytes", None),
        ]
        for artifact in summary.artifacts
    ]
    return format_table(["artifact", "content", "size"], rows, "<<<", screen)


def _signatures(summary: Summary, screen: Screen) -> str:
    if not summary.keyids:
        return "no signatures: no runtime accepts this bundle"
    rows = [[(escape_text(keyid[:16]), None)] for keyid in summary.keyids]
    return format_table(["signed, it says, by"], rows, "<", screen)


def _rules(summary: Summary, screen: Screen) -> str:
    rows = [
        [
            (escape_name(rule.role or "boundary"), None),
            (escape_name(rule.tool), None),
            (rule.mode, None),
            (str(rule.constraints), None),
            (f"{escape_text(rule.file)}:{rule.line}", Colour.DIM),
        ]
        for rule in summary.rules
    ]
    return format_table(["role", "tool", "mode", "constraints", "place"], rows, "<<<><", screen)
