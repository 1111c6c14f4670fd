"""A broken engine is found: each of a list of faults, planted in the prelude or in the program, within seconds.

`mutations.txt` plants faults in functions of the prelude; the policy of each is its one constraint. `IN_PROGRAMS` plants
them in what a policy is compiled from. A fault that changes no decision is no mutation and must be replaced by another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from hexgate.compiler import link
from hexgate.compiler.assemble import assemble
from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.compiler.emit import emit
from hexgate.compiler.link import PreludeFunction
from hexgate.compiler.program import EntryCode, Program, RuleCode
from hexgate.decision.outcomes import PolicyTable
from hexgate.decision.reads import Reads
from hexgate.parity.run import Budget, run_parity
from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.link import link as link_policy
from hexgate.policy.parse import parse

SECONDS = 10.0
LEAST = 60


class Mutation(NamedTuple):
    """A line of `mutations.txt`."""

    topic: str
    constraint: str
    function: str
    right: str
    wrong: str


def _mutations() -> list[Mutation]:
    lines = (Path(__file__).parent / "mutations.txt").read_text(encoding="utf-8").splitlines()
    return [Mutation(*line.split(" ¦ ")) for line in lines if line and not line.startswith("#")]


MUTATIONS = _mutations()


def _policy(text: str) -> CheckedPolicy:
    return check(link_policy(parse({"policy.yaml": text.encode()})))


def _mutated_prelude(mutation: Mutation) -> dict[str, PreludeFunction]:
    sources = link._sources()
    function = sources[mutation.function]
    assert mutation.right in function.text, "the prelude has changed: write the mutation anew"
    text = function.text.replace(mutation.right, mutation.wrong)
    sources[mutation.function] = PreludeFunction(function.name, text, tuple(dict.fromkeys(link._CALL.findall(text))))
    bodies = link.templates({name: source.text for name, source in sources.items()})
    return {name: link._inlined(source, bodies) for name, source in sources.items()}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: f"{m.topic}-{m.function}-{m.constraint}")
def test_a_fault_in_the_prelude_is_found(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    constraint = mutation.constraint.replace("'", "''")
    policy = _policy(f"version: 1\nroles:\n  r:\n    tools:\n      t:\n        mode: allow\n        constraints: ['{constraint}']\n")
    sound = compile_policy(policy)
    prelude = _mutated_prelude(mutation)
    monkeypatch.setattr(link, "prelude", lambda: prelude)
    broken = compile_policy(policy)
    assert broken.wasm != sound.wasm, "the policy does not reach what is broken"
    report = run_parity(policy, Budget(seconds=SECONDS), compiled=broken)
    assert report.disagreement is not None, f"{report.cases} calls, none of which shows the fault"


TEAM = """
version: 1
roles:
  parent:
    default_policy: {mode: approval_required}
    tools:
      pay: {mode: allow, constraints: [args.amount <= 500]}
      mail: {mode: approval_required, constraints: ['args.to.endsWith("@x.com")', size(args.text) < 100]}
      note: {mode: allow}
      "git.*": {mode: deny, constraints: [args.force]}
      "git.pu*": {mode: allow, constraints: ['args.branch != "main"', 'user.attrs.level > 2']}
  child:
    inherits: [parent]
    tools:
      pay:
        rules:
          - {mode: allow, constraints: [args.amount <= 50]}
          - {mode: approval_required, constraints: [args.amount <= 200, 'now < timestamp("2030-01-01T00:00:00Z")']}
      wipe:
        rules:
          - {mode: deny, constraints: ['args.path == "/"']}
          - {mode: allow, constraints: ['args.path.startsWith("/tmp")', ctx.dry_run]}
          - {mode: approval_required}
  single:
    tools:
      pay: {mode: allow, constraints: [args.amount <= 5000, 'args.currency == "USD"']}
boundary:
  tools:
    pay: {mode: allow, constraints: [args.amount <= 1000]}
    wipe: {mode: approval_required, constraints: ['args.path != "/etc"']}
    note: {mode: deny, constraints: [args.secret]}
    "git.p*": {mode: approval_required}
