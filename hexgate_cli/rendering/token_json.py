"""Tokens for programs (`schemas/token.schema.json`)."""

from __future__ import annotations

import base64
from typing import Any

from hexgate.identity.profile import is_evaluated
from hexgate.identity.refusal import TokenRefusedError
from hexgate.identity.verifier import VerifiedUser
from hexgate.values import Timestamp
from hexgate_cli.rendering.token_words import describe_check, describe_fact, format_instant
from hexgate_cli.token_summary import TokenSummary


def summary_to_dict(summary: TokenSummary) -> dict[str, Any]:
    """What a token says; nothing of it is verified."""
    claims = summary.claims
    return {
        "verified": False,
        "rootKeyId": summary.envelope.root_key_id,
        "claims": None
        if claims is None
        else {
            "user": claims.user.user_id,
            "role": claims.user.role,
            "narrowerRoles": list(claims.narrower_roles),
            "audiences": list(claims.audiences),
            "attributes": {name: _attribute(value) for name, value in claims.user.attrs.items()},
            "notBefore": None if summary.since is None else format_instant(summary.since),
            "notAfter": None if summary.until is None else format_instant(summary.until),
        },
        "refusal": None if summary.refusal is None else summary.refusal.value,
        "sealed": summary.envelope.next_seed is None,
        "blocks": [
            {
                "revocationId": id_,
                "derives": block.derives,
                "facts": [describe_fact(fact) for fact in block.facts],
                "checks": [{"evaluated": is_evaluated(check), "words": describe_check(check)} for check in block.checks],
            }
            for block, id_ in zip(summary.blocks, summary.envelope.ids, strict=True)
        ],
    }


def _attribute(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_attribute(element) for element in value]
    if isinstance(value, Timestamp):
        return {"timestamp": format_instant(value.nanoseconds // 10**9)}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    return value


def verified_to_dict(verified: VerifiedUser, tool: str | None, refusal: str | None) -> dict[str, Any]:
    """Whom a token is trusted to be, and the answer on the call that was asked about."""
    return {
        "trusted": True,
        "refusal": None,
        "user": verified.user.user_id,
        "role": verified.user.role,
        "roles": sorted(verified.roles),
        "tokenId": verified.token_id,
        "notAfter": None if verified.expires is None else format_instant(verified.expires),
        "call": None if tool is None else {"tool": tool, "permitted": refusal is None, "refusal": refusal},
    }


def refused_to_dict(error: TokenRefusedError) -> dict[str, Any]:
    """Why a token is not trusted."""
    return {
        "trusted": False, "refusal": error.refusal.value, "user": None, "role": None, "roles": [], "tokenId": None, "notAfter": None, "call": None,
    }  # fmt: skip
