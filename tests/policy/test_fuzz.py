"""Policy files that have gone wrong: whatever they hold, only PolicyInvalidError leaves, and every place is in the file."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from hexgate.diagnostics import Diagnostic, PolicyInvalidError
from hexgate.policy.check import check_with_notes
from hexgate.policy.link import link
from hexgate.policy.parse import parse, parse_with_diagnostics
from tests.policy.test_yaml import PIECES

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "examples").glob("*/policies/*.yaml"))
SETS = sorted((ROOT / "tests" / "policy" / "decisions").glob("*.yaml"))

WORDS = [
    "version: 1\n", "roles:\n", "tools:\n", "inherits: [a, b]\n", "mode: allow\n", "  mode: deny\n", "rules:\n", "constraints:\n",
    "      - args.x > 1\n", "default_policy:\n", "abstract: true\n", "consts:\n", "message: x\n", "approvers: [x]\n", "expires_in: 5m\n",
    "null", "true", "1", "1e999", "99999999999999999999", "''", '""', "{}", "[]", "*", "**", "default_policy", "boundary", "consts.x",
    "'\\''", "has(args.x)", "args[0]", "matches('(')", "\x00", "\ufeff", "\u202e", "\U0001f600", "\ud7ff", "\x85", "\r", "\x1b",
]  # fmt: skip


def test_there_are_files() -> None:
    assert len(FILES) >= 15
    assert len(SETS) >= 4


def broken(text: str, source: random.Random) -> bytes:
    """A text after a few edits of lines, stretches and bytes."""
    for _ in range(source.randint(1, 5)):
        lines = text.split("\n")
        kind = source.randrange(6)
        at = source.randrange(len(lines))
        if kind == 0:
            lines[at : at + source.randint(0, 3)] = []
        elif kind == 1:
            lines.insert(at, source.choice(lines))
        elif kind == 2:
            lines[at] = " " * source.randrange(9) + lines[at].strip()
        text = "\n".join(lines)
        if kind > 2:
            start = source.randrange(len(text) + 1)
            end = min(len(text), start + source.choice((0, 1, 1, 4, 30)))
            text = text[:start] + source.choice(PIECES if kind < 5 else WORDS) + text[end:]
    data = text.encode("utf-8", "replace")
    if source.random() < 0.1 and data:
        at = source.randrange(len(data))
        data = data[:at] + bytes([source.randrange(256)]) + data[at + 1 :]
    return data


def findings(files: dict[str, bytes]) -> tuple[Diagnostic, ...]:
    try:
        return check_with_notes(link(parse(files)))[1]
    except PolicyInvalidError as error:
        assert error.diagnostics
        return error.diagnostics


@pytest.mark.parametrize("seed", range(6))
def test_broken_files(seed: int) -> None:
    source = random.Random(seed)
    refused = 0
    for _ in range(250):
        path = source.choice([*FILES, *SETS])
        files = {path.name: broken(path.read_text(encoding="utf-8"), source)}
        if path in FILES:
            files |= {sibling.name: sibling.read_bytes() for sibling in path.parent.glob("*.yaml") if sibling != path}
        before = time.process_time()
        found = findings(files)
        assert time.process_time() - before < 5
        refused += bool(found)
        for finding in found:
            require_place(finding, files)
    assert refused > 100


def require_place(finding: Diagnostic, files: dict[str, bytes]) -> None:
    assert finding.message
    for place in (finding.place, *(related.place for related in finding.related)):
        assert place is not None
        lines = files[place.file].decode("utf-8", "replace").split("\n")
        assert 1 <= place.line <= len(lines) + 1
        assert place.length >= 1
        if place.line <= len(lines) and finding.code != "HG208":
            assert 1 <= place.column <= len(lines[place.line - 1]) + 1, finding
            assert place.column + place.length <= len(lines[place.line - 1]) + 2, finding


@pytest.mark.parametrize("seed", range(3))
def test_what_could_be_read_links_or_is_reported(seed: int) -> None:
    """The command line goes on with what could be read of a broken set."""
    source = random.Random(1_000 + seed)
    for _ in range(100):
        path = source.choice(SETS)
        policy, _ = parse_with_diagnostics({path.name: broken(path.read_text(encoding="utf-8"), source)})
        try:
            check_with_notes(link(policy))
        except PolicyInvalidError as error:
            assert error.diagnostics


@pytest.mark.parametrize("seed", range(3))
def test_noise(seed: int) -> None:
    source = random.Random(2_000 + seed)
    for _ in range(300):
        data = bytes(source.randrange(256) for _ in range(source.randrange(60)))
        assert findings({"a.yaml": data})
        text = "".join(source.choice([*PIECES, *WORDS]) for _ in range(source.randrange(30)))
        findings({"a.yaml": b"version: 1\n" + text.encode("utf-8", "replace")})


def test_the_same_files_give_the_same_findings_in_any_order() -> None:
    source = random.Random(7)
    for _ in range(20):
        paths = [path for path in FILES if path.parent == FILES[0].parent]
        files = {path.name: broken(path.read_text(encoding="utf-8"), source) for path in paths}
        assert findings(files) == findings(dict(reversed(files.items())))
