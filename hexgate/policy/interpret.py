"""Decide by interpretation: the readable definition of a policy's meaning (docs/language.md P2 to P6).

Reads the checked policy, never what the compiler lowered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hexgate.decision.decision import Decision, Reason, RuleReference, User, Verdict
from hexgate.decision.outcomes import fixed_decision
from hexgate.decision.reads import Everything, Reads
from hexgate.decision.request import encode_request, refuse_names
from hexgate.faults import EvaluationFault, Fault
from hexgate.language.freeze import RequestMap
from hexgate.language.interpret import Evaluator, prepare
from hexgate.limits import REQUEST_BYTES
from hexgate.policy.checked import CheckedEntry, CheckedPolicy, CheckedRule
from hexgate.values import Timestamp

CACHED_ENTRIES = 65_536
"""Pairs of role and tool whose entries are kept at hand."""

_STRICTNESS = {Verdict.ALLOW: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.DENY: 2}
_SHORT = 4_096
"""Strings of at most so many characters, and scalars, are counted by an upper bound instead of by encoding them."""


class _PreparedRule:
    """A rule with its constraints' evaluators, and the decisions' parts that it can give."""

    __slots__ = ("constraints", "reference")

    def __init__(self, rule: CheckedRule, evaluators: dict[int, Evaluator]) -> None:
        self.reference: RuleReference = rule.reference
        self.constraints = []
        for constraint in rule.constraints:
            key = id(constraint.expression)
            if key not in evaluators:
                evaluators[key] = prepare(constraint.expression)
            self.constraints.append((evaluators[key].holds, constraint.reference))


class _PreparedEntry:
    __slots__ = ("reporting", "rules")

    def __init__(self, entry: CheckedEntry, evaluators: dict[int, Evaluator]) -> None:
        self.rules = [_PreparedRule(rule, evaluators) for rule in entry.rules]
        granting = [rule for rule in self.rules if rule.reference.mode is not Verdict.DENY]
        self.reporting = granting[-1] if granting else None


class _Plan:
    """What decides for a role and a tool: the boundary's entry, the role's, and what they read."""

    __slots__ = ("boundary", "entry", "reads", "small")

    def __init__(self, boundary: _PreparedEntry | None, entry: _PreparedEntry | None, reads: Reads) -> None:
        self.boundary = boundary
        self.entry = entry
        self.reads = reads
        self.small = _named_members(reads)


def _named_members(reads: Reads) -> tuple[str, ...] | None:
    """The members of `args` that are read, where nothing else of the request is; None otherwise."""
    if isinstance(reads.args, Everything) or reads.attrs or reads.ctx or reads.resource:
        return None
    return tuple(reads.args)


class InterpreterEngine:
    """A checked policy, ready to decide. Safe to use from several threads."""

    def __init__(self, policy: CheckedPolicy, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` gives nanoseconds since the epoch."""
        self._policy = policy
        self._clock = clock
        self._evaluators: dict[int, Evaluator] = {}
        self._prepared: dict[int, _PreparedEntry] = {}
        self._plans: dict[tuple[str, str], _Plan] = {}

    def decide(
        self,
        tool: Any,
        args: Any,
        user: User | None,
        *,
        ctx: Any = None,
        resource: Any = None,
        now: int | None = None,
    ) -> Decision:
        """The decision on one call. Never raises for anything in the call; `now` is in nanoseconds since the epoch.

        The one place that turns a failure into a denial: whatever goes wrong below decides `engine_fault`.
        """
        try:
            return self._decide(tool, args, user, ctx, resource, now)
        except Exception:  # noqa: BLE001 - fail closed
            role = user.role if type(user) is User and type(user.role) is str else None
            return fixed_decision(Reason.ENGINE_FAULT, role, tool if type(tool) is str else None)

    def _decide(self, tool: Any, args: Any, user: User | None, ctx: Any, resource: Any, now: int | None) -> Decision:
        refusal = refuse_names(user, tool)
        role = user.role if type(user) is User and type(user.role) is str else None
        if refusal is Reason.MISSING_USER or refusal is Reason.UNKNOWN_ROLE:
            return fixed_decision(refusal, role, tool if type(tool) is str else None)
        assert user is not None and role is not None
        if role not in self._policy.roles:
            return fixed_decision(Reason.UNKNOWN_ROLE, role, tool if type(tool) is str else None)
        if refusal is not None:
            return fixed_decision(refusal, role, tool if type(tool) is str else None)
        plan = self._plans.get((role, tool)) or self._plan(role, tool)
        if now is None:
            now = self._clock() if plan.reads.now else 0
        if not _surely_small(plan, args) and _is_too_large(plan.reads, role, tool, user, args, ctx, resource, now):
            return fixed_decision(Reason.REQUEST_TOO_LARGE, role, tool)
        variables = {
            "args": RequestMap({} if args is None else args),
            "user": {"id": user.user_id, "role": role, "attrs": RequestMap({} if user.attrs is None else user.attrs)},
            "tool": tool,
            "ctx": RequestMap({} if ctx is None else ctx),
            "resource": RequestMap({} if resource is None else resource),
            "now": Timestamp(now),
        }
        limit = None if plan.boundary is None else _run(plan.boundary, variables, role, tool, of_boundary=True)
        if limit is not None and limit.verdict is Verdict.DENY:
            return limit
        if plan.entry is None:
            return fixed_decision(Reason.UNKNOWN_TOOL, role, tool)
        decision = _run(plan.entry, variables, role, tool, of_boundary=False)
        assert decision is not None
        if limit is not None and limit.verdict is Verdict.APPROVAL_REQUIRED:
            return decision if _STRICTNESS[decision.verdict] > _STRICTNESS[limit.verdict] else limit
        return decision

    def _plan(self, role: str, tool: str) -> _Plan:
        if len(self._plans) >= CACHED_ENTRIES:
            self._plans.clear()
        boundary = None if self._policy.boundary is None else self._policy.boundary.entry_for(tool)
        entry = self._policy.roles[role].entry_for(tool)
        plan = _Plan(self._prepare(boundary), self._prepare(entry), self._policy.reads_for(tool))
        self._plans[role, tool] = plan
        return plan

    def _prepare(self, entry: CheckedEntry | None) -> _PreparedEntry | None:
        if entry is None:
            return None
        found = self._prepared.get(id(entry))
        if found is None:
            found = self._prepared[id(entry)] = _PreparedEntry(entry, self._evaluators)
        return found


