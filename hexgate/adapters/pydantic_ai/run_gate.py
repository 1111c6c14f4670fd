"""The capability that decides on every call of one run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering
from pydantic_ai.exceptions import ApprovalRequired, ModelRetry, ToolFailed
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models import ModelRequestContext, ModelRequestParameters
from pydantic_ai.native_tools import AbstractNativeTool
from pydantic_ai.output import OutputContext
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, RunContext, ToolDefinition, ToolDenied

from hexgate.adapters.guard import GuardedRun
from hexgate.adapters.pydantic_ai.leaf_calls import CURRENT, GuardedCall, meet
from hexgate.adapters.pydantic_ai.plain_arguments import take
from hexgate.adapters.pydantic_ai.reach import native_name, output_arguments, output_name, runs_no_tool
from hexgate.adapters.ruling import Outcome

LOG = logging.getLogger("hexgate")

Execute = Callable[[Any], Awaitable[Any]]


@dataclass(eq=False)
class RunGate(AbstractCapability[Any]):
    """Holds the guarded run of one run of an agent, and nothing that a model or a tool can write. `pauses` says whether the run's output may be
    `DeferredToolRequests`; in a run that is `nested`, which a tool's body has begun, a tool that the provider runs is withheld, not an error."""

    run: GuardedRun = field(kw_only=True)
    pauses: bool = field(kw_only=True, default=False)
    nested: bool = field(kw_only=True, default=False)
    _offered: bool = field(init=False, default=False)
    _held: dict[str, str] = field(init=False, default_factory=dict)

    def get_ordering(self) -> CapabilityOrdering:
        """After the hooks of all others."""
        return CapabilityOrdering(position="innermost")

    # Calls of tools.

    async def wrap_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any], handler: Execute
    ) -> Any:
        """Around the hooks before a call, the toolsets, and the tool's body: runs that the body begins are for the same user."""
        token = CURRENT.set(GuardedCall(self.run, ctx.tool_call_id))
        try:
            with self.run.current():
                return await handler(args)
        finally:
            CURRENT.reset(token)

    async def before_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        """The decision, on what the hooks of others have left of the arguments. Raises ToolFailed and ApprovalRequired."""
        own, plain = take(args)
        can_pause = self.pauses or _is_answered_inline(ctx)
        ruling = self.run.admit(
            call.tool_name, plain, call_id=call.tool_call_id, approved=ctx.tool_call_approved, can_pause=can_pause
        )
        if ruling.outcome is Outcome.PAUSE:
            self._held[call.tool_call_id] = ruling.text
            raise ApprovalRequired(metadata={"message": ruling.text, "request_id": ruling.request_id})
        if ruling.outcome is Outcome.REFUSE:
            raise ToolFailed(ruling.text)
        guarded = CURRENT.get()
        if guarded is None or guarded.run is not self.run or guarded.call_id != call.tool_call_id:
            raise ToolFailed("this call is not permitted (engine_fault)")  # the framework has not come by `wrap_tool_execute`
        guarded.ruling = ruling
        if ctx.tool_manager is not None:
            meet(ctx.tool_manager.toolset)
        return own  # type: ignore[no-any-return]

    async def wrap_tool_validate(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: Any, handler: Execute
    ) -> dict[str, Any]:
        """Calls that leave the run before a tool is executed: those of external tools, which the caller executes, and those that the framework
        asks about on its own account. Raises ToolFailed."""
        validated = await handler(args)
        if tool_def.kind == "external" and not ctx.partial_output:
            # The caller is handed the arguments as the model wrote them.
            ruling = self.run.admit(call.tool_name, take(call.args_as_dict())[1], call_id=call.tool_call_id)
            if not ruling.runs:
                raise ToolFailed(ruling.text)
        elif tool_def.kind == "unapproved" and not ctx.tool_call_approved and not ctx.partial_output:
            ruling = self.run.foresee(call.tool_name, take(validated)[1], call_id=call.tool_call_id)
            if ruling.outcome is Outcome.REFUSE:  # nobody is asked about a call that does not run
                raise ToolFailed(ruling.text)
        return validated  # type: ignore[no-any-return]

    async def handle_deferred_tool_calls(
        self, ctx: RunContext[Any], *, requests: DeferredToolRequests
    ) -> DeferredToolResults | None:
        """Held calls that no other capability has answered, in a run whose caller does not take them."""
        left = {} if self.pauses else {call.tool_call_id: self._held.get(call.tool_call_id) for call in requests.approvals}
        refused = {call_id: ToolDenied(text) for call_id, text in left.items() if text is not None}
        return DeferredToolResults(approvals={**refused}) if refused else None

    # Functions that make a run's output.

    async def before_output_process(self, ctx: RunContext[Any], *, output_context: OutputContext, output: Any) -> Any:
        """The decision on an output function. The framework has no refusal here that is free: it asks the model again, which counts."""
        if not output_context.has_function:
            return output
        own, plain = take(output)
        tool_call = output_context.tool_call
        ruling = self.run.admit(
            output_name(output_context),
            output_arguments(output_context, plain),
            call_id=None if tool_call is None else tool_call.tool_call_id,
        )
        if not ruling.runs:
            raise ModelRetry(ruling.text)
        return own

    async def wrap_output_process(
        self, ctx: RunContext[Any], *, output_context: OutputContext, output: Any, handler: Execute
    ) -> Any:
        """Runs that an output function begins are for the same user."""
        if not output_context.has_function:
            return await handler(output)
        with self.run.current():
            return await handler(output)

    # Tools that the model's provider runs.

    async def before_model_request(self, ctx: RunContext[Any], request_context: ModelRequestContext) -> ModelRequestContext:
        """Before the model is called for the first time. Raises UngatedToolsError."""
        if not self._offered:
            self.require_offered(request_context.model_request_parameters)
        self._offered = True
        return request_context

    async def prepare_model_request(self, ctx: RunContext[Any], request_context: ModelRequestContext) -> ModelRequestContext:
        """What comes up on the way is withheld."""
        request_context.model_request_parameters = self.withhold(request_context.model_request_parameters)
        return request_context

    def require_offered(self, parameters: ModelRequestParameters) -> None:
        """A run that begins with tools that the policy does not allow is refused, unless they may be left out. Raises UngatedToolsError."""
        if not self.nested:
            tools = [tool for tool in parameters.native_tools if not tool.optional and not runs_no_tool(tool)]
            self.run.require_offered(map(native_name, tools))

    def withhold(self, parameters: ModelRequestParameters) -> ModelRequestParameters:
        """What of a request's offer the policy allows."""
        if not parameters.native_tools or self.run.guard.allow_ungated:
            return parameters
        kept = [tool for tool in parameters.native_tools if not self._is_withheld(tool)]
        return parameters if len(kept) == len(parameters.native_tools) else replace(parameters, native_tools=kept)

    def _is_withheld(self, tool: AbstractNativeTool) -> bool:
        if runs_no_tool(tool) or self.run.offer(native_name(tool)).runs:
            return False
        LOG.warning("`%s` is withheld from the model: the policy does not allow it by name", native_name(tool))
        return True


class BeginsRuns(AbstractCapability[Any]):
    """A capability that is given to runs, and has one of its own for each."""

    def begin(self, pauses: bool) -> RunGate:
        """What decides on the calls of one run, whose output may be `DeferredToolRequests` or not. Raises UserRequiredError."""
        raise NotImplementedError


def _is_answered_inline(ctx: RunContext[Any]) -> bool:
    """Whether another capability of the run answers held calls during the run."""
    if ctx.root_capability is None:
        return False
    leaves: list[AbstractCapability[Any]] = []
    ctx.root_capability.apply(leaves.append)
    base = AbstractCapability.handle_deferred_tool_calls
    return any(type(leaf).handle_deferred_tool_calls is not base for leaf in leaves if not isinstance(leaf, RunGate))
