"""Files of policy tests: what the parser accepts is what the schema accepts, and what a case becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hexgate.decision.decision import User
from hexgate.diagnostics import Severity
from hexgate.policy_tests.parse import DEFAULT_NOW, parse_suite
from hexgate.policy_tests.suite import PolicyCase
from tests.policy.sets import check_text

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "policy-test.schema.json").read_text(encoding="utf-8"))
POLICY = check_text("version: 1\nroles:\n  clerk:\n    tools:\n      pay: {mode: allow}\n  boss: {inherits: [clerk]}\n", "p.yaml")

CASE = "{role: clerk, tool: pay, expect: allow}"
DOCUMENTS: list[tuple[str, bool]] = [
    # a file in one line, and whether it can be read
    (f"{{version: 1, cases: [{CASE}]}}", True),
    (f"{{version: 1, policy: x, description: d, now: '2026-01-31T09:00:00Z', user: bob, cases: [{CASE}]}}", True),
    (f"{{version: 1, user: {{id: bob, attrs: {{team: a}}}}, cases: [{CASE}], tables: null}}", True),
    ("{version: 1, cases: [{name: n, role: clerk, tool: pay, args: {a: [1, {b: null}], c: 1.5, d: true}, ctx: {}, resource: {x: 1}, user: {attrs: {}}, now: '2026-01-31T09:00:00Z', expect: {verdict: deny, reason: rule, constraint: null, fault: null, message: m}}]}", True),
    ("{version: 1, tables: [{roles: [clerk, boss], rows: [{tool: pay, expect: [allow, {verdict: deny}]}]}]}", True),
    ("{version: 1, tables: [{name: t, role: clerk, tools: [pay], rows: [{name: r, args: [{a: 1}, {a: 2}], expect: allow}]}]}", True),
    ("{version: 1, tables: [{role: clerk, tool: pay, user: bob, ctx: {a: 1}, rows: [{resource: {}, expect: [allow]}]}]}", True),
    (f"{{cases: [{CASE}]}}", False),
    (f"{{version: 2, cases: [{CASE}]}}", False),
    (f"{{version: '1', cases: [{CASE}]}}", False),
    ("{version: 1}", False),
    ("{version: 1, cases: []}", False),
    ("{version: 1, tables: []}", False),
    ("{version: 1, cases: {}}", False),
    (f"{{version: 1, cases: [{CASE}], tests: []}}", False),
    (f"{{version: 1, policy: '', cases: [{CASE}]}}", False),
    (f"{{version: 1, user: [], cases: [{CASE}]}}", False),
    (f"{{version: 1, user: {{name: x}}, cases: [{CASE}]}}", False),
    ("{version: 1, cases: [x]}", False),
    ("{version: 1, cases: [{tool: pay, expect: allow}]}", False),
    ("{version: 1, cases: [{role: clerk, expect: allow}]}", False),
    ("{version: 1, cases: [{role: clerk, tool: pay}]}", False),
    ("{version: 1, cases: [{role: clerk, tool: pay, expect: alow}]}", False),
    ("{version: 1, cases: [{role: clerk, tool: pay, expect: []}]}", False),
    ("{version: 1, cases: [{role: clerk, tool: pay, expect: {reason: rule}}]}", False),
    ("{version: 1, cases: [{role: clerk, tool: pay, expect: {verdict: allow, rule: x}}]}", False),
    ("{version: 1, cases: [{role: clerk, tool: pay, args: [], expect: allow}]}", False),
    ("{version: 1, cases: [{role: clerk, tool: pay, ctx: x, expect: allow}]}", False),
    ("{version: 1, cases: [{role: [clerk], tool: pay, expect: allow}]}", False),
    ("{version: 1, tables: [{rows: [{tool: pay, expect: allow}]}]}", False),
    ("{version: 1, tables: [{roles: [], rows: [{tool: pay, expect: allow}]}]}", False),
    ("{version: 1, tables: [{role: clerk, roles: [clerk], rows: [{tool: pay, expect: allow}]}]}", False),
    ("{version: 1, tables: [{role: clerk}]}", False),
    ("{version: 1, tables: [{role: clerk, tool: pay, tools: [pay], rows: [{expect: allow}]}]}", False),
    ("{version: 1, tables: [{role: clerk, rows: [{tool: pay, tools: [pay], expect: allow}]}]}", False),
    ("{version: 1, tables: [{role: clerk, rows: [{tool: pay, args: [], expect: allow}]}]}", False),
    ("{version: 1, tables: [{role: clerk, rows: [{tool: pay, args: [1], expect: allow}]}]}", False),
    ("{version: 1, tables: [{role: clerk, rows: [{tool: pay}]}]}", False),
    ("{version: 1, tables: [{role: clerk, rows: [{tool: pay, expect: []}]}]}", False),
    ("[]", False),
]  # fmt: skip


@pytest.mark.parametrize(("document", "is_valid"), DOCUMENTS, ids=[row[0] for row in DOCUMENTS])
def test_the_schema_accepts_what_the_parser_accepts(document: str, is_valid: bool) -> None:
    _, found = parse_suite("t_test.yaml", document.encode(), POLICY)
    assert (not found) is is_valid, found
    instance: Any = yaml.safe_load(document)
    assert Draft202012Validator(SCHEMA).is_valid(instance) is is_valid


# What only the parser knows: names of the policy, numbers of roles, what a row does not have.
REPORTED = [
    ("{version: 1, cases: [{role: clrk, tool: pay, expect: allow}]}", "HG601", Severity.ERROR),
    ("{version: 1, cases: [{role: clrk, tool: pay, expect: {verdict: deny, reason: missing_user}}]}", "HG601", Severity.ERROR),
    ("{version: 1, cases: [{role: clerk, tool: pya, expect: deny}]}", "HG602", Severity.WARNING),
    ("{version: 1, tables: [{roles: [clerk, boss], rows: [{tool: pay, expect: [allow]}]}]}", "HG204", Severity.ERROR),
    ("{version: 1, tables: [{role: clerk, rows: [{expect: allow}]}]}", "HG205", Severity.ERROR),
    ("{version: 1, tables: [{role: clerk, tool: pay, rows: [{args: {a: 0777}, expect: allow}]}]}", "HG212", Severity.ERROR),
    ("{version: 1, cases: [{role: clerk, tool: pay, now: 12, expect: allow}]}", "HG210", Severity.ERROR),
    ("{version: 1, cases: [{role: clerk, tool: pay, expect: {verdict: deny, reason: rules}}]}", "HG210", Severity.ERROR),
    ("{version: 1, cases: [{role: clerk, role: boss, tool: pay, expect: allow}]}", "HG203", Severity.ERROR),
    ("{version: 1, cases: [&a {role: clerk, tool: pay, expect: allow}, *a]}", "HG207", Severity.ERROR),
]


@pytest.mark.parametrize(("document", "code", "severity"), REPORTED, ids=[row[0] for row in REPORTED])
def test_what_is_reported(document: str, code: str, severity: Severity) -> None:
    _, found = parse_suite("t_test.yaml", document.encode(), POLICY)
    assert (code, severity) in {(one.code, one.severity) for one in found}
    assert all(one.place is not None and one.place.file == "t_test.yaml" for one in found)


@pytest.mark.parametrize("reason", ["unknown_role", "unknown_tool"])
def test_names_that_are_meant_to_be_none(reason: str) -> None:
    document = f"{{version: 1, cases: [{{role: clrk, tool: pya, expect: {{verdict: deny, reason: {reason}}}}}]}}"
    _, found = parse_suite("t_test.yaml", document.encode(), POLICY)
    assert [one.code for one in found] == ([] if reason == "unknown_role" else ["HG601"])


NESTED = b"""version: 1
now: 2026-01-31T09:00:00Z
user: {id: bob, attrs: {team: a}}
cases:
  - {role: clerk, tool: pay, expect: allow}
  - {role: clerk, tool: pay, user: eve, ctx: {a: 1}, now: 2026-01-31T09:00:01Z, expect: allow}
