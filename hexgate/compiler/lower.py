"""Lower a checked policy to a program: constraints to instructions, rules to outcomes, names to tables.

Every constraint, rule and entry that several roles share is lowered once. Nothing here can refuse a user's policy.
"""

from __future__ import annotations

from hexgate.compiler.data_segment import DataSegment
from hexgate.compiler.lower_expression import ExpressionLowering
from hexgate.compiler.program import ConstraintCode, Dispatch, EntryCode, Program, RuleCode
from hexgate.decision.decision import Reason, RuleReference, Verdict
from hexgate.decision.outcomes import FIRST_OUTCOME, Outcome, PolicyTable
from hexgate.policy.checked import CheckedConstraint, CheckedEntry, CheckedPolicy, CheckedRole, CheckedRule

NO_OPINION = -1
_REASONS = (Reason.RULE, Reason.CONSTRAINT_FAILED, Reason.EVALUATION_ERROR)
_HELD, _FAILED, _FAULTED = range(3)
POLICY_VARIABLES = {"tool": 1, "args": 4, "ctx": 5, "resource": 6, "now": 7}
"""Position in the request's array (A2.1) of each root that is there as it is; `user` is made of three positions."""


def lower(policy: CheckedPolicy) -> Program:
    """The program of a policy. Deterministic: depends on nothing but the policy."""
    return _PolicyLowering(policy).run()


class _PolicyLowering:
    def __init__(self, policy: CheckedPolicy) -> None:
        self._policy = policy
        self._data = DataSegment()
        self._expressions = ExpressionLowering(self._data, POLICY_VARIABLES)
        self._constraints: list[ConstraintCode] = []
        self._constraint_numbers: dict[int, int] = {}
        self._rules: list[RuleReference] = []
        self._rule_numbers: dict[int, int] = {}
        self._outcomes: list[Outcome] = []
        self._outcome_numbers: dict[tuple[int, int, int | None], int] = {}
        self._entries: list[EntryCode] = []
        self._entry_numbers: dict[tuple[bool, tuple[int, ...]], int] = {}

    def run(self) -> Program:
        policy = self._policy
        rows = list(policy.roles.values())
        if policy.boundary is not None:
            rows.append(policy.boundary)
        dispatch = self._dispatch(rows)
        table = PolicyTable(
            tuple(self._rules),
            tuple(self._outcomes),
            tuple(policy.roles),
            policy.tool_reads,
            policy.pattern_reads,
            policy.default_reads,
        )
        return Program(tuple(self._constraints), tuple(self._entries), dispatch, self._data.content, table)

    def _dispatch(self, rows: list[CheckedRole]) -> Dispatch:
        tools = tuple(dict.fromkeys(name for row in rows for name in row.exact))
        boundary = self._policy.boundary
        exact, patterns, default = [], [], []
        for row in rows:
            of_boundary = row is boundary
            named = {name: self._entry(entry, of_boundary) for name, entry in row.exact.items()}
            exact.append(tuple(named.get(tool) or self._fallback(row, tool, of_boundary) for tool in tools))
            patterns.append(tuple((entry.pattern, self._entry(entry, of_boundary)) for entry in row.patterns))
            default.append(0 if row.default is None else self._entry(row.default, of_boundary))
        return Dispatch(
            tuple(self._policy.roles), tools, tuple(exact), tuple(patterns), tuple(default), boundary is not None
        )

    def _fallback(self, row: CheckedRole, tool: str, of_boundary: bool) -> int:
        """The entry for a tool that another role names but this one does not."""
        if not row.patterns and row.default is None:
            return 0
        entry = row.entry_for(tool)
        return 0 if entry is None else self._entry(entry, of_boundary)

    def _entry(self, entry: CheckedEntry, of_boundary: bool) -> int:
        key = (of_boundary, tuple(map(id, entry.rules)))
        number = self._entry_numbers.get(key)
        if number is None:
            self._entries.append(self._lower_entry(entry, of_boundary))
            number = self._entry_numbers[key] = len(self._entries)
        return number

    def _lower_entry(self, entry: CheckedEntry, of_boundary: bool) -> EntryCode:
        granting = [rule for rule in entry.rules if rule.reference.mode is not Verdict.DENY]
        reporting = granting[-1] if granting else entry.rules[-1]
        rules = tuple(self._rule(rule, rule is reporting) for rule in entry.rules)
        first = entry.rules[0].reference
        text = f"{first.role or 'boundary'}: {entry.pattern} ({first.place.file}:{first.place.line})"
        return EntryCode(rules, NO_OPINION if of_boundary and not granting else None, text)

    def _rule(self, rule: CheckedRule, reports: bool) -> RuleCode:
        number = self._rule_number(rule)
        positions = range(len(rule.constraints))
        return RuleCode(
            tuple(self._constraint(constraint) for constraint in rule.constraints),
            self._outcome(_HELD, number, None),
            tuple([self._outcome(_FAILED, number, i) if reports else None for i in positions]),
            tuple([self._outcome(_FAULTED, number, i) for i in positions]),
        )

    def _rule_number(self, rule: CheckedRule) -> int:
        number = self._rule_numbers.get(id(rule))
        if number is None:
            number = self._rule_numbers[id(rule)] = len(self._rules)
            self._rules.append(rule.reference)
        return number

    def _outcome(self, reason: int, rule: int, constraint: int | None) -> int:
        """The number of an outcome; `reason` is an index of `_REASONS`."""
        key = (reason, rule, constraint)
        number = self._outcome_numbers.get(key)
        if number is None:
            number = self._outcome_numbers[key] = FIRST_OUTCOME + len(self._outcomes)
            self._outcomes.append(Outcome(_REASONS[reason], rule, constraint))
        return number

    def _constraint(self, constraint: CheckedConstraint) -> int:
        expression = constraint.expression
        number = self._constraint_numbers.get(id(expression))
        if number is None:
            number = self._constraint_numbers[id(expression)] = len(self._constraints)
            instruction = self._expressions.lower(expression.root)
            self._constraints.append(ConstraintCode(instruction, expression.slots, constraint.reference.text))
        return number

