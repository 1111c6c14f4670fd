"""A server at a URL, as a command takes it: no secret on the command line, none in clear over a network."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from hexgate_cli.failures import InputError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2."""


def url_in(server: Sequence[str]) -> str | None:
    """The URL that a server is named by; None for a program. Raises InputError."""
    url = server[0]
    if not re.match(r"[Hh][Tt][Tt][Pp][Ss]?://", url):
        return None
    if len(server) > 1:
        raise InputError("a URL takes no arguments", help="name one server: a program with arguments, or a URL")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.username is not None or any(character.isspace() for character in url):
        raise InputError("the URL is none of a server", help="write `https://HOST/PATH`, and what the server asks for with `--header`")
    if parts.scheme == "http" and not _is_here(host):
        raise InputError("plain http is for servers on this machine", help="write `https://`")
    return url


def headers_of(options: Sequence[str] | None, url: str | None) -> dict[str, str]:
    """Headers by name, from `NAME=VARIABLE`. Raises InputError."""
    if options and url is None:
        raise InputError("--header goes with a URL", help="a program takes what it needs from its arguments and the environment")
    made: dict[str, str] = {}
    for option in options or ():
        name, equals, variable = option.partition("=")
        if not equals or not _NAME.fullmatch(name) or not variable:
            raise InputError("--header: there is no name and variable", help="write `--header Authorization=VARIABLE`, and the value into the variable")
        value = os.environ.get(variable)
        if value is None:
            raise InputError(f"--header: the environment has no `{variable}`", help=f"set it to the value of `{name}`")
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise InputError(f"--header: the value of `{variable}` is none of a header", help="it is printable ASCII without space around it")
        made[name] = value
    return made


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
