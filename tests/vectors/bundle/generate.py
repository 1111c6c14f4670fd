"""Makes the vectors in this folder: `python -m tests.vectors.bundle.generate`.

With `--compile` the module is compiled again first; without it the one of `bundles/accepted.hexgate` stays. The rest follows from it, byte
for byte.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors.bundle.attacks_on_content import content_attacks
from tests.vectors.bundle.attacks_on_form import form_attacks
from tests.vectors.bundle.attacks_on_trust import trust_attacks
from tests.vectors.bundle.case import Case
from tests.vectors.bundle.material import Contents, compile_contents, contents_of
from tests.vectors.bundle.welcome import welcome_cases

FOLDER = Path(__file__).parent
ACCEPTED = FOLDER / "bundles" / "accepted.hexgate"
GENERATED = ("*.json", "bundles/*.hexgate")


def cases(contents: Contents) -> Iterator[Case]:
    """Every case, in no particular order."""
    yield from welcome_cases(contents)
    yield from trust_attacks(contents)
    yield from form_attacks(contents)
    yield from content_attacks(contents)


def files(contents: Contents) -> dict[str, bytes]:
    """The content of every generated file by its path below this folder. Bundles that are the same share one file."""
    made: dict[str, bytes] = {}
    names: dict[bytes, str] = {}
    for case in cases(contents):
        name = names.setdefault(case.bundle, f"bundles/{case.name}.hexgate")
        made[name] = case.bundle
        document: dict[str, Any] = {
            "about": case.about,
            "bundle": name,
            **({} if case.pad_to is None else {"pad_to": case.pad_to}),
            "hexgate_key": case.hexgate_key,
            "name": case.asked,
            "now": case.now,
            "floor": None if case.floor is None else {"version": case.floor[0], "digest": case.floor[1], "seen": case.floor[2]},
            "expect": case.expect,
        }
        path = f"{case.name}.json"
        if path in made:
            raise ValueError(f"two cases are called {case.name}")
        made[path] = (json.dumps(document, indent=2, ensure_ascii=True) + "\n").encode()
    return made


def main(arguments: list[str]) -> None:
    """Writes the files, and removes those that no case makes any more."""
    fresh = "--compile" in arguments or not ACCEPTED.exists()
    made = files(compile_contents() if fresh else contents_of(ACCEPTED.read_bytes()))
    ACCEPTED.parent.mkdir(exist_ok=True)
    for pattern in GENERATED:
        for path in FOLDER.glob(pattern):
            if path.relative_to(FOLDER).as_posix() not in made:
                path.unlink()
    for name, data in made.items():
        (FOLDER / name).write_bytes(data)
    sys.stdout.write(f"{sum(name.endswith('.json') for name in made)} vectors\n")


if __name__ == "__main__":
    main(sys.argv[1:])
