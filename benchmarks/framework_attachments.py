"""A pytest plugin: runs a framework's tests behind a gate that allows everything, and counts its decisions.

`HEXGATE_SUITE` names the function below that attaches the gate; with an empty one the plugin does nothing.
"""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from hexgate.adapters.guard import Guard, GuardedRun
from hexgate.adapters.pauses import PausesInMemory
from hexgate.decision.decision import Decision
from hexgate.runtime import User
from hexgate.runtime.gate import Gate

POLICY = 'version: 1\nroles:\n  tester:\n    tools:\n      "*": {mode: allow}\n'
USER = User("tester", "tester")

_COUNTS = {"decisions": 0}
_KEPT: list[object] = []


def pytest_configure(config: pytest.Config) -> None:
    """Attach the gate before the tests are imported."""
    name = os.environ.get("HEXGATE_SUITE", "")
    if name:
        _count()
        globals()[name](_guard())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells its count to the controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["hexgate_decisions"] = _COUNTS["decisions"]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """The controller adds a worker's count."""
    _COUNTS["decisions"] += getattr(node, "workeroutput", {}).get("hexgate_decisions", 0)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What `framework_suites` reads."""
    terminalreporter.ensure_newline()
    terminalreporter.write_line(f"hexgate: {_COUNTS['decisions']} decisions")


def attach_openai(guard: Guard) -> None:
    """Every run of the tests is the guarded run: its context is the one that all tests begin in."""
    from hexgate.adapters.openai.attachment import attach

    attach()
    current = guard.run(USER).current()
    current.__enter__()
    _KEPT.append(current)


def attach_langchain(guard: Guard) -> None:
    """Every agent that a test makes carries the callback of a run, as `wrap` would give it; the context of the tests is that run's, for
    graphs and tools that are made in other ways."""
    import langchain.agents
    from langchain.agents import factory

    from hexgate.adapters.langchain import HexgateCallback
    from hexgate.adapters.langchain.scope import in_scope

    make = factory.create_agent
    handler = HexgateCallback(USER, guard=guard, interrupts=True)

    @functools.wraps(make)
    def create_agent(*arguments: Any, **options: Any) -> Any:
        return make(*arguments, **options).with_config(callbacks=[handler])

    factory.create_agent = langchain.agents.create_agent = create_agent  # type: ignore[assignment]
    current = in_scope(handler.run, True)
    current.__enter__()
    _KEPT.append(current)


def attach_pydantic_ai(guard: Guard) -> None:
    """As for openai: a run that begins inside of a guarded one is gated."""
    from hexgate.adapters.pydantic_ai.attachment import attach

    attach()
    current = guard.run(USER).current()
    current.__enter__()
    _KEPT.append(current)


def _guard() -> Guard:
    policy = Path(tempfile.mkdtemp(prefix="hexgate-suite-")) / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    return Guard(Gate.from_source(f"dev:{policy}", refresh_seconds=None), pauses=PausesInMemory())


def _count() -> None:
    decide = GuardedRun._decide

    def counted(self: GuardedRun, tool: str, plain: Any, call_id: str | None) -> Decision:
        _COUNTS["decisions"] += 1
        return decide(self, tool, plain, call_id)

    GuardedRun._decide = counted  # type: ignore[method-assign]
