"""Is a log what its key vouched for? Every edit, deletion, reordering and truncation is found and named (docs/audit.md A6).

Three controls: lines count up, each names its predecessor's hash, and signed checkpoints hold the tree's root. The first
two say which line; only the checkpoints cannot be recomputed by whoever can write the file, and only those that were
sent elsewhere (`anchors`) cannot be removed by them.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from hexgate.audit.checkpoint import (
    Checkpoint,
    CheckpointMalformedError,
    LogVerifier,
    is_signed,
    parse_verifier,
    read_checkpoint,
    split_notes,
)
from hexgate.audit.event import EventMalformedError, read_record
from hexgate.audit.merkle import Frontier
from hexgate.audit.read import strands_of
from hexgate.audit.segment import (
    FIRST_PREVIOUS,
    checkpoints_path,
    read_lines,
    segment_numbers,
    segment_path,
    split_checkpoints,
)

_DECISION = b'"type":"decision"'


class Tampering(Enum):
    """What can be wrong with a log. A closed set."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    REPEATED = "repeated"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    SEGMENT_MISSING = "segment_missing"
    CHECKPOINT_MISSING = "checkpoint_missing"
    CHECKPOINT_MALFORMED = "checkpoint_malformed"
    CHECKPOINT_UNSIGNED = "checkpoint_unsigned"
    CHECKPOINT_OF_ANOTHER_LOG = "checkpoint_of_another_log"
    CHECKPOINT_MISMATCH = "checkpoint_mismatch"
    KEY_CHANGED = "key_changed"
    TORN = "torn"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: where (a segment's path below the log, and the line from 1, if it is one), and one sentence."""

    kind: Tampering
    segment: str
    line: int | None
    sentence: str


@dataclass(slots=True)
class Verification:
    """What a log is worth. `vouched` counts the records under a checkpoint that matches; `keys` are the log's own words
    unless a key was asked for; `repaired` counts torn ends that were repaired; `oldest` says whether the beginning is there."""

    records: int = 0
    vouched: int = 0
    checkpoints: int = 0
    anchors: int = 0
    segments: int = 0
    repaired: int = 0
    unrecorded: int = 0
    removed_segments: int = 0
    keys: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify_log(path: Path, *, key: str | None = None, anchors: Sequence[bytes] = ()) -> Verification:
    """Verify a log's directory or one of its strands. `key` is the log's public key from elsewhere, as a note verifier;
    its raw key is what counts, since every strand has a name of its own. `anchors` are texts with checkpoints kept elsewhere, each with
    one or more.

    Raises NoLogError, OSError, and CheckpointMalformedError for a key or an anchor that is none.
    """
    verification = Verification()
    trusted = None if key is None else parse_verifier(key).raw
    pending = {note: read_checkpoint(note) for text in anchors for note in split_notes(text)}
    for strand in strands_of(path):
        _Strand(strand, strand.name if strand != path else "", trusted, pending, verification).verify()
    for origin in dict.fromkeys(checkpoint.origin for checkpoint in pending.values()):
        verification.findings.append(
            Finding(Tampering.SEGMENT_MISSING, "", None, f"the checkpoint `{origin}` kept elsewhere is of a segment that is not here")
        )
    return verification


@dataclass(slots=True)
class _Strand:
    """One strand's verification: the state that passes from line to line and from segment to segment."""

    directory: Path
    name: str
    trusted: bytes | None
    anchors: dict[bytes, Checkpoint]
    result: Verification
    seq: int = 0
    previous: str = FIRST_PREVIOUS
    log_id: str | None = None
    raw: bytes | None = None
    before: tuple[int, str] | None = None
    segment: str = ""
    first: int = 0

    def verify(self) -> None:
        numbers = segment_numbers(self.directory)
        expected = numbers[0]
        self.result.removed_segments += numbers[0] - 1
        for number in numbers:
            path = segment_path(self.directory, number)
            self.segment = f"{self.name}/{path.name}" if self.name else path.name
            self.result.segments += 1
            if number != expected:
                self._find(Tampering.SEGMENT_MISSING, None, f"segment {expected} is missing")
                self.before = None
            expected = number + 1
            self._verify_segment(path, number, known=number == numbers[0] or self.before is None, closed=number != numbers[-1])

    def _find(self, kind: Tampering, line: int | None, sentence: str) -> None:
        self.result.findings.append(Finding(kind, self.segment, line, sentence))

    def _verify_segment(self, path: Path, number: int, *, known: bool, closed: bool) -> None:
        lines = read_lines(path)
        first = next(lines, None)
        if first is None:
            self._require_end(path, 0)
            vouched = checkpoints_path(path)
            if closed or (vouched.exists() and vouched.stat().st_size):
                self._find(Tampering.TRUNCATED, 0, "the segment is empty, and was not when the log was written")
            return
        header = self._header(first, number, known)
        verifier = self._verifier(header)
        notes = self._notes(path, verifier, number)
        frontier = Frontier()
        size = length = 0
        wanted = {checkpoint.size for checkpoint, _ in notes}
        roots: dict[int, bytes] = {}
        previous, seq = self.previous.encode(), self.seq
        append = frontier.append
        for line in chain((first,), lines):
            size += 1
            length += len(line) + 1
            if not line.startswith(b'{"seq":%d,"prev":"%b","' % (seq, previous)):
                self.seq = seq
                self._explain(line, size, previous.decode())
                seq = self.seq
            seq += 1
            leaf = sha256(b"\0" + line).digest()
            previous = hexlify(leaf[:8])
            append(leaf)
            if size in wanted:
                roots[size] = frontier.root()
            if line.find(_DECISION, 0, 140) < 0:
                self._count(line)
        self.seq = seq
        self.previous = previous.decode()
        self.before = (size, frontier.root().hex())
        self.result.records += size
        self._require_end(path, length)
        good = self._compare(notes, roots, size)
        if closed and verifier is not None and good is not None and good < size:
            lines_ = "last line" if size - good == 1 else f"last {size - good} lines"
            self._find(Tampering.CHECKPOINT_MISSING, None, f"the segment was ended, and no checkpoint vouches for its {lines_}")

    def _header(self, line: bytes, number: int, known: bool) -> dict[str, Any]:
        try:
            header = read_record(line)
        except EventMalformedError as error:
            self._find(Tampering.MALFORMED, 1, f"the first line is no record: {error}")
            return {}
        if header["type"] != "segment" or header.get("segment") != number:
            self._find(Tampering.MALFORMED, 1, f"the first line does not begin segment {number}")
            return {}
        if known and type(header.get("seq")) is int and type(header.get("prev")) is str:
            # The segments before it are not here, so its own word is all there is.
            if number > 1 or self.before is not None:
                self.seq, self.previous = header["seq"], header["prev"]
        elif self.before is not None:
            said = header.get("previous")
            size, root = self.before
            if type(said) is not dict or said.get("size") != size or said.get("root") != root:
                self._find(Tampering.CHANGED, 1, f"segment {number - 1} is not what segment {number} was begun after")
        self.first = self.seq
        return header

    def _verifier(self, header: dict[str, Any]) -> LogVerifier | None:
        try:
            verifier = parse_verifier(header["key"])
        except (KeyError, AttributeError, TypeError, CheckpointMalformedError):
            self._find(Tampering.MALFORMED, 1, "the segment does not say which key signs its checkpoints")
            return None
        log_id = header.get("log")
        if self.log_id is not None and log_id != self.log_id:
            self._find(Tampering.CHECKPOINT_OF_ANOTHER_LOG, 1, "the segment belongs to another log")
        self.log_id = log_id if type(log_id) is str else None
        if self.trusted is not None and verifier.raw != self.trusted:
            self._find(Tampering.KEY_CHANGED, 1, "the segment names another key than the one asked for")
            verifier = LogVerifier(verifier.name, self.trusted)
        elif self.raw is not None and verifier.raw != self.raw:
            self._find(Tampering.KEY_CHANGED, 1, "the segment names another key than the one before it")
        self.raw = verifier.raw
        if verifier.text not in self.result.keys:
            self.result.keys.append(verifier.text)
        return verifier

    def _notes(self, path: Path, verifier: LogVerifier | None, number: int) -> list[tuple[Checkpoint, str]]:
        """The segment's checkpoints that are signed, with what they are called, and those kept elsewhere."""
        file = checkpoints_path(path)
        data = file.read_bytes() if file.exists() else b""
        raw, end = split_checkpoints(data)
        if end < len(data):
            self._find(Tampering.CHECKPOINT_MALFORMED, None, "the last checkpoint is cut off")
        notes = []
        for index, note in enumerate(raw, start=1):
            checkpoint = self._signed(note, verifier, number, f"checkpoint {index}")
            if checkpoint is not None:
                self.result.checkpoints += 1
                notes.append((checkpoint, f"checkpoint {index}"))
        for note, checkpoint in list(self.anchors.items()):
            if verifier is not None and checkpoint.origin == f"{verifier.name}/{number}":
                del self.anchors[note]
                if self._signed(note, verifier, number, "the checkpoint kept elsewhere") is not None:
                    self.result.anchors += 1
                    notes.append((checkpoint, "the checkpoint kept elsewhere"))
        return notes

    def _signed(self, note: bytes, verifier: LogVerifier | None, number: int, name: str) -> Checkpoint | None:
        try:
            checkpoint = read_checkpoint(note)
        except CheckpointMalformedError:
            self._find(Tampering.CHECKPOINT_MALFORMED, None, f"{name} is malformed")
            return None
        if verifier is None:
            return None
        if checkpoint.origin != f"{verifier.name}/{number}":
            self._find(Tampering.CHECKPOINT_OF_ANOTHER_LOG, None, f"{name} is of another log or segment")
            return None
        if not is_signed(note, verifier):
            self._find(Tampering.CHECKPOINT_UNSIGNED, None, f"{name} is not signed by the log's key")
            return None
        return checkpoint

    def _explain(self, line: bytes, number: int, previous: str) -> None:
        """Say why a line does not follow the one before it, and go on from its own word."""
        try:
            record = read_record(line)
            seq, named = record["seq"], record["prev"]
            if type(seq) is not int or type(named) is not str:
                raise KeyError
        except (EventMalformedError, KeyError):
            self._find(Tampering.MALFORMED, number, f"record {self.seq} is not readable")
            return
        if seq == self.seq and named != previous:
            what = "segment" if number == 1 else "record"
            self._find(Tampering.CHANGED, number - 1 or 1, f"{what} {self.seq - 1} was changed after record {seq} was written")
        elif seq > self.seq:
            names = f"record {self.seq} is" if seq == self.seq + 1 else f"records {self.seq} to {seq - 1} are"
            self._find(Tampering.MISSING, number, f"{names} missing here")
        elif seq == self.seq - 1:
            self._find(Tampering.REPEATED, number, f"record {seq} appears twice")
        elif seq < self.seq:
            self._find(Tampering.REORDERED, number, f"record {seq} stands after record {self.seq - 1}")
        elif not line.startswith(b'{"seq":%d,"prev":"%s","' % (seq, named.encode())):
            self._find(Tampering.CHANGED, number, f"record {seq} is not in the form that the log writes")
        self.seq = seq

    def _count(self, line: bytes) -> None:
        try:
            record = read_record(line)
        except EventMalformedError:
            return  # reported where lines are compared, or by the checkpoint
        self.result.repaired += record["type"] == "repaired"
        if record["type"] == "unrecorded" and type(record.get("denials")) is int:
            self.result.unrecorded += record["denials"]

    def _require_end(self, path: Path, length: int) -> None:
        if path.stat().st_size > length:
            self._find(Tampering.TORN, None, "the last line is torn; opening the log repairs and records it")

    def _compare(self, notes: list[tuple[Checkpoint, str]], roots: dict[int, bytes], size: int) -> int | None:
        """Hold the checkpoints to the tree: how many lines they vouch for, None where one fails. The first that does bounds where the
        change is."""
        good, failed = 0, False
        for checkpoint, name in sorted(notes, key=lambda found: found[0].size):
            if checkpoint.size > size:
                missing = checkpoint.size - size
                lines = "line is" if missing == 1 else "lines are"
                self._find(Tampering.TRUNCATED, size, f"the segment ends after line {size}, and {name} vouches for {checkpoint.size}: {missing} {lines} cut off")
                failed = True
                break
            if roots.get(checkpoint.size) != checkpoint.root and checkpoint.size > 0:
                self._find(Tampering.CHECKPOINT_MISMATCH, None, f"lines {good + 1} to {checkpoint.size} are not those that {name} vouches for")
                failed = True
                break
            good = checkpoint.size
        self.result.vouched += good
        return None if failed else good
