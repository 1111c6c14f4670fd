"""What an edit of a log's files is called. Each row edits a log of 35 lines with checkpoints at 10, 20, 30 and 35."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hexgate.audit.checkpoint import CheckpointMalformedError, read_checkpoint
from hexgate.audit.merkle import leaf_hash
from hexgate.audit.segment import split_checkpoints
from hexgate.audit.verify import Tampering, verify_log
from tests.audit.logs import segments, write_log

Lines = list[bytes]
Edit = Callable[[Path], None]


def _lines(change: Callable[[Lines], Lines]) -> Edit:
    def edit(strand: Path) -> None:
        path = strand / "000001.ndjson"
        path.write_bytes(b"".join(line + b"\n" for line in change(path.read_bytes().splitlines())))

    return edit


def _notes(change: Callable[[list[bytes]], list[bytes]]) -> Edit:
    def edit(strand: Path) -> None:
        path = strand / "000001.checkpoints"
        parts = path.read_bytes().split(b"\n\n")[:-1]
        notes = [parts[i] + b"\n\n" + parts[i + 1] for i in range(0, len(parts), 2)]
        path.write_bytes(b"".join(note + b"\n\n" for note in change(notes)))

    return edit


def _rewritten(lines: Lines) -> Lines:
    """An edit by somebody who also recomputes the chain."""
    made: Lines = []
    previous = "0" * 16
    for number, line in enumerate(lines):
        start = line.index(b'"prev":"') + 8
        line = line[:start] + previous.encode() + line[start + 16 :]
        if number == 14:
            line = line.replace(b'"amount":13', b'"amount":99')
        made.append(line)
        previous = leaf_hash(line)[:8].hex()
    return made


def _torn(strand: Path) -> None:
    path = strand / "000001.ndjson"
    path.write_bytes(path.read_bytes() + b'{"seq":35,"pre')


EDITS: dict[str, tuple[Edit, list[str]]] = {
    "nothing": (lambda strand: None, []),
    "a value in the middle": (
        _lines(lambda lines: [line.replace(b'"amount":13,', b'"amount":99,') for line in lines]),
        ["changed 15 record 14 was changed after record 15 was written",
         "checkpoint_mismatch None lines 11 to 20 are not those that checkpoint 2 vouches for"],
    ),
    "a value in the last line": (
        _lines(lambda lines: [*lines[:-1], lines[-1].replace(b"alice", b"mally")]),
        ["checkpoint_mismatch None lines 31 to 35 are not those that checkpoint 4 vouches for"],
    ),
    "an edit with the chain recomputed": (
        _lines(_rewritten),
        ["checkpoint_mismatch None lines 11 to 20 are not those that checkpoint 2 vouches for"],
    ),
    "a line deleted": (
        _lines(lambda lines: lines[:12] + lines[13:]),
        ["missing 13 record 12 is missing here",
         "checkpoint_mismatch None lines 11 to 20 are not those that checkpoint 2 vouches for"],
    ),
    "three lines deleted": (
        _lines(lambda lines: lines[:12] + lines[15:]),
        ["missing 13 records 12 to 14 are missing here"],
    ),
    "two lines swapped": (
        _lines(lambda lines: [*lines[:12], lines[13], lines[12], *lines[14:]]),
        ["missing 13 record 12 is missing here", "reordered 14 record 12 stands after record 13"],
    ),
    "a line repeated": (
        _lines(lambda lines: [*lines[:13], lines[12], *lines[13:]]),
        ["repeated 14 record 12 appears twice"],
    ),
    "a line inserted": (
        _lines(lambda lines: [*lines[:13], b'{"type":"decision"}', *lines[13:]]),
        ["malformed 14 record 13 is not readable"],
    ),
    "the tail cut": (
        _lines(lambda lines: lines[:32]),
        ["truncated 32 the segment ends after line 32, and checkpoint 4 vouches for 35: 3 lines are cut off"],
    ),
    "the end torn": (_torn, ["torn None the last line is torn; opening the log repairs and records it"]),
    "a signature changed": (
        _notes(lambda notes: [notes[0], notes[1][:-6] + b"AAAA==", *notes[2:]]),
        ["checkpoint_unsigned None checkpoint 2 is not signed by the log's key"],
    ),
    "a root changed": (
        _notes(lambda notes: [notes[0].replace(notes[0].split(b"\n")[2], base64.b64encode(bytes(32))), *notes[1:]]),
        ["checkpoint_unsigned None checkpoint 1 is not signed by the log's key"],
    ),
    "a size changed": (
        _notes(lambda notes: [notes[0].replace(b"\n10\n", b"\n11\n"), *notes[1:]]),
        ["checkpoint_unsigned None checkpoint 1 is not signed by the log's key"],
    ),
    "a checkpoint that is none": (
        _notes(lambda notes: [b"x\n\ny", *notes]), ["checkpoint_malformed None checkpoint 1 is malformed"],
    ),
    "the header changed": (
        _lines(lambda lines: [lines[0].replace(b'"segment":1', b'"segment":2'), *lines[1:]]),
        ["malformed 1 the first line does not begin segment 1"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("log") / "audit"
    write_log(directory, 34)
    return directory


@pytest.mark.parametrize("name", EDITS)
def test_edits_are_found_and_named(name: str, written: Path, tmp_path: Path) -> None:
    log = tmp_path / "audit"
    shutil.copytree(written, log)
    edit, expected = EDITS[name]
    edit(log / "00")
    found = [f"{finding.kind.value} {finding.line} {finding.sentence}" for finding in verify_log(log).findings]
    assert found[: len(expected)] == expected
    assert bool(found) == bool(expected)


def test_a_cut_to_a_checkpoint_needs_one_from_elsewhere(written: Path, tmp_path: Path) -> None:
    log = tmp_path / "audit"
    shutil.copytree(written, log)
    kept = (log / "00" / "000001.checkpoints").read_bytes()
    _lines(lambda lines: lines[:20])(log / "00")
    _notes(lambda notes: notes[:2])(log / "00")
    assert verify_log(log).sound
    last = kept.rstrip(b"\n").rpartition(b"\n\nhexgate-audit/")[2]
    anchor = b"hexgate-audit/" + last + b"\n"
    assert [finding.sentence for finding in verify_log(log, anchors=[anchor]).findings] == [
        "the segment ends after line 20, and the checkpoint kept elsewhere vouches for 35: 15 lines are cut off"
    ]
    assert verify_log(written, anchors=[anchor]).anchors == 1


def test_every_checkpoint_of_a_text_that_was_kept_elsewhere_counts(written: Path, tmp_path: Path) -> None:
    log = tmp_path / "audit"
    shutil.copytree(written, log)
    kept = (log / "00" / "000001.checkpoints").read_bytes()
    notes, _ = split_checkpoints(kept)
    _lines(lambda lines: lines[:20])(log / "00")
    _notes(lambda notes: notes[:2])(log / "00")
    for text in (b"".join(notes), kept, b"\n" + kept):  # as a sink writes them, and as the log does
        found = verify_log(log, anchors=[text])
        assert found.anchors == len(notes) == 4
        assert [finding.sentence for finding in found.findings] == [
            "the segment ends after line 20, and the checkpoint kept elsewhere vouches for 30: 10 lines are cut off"
        ]
        assert verify_log(written, anchors=[text]).sound
    gone = tmp_path / "gone"
    write_log(gone, 3)
    assert len(verify_log(gone, anchors=[kept]).findings) == 1


@pytest.mark.parametrize("text", [b"", b"\n\n", b"NOTE\nno note\n", b"NOTENOTE\n\nno note\n", b"NOTENOTE"])
def test_a_text_that_holds_something_else_is_no_anchor(written: Path, text: bytes) -> None:
    note = split_checkpoints((written / "00" / "000001.checkpoints").read_bytes())[0][0]
    cut_off = note[:-1] if text.endswith(b"NOTE") else note
    with pytest.raises(CheckpointMalformedError, match=r"^the checkpoint is malformed$"):
        verify_log(written, anchors=[text.removesuffix(b"NOTE").replace(b"NOTE", note) + (cut_off if text.endswith(b"NOTE") else b"")])


def test_a_checkpoint_swapped_for_another_log_s(written: Path, tmp_path: Path) -> None:
    log, other = tmp_path / "audit", tmp_path / "other"
    shutil.copytree(written, log)
    write_log(other, 34)
    shutil.copy(other / "00" / "000001.checkpoints", log / "00" / "000001.checkpoints")
    assert [finding.sentence for finding in verify_log(log).findings] == [
        f"checkpoint {number} is of another log or segment" for number in (1, 2, 3, 4)
    ]


def test_a_log_written_again_with_another_key(written: Path, tmp_path: Path) -> None:
    key = verify_log(written).keys[0]
    other = tmp_path / "audit"
    write_log(other, 34)
    assert verify_log(other).sound
    found = verify_log(other, key=key).findings
    assert [finding.sentence for finding in found[:2]] == [
        "the segment names another key than the one asked for", "checkpoint 1 is not signed by the log's key"
    ]  # fmt: skip


def test_a_segment_removed_from_the_middle(tmp_path: Path) -> None:
    log = tmp_path / "audit"
    write_log(log, 60, every=5, size=8_000)
    files = segments(log)
    assert len(files) >= 4 and verify_log(log).sound
    files[1].unlink()
    assert [finding.sentence for finding in verify_log(log).findings] == ["segment 2 is missing"]


@pytest.mark.parametrize("kept", [0, 1])
def test_a_segment_that_was_ended_ends_with_a_checkpoint(kept: int, tmp_path: Path) -> None:
    """Whoever removes checkpoints could chain lines of their own."""
    log = tmp_path / "audit"
    write_log(log, 60, every=5, size=8_000)
    checkpoints = segments(log)[1].with_suffix(".checkpoints")
    notes, _ = split_checkpoints(checkpoints.read_bytes())
    last = read_checkpoint(notes[-1]).size
    vouched = read_checkpoint(notes[kept - 1]).size if kept else 0
    checkpoints.write_bytes(b"".join(note + b"\n" for note in notes[:kept]))
    assert [(finding.kind, finding.sentence) for finding in verify_log(log).findings] == [
        (Tampering.CHECKPOINT_MISSING, f"the segment was ended, and no checkpoint vouches for its last {last - vouched} lines")
    ]


def test_oldest_segments_may_be_archived(tmp_path: Path) -> None:
    log = tmp_path / "audit"
    write_log(log, 60, every=5, size=8_000)
    segments(log)[0].unlink()
    found = verify_log(log)
    assert found.sound and found.removed_segments == 1


def test_a_segment_exchanged_for_an_older_state_of_it(tmp_path: Path) -> None:
    log = tmp_path / "audit"
    write_log(log, 60, every=5, size=8_000)
    path = segments(log)[1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    kinds = {finding.kind.value for finding in verify_log(log).findings}
    assert kinds >= {"truncated", "changed"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_bytes_stays_unseen(data: st.DataObject, written: Path) -> None:
    """Any flipped byte, removed line or moved line before the last checkpoint is found."""
    path = written / "00" / "000001.ndjson"
    original = path.read_bytes()
    kind = data.draw(st.sampled_from(["flip", "remove", "move", "cut"]))
    if kind == "flip":
        at = data.draw(st.integers(0, len(original) - 1))
        changed = original[:at] + bytes([original[at] ^ data.draw(st.integers(1, 255))]) + original[at + 1 :]
    elif kind == "cut":
        changed = original[: data.draw(st.integers(0, len(original) - 1))]
    else:
        lines = original.splitlines(keepends=True)
        line = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
        if kind == "move":
            lines.insert(data.draw(st.integers(0, len(lines))), line)
        changed = b"".join(lines)
    try:
        path.write_bytes(changed)
        assert verify_log(written).sound == (changed == original)
    finally:
        path.write_bytes(original)
