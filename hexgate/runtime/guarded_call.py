"""Guard a Python callable: decide on its call, then run it with the arguments that were decided on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar

from hexgate.decision.decision import Decision, TokenUser, User, Verdict
from hexgate.runtime.frozen_arguments import frozen
from hexgate.runtime.run_scope import current_run
from hexgate.runtime.snapshot import Snapshot

UserOf: TypeAlias = User | TokenUser | Callable[[], User | TokenUser | None] | None
"""Who is calling: a user, a function that gives one, or None for the current run's."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class CallRefusedError(Exception):
    """A guarded call may not run now. `decision` says why; the text is for the model: the policy's message or a fixed one with
    the reason's code, never a value of the arguments."""

    def __init__(self, decision: Decision, text: str) -> None:
        super().__init__(decision.message or f"{text} ({decision.reason.value})")
        self.decision = decision


class ToolDeniedError(CallRefusedError):
    """The policy denies the call."""


class ApprovalRequiredError(CallRefusedError):
    """The policy holds the call until somebody approves it. `request_id` names the request for that, where there is a store of
    approvals; None where there is none, or where no request could be made."""

    def __init__(self, decision: Decision, text: str, request_id: str | None = None) -> None:
        super().__init__(decision, text)
        self.request_id = request_id


class Hold(Protocol):
    """Turns a held call that was approved into an allowed one."""

    def __call__(self, decision: Decision, tool: str, args: dict[str, Any], user: User | TokenUser | None) -> Decision:
        """The decision after what approvers have said; raises CallRefusedError for a call that may not run now."""


def guard(
    snapshot: Callable[[], Snapshot],
    function: Callable[_Parameters, _Result],
    tool: str | None,
    user: UserOf,
    hold: Hold | None = None,
) -> Callable[_Parameters, _Result]:
    """The function behind a decision. Outside of a run, `snapshot` gives what decides; `hold` knows about approvals. Raises TypeError
    for what is no function, or has no name or no signature."""
    name, signature = _name_of(function, tool), _signature_of(function)

    def admit(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments to run with. Raises CallRefusedError; TypeError for arguments that do not fit, as a call would."""
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        bound.arguments = frozen(bound.arguments)
        run = current_run()
        caller = user() if callable(user) else user
        decided_by = run.snapshot if run is not None else snapshot()
        if caller is None and run is not None:
            caller = run.user
        run_id = None if run is None else run.run_id
        arguments = _named(signature, bound.arguments)
        decision = decided_by.decide(name, arguments, caller, run_id=run_id)
        if hold is not None and decision.verdict is Verdict.APPROVAL_REQUIRED:
            decision = hold(decision, name, arguments, caller)
        _require_allowed(decision)
        return bound.args, bound.kwargs

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def guarded_coroutine(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = admit(*args, **kwargs)
            return await function(*args, **kwargs)

        return guarded_coroutine  # type: ignore[return-value]

    @wraps(function)
    def guarded(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        admitted, named = admit(*args, **kwargs)
        return function(*admitted, **named)

    return guarded


def _name_of(function: Any, tool: str | None) -> str:
    """The tool's name in the policy. Raises TypeError."""
    name = getattr(function, "__name__", None) if tool is None else tool
    if type(name) is not str:
        raise TypeError("what is guarded has no name: pass the tool's as `tool=`")
    return name


def _signature_of(function: Any) -> inspect.Signature:
    """The parameters, by whose names arguments are decided on. Raises TypeError."""
    if isinstance(function, (classmethod, staticmethod)):
        raise TypeError("`guard` takes a function: let `classmethod` or `staticmethod` have what it returns")
    if not callable(function):
        raise TypeError("`guard` takes a function")
    try:
        return inspect.signature(function)
    except ValueError:  # inspect's word for functions of C that do not tell
        raise TypeError("what is guarded does not tell its parameters: guard a function that calls it") from None


def _named(signature: inspect.Signature, arguments: dict[str, Any]) -> dict[str, Any]:
    """What constraints read as `args`: each parameter by its name, those of `**kwargs` by their own. Raises TypeError where both
    have one name: the function would get two values, and only one would be decided on."""
    named = dict(arguments)
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            extra = named.pop(parameter.name, {})
            for name in extra:
                if name in named:
                    raise TypeError(f"`{name}` is given twice")
            named.update(extra)
    return named


def _require_allowed(decision: Decision) -> None:
    if decision.verdict is Verdict.DENY:
        raise ToolDeniedError(decision, "this call is not permitted")
    if decision.verdict is Verdict.APPROVAL_REQUIRED:
        raise ApprovalRequiredError(decision, "this call needs an approval")
