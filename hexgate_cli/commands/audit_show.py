"""`hexgate audit show`: one recorded decision."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hexgate.audit.checkpoint import CheckpointMalformedError, read_checkpoint
from hexgate.audit.event import NAME_CHARACTERS, AuditEvent, cut, encode_json
from hexgate.audit.merkle import inclusion_proof, leaf_hash, verify_inclusion
from hexgate.audit.read import strands_of
from hexgate.audit.segment import checkpoints_path, read_lines, segment_numbers, segment_path, split_checkpoints
from hexgate.strict_json import parse_json
from hexgate_cli.audit_records import LogPath, explained, read_entry
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.options import Format, FormatOption
from hexgate_cli.output import format_json
from hexgate_cli.rendering.audit_line import format_event
from hexgate_cli.terminal import screen_of


def command(
    log: LogPath,
    decision_id: Annotated[str, typer.Argument(metavar="ID", help="The decision's id, or a call's.", show_default=False)],
    proof: Annotated[
        bool, typer.Option("--proof", help="Add the proof that the log's newest checkpoint vouches for the line (JSON).")
    ] = False,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """The decision of an id, or the first decision of a call id. A proof has the line, its index in the segment's tree,
    the hashes of RFC 6962 section 2.1.1, and the signed checkpoint.
    """
    with explained(log):
        found = _find(Path(log), decision_id)
        if found is None:
            raise InputError(f"there is no decision `{decision_id}` in the log", help="`hexgate audit tail --format json` shows ids")
        segment, index, line, event = found
        if proof or format_ is Format.JSON:
            document: dict[str, Any] = {"event": parse_json(line)}
            if proof:
                document["proof"] = _prove(segment, index, line)
            sys.stdout.write(format_json(document))
        else:
            sys.stdout.write(format_event(event, screen_of(sys.stdout)))
    return ExitCode.OK


def _find(path: Path, wanted: str) -> tuple[Path, int, bytes, AuditEvent] | None:
    """The segment, the index in it, the line and the event of an id."""
    if path.is_file():
        files = [path]
    else:
        files = [segment_path(strand, number) for strand in strands_of(path) for number in segment_numbers(strand)]
    wanted = cut(wanted, NAME_CHARACTERS) or ""
    text = encode_json(wanted)[1:-1].encode()
    for file in files:
        for index, line in enumerate(read_lines(file)):
            if text in line:
                event = read_entry(line)
                if isinstance(event, AuditEvent) and wanted in (event.decision_id, event.call_id):
                    return file, index, line, event
    return None


def _prove(segment: Path, index: int, line: bytes) -> dict[str, Any]:
    """Raises CommandError where no checkpoint vouches for the line."""
    try:
        notes, _ = split_checkpoints(checkpoints_path(segment).read_bytes())
        note = notes[-1]
        checkpoint = read_checkpoint(note)
    except (FileNotFoundError, IndexError, CheckpointMalformedError):
        raise CommandError("the segment has no checkpoint yet", help="a log writes one every minute, and when it is closed") from None
    leaves = []
    for position, found in enumerate(read_lines(segment)):
        if position == checkpoint.size:
            break
        leaves.append(leaf_hash(found))
    if not index < len(leaves) == checkpoint.size:
        raise CommandError("no checkpoint vouches for the decision yet", help="a log writes one every minute, and when it is closed")
    hashes = inclusion_proof(leaves, index)
    if not verify_inclusion(leaves[index], index, checkpoint.size, hashes, checkpoint.root):
        raise CommandError("the log is not what its checkpoint vouches for", help="`hexgate audit verify` says what was changed")
    return {
        "line": line.decode("ascii", "backslashreplace"),
        "index": index,
        "hashes": [base64.b64encode(hash_).decode() for hash_ in hashes],
        "checkpoint": note.decode(),
    }
