"""Tokens for people."""

from __future__ import annotations

from hexgate.identity.envelope import TOKEN_BLOCKS
from hexgate.identity.verifier import VerifiedUser
from hexgate_cli.rendering.token_words import describe_check, describe_fact, format_instant, format_term
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, pad
from hexgate_cli.token_summary import TokenSummary

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def format_summary(source: str, summary: TokenSummary, now: int, screen: Screen) -> str:
    """What a token says, block by block. `now` is in seconds since the epoch."""
    facts = _facts(summary, now)
    width = max(len(name) for name, _ in facts)
    lines = [screen.paint(escape_text(source), Colour.BOLD) + "  nothing in it was verified"]
    lines += [f"  {screen.paint(pad(name, width), Colour.DIM)}  {escape_text(value)}" for name, value in facts]
    for number, (block, id_) in enumerate(zip(summary.blocks, summary.envelope.ids, strict=True)):
        lines += ["", f"{screen.paint(f'block {number}', Colour.BOLD)}  revocation id {id_}"]
        if block.derives:
            lines.append("  no call at all: it derives facts, or chooses whom to trust")
        if summary.claims is None or number:
            lines += [f"  states {escape_text(describe_fact(fact))}" for fact in block.facts]
        lines += [f"  {escape_text(describe_check(check))}" for check in block.checks]
        if not (block.derives or block.checks or (block.facts and (summary.claims is None or number))):
            lines.append("  restricts nothing")
    if summary.refusal is not None:
        lines += ["", f"{screen.paint('refused everywhere', Colour.BOLD_RED)} ({summary.refusal.value}): {summary.detail}"]
    return "\n".join(lines) + "\n"


def _facts(summary: TokenSummary, now: int) -> list[tuple[str, str]]:
    claims = summary.claims
    facts = [("root key", "unnamed" if summary.envelope.root_key_id is None else str(summary.envelope.root_key_id))]
    if claims is not None:
        facts += [("user", claims.user.user_id), ("role", escape_name(claims.user.role))]
        if claims.narrower_roles:
            facts.append(("or rather", ", ".join(map(escape_name, claims.narrower_roles))))
        facts.append(("audience", ", ".join(map(escape_name, claims.audiences)) or "any that names none"))
        for fact in summary.blocks[0].facts:
            if fact.name == "attr":
                facts.append((f"attrs.{escape_text(str(fact.terms[0]))}", format_term(fact.terms[1])))
        facts.append(("time left", _time_left(summary, now)))
    sealed = ", sealed" if summary.envelope.next_seed is None else ""
    facts.append(("size", f"{summary.characters:,} characters, {len(summary.blocks)} of {TOKEN_BLOCKS} blocks{sealed}"))
    return facts


def _time_left(summary: TokenSummary, now: int) -> str:
    if summary.since is not None and now < summary.since:
        return f"not valid before {format_instant(summary.since)}"
    if summary.until is None:
        return "it never expires"
    if now >= summary.until:
        return f"none: expired at {format_instant(summary.until)}"
    return f"{format_duration(summary.until - now)}, until {format_instant(summary.until)}"


def format_duration(seconds: int) -> str:
    """The two largest units that are there: `1h 5m`."""
    parts: list[str] = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0s"


def format_verified(verified: VerifiedUser, tool: str | None, refusal: str | None, screen: Screen) -> str:
    """Whom a token is trusted to be, and whether it permits the call that was asked about."""
    until = "for ever" if verified.expires is None else f"until {format_instant(verified.expires)}"
    head = screen.paint("trusted", Colour.BOLD_GREEN)
    lines = [f"{head}: {escape_text(verified.user.user_id)} as {escape_name(verified.user.role)} {until}", f"  token id  {verified.token_id}"]
    if tool is not None:
        answer = "permitted" if refusal is None else f"refused ({refusal})"
        lines.append(f"  {escape_name(tool)}  {screen.paint(answer, Colour.GREEN if refusal is None else Colour.BOLD_RED)} by the token")
    return "\n".join(lines) + "\n"


def format_refused(refusal: str, detail: str, screen: Screen) -> str:
    """Why a token is not trusted."""
    return f"{screen.paint('not trusted', Colour.BOLD_RED)}: {refusal}\n  {detail}\n"
