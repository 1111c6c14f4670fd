"""The guard that every adapter shares: a run of an agent for a user, and a ruling on each of its tool calls.

An adapter translates names, arguments, results and the framework's pause; what is allowed, refused, held and told to the model is
said here, once for all frameworks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from hexgate.adapters.approvals import Approvals, GateApprovals, Standing
from hexgate.adapters.arguments import read_arguments
from hexgate.adapters.every_call import DEFAULT_POLICY, holds_for_every_call
from hexgate.adapters.pauses import HeldCall, Pauses, PausesInFile, PausesInMemory
from hexgate.adapters.ruling import Outcome, Refusal, Ruling, denial_text, refusal_text
from hexgate.decision.argument_digest import canonical_arguments
from hexgate.decision.decision import Decision, Reason, TokenUser, User, Verdict
from hexgate.runtime.frozen_arguments import frozen
from hexgate.runtime.run_scope import Run

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

PAUSES_FILE = "pauses.sqlite"
"""The name of the file of pauses in the state directory."""

_CURRENT: ContextVar[GuardedRun | None] = ContextVar("hexgate_guarded_run", default=None)


class AdapterError(Exception):
    """A run cannot be guarded. Raised before the model is called; the text is for the developer."""


class UserRequiredError(AdapterError):
    """Nobody is calling: a run without a user."""


class UngatedToolsError(AdapterError):
    """An agent has tools that no client can gate, and the policy does not allow them by name. `tools` are their names."""

    def __init__(self, tools: Iterable[str]) -> None:
        self.tools = tuple(tools)
        names = ", ".join(f"`{name}`" for name in self.tools)
        super().__init__(
            f"nobody can decide on calls of {names} one by one: name each in the policy with `mode: allow` for the user's role, or take"
            " it from the agent"
        )


class Guard:
    """What an adapter's runner, callback or plugin keeps: the gate, and where held calls are remembered. Safe between threads."""

    def __init__(
        self, gate: Gate | None = None, *, approvals: Approvals | None = None, pauses: Pauses | None = None, allow_ungated: bool = False
    ) -> None:
        """Without `gate`, the one that `HEXGATE_KEY` names. With `approvals` (default: the gate's, if it has
        a store) a held call runs only once that store has an approval of it; without, the framework's own approval is taken for calls whose rule names no approvers. `pauses` remembers what was asked about
        (default: a file in the state directory). `allow_ungated` lets tools run that nothing can gate.

        Raises what `Gate.from_env` raises, and AdapterError for a `gate` that is none.
        """
        self.gate = open_gate() if gate is None else gate
        if not callable(getattr(self.gate, "run", None)):
            raise AdapterError("`gate=` takes a gate, as `Gate.from_env()` or `Gate.from_source(\"dev:policies\")` makes it")
        self.approvals = approvals
        if approvals is None and self.gate.approvals is not None:
            self.approvals = GateApprovals(self.gate.approvals)
        self.pauses = _default_pauses() if pauses is None else pauses
        self.allow_ungated = allow_ungated

    def run(self, user: User | TokenUser | None, *, ctx: Any = None) -> GuardedRun:
        """One run of an agent for a user, by one bundle from its start to its end: the bundle is brought up to date now. `ctx` is what the
        host adds to every request. Inside another guarded run, no user means that run's. Raises UserRequiredError."""
        if user is None:
            outer = _CURRENT.get()
            if outer is None:
                raise UserRequiredError("nobody is calling: pass `user=`, a user or the user of a token")
            user = outer.user
        if type(user) is not User and type(user) is not TokenUser:
            raise UserRequiredError("`user=` takes a user with an id and a role, or the user of a token")
        return GuardedRun(self, self.gate.run(user), user, ctx)


