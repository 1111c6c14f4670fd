"""Processes that write state and files while they are killed. Run as a script of its own, which has no threads to fork with:
`writers.py points FOLDER`, `writers.py random FOLDER ROUNDS`, `writers.py race FOLDER PROCESSES COUNT`, `writers.py fork FOLDER`. Prints JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hexgate.atomic_file import replace_file
from hexgate.bundle.floors import Floors, ProcessFloors
from hexgate.bundle.state import StateDirectory
from hexgate.bundle.trust import Floor

NAME, LOCATION, DIGEST = "billing", "/etc/billing.hexgate", "a" * 64
CALLS = ("open", "write", "fsync", "replace", "close", "unlink", "mkdir", "fchmod")
OLD, NEW = b"old " * 5_000, b"new " * 7_000


def write_state(folder: Path) -> None:
    """Two versions more, so that the second meets what the first left."""
    state = StateDirectory(folder / "state")
    for _ in range(2):
        state.update(NAME, LOCATION, lambda floor: Floor(floor.version + 1 if floor else 1, DIGEST, 0))


def write_output(folder: Path) -> None:
    replace_file(folder / "output", NEW)


def version_of(folder: Path) -> int:
    floor = StateDirectory(folder / "state").read(NAME, LOCATION)
    return 0 if floor is None else floor.version


def die_at(call: int, half: bool) -> Callable[[], int]:
    """Die by SIGKILL before the n-th system call that matters; with `half`, when it is a write, after half of it is done."""
    count = 0

    def wrap(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == call:
                if half and name == "write":
                    original(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **options)

        return counted

    for name in CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))
    return lambda: count


def points(folder: Path) -> list[dict[str, Any]]:
    """Kill a writer before each of its system calls in turn; what is left must be old or new, and the next writer must succeed."""
    results = []
    for what, write in (("state", write_state), ("output", write_output)):
        for half in (False, True):
            call = 0
            finished = False
            while not finished:
                call += 1
                place = folder / f"{what}-{half}-{call}"
                place.mkdir()
                (place / "output").write_bytes(OLD)
                write_state(place)
                child = os.fork()
                if child == 0:
                    die_at(call, half)
                    write(place)
                    os._exit(0)
                finished = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                content = {OLD: "old", NEW: "new"}.get((place / "output").read_bytes(), "broken")
                version = version_of(place)
                write_state(place)
                write_output(place)
                results.append({
                    "what": what, "finished": finished, "content": content, "version": version, "next": version_of(place) - version,
                    "left": sorted(p.name for p in (place / "state").iterdir()),
                })  # fmt: skip
    return results


def kill_at_random(folder: Path, rounds: int) -> dict[str, Any]:
    """Kill a writer that never stops, after a random time, again and again in one place."""
    folder = folder / "random"
    folder.mkdir()
    (folder / "output").write_bytes(OLD)
    generator = random.Random(7)
    versions = [0]
    contents = set()
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            while True:
                write_state(folder)
                replace_file(folder / "output", NEW)
                replace_file(folder / "output", OLD)
        time.sleep(generator.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        versions.append(version_of(folder))
        contents.add({OLD: "old", NEW: "new"}.get((folder / "output").read_bytes(), "broken"))
    return {
        "rises": versions == sorted(versions), "last": versions[-1], "contents": sorted(contents),
        "left": sorted(p.name for p in (folder / "state").iterdir()),
        "others": sorted(p.name[:9] for p in folder.iterdir() if p.name not in ("output", "state")),
    }  # fmt: skip


def race(folder: Path, processes: int, count: int) -> int:
    """Processes that each raise one floor `count` times: the version at the end."""
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            state = StateDirectory(folder / "state")
            for _ in range(count):
                state.update(NAME, LOCATION, lambda floor: Floor(floor.version + 1 if floor else 1, DIGEST, 0))
            os._exit(0)
        children.append(child)
    for child in children:
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            raise ChildProcessError("a writer failed")
    return version_of(folder)


def fork_while_held(folder: Path) -> dict[str, Any]:
    """Fork while another thread holds the locks: the child has the parent's floors and waits for no lock that nobody can release; and
    once the parent lets go, the child's copy of the descriptor keeps nobody out."""
    process = ProcessFloors()
    process.update(NAME, LOCATION, lambda _: Floor(3, DIGEST, 0))
    held, let_go = threading.Event(), threading.Event()

    def hold(floor: Floor | None) -> Floor:
        held.set()
        let_go.wait()
        return Floor(4, DIGEST, 0)

    parent = threading.Thread(target=lambda: Floors(StateDirectory(folder / "state"), process).update(NAME, LOCATION, hold))
    parent.start()
    held.wait()
    reader, writer = os.pipe()
    gate_reader, gate_writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # longer than anybody waits for a lock
        inherited = process.read(NAME, LOCATION)
        raised = process.update(NAME, LOCATION, lambda floor: Floor(floor.version + 2 if floor else 1, DIGEST, 0))
        os.write(writer, json.dumps([inherited.version if inherited else 0, raised.version]).encode())
        os.read(gate_reader, 1)  # lives on, with a copy of the lock's descriptor
        os._exit(0)
    os.close(writer)
    answer = json.loads(os.read(reader, 100))
    let_go.set()
    parent.join()
    after = StateDirectory(folder / "state").update(NAME, LOCATION, lambda floor: Floor(floor.version + 1 if floor else 1, DIGEST, 0))
    os.write(gate_writer, b"x")
    os.waitpid(child, 0)
    return {"child": answer, "parent": after.version}


if __name__ == "__main__":
    command, place, *numbers = sys.argv[1:]
    commands: dict[str, Callable[..., Any]] = {"points": points, "random": kill_at_random, "race": race, "fork": fork_while_held}
    print(json.dumps(commands[command](Path(place), *map(int, numbers))))
