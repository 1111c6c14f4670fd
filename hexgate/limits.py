"""Named limits of the language and of requests, with their units. One definition, read by both engines."""

from __future__ import annotations

ITERATION_BUDGET = 10_000
"""Steps of comprehensions, and of functions that charge steps, in one evaluation of one constraint."""

ALLOCATION_BUDGET = 1_048_576
"""Bytes that strings, bytes, lists and maps built by one evaluation of one constraint may take together.
A string or bytes value counts its length in bytes, a list 16 per element, a map 32 per entry, and a step of a
comprehension that keeps its results 16 per node of its body."""

REQUEST_BYTES = 65_536
"""Length in bytes of the encoded part of a request that the rules of a tool read."""

REQUEST_DEPTH = 32
"""Nesting of a request value: a list or map nested deeper is an unsupported value."""

NAME_BYTES = 256
"""Length in bytes of a role, a tool name or a user id."""

EXPRESSION_CHARACTERS = 8_192
"""Length in code points of one constraint."""

EXPRESSION_DEPTH = 96
"""Nesting of one expression's tree."""

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1

TIMESTAMP_MIN = -62_135_596_800 * 10**9
"""0001-01-01T00:00:00Z in nanoseconds since the epoch (CEL language definition, "Timestamps")."""

TIMESTAMP_MAX = 253_402_300_800 * 10**9 - 1
"""9999-12-31T23:59:59.999999999Z in nanoseconds since the epoch."""

MODULE_FUEL = 1_000_000_000
"""Units of fuel that one call of a module may take: a hostile endless loop ends within about a second. It is more than
what the largest operands of a request make any function take (tests/prelude/test_work.py)."""

MODULE_MEMORY_BYTES = 16 * 2**20
"""Size of a module's linear memory in bytes: the heap, the largest request and all the data that a module can bring fit."""

MODULE_FUNCTIONS = 20_000
"""Number of functions of a module: compiling empty ones costs about 35 us and 5 KiB each."""

BUNDLE_BYTES = 16 * 2**20
"""Length of a bundle's file in bytes."""

ABI_VERSION = 1
"""The version of the module's interface (docs/abi.md)."""
