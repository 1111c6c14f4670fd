"""Named limits of the proxy, with their units."""

from __future__ import annotations

MESSAGE_BYTES = 16 * 2**20
"""Length in bytes of one message, without its line break."""

MESSAGE_SIGNS = 1_000_000
"""Commas and opening brackets in one message: what its values may take in memory."""

EDGE_BYTES = 512
"""What is kept of either end of a longer message, to find the id that it answers or asks with."""

ID_CHARACTERS = 256
"""Length in code points of a request's id."""

ID_INTEGER = 2**53 - 1
"""The largest integer that is a request's id: what every JSON reader keeps exactly."""

OPEN_REQUESTS = 10_000
"""Requests of the client that the server has not answered yet."""

OPEN_TASKS = 10_000
"""Tasks of one conversation that are remembered."""

CLOSING_SECONDS = 5.0
"""For the server to end by itself once its input is closed."""

TERMINATING_SECONDS = 2.0
"""For the server to end once it was told to."""

STALLED_SECONDS = 120.0
"""For the server to take a message off its input."""

NOTES = 20
"""Notes about messages that were dropped, on standard error, before no more are written."""
