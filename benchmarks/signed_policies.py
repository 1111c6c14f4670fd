"""Signed bundles of small policies, for measurements and tests of what runs them."""

from __future__ import annotations

from functools import cache

from benchmarks.policies import checked
from hexgate.bundle.keys import SigningKey, generate_key
from hexgate.bundle.sign import candidate, sign_bundle
from hexgate.bundle.statement import AuditSettings, IdentitySettings, Vector
from hexgate.compiler.compile import compile_policy
from hexgate.decision.policy_table import write_table
from hexgate.parity.vectors import signing_vectors

ISSUED, EXPIRES = 1_790_000_000, 1_800_000_000
KEY = generate_key()


def refunds_up_to(amount: int) -> dict[str, bytes]:
    """A policy that allows refunds up to an amount, and holds wires."""
    text = (
        "version: 1\ntools:\n  refund:\n    mode: allow\n    message: too much\n    constraints:\n"
        f"      - args.amount <= {amount}\n  wire:\n    mode: approval_required\n"
    )
    return {"billing.yaml": text.encode()}


def signed(
    amount: int,
    version: int,
    *,
    name: str = "policy",
    keys: tuple[SigningKey, ...] = (KEY,),
    issued_at: int = ISSUED,
    not_after: int = EXPIRES,
    audit: AuditSettings | None = None,
    identity: IdentitySettings | None = None,
) -> bytes:
    """The bundle of `refunds_up_to` under a version."""
    files = refunds_up_to(amount)
    return signed_policy(
        files, version, name=name, keys=keys, issued_at=issued_at, not_after=not_after, audit=audit, identity=identity
    )


def signed_policy(
    files: dict[str, bytes],
    version: int,
    *,
    name: str = "policy",
    keys: tuple[SigningKey, ...] = (KEY,),
    issued_at: int = ISSUED,
    not_after: int = EXPIRES,
    audit: AuditSettings | None = None,
    identity: IdentitySettings | None = None,
) -> bytes:
    """The bundle of a policy under a version."""
    wasm, table, vectors = _compiled(tuple(files.items()))
    unsigned = candidate(
        wasm,
        table,
        name=name,
        version=version,
        issued_at=issued_at,
        not_after=not_after,
        sources=files,
        vectors=vectors,
        audit=audit,
        identity=identity,
    )
    return sign_bundle(unsigned, keys)


@cache
def _compiled(files: tuple[tuple[str, bytes], ...]) -> tuple[bytes, bytes, tuple[Vector, ...]]:
    policy = checked(dict(files))
    compiled = compile_policy(policy)
    vectors = tuple(Vector(*vector) for vector in signing_vectors(policy, compiled, 8))
    return compiled.wasm, write_table(compiled.table), vectors
