"""Signed notes: the published example of Go's note package, and what is no checkpoint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hexgate.audit.checkpoint import (
    Checkpoint,
    CheckpointMalformedError,
    is_signed,
    open_signer,
    parse_verifier,
    read_checkpoint,
)
from hexgate.audit.segment import split_checkpoints

VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
"""The documentation of golang.org/x/mod/sumdb/note."""


def test_a_note_of_another_implementation_verifies() -> None:
    verifier = parse_verifier(VERIFIER)
    assert verifier.text == VERIFIER
    assert is_signed(NOTE, verifier)
    assert is_signed(NOTE + "— somebody.else AAAAAAAA\n".encode(), verifier)


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace(b"think", b"thing"),
        NOTE.replace(b"x08g", b"x08h"),
        NOTE.replace(b"PeterNeumann", b"PeterNewmann"),
        NOTE.replace(b"AM=", b"AN="),
        NOTE.partition(b"\n\n")[0],
        NOTE.partition(b"\n\n")[0] + b"\n\n",
        b"",
    ],
)
def test_changed_notes_do_not(note: bytes) -> None:
    assert not is_signed(note, parse_verifier(VERIFIER))


def test_a_checkpoint_is_read_back(tmp_path: Path) -> None:
    signer = open_signer(tmp_path)
    checkpoint = Checkpoint("hexgate-audit/ab/1", 7, bytes(range(32)))
    note = signer.sign(checkpoint, "hexgate-audit/ab")
    assert read_checkpoint(note) == checkpoint
    assert is_signed(note, signer.verifier("hexgate-audit/ab"))
    assert not is_signed(note, signer.verifier("hexgate-audit/cd"))
    assert split_checkpoints((note + b"\n") * 3 + note[:-9]) == ([note] * 3, 3 * len(note) + 3)
    assert open_signer(tmp_path).verifier("x") == signer.verifier("x")


KEYS = ["", "a", "a+b", "a+b+c", "a+b+" + "A" * 44, VERIFIER.replace("c74", "c75"), VERIFIER.replace("+AR", "+BR"), VERIFIER + "A", VERIFIER + "\n"]


@pytest.mark.parametrize("text", KEYS)
def test_texts_that_are_no_key(text: str) -> None:
    with pytest.raises(CheckpointMalformedError, match=re.escape("the log's key is not of the form `NAME+HASH+KEY`")):
        parse_verifier(text)


BODIES = [
    b"", b"o\n1\nAA==\n\n", b"o\n-1\n" + b"A" * 43 + b"=\n\n", b"o\n01\n" + b"A" * 43 + b"=\n\n", b"o\n1\n" + b"A" * 43 + b"=\nextra\n\n",
    b"o\n1\n" + b"A" * 42 + b"B=\n\n", b"o\n1\n" + b"A" * 43 + b"=\n", b"\xff\n1\n" + b"A" * 43 + b"=\n\n", b"o\n" + b"9" * 5000 + b"\n" + b"A" * 43 + b"=\n\n",
]  # fmt: skip


@pytest.mark.parametrize("note", BODIES)
def test_texts_that_are_no_checkpoint(note: bytes) -> None:
    with pytest.raises(CheckpointMalformedError, match=re.escape("the checkpoint is malformed")):
        read_checkpoint(note)
