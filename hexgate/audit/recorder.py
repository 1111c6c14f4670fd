"""From a decision to its line: what is the same for every call with an outcome is written once and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from hexgate.audit.event import (
    LATEST,
    NAME_CHARACTERS,
    bundle_to_dict,
    cut,
    encode_json,
    format_timestamp,
    outcome_of,
    outcome_to_dict,
)
from hexgate.audit.masking import Masking
from hexgate.audit.recordable import INPUT_BYTES, POINTERS, STRING_CHARACTERS, record_roots
from hexgate.audit.recordable import NAME_CHARACTERS as MEMBER_CHARACTERS
from hexgate.audit.unavailable import AuditUnavailableError
from hexgate.decision.argument_digest import canonical_arguments
from hexgate.decision.decision import Decision, User, Verdict
from hexgate.decision.reads import Everything, Reads
from hexgate.limits import INT_MIN, UINT_MAX

if TYPE_CHECKING:
    from hexgate.audit.log import AuditLog
    from hexgate.identity.refusal import TokenRefusal

CACHED_OUTCOMES = 4_096
"""Decisions whose part of the line is kept ready."""

_SECOND = 10**9
_NO_INPUT = '"masked":[],"erased":[],"types":{}'


@dataclass(frozen=True, slots=True)
class AuditPolicy:
    """What a policy says about its events: which values its constraints read of a tool's calls, which are masked, and
    whether an event is synced before the call runs."""

    reads_for: Callable[[str], Reads]
    masking: Masking = field(default_factory=Masking)
    durable: bool = False


class _Plan:
    """What is recorded of a tool's calls. `keys` are the argument names with their JSON, None where values need a look at
    more than their types."""

    __slots__ = ("keys", "masks", "names", "reads")

    def __init__(self, reads: Reads, masks: dict[str, Any]) -> None:
        self.reads = reads
        self.masks = masks
        self.names: frozenset[str] = frozenset() if isinstance(reads.args, Everything) else reads.args
        plain = not isinstance(reads.args, Everything) and not (reads.attrs or reads.ctx or reads.resource)
        self.keys: tuple[tuple[str, str], ...] | None = None
        if plain and not masks and all(name.isascii() and len(name) <= MEMBER_CHARACTERS for name in self.names):
            self.keys = tuple((name, encode_json(name) + ":") for name in sorted(self.names))


class Recorder:
    """Records the decisions of one policy. Safe from threads."""

    __slots__ = ("_log", "_outcomes", "_plans", "_policy", "_second", "_texts")

    def __init__(self, log: AuditLog, policy: AuditPolicy) -> None:
        self._log = log
        self._policy = policy
        self._plans: dict[str, _Plan] = {}
        # By identity, since comparing decisions costs more than writing them; a kept decision keeps its identity.
        self._outcomes: dict[int, tuple[Decision, _Plan, str]] = {}
        self._second: tuple[int, str] = (-1, "")
        self._texts: dict[str, str] = {}

    def record(
        self,
        decision: Decision,
        *,
        user: User | None,
        args: Any,
        now: int,
        latency_ns: int | None = None,
        run_id: str | None = None,
        call_id: str | None = None,
        token_id: str | None = None,
        token_refusal: TokenRefusal | None = None,
        decided_at: int | None = None,
        ctx: Any = None,
        resource: Any = None,
    ) -> None:
        """Record a decision; returns when it is where the policy's mode wants it. `now` is in nanoseconds since the epoch, and so is
        `decided_at`, the time that constraints read where that is another one.

        Raises AuditUnavailableError and nothing else: the one place that turns whatever goes wrong below into that.
        """
        try:
            more = "" if token_refusal is None and decided_at is None else _more(token_refusal, decided_at)
            rest = self._rest(decision, user, args, now, latency_ns, run_id, call_id, token_id, more, ctx, resource)
            self._log.write(rest, durable=self._policy.durable)
        except AuditUnavailableError:
            self._count(decision)
            raise
        except Exception as error:
            self._count(decision)
            raise AuditUnavailableError("the event could not be recorded") from error

    def _count(self, decision: Decision) -> None:
        if decision.verdict is not Verdict.ALLOW:
            self._log.count_denial()

    def _rest(
        self, decision: Decision, user: User | None, args: Any, now: int, latency: int | None, run_id: str | None,
        call_id: str | None, token_id: str | None, more: str, ctx: Any, resource: Any,
    ) -> str:  # fmt: skip
        kept = self._outcomes.get(id(decision))
        if kept is None:
            kept = self._keep(decision)
        _, plan, outcome = kept
        keyed = self._log.keyed()
        if plan.keys is None or ctx or resource or type(args) is not dict or (user is not None and user.attrs):
            input_ = None
        else:
            input_ = _quick_input(plan, args)
        if input_ is None:
            attrs = user.attrs if type(user) is User else None
            input_ = _any_input(plan, args, attrs, ctx, resource, keyed)
        user_id = self._known_text(user.user_id) if type(user) is User else "null"
        run = "null" if run_id is None else self._known_text(run_id)
        call = "null" if call_id is None else _text(call_id)
        token = "null" if token_id is None else self._known_text(token_id)
        seconds, prefix = self._second
        if now // _SECOND != seconds:
            now = max(0, min(now, LATEST))
            prefix = format_timestamp(now)[:20]
            self._second = (now // _SECOND, prefix)
        return (
            f'"type":"decision","timestamp":"{prefix}{now % _SECOND:09d}Z","user":{user_id},"token_id":{token},{more}'
            f'"run_id":{run},"call_id":{call},"args_digest":"{keyed(canonical_arguments(args))}",'
            f'{input_},"metrics":{{"timer_hexgate_decide_ns":{"null" if latency is None else int(latency)}}},{outcome}'
        )

    def _known_text(self, value: object) -> str:
        """As `_text`, for texts that come again."""
        if type(value) is not str:
            return "null"
        text = self._texts.get(value)
        if text is None:
            text = _text(value)
            if len(value) <= NAME_CHARACTERS:
                if len(self._texts) >= CACHED_OUTCOMES:
                    self._texts.clear()
                self._texts[value] = text
        return text

    def _keep(self, decision: Decision) -> tuple[Decision, _Plan, str]:
        outcome = encode_json({
            "result": outcome_to_dict(outcome_of(decision)), "bundles": bundle_to_dict(decision.bundle)
        })[1:]  # fmt: skip
        kept = (decision, self._plan(decision.tool), outcome)
        if len(self._outcomes) >= CACHED_OUTCOMES:
            self._outcomes.clear()
        self._outcomes[id(decision)] = kept
        return kept

    def _plan(self, tool: str | None) -> _Plan:
        name = tool or ""
        plan = self._plans.get(name)
        if plan is None:
            if len(self._plans) >= CACHED_OUTCOMES:
                self._plans.clear()
            plan = self._plans[name] = _Plan(self._policy.reads_for(name), self._policy.masking.trees_for(name))
        return plan


@dataclass(frozen=True, slots=True)
class ApprovalStep:
    """One step of a request for approval, as it is recorded (docs/audit.md A9). `step` is a state's word or `refused`, `refusal` why;
    `approver` is a user id or a public key, `token_id` the approver's. `request_digest` is what the approver's evidence is for."""

    step: str
    request: str
    request_digest: str | None = None
    tool: str | None = None
    user: str | None = None
    role: str | None = None
    args_digest: str | None = None
    bundle: str | None = None
    approver: str | None = None
    token_id: str | None = None
    refusal: str | None = None


def record_step(log: AuditLog, step: ApprovalStep, now: int, *, durable: bool = True) -> None:
    """Record a step; it counts when this returns. `now` is in nanoseconds since the epoch. Raises AuditUnavailableError and nothing
    else."""
    members = {name: cut(getattr(step, name), NAME_CHARACTERS) for name in ApprovalStep.__slots__}
    try:
        log.write(encode_json({"type": "approval", "timestamp": format_timestamp(now), **members})[1:], durable=durable)
    except AuditUnavailableError:
        raise
    except Exception as error:
        raise AuditUnavailableError("the event could not be recorded") from error


def _more(refusal: TokenRefusal | None, decided_at: int | None) -> str:
    """Members that few events have."""
    members = [] if refusal is None else [f'"token_refusal":"{refusal.value}",']
    return "".join(members if decided_at is None else [*members, f'"now":"{format_timestamp(decided_at)}",'])


def _text(value: object) -> str:
    """The JSON of a text, cut to its cap; null for what is no text."""
    if type(value) is str and len(value) <= NAME_CHARACTERS and value.isascii() and value.isprintable():
        return encode_basestring_ascii(value)
    return encode_json(cut(value, NAME_CHARACTERS))


def _quick_input(plan: _Plan, args: dict[Any, Any]) -> str | None:
    """The input of a call with plain values in its arguments, None for any other."""
    parts = []
    assert plan.keys is not None
    for name, key in plan.keys:
        if name in args:
            value = args[name]
            kind = type(value)
            if kind is str:
                if len(value) > STRING_CHARACTERS:
                    return None
                parts.append(key + encode_basestring_ascii(value))
            elif kind is int:
                if not INT_MIN <= value <= UINT_MAX:
                    return None
                parts.append(f"{key}{value}")
            elif kind is bool:
                parts.append(key + ("true" if value else "false"))
            else:
                return None
    text = ",".join(parts)
    # A surrogate is one half of a character or no text at all; which, the careful way finds out.
    if len(text) > INPUT_BYTES - 1_024 or "\\ud" in text or "\x7f" in text:
        return None
    if len(args) == len(parts):
        return f'"input":{{"args":{{{text}}}}},{_NO_INPUT}' if args else f'"input":{{}},{_NO_INPUT}'
    erased = _quick_pointers(plan, args)
    return None if erased is None else f'"input":{{"args":{{{text}}}}},"masked":[],"erased":[{erased}],"types":{{}}'


def _quick_pointers(plan: _Plan, args: dict[Any, Any]) -> str | None:
    pointers = []
    for name in args:
        if name not in plan.names:
            if type(name) is not str or len(name) > MEMBER_CHARACTERS or not name.isidentifier() or not name.isascii():
                return None
            pointers.append(f'"/input/args/{name}"')
    return ",".join(pointers) if len(pointers) <= POINTERS else None


def _any_input(plan: _Plan, args: Any, attrs: Any, ctx: Any, resource: Any, keyed: Callable[[bytes], str]) -> str:
    reads, masks = plan.reads, plan.masks
    roots = (
        ("args", args, reads.args, masks.get("args", {})),
        ("attrs", attrs, reads.attrs, masks.get("attrs", {})),
        ("ctx", ctx, reads.ctx, masks.get("ctx", {})),
        ("resource", resource, reads.resource, masks.get("resource", {})),
    )
    made, notes = record_roots(roots, keyed)
    return encode_json({"input": made, "masked": notes.masked, "erased": notes.erased, "types": notes.types})[1:-1]
