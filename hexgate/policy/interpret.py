"""Decide by interpretation: the readable definition of a policy's meaning (docs/language.md P2 to P6).

Reads the checked policy, never what the compiler lowered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hexgate.decision.decision import Decision, Reason, RuleReference, User, Verdict
from hexgate.decision.outcomes import fixed_decision
from hexgate.decision.reads import Reads
from hexgate.decision.request import encode_request, is_plain_name, refuse_names
from hexgate.faults import EvaluationFault, Fault
from hexgate.language.checked import Node, Variable, operands_of
from hexgate.language.interpret import Evaluator, prepare
from hexgate.language.request_variables import RequestVariables, request_root
from hexgate.limits import REQUEST_BYTES
from hexgate.policy.checked import CheckedEntry, CheckedPolicy, CheckedRule
from hexgate.policy.request_size import SizeBound

CACHED_PLANS = 65_536
"""Pairs of role and tool for which it is kept at hand what decides."""

_STRICTNESS = {Verdict.ALLOW: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.DENY: 2}

_Holds: TypeAlias = Callable[[Any], bool]


class _PreparedRule:
    """A rule and whether each of its constraints holds, as functions of a request's variables."""

    __slots__ = ("constraints", "rule")

    def __init__(self, rule: CheckedRule, constraints: tuple[_Holds, ...]) -> None:
        self.rule = rule
        self.constraints = constraints


class _PreparedEntry:
    """An entry's rules. `reporting` is the rule that is named when none holds: the last that could have granted, None
    where all deny and it is the last one (P2). `roots` are what its constraints read (P7)."""

    __slots__ = ("reporting", "roots", "rules")

    def __init__(self, rules: tuple[_PreparedRule, ...]) -> None:
        self.rules = rules
        self.roots = frozenset(root for rule in rules for root in _roots_of(rule.rule))
        granting = [rule for rule in rules if rule.rule.reference.mode is not Verdict.DENY]
        self.reporting = granting[-1] if granting else None


def _roots_of(rule: CheckedRule) -> set[str]:
    roots: set[str] = set()
    pending: list[Node] = [constraint.expression.root for constraint in rule.constraints]
    while pending:
        node = pending.pop()
        if isinstance(node, Variable):
            roots.add(node.name)
        pending.extend(operands_of(node))
    return roots


class _Plan:
    """What decides for a role and a tool: the boundary's entry, the role's, what is read (`only_args`: no other root); and
    the decisions given so far, each of which is made once."""

    __slots__ = ("boundary", "decisions", "entry", "only_args", "reads", "role", "size", "tool")

    def __init__(
        self, role: str, tool: str, boundary: _PreparedEntry | None, entry: _PreparedEntry | None, reads: Reads
    ) -> None:
        self.role = role
        self.tool = tool
        self.boundary = boundary
        self.entry = entry
        self.reads = reads
        self.only_args = all(entry.roots <= {"args"} for entry in (boundary, entry) if entry is not None)
        self.size = SizeBound(reads)
        self.decisions: dict[tuple[int, int, Fault | None], Decision] = {}

    def run(self, entry: _PreparedEntry, variables: Mapping[str, Any]) -> Decision | None:
        """The decision of an entry (P2); None where it only denies and no rule holds."""
        failed: tuple[_PreparedRule, int] | None = None
        for rule in entry.rules:
            position = 0
            try:
                for holds in rule.constraints:
                    if not holds(variables):
                        break
                    position += 1
                else:
                    return self._decision(rule, -1, None)
            except EvaluationFault as error:
                return self._decision(rule, position, error.fault)
            if rule is entry.reporting:
                failed = rule, position
        if failed is None:
            return None
        return self._decision(*failed, None)

    def deny_last(self, entry: _PreparedEntry, variables: Mapping[str, Any]) -> Decision:
        """The denial of a role's entry whose rules all deny and none of which holds: it names the last one (P2)."""
        rule = entry.rules[-1]
        position = next(at for at, holds in enumerate(rule.constraints) if not holds(variables))
        return self._decision(rule, position, None)

    def _decision(self, rule: _PreparedRule, constraint: int, fault: Fault | None) -> Decision:
        """The decision where a rule holds (`constraint` is -1), a constraint is false, or one has a fault."""
        key = (id(rule), constraint, fault)
        found = self.decisions.get(key)
        if found is None:
            reference = rule.rule.reference
            if constraint < 0:
                found = Decision(reference.mode, Reason.RULE, self.role, self.tool, reference)
            else:
                reason = Reason.CONSTRAINT_FAILED if fault is None else Reason.EVALUATION_ERROR
                decisive = reference.constraints[constraint]
                found = Decision(Verdict.DENY, reason, self.role, self.tool, reference, decisive, fault)
            self.decisions[key] = found
        return found


