"""Parse a file of policy tests: bytes to a `Suite`, with everything that is wrong in it (docs/policy-tests.md T2 to T6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hexgate.decision.decision import Reason, User, Verdict
from hexgate.diagnostics import Diagnostic, Severity
from hexgate.faults import Fault
from hexgate.language.suggest import help_for
from hexgate.place import Place
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.reading import Reader, shorten
from hexgate.policy.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml
from hexgate.policy_tests.parse_values import (
    Reported,
    argument_value,
    instant_value,
    name_value,
    name_values,
    object_value,
)
from hexgate.policy_tests.suite import DETAILS, Cell, Expected, PolicyCase, Suite

CASES = 100_000
"""Cases of one file, at most, tables written out."""

DEFAULT_NOW = 1_767_225_600 * 10**9
"""2026-01-01T00:00:00Z in nanoseconds since the epoch: the time of cases that name none, so that no test depends on the day it
runs."""

_FILE_KEYS = ("version", "policy", "description", "now", "user", "cases", "tables")
_REQUEST_KEYS = ("user", "ctx", "resource", "now")
_CASE_KEYS = ("name", "role", "tool", "args", *_REQUEST_KEYS, "expect")
_TABLE_KEYS = ("name", "roles", "role", "tools", "tool", *_REQUEST_KEYS, "rows")
_ROW_KEYS = ("name", "tools", "tool", "args", *_REQUEST_KEYS, "expect")
_USER_KEYS = ("id", "attrs")
_WORDS = {
    "verdict": (tuple(verdict.value for verdict in Verdict), {"allowed": "allow", "denied": "deny", "approve": "approval_required", "approval": "approval_required", "ask": "approval_required"}),
    "reason": (tuple(reason.value for reason in Reason), {}),
    "fault": (tuple(fault.code for fault in Fault), {}),
}  # fmt: skip
"""Expectations that are one of a few words, and what people write for them."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What a call has beside its tool and arguments: that of the file, of a table, of a row, each instead of the one around it."""

    user_id: str = "alice"
    attrs: Any = None
    ctx: Any = None
    resource: Any = None
    now: int = DEFAULT_NOW


def parse_suite(file: str, data: bytes, policy: CheckedPolicy | None = None) -> tuple[Suite, tuple[Diagnostic, ...]]:
    """The tests of a file, and what is wrong with it, in order of place. With the policy that they are for, roles that it does not
    have are errors, and tools that it does not name warnings; without, only the file itself is looked at."""
    reader = Reader()
    tree, diagnostics = parse_yaml(file, data)
    reader.diagnostics.extend(diagnostics)
    suite = Suite(file, None, ())
    if isinstance(tree, Mapping):
        suite = _SuiteParser(reader, policy).parse(file, tree)
    elif not diagnostics:
        reader.report("HG204", "a file of policy tests is a map of keys", Place(file, 1, 1), "begin with `version: 1` and `cases:`")
    found = sorted(reader.diagnostics, key=lambda one: (one.place.line, one.place.column) if one.place else (0, 0))
    return suite, tuple(found)


