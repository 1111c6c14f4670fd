"""What a module must be to run at all: its interface, and the limits that keep compiling and running it bounded."""

from __future__ import annotations

from dataclasses import dataclass

from hexgate.limits import MODULE_FUEL, MODULE_FUNCTIONS, MODULE_MEMORY_BYTES


class ModuleRefusedError(Exception):
    """A module is not one that this runtime runs. The message says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class Interface:
    """The exports that a module must have, exactly: names of constants, and the one function (i32) -> i32."""

    function: str
    globals: tuple[str, ...]


POLICY_INTERFACE = Interface("decide", ("input", "capacity", "abi"))
EXPRESSION_INTERFACE = Interface("evaluate", ("input", "capacity", "abi", "output"))


@dataclass(frozen=True, slots=True)
class ModuleLimits:
    """The most that a module may have. The defaults are this runtime's own; a bundle lowers the first three.

    Every limit but fuel is checked before anything is compiled, so that refusing costs no more than reading.
    """

    fuel: int = MODULE_FUEL
    """Units of fuel of an instance: what one call can spend at most."""
    memory: int = MODULE_MEMORY_BYTES
    """Size of the linear memory in bytes."""
    functions: int = MODULE_FUNCTIONS
    """Number of functions, and of entries of the table less one."""
    module: int = 4 * 2**20
    """Length in bytes."""
    body: int = 256 * 2**10
    """Length of one function's body in bytes: compiling takes more than linear time in it."""
    locals: int = 4_096
    """Locals of one function."""
    depth: int = 1_000
    """Nesting of blocks in one function."""
    branches: int = 1_024
    """Targets of one `br_table`."""
    types: int = 256
    """Number of function types."""
    parameters: int = 32
    """Parameters and results of one function type, together."""
    globals: int = 64
    """Number of globals."""
    segments: int = 64
    """Number of data segments, and of element segments."""
    data: int = 4 * 2**20
    """Length of all data segments together in bytes."""


RUNTIME_LIMITS = ModuleLimits()
