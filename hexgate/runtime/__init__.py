"""What an application embeds: the gate, and what it takes and gives. Imports no compiler, yaml or lark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hexgate.decision.decision import Decision, Reason, TokenUser, User, Verdict

if TYPE_CHECKING:
    from hexgate.runtime.frozen_arguments import frozen
    from hexgate.runtime.gate import Gate
    from hexgate.runtime.guarded_call import ApprovalRequiredError, CallRefusedError, ToolDeniedError
    from hexgate.runtime.run_scope import Run, current_run

__all__ = [
    "ApprovalRequiredError", "CallRefusedError", "Decision", "Gate", "Reason", "Run", "TokenUser", "ToolDeniedError", "User", "Verdict",
    "current_run", "frozen",
]  # fmt: skip

_MODULES = {
    "ApprovalRequiredError": "guarded_call",
    "CallRefusedError": "guarded_call",
    "Gate": "gate",
    "Run": "run_scope",
    "ToolDeniedError": "guarded_call",
    "current_run": "run_scope",
    "frozen": "frozen_arguments",
}


def __getattr__(name: str) -> Any:
    """The gate's modules are loaded when they are asked for (PEP 562): who needs an engine only does not wait for them."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{module}"), name)