class _SuiteParser:
    def __init__(self, reader: Reader, policy: CheckedPolicy | None) -> None:
        self._reader = reader
        self._policy = policy
        self._count = 0

    def parse(self, file: str, tree: Mapping) -> Suite:
        reader = self._reader
        meant = reader.refuse_keys(tree, _FILE_KEYS, "a file of policy tests")
        reader.require_version(tree, Place(file, 1, 1), meant)
        policy = reader.text(tree, "policy")
        cases: list[PolicyCase] = []
        try:
            request = self._request(tree, _Request())
        except Reported:
            return Suite(file, policy, ())
        for key, make in (("cases", self._case), ("tables", self._table)):
            for node in self._list(tree, key):
                try:
                    cases += make(node, request)
                except Reported:
                    continue
        if self._count > CASES:
            reader.report("HG208", f"the file has {self._count:,} cases, more than {CASES:,}", Place(file, 1, 1), "split it")
        elif not cases and not reader.diagnostics:
            reader.report("HG205", "the file has no case", Place(file, 1, 1), "write one below `cases:` or a table below `tables:`")
        return Suite(file, policy, tuple(cases))

    def _list(self, tree: Mapping, key: str) -> tuple[Node, ...]:
        node = tree.get(key)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return ()
        if isinstance(node, Sequence):
            return node.items
        self._reader.report("HG204", f"`{key}` is a list", node.place, f"begin each of `{key}` with `- `")
        return ()

    def _map(self, node: Node, keys: tuple[str, ...], what: str) -> Mapping:
        if isinstance(node, Mapping):
            self._reader.refuse_keys(node, keys, what)
            return node
        self._reader.report("HG204", f"{what} is a map of keys", node.place, "it has " + ", ".join(f"`{key}`" for key in keys))
        raise Reported

    def _request(self, tree: Mapping, around: _Request) -> _Request:
        """What a map says of `_REQUEST_KEYS`, with what stands around it for the rest."""
        user_id, attrs = self._user(tree, around)
        ctx = object_value(self._reader, tree, "ctx") if tree.get("ctx") is not None else around.ctx
        resource = object_value(self._reader, tree, "resource") if tree.get("resource") is not None else around.resource
        now = tree.get("now")
        return _Request(user_id, attrs, ctx, resource, around.now if now is None else instant_value(self._reader, now))

    def _user(self, tree: Mapping, around: _Request) -> tuple[str, Any]:
        node = tree.get("user")
        if node is None:
            return around.user_id, around.attrs
        if isinstance(node, Scalar):
            return name_value(self._reader, node, "user"), around.attrs
        user = self._map(node, _USER_KEYS, "`user`")
        user_id = user.get("id")
        return (
            around.user_id if user_id is None else name_value(self._reader, user_id, "id"),
            object_value(self._reader, user, "attrs"),
        )

    def _case(self, node: Node, around: _Request) -> list[PolicyCase]:
        tree = self._map(node, _CASE_KEYS, "a case")
        role = self._require(tree, "role", "a case")
        tool = self._require(tree, "tool", "a case")
        args = object_value(self._reader, tree, "args")
        request = self._request(tree, around)
        expected = self._expected(self._require(tree, "expect", "a case"))
        self._make_room(1)
        names = name_value(self._reader, role, "role"), name_value(self._reader, tool, "tool")
        self._require_known(names[0], role, names[1], tool, expected)
        name = self._reader.text(tree, "name") or f"{names[0]} {names[1]}"
        return [_made(name, *names, args, request, expected, tree.place)]

    def _make_room(self, cases: int) -> None:
        """Counts cases before they are written out: a short table of long lists has millions. Raises Reported where they are too many;
        the whole number is reported at the end."""
        self._count += cases
        if self._count > CASES:
            raise Reported

    def _require(self, tree: Mapping, key: str, what: str) -> Node:
        node = tree.get(key)
        if node is None:
            if key not in tree.broken:
                self._reader.report("HG205", f"{what} has no `{key}`", tree.place, f"write `{key}:`")
            raise Reported
        return node

    def _expected(self, node: Node) -> Expected:
        """A verdict, or a map of `verdict` and details."""
        if not isinstance(node, Mapping):
            return Expected(self._word(node, "verdict"), {})
        tree = self._map(node, ("verdict", *DETAILS), "`expect`")
        details = {name: self._detail(name, value) for name in DETAILS if (value := tree.get(name)) is not None}
        return Expected(self._word(self._require(tree, "verdict", "`expect`"), "verdict"), details)

    def _word(self, node: Node, name: str) -> Cell:
        names, meant = _WORDS[name]
        if isinstance(node, Scalar) and self._reader.one_of(node, name, names, meant) is not None:
            return Cell(node.source.text, node.source, node.plain)
        if not isinstance(node, Scalar):
            self._reader.report("HG204", f"`{name}` is a word", node.place, "it is " + ", ".join(f"`{word}`" for word in names))
        raise Reported

    def _detail(self, name: str, node: Node) -> Cell:
        if isinstance(node, Scalar) and node.is_null and name != "reason":
            return Cell(None, node.source, node.plain)
        if name in _WORDS:
            return self._word(node, name)
        text = name_value(self._reader, node, name)
        if not isinstance(node, Scalar):
            raise Reported
        return Cell(text.strip(), node.source, node.plain)

    def _table(self, node: Node, around: _Request) -> Iterator[PolicyCase]:
        tree = self._map(node, _TABLE_KEYS, "a table")
        roles = name_values(self._reader, tree, "role", "roles")
        if not roles:
            self._reader.report("HG205", "a table has no `roles`", tree.place, "write `roles: [billing, auditor]`")
            raise Reported
        tools = name_values(self._reader, tree, "tool", "tools")
        request = self._request(tree, around)
        title = self._reader.text(tree, "name")
        given = self._require(tree, "rows", "a table")
        rows = self._list(tree, "rows")
        if not rows and (given.is_null if isinstance(given, Scalar) else isinstance(given, Sequence) and not given.is_broken):
            self._reader.report("HG205", "a table has no row", given.place, "write one below `rows:`")
        for row in rows:
            try:
                yield from self._row(row, title, roles, tools, request)
            except Reported:
                continue

    def _row(
        self, node: Node, title: str | None, roles: list[tuple[str, Scalar]], tools: list[tuple[str, Scalar]], around: _Request
    ) -> list[PolicyCase]:
        """The cases of a row: its arguments, or each of them, for every tool and role."""
        tree = self._map(node, _ROW_KEYS, "a row")
        tools = name_values(self._reader, tree, "tool", "tools") or tools
        if not tools:
            self._reader.report("HG205", "a row has no `tool`, and its table neither", tree.place, "write `tool:` in the row or in the table")
            raise Reported
        request = self._request(tree, around)
        all_args = self._all_args(tree)
        expected = self._for_roles(self._require(tree, "expect", "a row"), roles)
        self._make_room(len(roles) * len(tools) * len(all_args))
        label = ": ".join(part for part in (title, self._reader.text(tree, "name")) if part)
        cases = []
        for (role, role_node), outcome in zip(roles, expected, strict=True):
            for tool, tool_node in tools:
                self._require_known(role, role_node, tool, tool_node, outcome)
                for number, args in enumerate(all_args):
                    place = outcome.verdict.source.place
                    nth = f", arguments {number + 1}" if len(all_args) > 1 else ""
                    name = f"{label} ({role}, {tool}{nth})" if label else f"{role} {tool}{nth}"
                    cases.append(_made(name, role, tool, args, request, outcome, place))
        return cases

    def _all_args(self, tree: Mapping) -> list[dict[str, Any]]:
        """`args` of a row: a map, or a list of maps that must all be answered alike."""
        node = tree.get("args")
        if not isinstance(node, Sequence):
            return [object_value(self._reader, tree, "args")]
        found = []
        for item in node.items:
            if not isinstance(item, Mapping):
                self._reader.report("HG204", "each of `args` is a map", item.place, "for example `- {amount: 30}`")
                raise Reported
            found.append(argument_value(self._reader, item))
        if not found and not node.is_broken:
            self._reader.report("HG205", "`args` has no arguments to try", node.place, "write `{}` for a call without arguments")
        if not found or node.is_broken:
            raise Reported
        return found

    def _for_roles(self, node: Node, roles: list[tuple[str, Scalar]]) -> list[Expected]:
        """What a row expects of each role: one for all, or a list in the order of the roles."""
        if not isinstance(node, Sequence):
            return [self._expected(node)] * len(roles)
        if node.is_broken:
            raise Reported
        if len(node.items) != len(roles):
            message = f"`expect` has {len(node.items)} entries, and the table {len(roles)} roles"
            names = ", ".join(name for name, _ in roles)
            self._reader.report("HG204", message, node.place, f"write one verdict for all, or one for each of {shorten(names)}")
            raise Reported
        return [self._expected(item) for item in node.items]

    def _require_known(self, role: str, role_node: Node, tool: str, tool_node: Node, expected: Expected) -> None:
        """A role of the policy, unless it is expected to be none; a tool that something covers, or an expected reason, else a warning: a
        misspelt name is denied, which looks like a success."""
        policy = self._policy
        if policy is None:
            return
        reason = expected.details.get("reason")
        asked = None if reason is None else reason.text
        row = policy.roles.get(role)
        if row is None:
            if asked != Reason.UNKNOWN_ROLE.value:
                help_ = help_for(role, tuple(policy.roles), _listed("the policy's roles are", policy.roles))
                self._report_once("HG601", f"`{shorten(role)}` is no role that a user can hold", role_node, help_, Severity.ERROR)
        elif asked is None and not _is_covered(policy, role, tool):
            tools = sorted({name for held in policy.roles.values() for name in held.exact})
            help_ = help_for(tool, tuple(tools), "expect the reason `unknown_tool` where that is meant")
            self._report_once("HG602", f"no entry of any role covers `{shorten(tool)}`", tool_node, help_, Severity.WARNING)

    def _report_once(self, code: str, message: str, node: Node, help_: str, severity: Severity) -> None:
        found = Diagnostic(code, message, node.place, help_, severity=severity)
        if found not in self._reader.diagnostics:
            self._reader.diagnostics.append(found)


def _is_covered(policy: CheckedPolicy, role: str, tool: str) -> bool:
    """Whether a role, or the boundary, says something of a tool by name or pattern, or the role's default lets it through."""
    default = policy.roles[role].default
    if default is not None and any(rule.reference.mode is not Verdict.DENY for rule in default.rules):
        return True
    rows = [*policy.roles.values(), *(() if policy.boundary is None else (policy.boundary,))]
    return any(row.entry_for(tool) not in (None, row.default) for row in rows)


def _listed(lead: str, names: Iterable[str]) -> str:
    return f"{lead} " + ", ".join(f"`{name}`" for name in sorted(names))


def _made(
    name: str, role: str, tool: str, args: dict[str, Any], request: _Request, expected: Expected, place: Place
) -> PolicyCase:
    user = User(request.user_id, role, request.attrs or {})
    return PolicyCase(name, tool, args, user, request.ctx or {}, request.resource or {}, request.now, expected, place)
