"""Following a log: over segments, strands, torn ends, and lines that are not whole yet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hexgate.audit.log import AuditLog
from hexgate.audit.read import NoLogError, lines_of
from hexgate_cli.audit_follow import Follower
from tests.audit.logs import policy, record, rotation, segments, write_log


def amounts(lines: list[bytes]) -> list[int]:
    return [record["input"]["args"]["amount"] for record in map(json.loads, lines) if record["type"] == "decision"]


def test_every_record_is_seen_once_over_rotation(tmp_path: Path) -> None:
    with AuditLog(tmp_path, rotation=rotation(size=3_000)) as log:
        recorder = log.recorder(policy())
        record(recorder, 0)
        follower = Follower(tmp_path)
        seen = amounts(list(follower.begin()))
        for number in range(1, 40):
            record(recorder, number)
            if number % 7 == 0:
                seen += amounts(follower.look())
        seen += amounts(follower.look())
    assert len(segments(tmp_path)) > 5
    assert seen == list(range(40))
    assert follower.look() == []


def test_a_process_that_joins_is_seen(tmp_path: Path) -> None:
    first = AuditLog(tmp_path, rotation=rotation())
    record(first.recorder(policy()), 0)
    follower = Follower(tmp_path)
    assert amounts(list(follower.begin())) == [0]
    second = AuditLog(tmp_path, rotation=rotation())
    record(second.recorder(policy()), 2)
    record(first.recorder(policy()), 1)
    assert amounts(follower.look()) == [1, 2]
    assert amounts(list(lines_of(tmp_path))) == [0, 1, 2]


def test_a_line_is_seen_when_it_is_whole_and_a_torn_one_never(tmp_path: Path) -> None:
    write_log(tmp_path / "log", 2)
    path = segments(tmp_path / "log")[0]
    follower = Follower(path)
    whole = path.read_bytes()
    assert amounts(list(follower.begin())) == [0, 1]
    with path.open("ab") as file:
        file.write(b'{"type":')
    assert follower.look() == []
    with path.open("ab") as file:
        file.write(b'"x"}\n')
    assert follower.look() == [b'{"type":"x"}']
    path.write_bytes(whole + b"torn")
    assert follower.look() == []


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_log(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoLogError):
        Follower(tmp_path / name).begin()
