"""What a log is worth, for people and for programs."""

from __future__ import annotations

from typing import Any

from hexgate.audit.verify import Finding, Verification
from hexgate_cli.terminal import Colour, Screen, escape_text

SHOWN_FINDINGS = 50


def format_verification(found: Verification, *, trusted: bool, screen: Screen) -> str:
    """The report. Ends with a line break."""
    lines = []
    for finding in found.findings[:SHOWN_FINDINGS]:
        where = escape_text(finding.segment or "log")
        if finding.line is not None:
            where += f":{finding.line}"
        lines.append(f"{screen.paint(finding.kind.value, Colour.BOLD_RED)}  {where}  {escape_text(finding.sentence)}")
    if len(found.findings) > SHOWN_FINDINGS:
        lines.append(f"and {len(found.findings) - SHOWN_FINDINGS:,} more")
    if not found.sound:
        word = screen.paint("tampered with or damaged", Colour.BOLD_RED)
    elif found.records and not found.vouched:
        # Whoever can write the files can chain lines of their own: that nothing is wrong with them says little.
        word = screen.paint("nothing vouches for this log", Colour.BOLD_YELLOW)
    else:
        word = screen.paint("sound", Colour.BOLD_GREEN)
    lines.append(
        f"{word}: {_count(found.records, 'record')} in {_count(found.segments, 'segment')}, "
        f"{found.vouched:,} under {_count(found.checkpoints, 'checkpoint')}"
    )
    if found.anchors:
        lines.append(f"  {_count(found.anchors, 'checkpoint')} kept elsewhere taken into account")
    if found.records > found.vouched:
        lines.append(f"  {_count(found.records - found.vouched, 'record')} after the last checkpoint that fits: nothing vouches for them")
    if found.removed_segments:
        lines.append(f"  the first {_count(found.removed_segments, 'segment')} not here, archived or removed")
    if found.repaired:
        lines.append(f"  {_count(found.repaired, 'torn line')} repaired after a crash")
    if found.unrecorded:
        lines.append(f"  {_count(found.unrecorded, 'denial')} could not be recorded")
    whose = "key" if trusted else "key, by the log's own word"
    lines += [f"  {whose}: {escape_text(key)}" for key in found.keys]
    return "\n".join(lines) + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def verification_to_dict(found: Verification) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "sound": found.sound,
        "records": found.records,
        "vouched": found.vouched,
        "segments": found.segments,
        "checkpoints": found.checkpoints,
        "anchors": found.anchors,
        "removed_segments": found.removed_segments,
        "repaired": found.repaired,
        "unrecorded": found.unrecorded,
        "keys": found.keys,
        "findings": [_finding_to_dict(finding) for finding in found.findings],
    }


def _finding_to_dict(finding: Finding) -> dict[str, Any]:
    return {"kind": finding.kind.value, "segment": finding.segment, "line": finding.line, "sentence": finding.sentence}