tables:
  - roles: [clerk, boss]
    tools: [pay, "7"]
    user: {attrs: {team: b}}
    rows:
      - {args: [{n: 1}, {n: 2}], expect: [allow, deny]}
      - {tool: other, resource: {x: [null]}, expect: deny}
"""
SECOND = 10**9


def test_cases_and_tables_written_out() -> None:
    suite, found = parse_suite("t_test.yaml", NESTED)
    assert found == ()
    assert [_row(case) for case in suite.cases] == [
        ("clerk pay", "pay", {}, "clerk", "bob", "a", 0, "allow"),
        ("clerk pay", "pay", {}, "clerk", "eve", "a", 1, "allow"),
        ("clerk pay, arguments 1", "pay", {"n": 1}, "clerk", "bob", "b", 0, "allow"),
        ("clerk pay, arguments 2", "pay", {"n": 2}, "clerk", "bob", "b", 0, "allow"),
        ("clerk 7, arguments 1", "7", {"n": 1}, "clerk", "bob", "b", 0, "allow"),
        ("clerk 7, arguments 2", "7", {"n": 2}, "clerk", "bob", "b", 0, "allow"),
        ("boss pay, arguments 1", "pay", {"n": 1}, "boss", "bob", "b", 0, "deny"),
        ("boss pay, arguments 2", "pay", {"n": 2}, "boss", "bob", "b", 0, "deny"),
        ("boss 7, arguments 1", "7", {"n": 1}, "boss", "bob", "b", 0, "deny"),
        ("boss 7, arguments 2", "7", {"n": 2}, "boss", "bob", "b", 0, "deny"),
        ("clerk other", "other", {}, "clerk", "bob", "b", 0, "deny"),
        ("boss other", "other", {}, "boss", "bob", "b", 0, "deny"),
    ]
    assert suite.cases[-1].resource == {"x": [None]}
    assert suite.cases[1].ctx == {"a": 1}


def _row(case: PolicyCase) -> tuple[Any, ...]:
    assert type(case.user) is User
    attrs: Any = case.user.attrs
    late = (case.now - 1_769_850_000 * SECOND) // SECOND
    return case.name, case.tool, case.args, case.user.role, case.user.user_id, attrs["team"], late, case.expected.verdict.text


def test_without_a_time_no_case_depends_on_the_day() -> None:
    suite, _ = parse_suite("t_test.yaml", f"version: 1\ncases: [{CASE}]\n".encode())
    assert suite.cases[0].now == DEFAULT_NOW


def test_a_short_table_of_long_lists() -> None:
    """The cases are counted, and never made: 64 million of them would fill the memory."""
    names = "[" + ", ".join(["a"] * 400) + "]"
    args = "[" + ", ".join(["{}"] * 400) + "]"
    suite, found = parse_suite("p_test.yaml", f"version: 1\ntables:\n  - {{roles: {names}, tools: {names}, rows: [{{args: {args}, expect: deny}}]}}\n".encode())
    assert suite.cases == ()
    assert [(one.code, one.message) for one in found] == [("HG208", "the file has 64,000,000 cases, more than 100,000")]
