"""Held calls: the graph's own `interrupt`, and whose answer is whose.

The graph hands out answers by their position in a task, not by what was asked. An answer is therefore taken only where the record of
pauses says that this call asked in this task; then it is always taken, whatever the policy says by now, so that it is never handed to a
question of the tool's own. The approval itself is bound as everywhere (docs/adapters.md, AD3.2).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import langgraph._internal._constants as keys
from langgraph.errors import GraphBubbleUp
from langgraph.types import interrupt

from hexgate.adapters.guard import GuardedRun
from hexgate.adapters.pauses import DEFAULT_SECONDS
from hexgate.adapters.ruling import Outcome, Refusal, Ruling, denial_text
from hexgate.decision.decision import Decision, Verdict

MISMATCH = f"the approval is not for this call ({Refusal.APPROVAL_MISMATCH.value})"
REJECTED = f"this call was not approved ({Refusal.APPROVAL_REJECTED.value})"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the model made it. `arguments` are plain data that nobody else has; `config` is what the tool was called with."""

    tool: str
    arguments: Any
    call_id: str | None
    config: Any


@dataclass(slots=True)
class Settled:
    """What becomes of a call: the ruling that lets it run, or the text that refuses it. `asked` names the question that was answered."""

    ruling: Ruling | None
    text: str = ""
    asked: bytes | None = None

    def interrupted(self, run: GuardedRun, call: Call) -> None:
        """The tool's body has paused the graph itself, and is called again with this call: its approval and its answer count once more."""
        if self.ruling is not None and self.asked is not None:
            run.reopen(self.ruling, call.call_id)
            _remember(run, self.asked, self.ruling.decision)


def settle(run: GuardedRun, call: Call, can_pause: bool) -> Settled:
    """Decide on a call. Raises what the graph pauses with, and nothing else."""
    asked = _question(call) if can_pause else None
    if asked is None:
        return _settled(run.admit(call.tool, call.arguments, call_id=call.call_id))
    if run.guard.pauses.take(asked):
        return _answered(run, call, asked)
    ruling = run.admit(call.tool, call.arguments, call_id=call.call_id, can_pause=True)
    if ruling.outcome is not Outcome.PAUSE:
        return _settled(ruling)
    if not _remember(run, asked, ruling.decision):
        return Settled(None, f"this call cannot be held for an approval ({Refusal.APPROVAL_UNAVAILABLE.value})")
    interrupt(_request(call, ruling.text))
    # An answer that was there before the question is somebody else's: what was just asked is withdrawn.
    run.guard.pauses.take(asked)
    run.admit(call.tool, call.arguments, call_id=call.call_id, approved=True)
    return Settled(None, MISMATCH)


def _answered(run: GuardedRun, call: Call, asked: bytes) -> Settled:
    request = _request(call, "")
    try:
        answer = interrupt(request)
    except GraphBubbleUp:  # run again without an answer: it is asked again
        if run.guard.approvals is None:
            ruling = run.admit(call.tool, call.arguments, call_id=call.call_id, can_pause=True)
            decision, text = ruling.decision, ruling.text
        else:
            decision = run.decide(call.tool, call.arguments, call_id=call.call_id)  # an approval in the store is for the answer
            text = "" if decision.verdict is Verdict.ALLOW else denial_text(decision)
        _remember(run, asked, decision)
        request["description"] = text
        raise
    said = answer if isinstance(answer, Mapping) else {}
    if said.get("type") != "approve":
        message = said.get("message")
        return Settled(None, message if isinstance(message, str) and message else REJECTED)
    settled = _settled(run.admit(call.tool, call.arguments, call_id=call.call_id, approved=True))
    settled.asked = asked
    return settled


def _settled(ruling: Ruling) -> Settled:
    return Settled(ruling) if ruling.runs else Settled(None, ruling.text)


def _request(call: Call, text: str) -> dict[str, Any]:
    """In the form of LangChain's own request for the approval of one call."""
    return {"type": "tool_approval", "tool_call_id": call.call_id, "name": call.tool, "args": call.arguments, "description": text}


def _question(call: Call) -> bytes | None:
    """Names the question of a call in its task; None where the graph cannot pause: no graph, or none with a checkpointer."""
    configurable = (call.config or {}).get("configurable") or {}
    saver = configurable.get(keys.CONFIG_KEY_CHECKPOINTER)
    if saver is None or saver is False or keys.CONFIG_KEY_SCRATCHPAD not in configurable:
        return None
    place = (configurable.get("thread_id"), configurable.get(keys.CONFIG_KEY_CHECKPOINT_NS), call.tool, call.call_id)
    return sha256(repr(("hexgate.langchain", *map(str, place))).encode("utf-8", "backslashreplace")).digest()


def _remember(run: GuardedRun, asked: bytes, decision: Decision) -> bool:
    rule = decision.rule
    seconds = DEFAULT_SECONDS if rule is None or rule.expires_in is None else max(DEFAULT_SECONDS, rule.expires_in)
    return run.guard.pauses.add(asked, time.time() + seconds)
