"""Linking: shared entries, provenance, and that it scales."""

from __future__ import annotations

import time

from hexgate.policy.check import check
from hexgate.policy.link import link, same_value
from hexgate.policy.linked import LinkedPolicy
from hexgate.policy.parse import parse
from hexgate.values import Value


def linked(**files: str) -> LinkedPolicy:
    return link(parse({f"{name}.yaml": f"version: 1\n{text}".encode() for name, text in files.items()}))


ENTRY = "tools:\n  a:\n    mode: allow\n  get_*:\n    mode: allow\n"


def test_an_inherited_entry_is_one_object() -> None:
    policy = linked(base=ENTRY, left="inherits: [base]\n", right="inherits: [base]\n", both="inherits: [left, right]\n")
    base, both = policy.roles["base"], policy.roles["both"]
    assert both.entries["a"] is base.entries["a"]
    assert policy.roles["left"].entries is base.entries
    checked = check(policy)
    assert checked.roles["both"].exact["a"] is checked.roles["base"].exact["a"]
    assert checked.roles["left"].exact is checked.roles["base"].exact


def test_an_entry_says_where_it_comes_from_and_what_it_replaces() -> None:
    policy = linked(
        base=ENTRY,
        other="tools:\n  a:\n    mode: deny\n",
        child="inherits: [base, other]\ntools:\n  a:\n    mode: approval_required\n",
        grandchild="inherits: [child]\ntools:\n  a:\n    mode: deny\n",
    )
    entry = policy.roles["grandchild"].entries["a"]
    assert (entry.role, [replaced.role for replaced in entry.replaces]) == ("grandchild", ["child"])
    (child,) = entry.replaces
    assert [replaced.role for replaced in child.replaces] == ["base", "other"]
    assert policy.roles["grandchild"].entries["get_*"].role == "base"
    assert [parent.name for parent in policy.roles["child"].parents] == ["base", "other"]


def test_the_boundary_is_nobodys_role() -> None:
    policy = linked(base=ENTRY, boundary=ENTRY)
    assert policy.boundary is not None
    assert policy.boundary.entries["a"].role is None
    checked = check(policy)
    assert checked.boundary is not None
    assert checked.boundary.exact["a"].rules[0].reference.role is None


def test_constants_belong_to_the_file_of_the_constraint() -> None:
    rule = "tools:\n  {tool}:\n    mode: allow\n    constraints:\n      - args.n < consts.limit\n"
    policy = linked(
        base="consts:\n  limit: 1\n" + rule.format(tool="a"),
        child="inherits: [base]\nconsts:\n  limit: 2\n" + rule.format(tool="b"),
    )
    assert policy.roles["base"].constants == {"limit": 1}
    assert policy.roles["child"].constants == {"limit": 2}
    exact = check(policy).roles["child"].exact
    texts = {tool: str(entry.rules[0].constraints[0].expression.root) for tool, entry in exact.items()}
    assert "value=1" in texts["a"]
    assert "value=2" in texts["b"]


def test_default_policy_is_not_inherited() -> None:
    policy = linked(base="default_policy:\n  mode: allow\n", child="inherits: [base]\n")
    assert policy.roles["child"].default is None


def test_abstract_roles_are_linked_and_not_held() -> None:
    policy = linked(base="abstract: true\n" + ENTRY, child="inherits: [base]\n")
    assert list(policy.roles) == ["base", "child"]
    assert list(check(policy).roles) == ["child"]


def test_linked_and_checked_roles_find_the_same_entries() -> None:
    policy = linked(
        base=ENTRY + "  get_x:\n    mode: deny\n  'get_x*':\n    mode: deny\n  '*z':\n    mode: deny\n",
        child="inherits: [base]\ndefault_policy:\n  mode: deny\n",
    )
    checked = check(policy)
    for name, role in policy.roles.items():
        for tool in ("a", "b", "get_", "get_x", "get_xy", "get_yz", "yz", "*", ""):
            entry, found = role.entry_for(tool), checked.roles[name].entry_for(tool)
            assert (entry.source.name if entry else None) == (found.pattern if found else None)


def test_same_value() -> None:
    values: list[Value] = [1, 1.0, True, "1", 0.0, -0.0, (1,), (1.0,), (), {}, {"a": 1}, {"a": True}, {"a": 1, "b": 2}, {"b": 2, "a": 1}]
    for left in range(len(values)):
        for right in range(len(values)):
            assert same_value(values[left], values[right]) is (left == right)


def test_a_thousand_roles_that_inherit_a_thousand_tools() -> None:
    base = "abstract: true\ntools:\n" + "".join(
        f"  tool_{number}:\n    mode: allow\n    constraints:\n      - args.amount <= {number % 50}\n" for number in range(1_000)
    )
    files = {f"role_{number}": f"inherits: [base]\ntools:\n  own_{number}:\n    mode: deny\n" for number in range(500)}
    files |= {f"role_{number}": "inherits: [base]\n" for number in range(500, 1_000)}
    before = time.process_time()
    checked = check(linked(base=base, **files))
    assert time.process_time() - before < 20
    assert len(checked.roles) == 1_000
    assert checked.roles["role_999"].exact is checked.roles["role_998"].exact
    assert len({id(role.exact["tool_7"]) for role in checked.roles.values()}) == 1
    assert len(checked.tool_reads) == 1_500


def test_a_long_line_of_ancestors() -> None:
    files = {f"r{number}": f"inherits: [r{number + 1}]\n" for number in range(2_000)}
    checked = check(linked(**files, r2000=ENTRY))
    assert checked.roles["r0"].exact is checked.roles["r2000"].exact


def test_patterns_that_many_roles_inherit_are_compared_once() -> None:
    base = "tools:\n" + "".join(f"  '*_{number}_x':\n    mode: allow\n" for number in range(1))
    base += "".join(f"  'p{number}_*':\n    mode: allow\n" for number in range(300))
    files = {f"r{number}": f"inherits: [base]\ntools:\n  'q{number}*':\n    mode: deny\n" for number in range(300)}
    before = time.process_time()
    assert len(check(linked(base=base, **files)).roles) == 301
    assert time.process_time() - before < 15


def test_what_anyone_masks_is_masked_for_all() -> None:
    policy = linked(
        base="abstract: true\naudit: {hash: [user.attrs.email]}\ntools:\n  pay:\n    mode: allow\n    audit: {mask: [args.card.number]}\n",
        child="inherits: [base]\ntools:\n  pay: {mode: deny}\n  get_*: {rules: [{mode: allow}], audit: {mask: [ctx.ip], hash: [args.x]}}\n",
        boundary="audit: {mask: [resource.iban]}\n",
    )
    assert [(str(path), path.masked.value) for path in check(policy).masks] == [
        ("get_*/args.x", "hash"), ("get_*/ctx.ip", "mask"), ("pay/args.card.number", "mask"), ("resource.iban", "mask"),
        ("user.attrs.email", "hash"),
    ]  # fmt: skip
