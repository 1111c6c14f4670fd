"""Decide the same calls with the interpreter and the module, and compare the whole decisions."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import Decision, User
from hexgate.language.check import check_with_warnings, require_bool
from hexgate.language.environment import Environment
from hexgate.language.finding import ExpressionError
from hexgate.language.types import DYN, STRING, MapOf
from hexgate.parity.calls import CallGenerator
from hexgate.parity.expressions import CONSTANTS, ExpressionGenerator
from hexgate.policy.check import check, roots_with
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.policy.link import link
from hexgate.policy.parse import parse
from hexgate.runtime.wasm_engine import WasmEngine

TOOLS = ("pay", "mail", "github.push", "github.pull", "other")
PATTERNS = ("github.*", "*", "g*.push", "m*l")
MODES = ("allow", "deny", "approval_required")
_ENVIRONMENT = Environment(roots_with(MapOf(STRING, DYN)), CONSTANTS)
_CONSTANTS = json.dumps(CONSTANTS)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A call that the engines decide differently, with the policy's text."""

    policy: str
    tool: Any
    args: Any
    user: User | None
    interpreter: Decision
    module: Decision


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run compared, how long it took in seconds, and how many decisions had each reason."""

    policies: int
    calls: int
    seconds: float
    reasons: dict[str, int]
    disagreement: Disagreement | None


class PolicyGenerator:
    """Draws whole policy sets as YAML, from constraints that the checker takes."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._expressions = ExpressionGenerator(random)

    def text(self) -> str:
        """A policy set: two roles, one inheriting the other, sometimes with a boundary."""
        random = self._random
        lines = ["version: 1", f"consts: {_CONSTANTS}", "roles:", "  parent:", *self._body(4, TOOLS[:3], 0.5), "  child:", "    inherits: [parent]"]
        lines += self._body(4, TOOLS[1:4], 0.5)
        if random.random() < 0.3:
            lines += ["boundary:", *self._body(2, TOOLS[:2], 0.2)]
        return "\n".join(lines) + "\n"

    def _body(self, indent: int, tools: tuple[str, ...], default: float) -> list[str]:
        pad = " " * indent
        lines = []
        if self._random.random() < default:
            lines += [f"{pad}default_policy:", *self._entry(indent + 2)]
        lines.append(f"{pad}tools:")
        names = [tool for tool in tools if self._random.random() < 0.8] or [tools[0]]
        if self._random.random() < 0.4:
            names.append(self._random.choice(PATTERNS))
        for name in names:
            lines += [f'{pad}  "{name}":', *self._entry(indent + 4)]
        return lines

    def _entry(self, indent: int) -> list[str]:
        pad = " " * indent
        if self._random.random() < 0.6:
            return self._rule(indent)
        lines = [f"{pad}rules:"]
        for _ in range(self._random.randint(1, 3)):
            rule = self._rule(indent + 4)
            lines += [f"{pad}  - {rule[0].strip()}", *rule[1:]]
        return lines

    def _rule(self, indent: int) -> list[str]:
        pad = " " * indent
        lines = [f"{pad}mode: {self._random.choice(MODES)}"]
        constraints = [self.constraint() for _ in range(self._random.choice((0, 1, 1, 2, 3)))]
        if constraints:
            lines.append(f"{pad}constraints:")
            lines += [f"{pad}  - '{text.replace(chr(39), chr(39) * 2)}'" for text in constraints]
        return lines

    def constraint(self) -> str:
        """A constraint that passes the checker."""
        while True:
            text = self._expressions.constraint()
            try:
                require_bool(check_with_warnings(text, _ENVIRONMENT)[0])
            except ExpressionError:
                continue
            return text


def engines_of(policy: CheckedPolicy) -> tuple[InterpreterEngine, WasmEngine]:
    """Both engines over one checked policy."""
    compiled = compile_policy(policy)
    return InterpreterEngine(policy), WasmEngine(compiled.wasm, compiled.table)


def run_campaign(seed: int, calls: int, calls_per_policy: int = 500) -> Tally:
    """Compares so many generated calls; ends at the first disagreement. A seed reproduces a run."""
    started = time.perf_counter()
    done = policies = 0
    reasons: dict[str, int] = {}
    while done < calls:
        random = Random(f"{seed}/{policies}")
        text = PolicyGenerator(random).text()
        interpreter, module = engines_of(check(link(parse({"set.yaml": text.encode()}))))
        policies += 1
        generator = CallGenerator(random)
        for _ in range(min(calls_per_policy, calls - done)):
            found = _compare_one(text, interpreter, module, generator, random, reasons)
            done += 1
            if found is not None:
                return Tally(policies, done, time.perf_counter() - started, reasons, found)
    return Tally(policies, done, time.perf_counter() - started, reasons, None)


def _compare_one(
    text: str,
    interpreter: InterpreterEngine,
    module: WasmEngine,
    generator: CallGenerator,
    random: Random,
    reasons: dict[str, int],
) -> Disagreement | None:
    tool = random.choice((*TOOLS, *TOOLS, "gx.push", "", "mail ", "pay\0", "é"))
    args, user = generator.arguments(), generator.user(("parent", "child"))
    context = generator.members(2) if random.random() < 0.3 else None
    now = random.choice((0, 1_700_000_000_000_000_000, 253_402_300_799_999_999_999, -62_135_596_800_000_000_000))
    first = interpreter.decide(tool, args, user, ctx=context, resource=context, now=now)
    second = module.decide(tool, args, user, ctx=context, resource=context, now=now)
    name = first.reason.value if first.fault is None else first.fault.code
    reasons[name] = reasons.get(name, 0) + 1
    return None if first == second else Disagreement(text, tool, args, user, first, second)
