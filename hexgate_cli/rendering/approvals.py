"""Requests for approval, for people and for programs (schemas/approval.schema.json, schemas/approvals.schema.json)."""

from __future__ import annotations

import json
from typing import Any

from hexgate.approvals.request import State
from hexgate.approvals.steps import StoredRequest
from hexgate.audit.event import format_timestamp
from hexgate_cli.approval_inputs import state_at
from hexgate_cli.rendering.table import Cell, format_table
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, shorten

COLOURS = {
    State.PENDING: Colour.BOLD_YELLOW,
    State.APPROVED: Colour.BOLD_GREEN,
    State.DENIED: Colour.BOLD_RED,
    State.EXPIRED: Colour.DIM,
    State.CONSUMED: Colour.DIM,
}


def format_list(found: list[StoredRequest | str], now: int, screen: Screen) -> str:
    """A table, the latest request first. Ends with a line break."""
    if not found:
        return "no request\n"
    rows: list[list[Cell]] = []
    for one in found:
        if isinstance(one, str):
            rows.append([(escape_name(one), None), ("altered", Colour.BOLD_RED), *[("-", Colour.DIM)] * 4])
            continue
        request, state = one.request, state_at(one, now)
        rows.append([
            (escape_name(request.id), None),
            (state.value, COLOURS[state]),
            (_time(request.expires), None),
            (escape_name(request.tool), None),
            (f"{escape_name(request.user)} ({escape_name(request.role)})", None),
            (_approvers(request.held_by.approvers), None),
        ])  # fmt: skip
    return format_table(["id", "state", "until", "tool", "user", "approvers"], rows, "<<<<<<", screen) + "\n"


def format_request(stored: StoredRequest, now: int, screen: Screen) -> str:
    """A request in full. Ends with a line break."""
    request, state = stored.request, state_at(stored, now)
    rule = request.held_by
    head = f"{screen.paint(state.value, COLOURS[state])}  {escape_name(request.tool)} for {escape_name(request.user)} ({escape_name(request.role)})"
    rows = [
        ("id", request.id),
        ("made", _time(request.created)),
        ("until", _time(request.expires)),
        ("held by", f"rule {rule.number + 1} of {escape_name(rule.tool)} in {'the boundary' if rule.role is None else escape_name(rule.role)}"),
        *(("", shorten(escape_text(" ".join(text.split())), 120)) for text in rule.constraints),
        ("approvers", _approvers(rule.approvers)),
        ("decided", "" if stored.decided is None else _time(stored.decided)),
        ("by", "" if stored.approver is None else escape_text(stored.approver.name)),
        ("used", "" if stored.consumed is None else _time(stored.consumed)),
        ("bundle", escape_name(request.bundle or "none: policies in development")),
        ("digest", request.digest),
    ]
    lines = [head, *(f"  {title:<10}{text}".rstrip() for title, text in rows if text), "  arguments"]
    for root in request.shown.values():
        members = root.items() if isinstance(root, dict) else ()
        # Whole, however long: what is approved is the whole of it, and an end that is cut off may be what matters.
        lines += [f"    {escape_name(name)}: {escape_text(json.dumps(value, ensure_ascii=False))}" for name, value in members]
    for title, pointers in (("masked", request.masked), ("not shown", request.erased)):
        if pointers:
            lines.append(f"    {title}: {', '.join(escape_name(pointer.removeprefix('/input/')) for pointer in pointers)}")
    return "\n".join(lines) + "\n"


def _approvers(names: tuple[str, ...]) -> str:
    return ", ".join(escape_text(name) for name in names) or "anybody else with a token"


def _time(nanoseconds: int) -> str:
    return format_timestamp(nanoseconds)[:19] + "Z"


def list_to_dict(found: list[StoredRequest | str], now: int) -> dict[str, Any]:
    """The list as JSON; altered ones by their ids."""
    return {
        "requests": [request_to_dict(one, now) for one in found if not isinstance(one, str)],
        "altered": [one for one in found if isinstance(one, str)],
    }


def request_to_dict(stored: StoredRequest, now: int) -> dict[str, Any]:
    """A request as JSON."""
    request, approver = stored.request, stored.approver
    rule = request.held_by
    return {
        "id": request.id,
        "state": state_at(stored, now).value,
        "digest": request.digest,
        "tool": request.tool,
        "user": request.user,
        "role": request.role,
        "bundle": request.bundle,
        "args": request.shown.get("args", {}),
        "masked": [pointer.removeprefix("/input") for pointer in request.masked],
        "erased": [pointer.removeprefix("/input") for pointer in request.erased],
        "rule": {"role": rule.role, "tool": rule.tool, "number": rule.number, "constraints": list(rule.constraints)},
        "approvers": list(rule.approvers),
        "created": _time(request.created),
        "expires": _time(request.expires),
        "decided": None if stored.decided is None else _time(stored.decided),
        "consumed": None if stored.consumed is None else _time(stored.consumed),
        "approver": None
        if approver is None
        else {"user": approver.user, "role": approver.role, "tokenId": approver.token_id, "key": approver.key},
    }