"""


def _rows(change: Callable[[list[tuple[int, ...]]], list[tuple[int, ...]]]) -> Callable[[Program], Program]:
    return lambda p: replace(p, dispatch=replace(p.dispatch, exact=tuple(change(list(p.dispatch.exact)))))


def _entries(change: Callable[[EntryCode], EntryCode]) -> Callable[[Program], Program]:
    return lambda p: replace(p, entries=tuple(map(change, p.entries)))


def _rules(change: Callable[[RuleCode], RuleCode]) -> Callable[[Program], Program]:
    return _entries(lambda entry: replace(entry, rules=tuple(map(change, entry.rules))))


def _table(**changes: Callable[[PolicyTable], object]) -> Callable[[Program], Program]:
    return lambda p: replace(p, table=replace(p.table, **{name: change(p.table) for name, change in changes.items()}))


def _reads(change: Callable[[Reads], Reads]) -> Callable[[Program], Program]:
    return _table(tool_reads=lambda table: {tool: change(reads) for tool, reads in table.tool_reads.items()})


def _less(members: object) -> frozenset[str]:
    assert isinstance(members, frozenset)
    return frozenset(sorted(members)[1:])


IN_PROGRAMS: dict[str, Callable[[Program], Program]] = {
    "inheritance: a child decides as its parent": _rows(lambda rows: [rows[0], rows[0], *rows[2:]]),
    "inheritance: a parent decides as its child": _rows(lambda rows: [rows[1], rows[1], *rows[2:]]),
    "inheritance: what is inherited is lost": _rows(lambda rows: [rows[0], tuple(0 if entry == rows[0][n] else entry for n, entry in enumerate(rows[1])), *rows[2:]]),
    "inheritance: a role gets what another has": _rows(lambda rows: [*rows[:2], tuple(mine or other for mine, other in zip(rows[2], rows[1], strict=True)), *rows[3:]]),
    "inheritance: roles are mixed up": lambda p: replace(p, dispatch=replace(p.dispatch, roles=(*p.dispatch.roles[1::-1], *p.dispatch.roles[2:]))),
    "patterns: the first that was written": lambda p: replace(p, dispatch=replace(p.dispatch, patterns=tuple(row[::-1] for row in p.dispatch.patterns))),
    "patterns: none": lambda p: replace(p, dispatch=replace(p.dispatch, patterns=tuple(() for _ in p.dispatch.patterns))),
    "patterns: a star is a character": lambda p: replace(p, dispatch=replace(p.dispatch, patterns=tuple(tuple((pattern.replace("*", "x"), entry) for pattern, entry in row) for row in p.dispatch.patterns))),
    "default policy: lost": lambda p: replace(p, dispatch=replace(p.dispatch, default=tuple(0 for _ in p.dispatch.default))),
    "default policy: inherited": lambda p: replace(p, dispatch=replace(p.dispatch, default=(p.dispatch.default[0],) * len(p.dispatch.default))),
    "tools: two are mixed up": lambda p: replace(p, dispatch=replace(p.dispatch, tools=(*p.dispatch.tools[1::-1], *p.dispatch.tools[2:]))),
    "rule order: the last first": _entries(lambda entry: replace(entry, rules=entry.rules[::-1])),
    "rule order: only the first": _entries(lambda entry: replace(entry, rules=entry.rules[:1])),
    "rule order: only the last": _entries(lambda entry: replace(entry, rules=entry.rules[-1:])),
    "rules: one constraint is enough": _rules(lambda rule: replace(rule, constraints=rule.constraints[:1], failed=rule.failed[:1], faulted=rule.faulted[:1])),
    "rules: the last constraint decides": _rules(lambda rule: replace(rule, constraints=rule.constraints[-1:], failed=rule.failed[-1:], faulted=rule.faulted[-1:])),
    "rules: constraints in reverse": _rules(lambda rule: replace(rule, constraints=rule.constraints[::-1], failed=rule.failed[::-1], faulted=rule.faulted[::-1])),
    "rules: a fault names the first constraint": _rules(lambda rule: replace(rule, faulted=rule.faulted[:1] * len(rule.faulted))),
    "rules: a false constraint names the last": _rules(lambda rule: replace(rule, failed=rule.failed[-1:] * len(rule.failed))),
    "rules: a rule that holds has another's verdict": _entries(lambda entry: replace(entry, rules=tuple(replace(rule, held=entry.rules[0].held) for rule in entry.rules))),
    "boundary: not asked": lambda p: replace(p, dispatch=replace(p.dispatch, has_boundary=False)),
    "boundary: not asked about one tool": _rows(lambda rows: [*rows[:-1], (0, *rows[-1][1:])]),
    "boundary: an entry that only denies has an opinion": _entries(lambda entry: replace(entry, otherwise=None if entry.otherwise is None else entry.rules[0].held)),
    "boundary: its verdict counts as the loosest": _table(rules=lambda table: tuple(replace(rule, mode=type(rule.mode).ALLOW) if rule.role is None else rule for rule in table.rules)),
    "projection: a member of args is not sent": _reads(lambda reads: replace(reads, args=_less(reads.args))),
    "projection: attributes are not sent": _table(pattern_reads=lambda table: tuple((pattern, replace(reads, attrs=frozenset())) for pattern, reads in table.pattern_reads)),
    "projection: ctx is not sent": _reads(lambda reads: replace(reads, ctx=frozenset())),
    "projection: the clock is not sent": _reads(lambda reads: replace(reads, now=False)),
    "projection: patterns read nothing": _table(pattern_reads=lambda table: ()),
}  # fmt: skip


def _broken(policy: CheckedPolicy, change: Callable[[Program], Program]) -> CompiledPolicy:
    program = change(compile_policy(policy).program)
    wat = emit(program)
    return CompiledPolicy(assemble(wat), program.table, wat, program)


@pytest.mark.parametrize("name", IN_PROGRAMS)
def test_a_fault_in_the_program_is_found(name: str) -> None:
    policy = _policy(TEAM)
    report = run_parity(policy, Budget(seconds=SECONDS), compiled=_broken(policy, IN_PROGRAMS[name]))
    assert report.disagreement is not None, f"{report.cases} calls, none of which shows the fault"


def test_sound_engines_agree_on_the_policy_of_faults() -> None:
    report = run_parity(_policy(TEAM), Budget(cases=20_000))
    assert report.disagreement is None
    assert report.cases == 20_000


def test_there_are_enough_of_each_topic() -> None:
    topics = Counter(mutation.topic for mutation in MUTATIONS)
    assert sum(topics.values()) + len(IN_PROGRAMS) >= LEAST
    assert {"number", "string", "list", "map", "regex", "time", "logic", "budget"} == set(topics)
    assert len({(m.function, m.right, m.wrong, m.constraint) for m in MUTATIONS}) == len(MUTATIONS)
