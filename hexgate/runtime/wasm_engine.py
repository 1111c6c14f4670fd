"""Decide with a compiled module: write the request, call, look the answer up."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from ormsgpack import packb

from hexgate.decision.decision import BundleReference, Decision, Reason, RuleReference, User
from hexgate.decision.outcomes import FIXED_OUTCOMES, PolicyTable, fixed_decision
from hexgate.decision.reads import Everything, Reads
from hexgate.decision.request import OPTIONS, encode_extension, encode_request, is_plain_name, refuse_names
from hexgate.limits import NAME_BYTES, REQUEST_BYTES
from hexgate.runtime.module_limits import POLICY_INTERFACE, RUNTIME_LIMITS, ModuleLimits, ModuleRefusedError
from hexgate.runtime.sandbox import CompiledModule, Instance, OutOfFuelError, TrapError

CACHED_PLANS = 65_536
"""Pairs of role and tool whose projection and decisions are kept ready."""


_MALFORMED = FIXED_OUTCOMES.index(Reason.MALFORMED_REQUEST)
_NOTHING: dict[str, Any] = {}

_ENGINES: weakref.WeakSet[WasmEngine] = weakref.WeakSet()


def _forget_instances() -> None:
    """A forked process makes instances of its own: it shares no buffer and no store with its parent."""
    for engine in list(_ENGINES):
        engine._local = threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_instances)


class _Plan:
    """What is known of a role and a tool: what to send, and the decisions given so far, by answer."""

    __slots__ = ("decisions", "members", "names", "reads", "role", "tool")

    def __init__(self, role: str, tool: str, reads: Reads) -> None:
        self.role = role
        self.tool = tool
        self.reads = reads
        others = reads.attrs or reads.ctx or reads.resource or reads.now
        self.members = None if others or isinstance(reads.args, Everything) else reads.args
        self.names = tuple(sorted(self.members or ()))
        self.decisions: dict[int, Decision] = {}


class WasmEngine:
    """A policy's module and table. Safe to use from several threads and after a fork: each has an instance of its own."""

    def __init__(
        self,
        wasm: bytes,
        table: PolicyTable,
        clock: Callable[[], int] = time.time_ns,
        *,
        limits: ModuleLimits = RUNTIME_LIMITS,
        bundle: BundleReference | None = None,
    ) -> None:
        """`clock` gives nanoseconds since the epoch; every decision names `bundle`. Raises ModuleRefusedError."""
        self._compiled = CompiledModule(wasm, POLICY_INTERFACE, limits)
        if self._compiled.header.constants["capacity"] < REQUEST_BYTES:
            raise ModuleRefusedError("the module takes smaller requests than this runtime sends")
        self.table = table
        self._clock = clock
        self._bundle = bundle
        self.instances = 0
        """How many instances all threads have made so far: one each, and one for each that was spent or broken."""
        self._plans: dict[tuple[str, str], _Plan] = {}
        self._roles = frozenset(table.roles)
        self._local = threading.local()
        self.renew()
        _ENGINES.add(self)

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles that a user can hold."""
        return self.table.roles

    @property
    def rules(self) -> tuple[RuleReference, ...]:
        """The rules of the boundary and of all roles, each once."""
        return self.table.rules

    def reads_for(self, tool: str) -> Reads:
        """What the rules of a tool read of a request, in any role."""
        return self.table.reads_for(tool)

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

        The one place that turns a failure into a denial: whatever goes wrong below decides `engine_fault`, and the instance
        that it went wrong in is thrown away.
        """
        try:
            decision = self._decide_again(tool, args, user)
            return decision if decision is not None else self._decide(tool, args, user, ctx, resource, now)
        except Exception:  # noqa: BLE001 - fail closed
            self._local.__dict__.clear()
            role = user.role if type(user) is User and type(user.role) is str else None
            return self._deny(Reason.ENGINE_FAULT, role, tool if type(tool) is str else None)

    def _decide_again(self, tool: Any, args: Any, user: User | None) -> Decision | None:
        """The commonest case without a detour: a role and a tool that have been decided on before, of which only members of
        `args` are read. None for any other, and wherever something is not as it should be."""
        if type(user) is not User or type(tool) is not str or type(args) is not dict:
            return None
        role, user_id = user.role, user.user_id
        if type(role) is not str or type(user_id) is not str or not user_id.isascii() or not 0 < len(user_id) <= NAME_BYTES:
            return None
        plan = self._plans.get((role, tool))
        if plan is None or plan.members is None:
            return None
        try:
            if not args.keys() <= plan.members:
                args = {name: args[name] for name in plan.names if name in args}
            request = packb((role, tool, user_id, _NOTHING, args, _NOTHING, _NOTHING, None), encode_extension, OPTIONS)
            return plan.decisions.get(self._local.call(request)) if len(request) <= REQUEST_BYTES else None
        except OutOfFuelError:
            self._local.__dict__.clear()
            return None
        except (TypeError, ValueError, BufferError, AttributeError):
            return None

    def _decide(self, tool: Any, args: Any, user: User | None, ctx: Any, resource: Any, now: int | None) -> Decision:
        plan = None
        if type(user) is User and type(tool) is str and type(user.role) is str:
            plan = self._plans.get((user.role, tool))
        if plan is None or not is_plain_name(user.user_id):  # type: ignore[union-attr]
            refusal = refuse_names(user, tool)
            if refusal is not None:
                return self._refuse(refusal, user, tool)
            assert user is not None
            plan = plan or self._plan(user.role, tool)
        assert user is not None
        if now is None:
            now = self._clock() if plan.reads.now else 0
        request = encode_request(plan.reads, plan.role, plan.tool, user, args, ctx, resource, now)
        if len(request) > REQUEST_BYTES:
            reason = Reason.REQUEST_TOO_LARGE if user.role in self._roles else Reason.UNKNOWN_ROLE
            return self._deny(reason, user.role, tool)
        answer = self.answer(request)
        if answer == _MALFORMED:
            # Our own encoding is only ever refused for values that nest too deep.
            answer = self.answer(
                encode_request(plan.reads, plan.role, plan.tool, user, args, ctx, resource, now, careful=True)
            )
        decision = plan.decisions.get(answer)
        if decision is None:
            decision = plan.decisions[answer] = self._look_up(answer, plan)
        return decision

    def _refuse(self, reason: Reason, user: User | None, tool: Any) -> Decision:
        """The denial of a call whose names are no names; a role that is unknown comes before the tool."""
        role = user.role if type(user) is User and type(user.role) is str else None
        if reason is Reason.UNKNOWN_TOOL and role not in self._roles:
            reason = Reason.UNKNOWN_ROLE
        return self._deny(reason, role, tool if type(tool) is str else None)

    def _deny(self, reason: Reason, role: str | None, tool: str | None) -> Decision:
        return fixed_decision(reason, role, tool, self._bundle)

    def _plan(self, role: str, tool: str) -> _Plan:
        if len(self._plans) >= CACHED_PLANS:
            self._plans.clear()
        plan = self._plans[role, tool] = _Plan(role, tool, self.table.reads_for(tool))
        return plan

    def answer(self, request: bytes) -> int:
        """The module's own answer to an encoded request of at most `REQUEST_BYTES`. Raises TrapError."""
        local = self._local.__dict__
        if "call" not in local:
            self.renew()
        elif not local["unused"]:
            try:
                return local["call"](request)  # type: ignore[no-any-return]
            except OutOfFuelError:
                # Earlier calls may have spent the instance's fuel: what decides must not depend on them.
                self.renew()
        local["unused"] = False
        return local["call"](request)  # type: ignore[no-any-return]

    def renew(self) -> None:
        """Make a new instance, which this thread uses from now on."""
        self.instances += 1
        self._local.unused = True
        self._local.call = Instance(self._compiled).call

    def _look_up(self, answer: int, plan: _Plan) -> Decision:
        """The decision of an answer. Raises TrapError for one that the table does not have."""
        try:
            return self.table.decision(answer & 0xFFFFFF, answer >> 24, plan.role, plan.tool, self._bundle)
        except (IndexError, ValueError) as error:
            raise TrapError("the answer is not in the policy's table") from error

