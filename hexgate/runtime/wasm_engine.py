"""Decide with a compiled module: write the request, call, look the answer up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from hexgate.decision.decision import Decision, Reason, User
from hexgate.decision.outcomes import PolicyTable, fixed_decision
from hexgate.decision.reads import Reads
from hexgate.decision.request import encode_request, refuse_names
from hexgate.runtime.sandbox import POLICY_INTERFACE, CompiledModule, Instance, ModuleRefusedError, TrapError

CACHED_PLANS = 65_536
"""Pairs of role and tool whose projection and decisions are kept ready."""


class _Plan:
    """What is known of a role and a tool: what to send, and the decisions given so far, by answer."""

    __slots__ = ("decisions", "reads", "role", "tool")

    def __init__(self, role: str, tool: str, reads: Reads) -> None:
        self.role = role
        self.tool = tool
        self.reads = reads
        self.decisions: dict[int, Decision] = {}


class WasmEngine:
    """A policy's module and table. Safe to use from several threads: each has an instance of its own."""

    def __init__(self, wasm: bytes, table: PolicyTable, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` gives nanoseconds since the epoch. Raises ModuleRefusedError."""
        self._compiled = CompiledModule(wasm, POLICY_INTERFACE)
        self._table = table
        self._clock = clock
        self._plans: dict[tuple[str, str], _Plan] = {}
        self._local = threading.local()
        self._local.instance = Instance(self._compiled)

    def decide(
        self,
        tool: Any,
        args: Any,
        user: User | None,
        *,
        ctx: Any = None,
        resource: Any = None,
        now: int | None = None,
    ) -> Decision:
        """The decision on one call. Never raises for anything in the call; `now` is in nanoseconds since the epoch.

        The one place that turns a failure into a denial: whatever goes wrong below decides `engine_fault`.
        """
        try:
            return self._decide(tool, args, user, ctx, resource, now)
        except Exception:  # noqa: BLE001 - fail closed
            self._local.instance = None
            role = user.role if type(user) is User and type(user.role) is str else None
            return fixed_decision(Reason.ENGINE_FAULT, role, tool if type(tool) is str else None)

    def _decide(self, tool: Any, args: Any, user: User | None, ctx: Any, resource: Any, now: int | None) -> Decision:
        refusal = refuse_names(user, tool)
        if refusal is not None:
            return self._refuse(refusal, user, tool)
        assert user is not None
        plan = self._plans.get((user.role, tool)) or self._plan(user.role, tool)
        if now is None:
            now = self._clock() if plan.reads.now else 0
        request = encode_request(plan.reads, plan.role, plan.tool, user, args, ctx, resource, now)
        instance = self._instance()
        if len(request) > instance.capacity:
            reason = Reason.REQUEST_TOO_LARGE if user.role in self._table.roles else Reason.UNKNOWN_ROLE
            return fixed_decision(reason, user.role, tool)
        answer = instance.call(request)
        decision = plan.decisions.get(answer)
        if decision is None:
            decision = plan.decisions[answer] = self._look_up(answer, plan)
        return decision

    def _refuse(self, reason: Reason, user: User | None, tool: Any) -> Decision:
        """The denial of a call whose names are no names; a role that is unknown comes before the tool."""
        role = user.role if type(user) is User and type(user.role) is str else None
        if reason is Reason.UNKNOWN_TOOL and role not in self._table.roles:
            reason = Reason.UNKNOWN_ROLE
        return fixed_decision(reason, role, tool if type(tool) is str else None)

    def _plan(self, role: str, tool: str) -> _Plan:
        if len(self._plans) >= CACHED_PLANS:
            self._plans.clear()
        plan = self._plans[role, tool] = _Plan(role, tool, self._table.reads_for(tool))
        return plan

    def _instance(self) -> Instance:
        instance: Instance | None = getattr(self._local, "instance", None)
        if instance is None:
            instance = self._local.instance = Instance(self._compiled)
        return instance

    def _look_up(self, answer: int, plan: _Plan) -> Decision:
        """The decision of an answer. Raises TrapError for one that the table does not have."""
        try:
            return self._table.decision(answer & 0xFFFFFF, answer >> 24, plan.role, plan.tool)
        except (IndexError, ValueError) as error:
            raise TrapError("the answer is not in the policy's table") from error


__all__ = ["ModuleRefusedError", "WasmEngine"]
