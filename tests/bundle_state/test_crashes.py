"""Writers that are killed, that race and that fork: the old content or the new, and a next start that works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("writers.py")), *arguments],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_kill_at_any_point_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    results = run("points", str(tmp_path))
    states = [r for r in results if r["what"] == "state"]
    outputs = [r for r in results if r["what"] == "output"]
    assert len(states) > 40
    assert len(outputs) > 10
    assert {r["version"] for r in states} == {2, 3, 4}
    assert {r["content"] for r in outputs} == {"old", "new"}
    assert {r["next"] for r in results} == {2}
    for result in results:
        if result["finished"]:
            assert (result["version"], result["content"]) == ((4, "old") if result["what"] == "state" else (2, "new"))
        (lock,) = [name for name in result["left"] if name.endswith(".lock")]
        assert result["left"] == [lock.replace(".lock", ".json"), lock]


def test_kills_at_random_times_lose_nothing(tmp_path: Path) -> None:
    result = run("random", str(tmp_path), "60")
    assert result["rises"]
    assert result["last"] > 0
    assert set(result["contents"]) <= {"new", "old"}
    assert [Path(name).suffix for name in result["left"] if not name.endswith(".partial")] == [".json", ".lock"]
    assert len(result["left"]) <= 3
    assert set(result["others"]) <= {".hexgate."}


def test_processes_that_race_count_without_a_gap(tmp_path: Path) -> None:
    assert run("race", str(tmp_path), "4", "25") == 100


def test_a_fork_while_the_locks_are_held_stops_nobody(tmp_path: Path) -> None:
    assert run("fork", str(tmp_path)) == {"child": [3, 5], "parent": 5}
