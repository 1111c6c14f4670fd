"""Where a bundle comes from: bytes, and what tells whether they have changed. Nothing here trusts what it brings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells one content of a file from another: times in nanoseconds, size in bytes, and which file it is."""

    modified: int
    changed: int
    size: int
    inode: int
    device: int


@dataclass(frozen=True, slots=True)
class Validators:
    """What a source needs to know whether its bundle has changed; made by the source, handed back to it, else opaque.

    `etag` and `last_modified` are header fields as the server sent them (RFC 9110, 8.8), `stamp` a file's.
    """

    etag: str | None = None
    last_modified: str | None = None
    stamp: FileStamp | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bundle's bytes, unverified. Without `validators` the source cannot tell later whether they have changed."""

    data: bytes
    validators: Validators | None


@dataclass(frozen=True, slots=True)
class NotModified:
    """The source says that what was fetched last is still what it has."""


FetchResult: TypeAlias = Fetched | NotModified


class SourceFault(Enum):
    """Why no bundle could be fetched. Closed: audit records, metrics and tests name these."""

    ADDRESS = "address"
    """The location is not one that this source reads."""
    NOT_FOUND = "not_found"
    """There is no such file, or the server has none."""
    NOT_A_FILE = "not_a_file"
    """The path leads to a directory, a device, a pipe or a socket."""
    UNREADABLE = "unreadable"
    """The file cannot be read, or the server does not hand the bundle over."""
    CHANGING = "changing"
    """The file was written to each time that it was read."""
    TOO_LARGE = "too_large"
    """More bytes than the limit."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke before an answer came."""
    TLS = "tls"
    """The server's certificate, or its TLS, is not one to rely on."""
    TIMEOUT = "timeout"
    """Connecting, a read, or all of it took too long."""
    TRUNCATED = "truncated"
    """The answer ended before the length that it announced."""
    REDIRECT = "redirect"
    """A redirect to another host, to an address without TLS, or too many."""
    STATUS = "status"
    """The server answered with a failure."""
    PROTOCOL = "protocol"
    """The answer is not one that RFC 9110 and RFC 9112 allow here."""


class SourceError(Exception):
    """No bundle could be fetched. `sentence` says what happened, `help` what to do; the text is both."""

    def __init__(self, kind: SourceFault, sentence: str, help: str) -> None:  # noqa: A002
        super().__init__(f"{sentence}; {help}")
        self.kind = kind
        self.sentence = sentence
        self.help = help


class BundleSource(Protocol):
    """A place that has a bundle. Safe to use from several threads."""

    @property
    def location(self) -> str:
        """The URL as the operator wrote it, or the absolute path. It may hold what is not for logs: see `shown`."""

    @property
    def shown(self) -> str:
        """The location for logs and errors: printable, and without a URL's query."""

    def fetch(self, previous: Validators | None) -> FetchResult:
        """The bundle's bytes, or NotModified where they are those that `previous` came with. Raises SourceError."""


def open_source(location: str, *, limit: int) -> BundleSource:
    """The source for a location: an `https://` URL or a path. `limit` bounds the bundle, in bytes. Fetches nothing yet.

    Raises SourceError for an address that can be neither. The HTTPS client is loaded only for a URL: importing it costs a
    process with a file more than reading and verifying the bundle.
    """
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]+(?=://)", location)  # RFC 3986, 3.1; one letter is a drive
    if scheme is None:
        from hexgate.runtime.file_source import FileSource

        return FileSource(Path(location), limit=limit)
    if scheme[0].lower() != "https":
        raise SourceError(
            SourceFault.ADDRESS, "a bundle is read from a path or from an `https://` address only", "name one of these"
        )
    from hexgate.runtime.https_source import HttpsSource

    return HttpsSource(location, limit=limit)
