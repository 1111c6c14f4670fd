"""One case of the vectors, before it is written."""

from __future__ import annotations

from dataclasses import dataclass

from tests.vectors.bundle.material import NAME, NOW, RELEASE, keys_text


@dataclass(frozen=True, slots=True)
class Case:
    """A file, whom and what is asked for, and the one answer. `floor` is version, digest and time seen; `pad_to` a length in bytes
    that the file is filled up to with spaces."""

    name: str
    about: str
    bundle: bytes
    expect: str
    hexgate_key: str = keys_text(RELEASE)
    asked: str = NAME
    now: str = NOW
    floor: tuple[int, str, str] | None = None
    pad_to: int | None = None
