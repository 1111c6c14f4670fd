"""Mistakes that others made with policy files, each with the case here that ours does not repeat."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexgate.decision.decision import User
from hexgate.diagnostics import PolicyInvalidError, Severity
from tests.policy.decisions import FOLDER, read_table
from tests.policy.engines import ENGINES
from tests.policy.sets import check_files, check_text, findings_of
from tests.policy.test_findings import CASES, read_case

REFUSED = {
    # number of the mistake: the sets that are refused for it, with the code
    1: [("unknown_key_constraint.yaml", "HG202")],
    2: [("unknown_key_tool.yaml", "HG202")],
    3: [("roles_as_list.yaml", "HG204")],
    4: [("version_99.yaml", "HG206"), ("version_missing.yaml", "HG205"), ("version_text.yaml", "HG206")],
    5: [("duplicate_tool.yaml", "HG203")],
    9: [("two_parents_disagree", "HG303")],
    12: [("unknown_key_reason.yaml", "HG202")],
    14: [("constant_names.yaml", "HG209")],
    17: [("expressions.yaml", "HG110"), ("schemas", "HG403")],
    25: [("role_names_in_a_set.yaml", "HG209"), ("non_string_keys.yaml", "HG204")],
}
DECIDED = [7, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 22, 24, 25]
"""Mistakes that rows of the decision tables cite as `6.1/N`."""


@pytest.mark.parametrize(("case", "code"), [row for rows in REFUSED.values() for row in rows])
def test_refused(case: str, code: str) -> None:
    assert code in {finding.code for finding in findings_of(read_case(CASES / case)) if finding.severity is Severity.ERROR}


def test_decided() -> None:
    cited = {clause for table in FOLDER.glob("*.txt") for row in read_table(table) for clause in row.clauses}
    assert {f"6.1/{number}" for number in DECIDED} <= cited


def test_every_mistake_is_covered() -> None:
    """6 is below; 8 is the notes on wider roles; 20, 21 and 23 are about path functions, which the language tests."""
    assert REFUSED.keys() | set(DECIDED) | {6, 8, 20, 21, 23} == set(range(1, 26))


def test_a_role_file_resolves_its_parents(tmp_path: Path) -> None:
    """6: `inherits` of a single role file was ignored without a word."""
    files = {
        "billing.yaml": b"version: 1\ninherits: [read_only]\n",
        "read_only.yaml": b"version: 1\ntools:\n  look:\n    mode: allow\n",
    }
    assert "look" in check_files(files)[0].roles["billing"].exact
    with pytest.raises(PolicyInvalidError) as caught:
        check_files({"billing.yaml": files["billing.yaml"]})
    assert [finding.code for finding in caught.value.diagnostics] == ["HG301"]


def test_a_wider_child_is_noted() -> None:
    """8: a child that drops its parent's limit."""
    notes = findings_of(read_case(CASES / "wider"))
    assert [note.place.line for note in notes if note.code == "HG501" and note.place] == [3, 8, 12, 14, 16, 18, 22, 28]


@pytest.mark.parametrize("name", ["input", "every", "startswith", "allow", "requires_approval", "__proto__", "constructor", "_", "size", "args"])
def test_constants_have_names_of_their_own(name: str) -> None:
    """13 to 15: names of constants met names of the rules' language."""
    text = f"version: 1\nconsts:\n  {name}: 5\ntools:\n  t:\n    mode: allow\n    constraints:\n      - consts.{name} == args.x\n"
    policy = check_text(text)
    for open_engine in ENGINES.values():
        engine = open_engine(policy)
        assert engine.decide("t", {"x": 5}, User("a", "role")).allowed
        assert not engine.decide("t", {"x": True}, User("a", "role")).allowed
        assert not engine.decide("u", {"x": 5}, User("a", "role")).allowed


def test_after_check_every_engine_takes_a_policy() -> None:
    """24: constraints that one engine evaluated and the other could not build."""
    constraints = [
        "consts.dirs.exists(d, args.path.startsWith(d))",
        "args.items.all(i, i.owner == args.owner)",
        "args.items.all(i, consts.dirs.exists(d, i.path.startsWith(d) && d != args.owner))",
        "args.items.map(i, i.n).filter(n, n > consts.n).size() == 0",
    ]
    lines = "".join(f"      - {constraint}\n" for constraint in constraints)
    policy = check_text(f"version: 1\nconsts:\n  dirs: [a/, b/]\n  n: 5\ntools:\n  t:\n    mode: allow\n    constraints:\n{lines}")
    args = {"path": "a/x", "owner": "o", "items": [{"owner": "o", "path": "b/y", "n": 1}]}
    for open_engine in ENGINES.values():
        assert open_engine(policy).decide("t", args, User("alice", "role")).allowed
        assert not open_engine(policy).decide("t", {**args, "owner": "p"}, User("alice", "role")).allowed