class GuardedRun:
    """A run of an agent for a user. Rulings do not ask what is current: hold on to this object where calls are decided."""

    __slots__ = ("_foreseen", "_guard", "_run", "ctx", "user")

    def __init__(self, guard: Guard, run: Run, user: User | TokenUser, ctx: Any) -> None:
        """Use `Guard.run`."""
        self._guard = guard
        self._run = run
        self._foreseen: dict[str, tuple[str, str | bytes, Ruling]] = {}
        self.user = user
        self.ctx = ctx

    @property
    def guard(self) -> Guard:
        """The guard that made the run."""
        return self._guard

    @property
    def run_id(self) -> str:
        """Names the run in audit records."""
        return self._run.run_id

    def admit(
        self, tool: str, arguments: Any, *, call_id: str | None = None, approved: bool = False, can_pause: bool = False
    ) -> Ruling:
        """The ruling on one call, decided and recorded now; the last word before a tool runs. Never raises.

        `arguments` are plain data (what JSON holds, bytes, timestamps); run the tool with `Ruling.arguments`. `call_id` is the
        framework's name of the call: one approval is for one call id. `approved` says that the framework has the caller's approval of
        this call; `can_pause` that a pause is possible here, or `Outcome.PAUSE` is never answered.
        """
        plain = frozen(arguments)
        kept = self._take_foreseen(tool, call_id, approved)
        if kept is not None and kept[0] == canonical_arguments(plain):
            return kept[1]
        return self._rule(tool, plain, call_id, approved, can_pause)

    def admit_text(
        self, tool: str, arguments: str, *, call_id: str | None = None, approved: bool = False, can_pause: bool = False
    ) -> Ruling:
        """As `admit`, with arguments as the JSON text that a model wrote: run the tool with that very text. A text that is not one object
        in strict JSON is decided on as the text it is."""
        kept = self._take_foreseen(tool, call_id, approved)
        if kept is not None and kept[0] == arguments:
            return kept[1]
        return self._rule(tool, read_arguments(arguments), call_id, approved, can_pause)

    def foresee(self, tool: str, arguments: Any, *, call_id: str) -> Ruling:
        """The ruling for a framework that asks first whether to pause, and runs the call later: `admit` with the same call id, tool and
        arguments then answers the same without a second record. Of a JSON text, `admit_text` with the same text. Never raises."""
        text = type(arguments) is str
        plain = read_arguments(arguments) if text else frozen(arguments)
        ruling = self._rule(tool, plain, call_id, False, True)
        if ruling.outcome is not Outcome.PAUSE:
            self._foreseen[call_id] = (tool, arguments if text else canonical_arguments(plain), ruling)
        return ruling

    def _take_foreseen(self, tool: str, call_id: str | None, approved: bool) -> tuple[str | bytes, Ruling] | None:
        """What was foreseen of a call, once: its arguments and the ruling. Nothing of a bundle that has expired since then."""
        kept = self._foreseen.pop(call_id, None) if self._foreseen and call_id is not None else None
        if kept is None or approved or kept[0] != tool or self._run.snapshot.expired:
            return None
        return kept[1:]

    def reopen(self, ruling: Ruling, call_id: str | None) -> None:
        """Let an approval count once more: for a call that was approved, has begun, and is called again to be ended (an agent as a tool,
        of which a call of its own waits)."""
        if ruling.decision.verdict is Verdict.APPROVAL_REQUIRED and self._guard.approvals is None:
            held = self._held(ruling.tool, ruling.arguments, call_id, ruling.decision)
            if held is not None:
                self._guard.pauses.add(held.digest, time.time() + held.seconds)

    def decide(self, tool: str, arguments: Any, *, call_id: str | None = None) -> Decision:
        """The policy's decision on a call that waits already, recorded: no approval of it is asked for, and none is used. Never raises."""
        return self._decide(tool, frozen(arguments), call_id)

    def offer(self, tool: str) -> Ruling:
        """The ruling on a tool that the model's provider runs: it can only be offered to the model or not, and nobody sees its arguments.
        It runs only where the policy names the tool and allows it whatever they are. Never raises."""
        decision = self._decide(tool, None, None)
        if decision.verdict is Verdict.ALLOW and self._is_named(tool, decision):
            return Ruling(Outcome.RUN, tool, None, decision)
        text = denial_text(decision) if decision.verdict is not Verdict.ALLOW else f"this call is not permitted ({Reason.UNKNOWN_TOOL.value})"
        return Ruling(Outcome.REFUSE, tool, None, decision, text)

    def _is_named(self, tool: str, decision: Decision) -> bool:
        """Whether an entry of the tool decided, and not on what the arguments are: a rule that asks whether one is there says no of none."""
        rule, engine = decision.rule, self._run.snapshot.engine
        if rule is None or rule.tool == DEFAULT_POLICY:
            return False
        return not engine.reads_for(tool).args or holds_for_every_call(tool, rule, engine.rules)

    def require_offered(self, tools: Iterable[str]) -> None:
        """Before a run: raises UngatedToolsError for tools that only the provider sees, or that nothing can gate, unless the policy allows
        each by name or the guard lets them run."""
        if not self._guard.allow_ungated and (refused := [tool for tool in dict.fromkeys(tools) if not self.offer(tool).runs]):
            raise UngatedToolsError(refused)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Be the run of this thread or task, and of the tasks started there (PEP 567): for runs that tool bodies start, and for functions
        behind `Gate.guard`. Never around the `yield` of a generator: drive that (`private_context`)."""
        run = Run(self._run.snapshot, self.user)  # one of its own: several tasks of a run may be inside at once
        run.run_id = self.run_id
        token = _CURRENT.set(self)
        try:
            with run:
                yield
        finally:
            _CURRENT.reset(token)

    def _decide(self, tool: str, plain: Any, call_id: str | None) -> Decision:
        snapshot = self._run.snapshot
        if snapshot.plain and type(self.user) is User and snapshot.clock() < snapshot.expires:
            # What the run comes to where nothing is recorded, without the calls in between.
            return snapshot.engine.decide(tool, plain, self.user, ctx=self.ctx)
        return self._run.decide(tool, plain, ctx=self.ctx, call_id=call_id)

    def _held(self, tool: str, plain: Any, call_id: str | None, decision: Decision) -> HeldCall | None:
        snapshot = self._run.snapshot
        user = snapshot.caller(tool, plain, self.user, snapshot.clock()).user
        return None if user is None else HeldCall(decision, plain, user, self.user, call_id, self.run_id)

    def _rule(self, tool: str, plain: Any, call_id: str | None, approved: bool, can_pause: bool) -> Ruling:
        decision = self._decide(tool, plain, call_id)
        if decision.verdict is Verdict.ALLOW:
            return Ruling(Outcome.RUN, tool, plain, decision)
        if decision.verdict is Verdict.DENY:
            return Ruling(Outcome.REFUSE, tool, plain, decision, denial_text(decision))
        return self._rule_held(tool, plain, call_id, decision, approved, can_pause)

    def _rule_held(
        self, tool: str, plain: Any, call_id: str | None, decision: Decision, approved: bool, can_pause: bool
    ) -> Ruling:
        def refuse(refusal: Refusal, request_id: str | None = None) -> Ruling:
            return Ruling(Outcome.REFUSE, tool, plain, decision, refusal_text(decision, refusal), refusal, request_id)

        held = self._held(tool, plain, call_id, decision)
        if held is None or not held.identified:
            return refuse(Refusal.APPROVAL_UNAVAILABLE)
        request_id = None
        if self._guard.approvals is not None:
            with self.current():
                answer = self._guard.approvals.settle(held)
            if answer.standing is Standing.APPROVED:
                return Ruling(Outcome.RUN, tool, plain, decision, request_id=answer.request_id)
            if answer.standing is not Standing.PENDING:
                rejected = answer.standing is Standing.REJECTED
                return refuse(Refusal.APPROVAL_REJECTED if rejected else Refusal.APPROVAL_UNAVAILABLE, answer.request_id)
            request_id = answer.request_id
        elif decision.rule is not None and decision.rule.approvers:
            return refuse(Refusal.APPROVER_REQUIRED)
        elif approved:
            if self._guard.pauses.take(held.digest):
                return Ruling(Outcome.RUN, tool, plain, decision)
            return refuse(Refusal.APPROVAL_MISMATCH)
        if approved or not can_pause:
            return refuse(Refusal.APPROVAL_REQUIRED, request_id)
        if self._guard.approvals is None and not self._guard.pauses.add(held.digest, time.time() + held.seconds):
            return refuse(Refusal.APPROVAL_UNAVAILABLE)
        return Ruling(Outcome.PAUSE, tool, plain, decision, denial_text(decision), Refusal.APPROVAL_REQUIRED, request_id)


def current_guarded_run() -> GuardedRun | None:
    """The innermost guarded run of this thread or task."""
    return _CURRENT.get()


def open_gate() -> Gate:
    """The gate that `HEXGATE_KEY` names. Raises what `Gate.from_env` raises."""
    from hexgate.runtime.gate import Gate  # with the engine's library, which whoever has a gate has loaded

    return Gate.from_env()


def _default_pauses() -> Pauses:
    # With the reader of bundles, which whoever has a gate has loaded.
    from hexgate.bundle.state import default_state_path

    directory = default_state_path(os.environ)
    return PausesInMemory() if directory is None else PausesInFile(directory / PAUSES_FILE)
