"""Check a linked policy: every constraint against its environment, once for each entry that was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hexgate.collector_pause import collector_paused
from hexgate.decision.decision import ConstraintReference, RuleReference, Verdict
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
from hexgate.policy.reads import joined_reads, reads_of
from hexgate.policy.source import SourceText
from hexgate.policy.tool_schemas import ToolSchemas, union_of
from hexgate.policy.weak_constraints import weaknesses
from hexgate.values import Value

_MAP = MapOf(STRING, DYN)
_USER = Record(
    {"id": Member(STRING, True), "role": Member(STRING, True), "attrs": Member(_MAP, True)}, False, "`user`", DYN
)


def check(policy: LinkedPolicy, schemas: ToolSchemas | None = None) -> CheckedPolicy:
    """The checked policy. Raises PolicyInvalidError with every error; warnings and notes are left out."""
    return check_with_notes(policy, schemas)[0]


@collector_paused
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


def _order(diagnostic: Diagnostic) -> tuple[int, str, int, int, str, str]:
    rank = (Severity.ERROR, Severity.WARNING, Severity.NOTE).index(diagnostic.severity)
    place = diagnostic.place
    file, line, column = (place.file, place.line, place.column) if place is not None else ("", 0, 0)
    return rank, file, line, column, diagnostic.code, diagnostic.message


def roots_with(args: Type) -> dict[str, Type]:
    """The roots of constraints (P7) with the type of `args`."""
    return {"args": args, "user": _USER, "tool": STRING, "ctx": _MAP, "resource": _MAP, "now": TIMESTAMP}


class _PolicyChecker:
    def __init__(self, schemas: ToolSchemas | None) -> None:
        self._schemas = schemas
        self._authors: Mapping[str, LinkedRole] = {}
        self._entries: dict[int, CheckedEntry] = {}
        self._shared: dict[int, tuple[Mapping[str, CheckedEntry], tuple[CheckedEntry, ...]]] = {}
        self._expressions: dict[tuple[str, int, int], _Result] = {}
        self._environments: dict[tuple[int, int], Environment] = {}
        self.diagnostics: list[Diagnostic] = []

    def run(self, policy: LinkedPolicy) -> CheckedPolicy:
        self._authors = policy.roles
        # Abstract roles are checked as well: their entries are somebody's text.
        roles = {name: self._role(role) for name, role in policy.roles.items()}
        boundary = None if policy.boundary is None else self._role(policy.boundary)
        held = {name: role for name, role in roles.items() if not policy.roles[name].source.abstract}
        rows = [*held.values(), *([boundary] if boundary is not None else [])]
        return CheckedPolicy(held, boundary, *joined_reads(rows), policy.masks)

    def _role(self, role: LinkedRole) -> CheckedRole:
        default = None if role.default is None else self._entry(role.default, role)
        found = self._shared.get(id(role.entries))
        if found is None:
            entries = [self._entry(entry, role) for entry in role.entries.values()]
            exact = {entry.pattern: entry for entry in entries if not is_pattern(entry.pattern)}
            patterns = [entry for entry in entries if is_pattern(entry.pattern)]
            patterns.sort(key=lambda entry: (-len(literal_prefix(entry.pattern)), entry.pattern))
            found = self._shared[id(role.entries)] = exact, tuple(patterns)
        return CheckedRole(role.name, *found, default)

    def _entry(self, entry: LinkedEntry, role: LinkedRole) -> CheckedEntry:
        """The checked entry; its constants are those of the role that wrote it (P4)."""
        found = self._entries.get(id(entry))
        if found is None:
            author = role if entry.role is None else self._authors[entry.role]
            found = self._entries[id(entry)] = self._check_entry(entry, author)
        return found

    def _check_entry(self, entry: LinkedEntry, author: LinkedRole) -> CheckedEntry:
        name = entry.source.name
        self._refuse_unknown_tool(entry)
        args = self._arguments_of(name, author)
        rules = tuple([self._rule(entry, number, author, args) for number in range(len(entry.source.rules))])
        reads = reads_of(constraint.expression.root for rule in rules for constraint in rule.constraints)
        return CheckedEntry(name, rules, reads)

    def _arguments_of(self, name: str, author: LinkedRole) -> Type:
        """The type of `args` under an entry: from the tool's schema, from those of all tools that a pattern decides on,
        or a plain map."""
        if self._schemas is None:
            return _MAP
        if not is_pattern(name):
            return self._schemas.arguments.get(name, _MAP)
        others = [other for other in author.entries if other != name and _beats(other, name)]
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
        else:
            covers = any(matches_pattern(name, tool) for tool in schemas.arguments)
            if covers or all(rule.mode is Verdict.DENY for rule in entry.source.rules):
                return
            message, severity = f"no tool of the schemas matches `{name}`", Severity.WARNING
        self.diagnostics.append(
            Diagnostic("HG402", message, entry.source.place, schemas.help_for(name), severity=severity)
        )

    def _rule(self, entry: LinkedEntry, number: int, author: LinkedRole, args: Type) -> CheckedRule:
        rule = entry.source.rules[number]
        grants = rule.mode is not Verdict.DENY
        made = [self._constraint(text, author, args, grants) for text in rule.constraints]
        constraints = tuple([constraint for constraint in made if constraint is not None])
        reference = RuleReference(
            entry.role,
            entry.source.name,
            number,
            rule.mode,
            rule.place,
            tuple([constraint.reference for constraint in constraints]),
            rule.message,
            rule.approvers,
            rule.expires_in,
        )
        return CheckedRule(reference, constraints)

    def _constraint(self, text: SourceText, author: LinkedRole, args: Type, grants: bool) -> CheckedConstraint | None:
        """The checked constraint; None where it is reported. White space around it is not part of it."""
        stripped = text.text.strip()
        start = text.text.find(stripped)
        result = self._expression(stripped, author, args)
        weak = () if result.expression is None else weaknesses(result.expression, grants)
        for finding in (*result.findings, *weak):
            place = text.at(start + finding.span.start, start + finding.span.end)
            self.diagnostics.append(
                Diagnostic(finding.code, finding.message, place, finding.help, severity=finding.severity)
            )
        if result.expression is None:
            return None
        reference = ConstraintReference(stripped, text.at(start, start + len(stripped)))
        return CheckedConstraint(result.expression, reference)

    def _expression(self, text: str, author: LinkedRole, args: Type) -> _Result:
        """What checking a text gave under an author's constants and a type of `args`; the same text is checked once."""
        key = (text, id(author.constants), id(args))
        found = self._expressions.get(key)
        if found is None:
            found = self._expressions[key] = _check_expression(text, self._environment(author.constants, args))
        return found

    def _environment(self, constants: Mapping[str, Value], args: Type) -> Environment:
        key = (id(constants), id(args))
        environment = self._environments.get(key)
        if environment is None:
            environment = self._environments[key] = Environment(roots_with(args), constants)
        return environment


def _beats(other: str, pattern: str) -> bool:
    """Whether another entry of the role decides before a pattern does (P3)."""
    return not is_pattern(other) or len(literal_prefix(other)) > len(literal_prefix(pattern))


class _Result(NamedTuple):
    """A checked expression, None where it has errors, and what was found."""

    expression: CheckedExpression | None
    findings: tuple[Finding, ...]


def _check_expression(text: str, environment: Environment) -> _Result:
    try:
        expression, warnings = check_with_warnings(text, environment)
        require_bool(expression)
    except ExpressionError as error:
        return _Result(None, error.findings)
    return _Result(expression, warnings)