def _run(entry: _PreparedEntry, variables: Any, role: str, tool: str, of_boundary: bool) -> Decision | None:
    """The decision of an entry (P2); None where the boundary has no opinion (P5)."""
    failed: Decision | None = None
    for rule in entry.rules:
        held = True
        for holds, reference in rule.constraints:
            try:
                if holds(variables):
                    continue
            except EvaluationFault as fault:
                return _faulty(rule, reference, fault.fault, role, tool)
            held = False
            if rule is entry.reporting or entry.reporting is None:
                failed = Decision(
                    Verdict.DENY, Reason.CONSTRAINT_FAILED, role, tool, rule.reference, reference
                )
            break
        if held:
            return Decision(rule.reference.mode, Reason.RULE, role, tool, rule.reference)
    return None if of_boundary and entry.reporting is None else failed


def _faulty(rule: _PreparedRule, constraint: Any, fault: Fault, role: str, tool: str) -> Decision:
    return Decision(Verdict.DENY, Reason.EVALUATION_ERROR, role, tool, rule.reference, constraint, fault)


def _surely_small(plan: _Plan, args: Any) -> bool:
    """Whether what is read cannot be longer than a request may be: few members, all scalars or short strings."""
    names = plan.small
    if names is None or len(names) > 8:
        return False
    if type(args) is not dict:
        return True
    for name in names:
        value = args.get(name)
        kind = type(value)
        if kind is str:
            if len(value) > _SHORT // 4:  # type: ignore[arg-type]
                return False
        elif kind is not int and kind is not float and kind is not bool and value is not None:
            return False
    return True


def _is_too_large(
    reads: Reads, role: str, tool: str, user: User, args: Any, ctx: Any, resource: Any, now: int
) -> bool:
    return len(encode_request(reads, role, tool, user, args, ctx, resource, now)) > REQUEST_BYTES


