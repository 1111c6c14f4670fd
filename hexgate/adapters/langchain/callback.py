"""`HexgateCallback`: who a request is for, in the config that the framework hands down to everything below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hexgate.adapters.guard import Guard
from hexgate.adapters.langchain.attachment import attach
from hexgate.adapters.langchain.calls import ToolCallRefused, is_start_of_admitted
from hexgate.adapters.langchain.scope import RunHandler
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate


class HexgateCallback(RunHandler):
    """A callback for one request: `graph.invoke(input, {"callbacks": [HexgateCallback(user)]})`. Every tool call below it is decided
    for its user. It holds the guarded run, and nothing that a model or a tool can write. Where one graph serves many users, `wrap` makes
    one per call."""

    raise_error = True
    """Without this the framework logs an exception of a callback, and goes on."""
    run_inline = True
    ignore_chain = ignore_chat_model = ignore_custom_event = ignore_llm = ignore_retriever = ignore_retry = True

    def __init__(
        self,
        user: User | TokenUser | None,
        gate: Gate | None = None,
        *,
        guard: Guard | None = None,
        ctx: Any = None,
        interrupts: bool = False,
    ) -> None:
        """`guard` for more than a gate; `ctx` is what the host adds to every request; with `interrupts` a held call pauses the graph,
        where that has a checkpointer. Raises what `Gate.from_env` raises, UserRequiredError, and AdapterError for a framework that cannot
        be gated."""
        attach()
        super().__init__((Guard(gate) if guard is None else guard).run(user, ctx=ctx), interrupts)

    def on_tool_start(self, serialized: Any, input_str: str, *, inputs: dict[str, Any] | None = None, **options: Any) -> None:
        """A call that has come here without a decision, of a tool with a `run` of its own: raises ToolCallRefused where it does not run."""
        tool = str((serialized or {}).get("name"))
        if not is_start_of_admitted(tool, options.get("run_id")):
            given = {"input": input_str} if inputs is None else inputs
            ruling = self.run.admit(tool, given, call_id=options.get("tool_call_id"))
            if not ruling.runs:
                raise ToolCallRefused(tool, ruling.text)