class InterpreterEngine:
    """A checked policy, ready to decide. Safe to use from several threads."""

    def __init__(self, policy: CheckedPolicy, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` gives nanoseconds since the epoch."""
        self._policy = policy
        self._clock = clock
        self._evaluators: dict[int, Evaluator] = {}
        self._entries: dict[int, _PreparedEntry] = {}
        self._plans: dict[tuple[str, str], _Plan] = {}

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles that a user can hold."""
        return tuple(sorted(self._policy.roles))

    @property
    def rules(self) -> tuple[RuleReference, ...]:
        """The rules of the boundary and of all roles, each once."""
        return self._policy.rules

    def reads_for(self, tool: str) -> Reads:
        """What the rules of a tool read of a request, in any role."""
        return self._policy.reads_for(tool)

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
            return _refuse(Reason.ENGINE_FAULT, user, tool)

    def _decide(self, tool: Any, args: Any, user: User | None, ctx: Any, resource: Any, now: int | None) -> Decision:
        plan = None
        if type(user) is User and type(tool) is str and type(user.role) is str:
            plan = self._plans.get((user.role, tool))
        if plan is None or not is_plain_name(user.user_id):  # type: ignore[union-attr]
            refusal = self._refusal(user, tool)
            if refusal is not None:
                return _refuse(refusal, user, tool)
            assert user is not None
            plan = plan or self._plan(user.role, tool)
        assert user is not None
        if now is None:
            now = self._clock() if plan.reads.now else 0
        if not plan.size.is_surely_small(args, user.attrs, ctx, resource):
            request = encode_request(plan.reads, plan.role, plan.tool, user, args, ctx, resource, now)
            if len(request) > REQUEST_BYTES:
                return fixed_decision(Reason.REQUEST_TOO_LARGE, plan.role, plan.tool)
        if plan.only_args:
            return _run(plan, {"args": request_root(plan.reads.args, args)})
        return _run(plan, RequestVariables(plan.reads, plan.tool, user, args, ctx, resource, now))

    def _refusal(self, user: Any, tool: Any) -> Reason | None:
        """Why a call is denied before any rule is looked at (P6), or None."""
        refusal = refuse_names(user, tool)
        if refusal in (None, Reason.UNKNOWN_TOOL) and user.role not in self._policy.roles:
            return Reason.UNKNOWN_ROLE
        return refusal

    def _plan(self, role: str, tool: str) -> _Plan:
        if len(self._plans) >= CACHED_PLANS:
            self._plans.clear()
        boundary = None if self._policy.boundary is None else self._policy.boundary.entry_for(tool)
        entry = self._policy.roles[role].entry_for(tool)
        reads = self._policy.reads_for(tool)
        plan = self._plans[role, tool] = _Plan(role, tool, self._prepare(boundary), self._prepare(entry), reads)
        return plan

    def _prepare(self, entry: CheckedEntry | None) -> _PreparedEntry | None:
        """The prepared entry: one for all roles that share it."""
        if entry is None:
            return None
        found = self._entries.get(id(entry))
        if found is None:
            rules = tuple(_PreparedRule(rule, tuple(map(self._holds, rule.constraints))) for rule in entry.rules)
            found = self._entries[id(entry)] = _PreparedEntry(rules)
        return found

    def _holds(self, constraint: Any) -> _Holds:
        expression = constraint.expression
        found = self._evaluators.get(id(expression))
        if found is None:
            found = self._evaluators[id(expression)] = prepare(expression)
        return found.holds


def _refuse(reason: Reason, user: Any, tool: Any) -> Decision:
    role = user.role if type(user) is User and type(user.role) is str else None
    return fixed_decision(reason, role, tool if type(tool) is str else None)


def _run(plan: _Plan, variables: Mapping[str, Any]) -> Decision:
    """The boundary first, then the role; the stricter verdict wins (P5)."""
    limit = None if plan.boundary is None else plan.run(plan.boundary, variables)
    if limit is not None and limit.verdict is Verdict.DENY:
        return limit
    entry = plan.entry
    if entry is None:
        return fixed_decision(Reason.UNKNOWN_TOOL, plan.role, plan.tool)
    decision = plan.run(entry, variables) or plan.deny_last(entry, variables)
    if limit is None:
        return decision
    if limit.verdict is decision.verdict:
        return limit if limit.verdict is Verdict.APPROVAL_REQUIRED else decision
    return max(limit, decision, key=lambda answer: _STRICTNESS[answer.verdict])
