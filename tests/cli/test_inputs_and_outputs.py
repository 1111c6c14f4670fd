"""Instants, recorded calls, files that are there whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import parse_instant
from hexgate_cli.output import format_json_line, write_file
from hexgate_cli.recorded_calls import Defaults, parse_calls
from tests.shared_data import shared_data

INSTANTS = [
    ("0", 0),
    ("-1", -(10**9)),
    ("1700000000", 1_700_000_000 * 10**9),
    ("1970-01-01T00:00:00Z", 0),
    ("2026-01-31T09:00:00Z", 1_769_850_000 * 10**9),
    ("2026-01-31T09:00:00.000000001+01:00", 1_769_846_400 * 10**9 + 1),
    ("0001-01-01T00:00:00Z", -62_135_596_800 * 10**9),
]
NO_INSTANTS = [
    ("", "`` is no instant"),
    ("now", "`now` is no instant"),
    ("2026-01-31", "`2026-01-31` is no instant"),
    ("2026-02-30T00:00:00Z", "`2026-02-30T00:00:00Z` is no instant"),
    ("2026-01-31T09:00:00", "`2026-01-31T09:00:00` is no instant"),
    ("1.5", "`1.5` is no instant"),
    ("99999999999999", "`99999999999999` is outside the years 1 to 9999"),
    ("0001-01-01T00:00:00+01:00", "`0001-01-01T00:00:00+01:00` is outside the years 1 to 9999"),
]


@pytest.mark.parametrize(("text", "nanoseconds"), INSTANTS)
def test_an_instant_is_rfc_3339_or_seconds(text: str, nanoseconds: int) -> None:
    assert parse_instant(text) == nanoseconds


@pytest.mark.parametrize(("text", "message"), NO_INSTANTS)
def test_what_is_no_instant_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_instant(text)
    assert caught.value.message == message


DEFAULTS = Defaults("r", "u", 7)


@pytest.mark.parametrize("file", ["tau2/calls.jsonl", "agentdojo/user_calls.jsonl"])
def test_recordings_of_others_are_read(file: str) -> None:
    path = shared_data(*file.split("/"))
    with path.open("rb") as lines:
        calls = list(parse_calls(lines, file, DEFAULTS))
    raw = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert len(calls) == len(raw) > 100
    assert [(call.request.tool, call.request.args) for call in calls] == [(r["tool"], r["args"]) for r in raw]
    assert all(call.request.user.role == "r" and call.request.now == 7 and not call.expectation for call in calls)


MISSPELT = [("tol", "tool"), ("arg", "args"), ("expected", "expect"), ("contraint", "constraint"), ("resources", "resource")]


@pytest.mark.parametrize(("key", "meant"), MISSPELT)
def test_a_key_that_looks_misspelt_is_refused(key: str, meant: str) -> None:
    call = {"tool": "t", key: "allow"}
    call.pop(meant, None)
    with pytest.raises(InputError) as caught:
        list(parse_calls([json.dumps(call).encode()], "f", DEFAULTS))
    assert (caught.value.message, caught.value.help) == (f"f:1: unknown key `{key}`", f"did you mean `{meant}`?")


def test_a_file_is_replaced_with_its_permissions_and_through_links(tmp_path: Path) -> None:
    target, link = tmp_path / "a", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_file(str(link), b"new")
    assert target.read_bytes() == b"new"
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        write_file(str(tmp_path / "a"), b"x")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(CommandError) as caught:
        write_file(str(tmp_path / "directory"), b"x")
    assert caught.value.message == f"cannot write `{tmp_path / 'directory'}`: is a directory"
    assert [path.name for path in tmp_path.iterdir()] == ["directory"]


def test_a_long_name_is_written(tmp_path: Path) -> None:
    name = "a" * 250
    write_file(str(tmp_path / name), b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_file(str(pipe), b"x" * 200_000)
    reader.join(timeout=30)
    assert received == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_that_is_read_only_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (str(target), os.W_OK))
    with pytest.raises(CommandError) as caught:
        write_file(str(target), b"new")
    assert caught.value.message == f"cannot write `{target}`: permission denied"
    assert target.read_bytes() == b"old"


NO_PATHS = [("", "no such file or directory"), ("a\0b", "embedded null byte")]


@pytest.mark.parametrize(("path", "reason"), NO_PATHS)
def test_what_is_no_path_is_not_written(path: str, reason: str) -> None:
    with pytest.raises(CommandError) as caught:
        write_file(path, b"x")
    assert caught.value.message == f"cannot write `{path}`: {reason}"


def test_json_lines_are_encodable_and_one_line() -> None:
    line = format_json_line({"a": "\ud800\u2028\x85\n"})
    assert line == '{"a":"\\ud800\\u2028\\u0085\\n"}\n'
    assert json.loads(line) == {"a": "\ud800\u2028\x85\n"}
