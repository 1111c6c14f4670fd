"""Check a linked policy: every constraint against its environment, once for each entry that was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hexgate.decision.decision import ConstraintReference, RuleReference, Verdict
from hexgate.decision.reads import Reads
from hexgate.decision.tool_patterns import is_pattern, literal_prefix, matches_pattern
from hexgate.diagnostics import Diagnostic, PolicyInvalidError, Severity
from hexgate.language.check import check_with_warnings, require_bool
from hexgate.language.checked import CheckedExpression
from hexgate.language.environment import Environment
from hexgate.language.finding import ExpressionError, Finding
from hexgate.language.types import DYN, STRING, TIMESTAMP, MapOf, Member, Record, Type
from hexgate.policy.checked import CheckedConstraint, CheckedEntry, CheckedPolicy, CheckedRole, CheckedRule
from hexgate.policy.linked import LinkedEntry, LinkedPolicy, LinkedRole
from hexgate.policy.notes import notes_on
from hexgate.policy.reads import reads_of
from hexgate.policy.source import SourceRule, SourceText
from hexgate.policy.tool_schemas import ToolSchemas, union_of
from hexgate.values import Value

_MAP = MapOf(STRING, DYN)
_USER = Record(
    {"id": Member(STRING, True), "role": Member(STRING, True), "attrs": Member(_MAP, True)}, False, "`user`", DYN
)


def check(policy: LinkedPolicy, schemas: ToolSchemas | None = None) -> CheckedPolicy:
    """The checked policy. Raises PolicyInvalidError with every error; warnings and notes are left out."""
    return check_with_notes(policy, schemas)[0]


def check_with_notes(
    policy: LinkedPolicy, schemas: ToolSchemas | None = None
) -> tuple[CheckedPolicy, tuple[Diagnostic, ...]]:
    """The checked policy, with warnings and notes. Raises PolicyInvalidError with all of these where one is an error."""
    checker = _PolicyChecker(schemas)
    checked = checker.run(policy)
    diagnostics = [*dict.fromkeys(checker.diagnostics), *notes_on(policy)]
    diagnostics.sort(key=_order)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        raise PolicyInvalidError(tuple(diagnostics))
    return checked, tuple(diagnostics)


def _order(diagnostic: Diagnostic) -> tuple[int, str, int, int, str]:
    rank = (Severity.ERROR, Severity.WARNING, Severity.NOTE).index(diagnostic.severity)
    place = diagnostic.place
    return (rank, place.file, place.line, place.column, diagnostic.code) if place else (rank, "", 0, 0, diagnostic.code)


def roots_with(args: Type) -> dict[str, Type]:
    """The roots of constraints (P7) with the type of `args`."""
    return {"args": args, "user": _USER, "tool": STRING, "ctx": _MAP, "resource": _MAP, "now": TIMESTAMP}


class _PolicyChecker:
    def __init__(self, schemas: ToolSchemas | None) -> None:
        self._schemas = schemas
        self._entries: dict[int, CheckedEntry] = {}
        self._expressions: dict[tuple[str, int, int], CheckedExpression | ExpressionError] = {}
        self._environments: dict[tuple[int, int], Environment] = {}
        self._warnings: dict[tuple[str, int, int], tuple[Finding, ...]] = {}
        self._constants: dict[str, LinkedRole] = {}
        self.diagnostics: list[Diagnostic] = []

    def run(self, policy: LinkedPolicy) -> CheckedPolicy:
        self._constants = dict(policy.roles)
        # Abstract roles are checked as well: their entries are somebody's text.
        roles = {name: self._role(role, policy.roles) for name, role in policy.roles.items()}
        boundary = None if policy.boundary is None else self._role(policy.boundary, {})
        held = {name: role for name, role in roles.items() if not policy.roles[name].source.abstract}
        rows = [*held.values(), *([boundary] if boundary is not None else [])]
        exact = dict.fromkeys(name for row in rows for name in row.exact)
        tool_reads = {name: _joined(row.entry_for(name) for row in rows) for name in exact}
        pattern_reads: dict[str, Reads] = {}
        for row in rows:
            for entry in row.patterns:
                pattern_reads[entry.pattern] = pattern_reads.get(entry.pattern, Reads()).join(entry.reads)
        default_reads = _joined(row.default for row in rows)
        return CheckedPolicy(held, boundary, tool_reads, tuple(pattern_reads.items()), default_reads)

    def _role(self, role: LinkedRole, roles: object) -> CheckedRole:
        entries = {name: self._entry(entry, role) for name, entry in role.entries.items()}
        exact = {name: entry for name, entry in entries.items() if not is_pattern(name)}
        patterns = [entry for name, entry in entries.items() if is_pattern(name)]
        patterns.sort(key=lambda entry: (-len(literal_prefix(entry.pattern)), entry.pattern))
        default = None if role.default is None else self._entry(role.default, role)
        return CheckedRole(role.name, exact, tuple(patterns), default)

    def _entry(self, entry: LinkedEntry, role: LinkedRole) -> CheckedEntry:
        """The checked entry; constants are those of the role that wrote it (P4)."""
        found = self._entries.get(id(entry))
        if found is None:
            owner = self._constants.get(entry.role, role) if role.name != "boundary" else role
            found = self._entries[id(entry)] = self._check_entry(entry, owner, role.name == "boundary")
        return found

    def _check_entry(self, entry: LinkedEntry, owner: LinkedRole, of_boundary: bool) -> CheckedEntry:
        name = entry.source.name
        self._refuse_unknown_tool(entry)
        args = self._arguments_of(name, owner)
        rules = []
        for number, rule in enumerate(entry.source.rules):
            rules.append(self._rule(rule, number, name, None if of_boundary else entry.role, owner, args))
        reads = reads_of(constraint.expression.root for rule in rules for constraint in rule.constraints)
        return CheckedEntry(name, tuple(rules), reads)

    def _arguments_of(self, name: str, owner: LinkedRole) -> Type:
        """The type of `args` under an entry: from the tool's schema, from those of all tools that a pattern decides on,
        or a plain map."""
        if self._schemas is None:
            return _MAP
        if not is_pattern(name):
            return self._schemas.arguments.get(name, _MAP)
        others = [other for other in owner.entries if other != name and _beats(other, name)]
        covered = [
            tool
            for tool in self._schemas.arguments
            if matches_pattern(name, tool) and not any(matches_pattern(other, tool) for other in others)
        ]
        return union_of(name, [self._schemas.arguments[tool] for tool in covered]) if covered else _MAP

    def _refuse_unknown_tool(self, entry: LinkedEntry) -> None:
        """An exact name must be a tool of the schemas; a pattern that grants should cover one. A pattern that only
        denies may guard against tools to come."""
        name, schemas = entry.source.name, self._schemas
        if schemas is None or name == "default_policy" or name in schemas.arguments:
            return
        if not is_pattern(name):
            message, severity = f"`{name}` is not a tool of the schemas", Severity.ERROR
        elif any(matches_pattern(name, tool) for tool in schemas.arguments) or all(rule.mode is Verdict.DENY for rule in entry.source.rules):
            return
        else:
            message, severity = f"no tool of the schemas matches `{name}`", Severity.WARNING
        self.diagnostics.append(
            Diagnostic("HG402", message, entry.source.place, schemas.help_for(name), severity=severity)
        )

    def _rule(
        self, rule: SourceRule, number: int, name: str, role: str | None, owner: LinkedRole, args: Type
    ) -> CheckedRule:
        constraints = [made for text in rule.constraints if (made := self._constraint(text, owner, args)) is not None]
        references = tuple(constraint.reference for constraint in constraints)
        reference = RuleReference(
            role, name, number, rule.mode, rule.place, references, rule.message, rule.approvers, rule.expires_in
        )
        return CheckedRule(reference, tuple(constraints))

    def _constraint(self, text: SourceText, owner: LinkedRole, args: Type) -> CheckedConstraint | None:
        stripped = text.text.strip()
        checked = self._expression(stripped, owner, args, self._finding_place(text))
        if checked is None:
            return None
        start = len(text.text) - len(text.text.lstrip())
        return CheckedConstraint(checked, ConstraintReference(stripped, text.at(start, start + len(stripped))))

    def _finding_place(self, text: SourceText) -> Callable[[Finding], Diagnostic]:
        start = len(text.text) - len(text.text.lstrip())

        def place(finding: Finding) -> Diagnostic:
            span = finding.span
            where = text.at(start + span.start, start + span.end)
            return Diagnostic(finding.code, finding.message, where, finding.help, severity=finding.severity)

        return place

    def _expression(
        self, text: str, owner: LinkedRole, args: Type, place: Callable[[Finding], Diagnostic]
    ) -> CheckedExpression | None:
        """The checked expression of a text under constants and a type of `args`; the same text is checked once."""
        key = (text, id(owner.constants), id(args))
        found = self._expressions.get(key)
        if found is None:
            environment = self._environment(owner.constants, args)
            try:
                found, self._warnings[key] = check_with_warnings(text, environment)
                require_bool(found)
            except ExpressionError as error:
                found = error
            self._expressions[key] = found
        if isinstance(found, ExpressionError):
            self.diagnostics.extend(map(place, found.findings))
            return None
        self.diagnostics.extend(map(place, self._warnings[key]))
        return found

    def _environment(self, constants: object, args: Type) -> Environment:
        key = (id(constants), id(args))
        environment = self._environments.get(key)
        if environment is None:
            values: dict[str, Value] = dict(constants)  # type: ignore[call-overload]
            environment = self._environments[key] = Environment(roots_with(args), values)
        return environment


def _beats(other: str, pattern: str) -> bool:
    """Whether another entry of the role decides before a pattern does (P3)."""
    return not is_pattern(other) or len(literal_prefix(other)) > len(literal_prefix(pattern))


def _joined(entries: Iterable[CheckedEntry | None]) -> Reads:
    reads = Reads()
    for entry in entries:
        if entry is not None:
            reads = reads.join(entry.reads)
    return reads
