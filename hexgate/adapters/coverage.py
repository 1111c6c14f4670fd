"""What an agent can reach, how each tool is gated, and what the policy says of it for each role."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from hexgate.adapters.every_call import DEFAULT_POLICY, boundary_depends, holds_for_every_call
from hexgate.decision.decision import Decision, RuleReference, User, Verdict

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate
    from hexgate.runtime.snapshot import Snapshot


class Gating(Enum):
    """What the guard can do about a tool."""

    CALL = "every call"
    """Every call is decided on with its arguments before the tool runs."""
    OFFER = "offer"
    """The model's provider runs it: it is offered to the model or withheld, and refused unless the policy allows it by name."""
    NONE = "none"
    """Nothing sees its calls: refused unless the policy allows it by name."""


@dataclass(frozen=True, slots=True)
class ToolFound:
    """A tool that an agent can reach. `name` is what policies call it; `kind` is the framework's word for what it is (`function`, `mcp`,
    `hosted`, `agent`, `hand-off`); `path` are the agents on the way to it, from the one that was asked about; `note` says what is
    special about the gating."""

    name: str
    kind: str
    gating: Gating
    path: tuple[str, ...] = ()
    note: str = ""


class Says(Enum):
    """What the policy of a role says of a tool before a call is known, from the loosest to the strictest."""

    ALLOW = "allow"
    DEPENDS = "depends"
    """On the call: some are allowed or held."""
    APPROVAL = "approval"
    """Each call needs an approval."""
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class RoleAnswer:
    """What a role's policy says of a tool; `rules` are those of the entry that decides, in order, and empty where nothing names the tool;
    `bounded` says that the boundary has constraints of its own on it."""

    role: str
    says: Says
    rules: tuple[RuleReference, ...]
    bounded: bool = False

    @property
    def text(self) -> str:
        """In a few words; constraints as their author wrote them. What no rule of it allows or holds is denied."""
        if self.says is not Says.DEPENDS or not self.rules:
            return self.says.value
        text = ", else ".join(map(_rule_text, self.rules))
        if self.rules[0].role is None:
            return f"{text} (the boundary)"
        return f"{text} (within the boundary)" if self.bounded else text


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One tool. `refused` says whether a run of the roles is refused because of it, or the tool is withheld from them."""

    tool: ToolFound
    answers: tuple[RoleAnswer, ...]

    @property
    def ungated(self) -> bool:
        """Whether calls of the tool pass nobody."""
        return self.tool.gating is Gating.NONE

    @property
    def refused_for(self) -> tuple[str, ...]:
        """The roles that an agent with this tool does not run for."""
        if self.tool.gating is Gating.CALL:
            return ()
        return tuple(
            answer.role
            for answer in self.answers
            if answer.says is not Says.ALLOW or not answer.rules or answer.rules[0].tool == DEFAULT_POLICY
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every tool that is reachable from an agent, for all roles of the policy."""

    agent: str
    roles: tuple[str, ...]
    rows: tuple[CoverageRow, ...]

    @property
    def ungated(self) -> tuple[CoverageRow, ...]:
        """The tools whose calls pass nobody."""
        return tuple(row for row in self.rows if row.ungated)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "agent": self.agent,
            "roles": list(self.roles),
            "tools": [
                {
                    "name": row.tool.name,
                    "kind": row.tool.kind,
                    "path": list(row.tool.path),
                    "gating": row.tool.gating.value,
                    "note": row.tool.note,
                    "refused_for": list(row.refused_for),
                    "roles": {answer.role: {"says": answer.says.value, "text": answer.text} for answer in row.answers},
                }
                for row in self.rows
            ],
        }


def cover(agent: str, tools: Iterable[ToolFound], gate: Gate) -> Coverage:
    """The coverage of the tools found, by the policy that decides now. Nothing is recorded: no tool is called."""
    snapshot = gate.snapshot
    roles: Sequence[str] = snapshot.engine.roles
    rows = tuple(CoverageRow(tool, tuple(_answer(snapshot, role, tool.name) for role in roles)) for tool in dict.fromkeys(tools))
    return Coverage(agent, tuple(roles), rows)


def _answer(snapshot: Snapshot, role: str, tool: str) -> RoleAnswer:
    """The engine is asked about a call without arguments: whatever it says, the entry that decides is the same for all calls."""
    if snapshot.expired:
        return RoleAnswer(role, Says.DENY, ())
    engine = snapshot.engine
    decision = engine.decide(tool, None, User("coverage", role))
    says = _says(decision) if holds_for_every_call(tool, decision.rule, engine.rules) else Says.DEPENDS
    if decision.rule is None:
        return RoleAnswer(role, says, ())
    bounded = boundary_depends(tool, engine.rules)
    entry = decision.rule.role, decision.rule.tool
    rules = sorted((rule for rule in engine.rules if (rule.role, rule.tool) == entry), key=lambda rule: rule.number)
    return RoleAnswer(role, says, tuple(rules), bounded)


def _says(decision: Decision) -> Says:
    if decision.verdict is Verdict.ALLOW:
        return Says.ALLOW
    return Says.APPROVAL if decision.verdict is Verdict.APPROVAL_REQUIRED else Says.DENY


def _rule_text(rule: RuleReference) -> str:
    mode = "approval" if rule.mode is Verdict.APPROVAL_REQUIRED else rule.mode.value
    return f"{mode} if {' && '.join(each.text for each in rule.constraints)}" if rule.constraints else mode
