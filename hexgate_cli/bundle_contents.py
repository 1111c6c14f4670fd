"""What goes into a bundle: a module, its table and its vectors, from policies or from files that were compiled before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from hexgate.bundle.statement import Vector
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import RuleReference
from hexgate.decision.mask_paths import MaskPath
from hexgate.decision.outcomes import PolicyTable
from hexgate.decision.policy_table import PolicyTableError, read_table, write_table
from hexgate.parity.vectors import VectorError, signing_vectors
from hexgate.place import Place
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import read_bytes
from hexgate_cli.policies import require_inspection

SIGNED_VECTORS = 32
"""Vectors of a bundle, at most: a runtime replays them at each load, in microseconds each."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle is made of. `sources` are by their name within the policy set, `tool_schemas` the digests of schemas by tool,
    `masks` the paths that the policies keep out of logs."""

    wasm: bytes
    table_json: bytes
    sources: Mapping[str, bytes] = field(default_factory=dict)
    vectors: tuple[Vector, ...] = ()
    tool_schemas: Mapping[str, str] = field(default_factory=dict)
    masks: tuple[MaskPath, ...] = ()


def contents_of_policies(path: str, tools: str | None = None) -> Contents:
    """Compile a policy set. The same sources give the same contents wherever they lie. Raises CommandError."""
    policy, inspection = require_inspection(path, tools)
    compiled = compile_policy(policy)
    try:
        vectors = signing_vectors(policy, compiled, SIGNED_VECTORS)
    except VectorError as error:
        raise CommandError(
            f"nothing is signed, since the engines disagree: {error}", help="this is a fault of Hexgate; please report it with the policy"
        ) from None
    return Contents(
        compiled.wasm,
        write_table(name_files_within_set(compiled.table)),
        {PurePath(file).name: data for file, data in inspection.files.items()},
        tuple(Vector(request, answer) for request, answer in vectors),
        {} if inspection.schemas is None else inspection.schemas.digests,
        policy.masks,
    )


def contents_of_module(module: str, table: str) -> Contents:
    """A module and its table from files. There are no policies to derive vectors from. Raises CommandError."""
    table_json = read_bytes(table)
    try:
        read_table(table_json)
    except PolicyTableError as error:
        raise InputError(f"`{table}`: {error}", help="`hexgate compile --emit table` writes the table of a module") from None
    return Contents(read_bytes(module), table_json)


def name_files_within_set(table: PolicyTable) -> PolicyTable:
    """The table with places that name files as the set does, not as this machine does."""

    def within(place: Place) -> Place:
        return replace(place, file=PurePath(place.file).name)

    def rule(reference: RuleReference) -> RuleReference:
        constraints = tuple(replace(constraint, place=within(constraint.place)) for constraint in reference.constraints)
        return replace(reference, place=within(reference.place), constraints=constraints)

    return replace(table, rules=tuple(map(rule, table.rules)))
