"""Reads the bundle vectors (`tests/vectors/bundle/README.md`), for every suite that runs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hexgate.bundle.refusal import Refusal
from hexgate.bundle.strict_members import parse_time
from hexgate.bundle.trust import Floor
from hexgate.bundle.trust_root import SignedLocation, TrustRoot, parse_hexgate_key

FOLDER = Path(__file__).parent / "vectors" / "bundle"
ACCEPTED = "accepted"
EXPECTATIONS = (*(refusal.value for refusal in Refusal), ACCEPTED)
"""The closed vocabulary of what a vector may expect."""

_MEMBERS = {"about", "bundle", "pad_to", "hexgate_key", "name", "now", "floor", "expect"}


@dataclass(frozen=True, slots=True)
class BundleVector:
    """A file, whom and what is asked for, and the one answer. `keys` is HEXGATE_KEY without the location; `now` is in seconds since
    the epoch; `expect` one of `EXPECTATIONS`."""

    id: str
    about: str
    file: Path
    pad_to: int | None
    keys: str
    name: str
    now: int
    floor: Floor | None
    expect: str

    @property
    def data(self) -> bytes:
        """The bundle's bytes."""
        return _read(self.file) if self.pad_to is None else _read(self.file).ljust(self.pad_to)

    @property
    def trust(self) -> TrustRoot:
        """Whom to trust."""
        found = parse_hexgate_key(f"{self.keys}@{self.name}.hexgate")
        assert isinstance(found, SignedLocation)
        return found.trust


@cache
def load_bundle_vectors() -> tuple[BundleVector, ...]:
    """All vectors, by name. Raises ValueError where there is none, or one is not of the form."""
    found = tuple(_vector(path) for path in sorted(FOLDER.glob("*.json")))
    if not found:
        raise ValueError(f"there are no bundle vectors in {FOLDER}")
    return found


def _vector(path: Path) -> BundleVector:
    members = json.loads(path.read_text(encoding="utf-8"))
    if {*members, "pad_to"} != _MEMBERS or members["expect"] not in EXPECTATIONS:
        raise ValueError(f"{path.name} is not of the form")
    floor = members["floor"]
    return BundleVector(
        path.stem,
        members["about"],
        FOLDER / members["bundle"],
        members.get("pad_to"),
        members["hexgate_key"],
        members["name"],
        _seconds(members["now"]),
        None if floor is None else Floor(floor["version"], floor["digest"], _seconds(floor["seen"])),
        members["expect"],
    )


def _seconds(text: str) -> int:
    found = parse_time(text)
    if found is None:
        raise ValueError(f"{text} is no time")
    return found


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()
