"""Every scenario in `scenarios/`, played in an empty directory. `HEXGATE_BLESS=1` rewrites what they expect."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.transcripts import SCENARIOS, Section, format_scenario, parse_scenario, play, run_in_process

FILES = sorted(SCENARIOS.glob("*.txt"))

BUNDLE_VARIABLES = ("SOURCE_DATE_EPOCH", "HEXGATE_KEY", "HEXGATE_SIGNING_KEY", "HEXGATE_SIGNING_PASSPHRASE")


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 20


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory, and an environment that says nothing about colour, width, time or keys."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", *BUNDLE_VARIABLES):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path, clean_environment: Path) -> None:
    text = path.read_text(encoding="utf-8")
    head, steps = parse_scenario(text)
    assert head.startswith("# "), "a scenario begins with what it shows"
    blessed = format_scenario(head, steps) == text
    assert blessed or os.environ.get("HEXGATE_BLESS"), "the file is not in the form that blessing writes"
    played = 0
    for step, answer in play(steps, clean_environment, run_in_process):
        played += 1
        if os.environ.get("HEXGATE_BLESS"):
            step.expected = answer
        else:
            assert _readable(answer) == _readable(step.expected), step.given.argument
    assert played, "a scenario runs something"
    if os.environ.get("HEXGATE_BLESS"):
        path.write_text(format_scenario(head, steps), encoding="utf-8")


def _readable(sections: list[Section]) -> str:
    return "".join(f"== {section.kind} {section.argument}\n{section.text}" for section in sections)
