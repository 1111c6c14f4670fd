"""A server that asks its client back, tells of its progress, and logs: `python -m tests.mcp_proxy.talkative_server`."""

from __future__ import annotations

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel

server = MCPServer("talkative", instructions="ask", log_level="CRITICAL")


class Sure(BaseModel):
    """What is asked of a person."""

    ok: bool


@server.tool()
async def work(steps: int, ctx: Context) -> str:
    """Tells of each step."""
    for step in range(steps):
        await ctx.report_progress(step, steps, f"step {step}")
    await ctx.info("line\u2028separator ☃")
    return "done"


@server.tool()
async def ask(ctx: Context) -> str:
    """Asks the client three things."""
    answer = await ctx.elicit("sure?", Sure)
    message = SamplingMessage(role="user", content=TextContent(type="text", text="hi"))
    sampled = await ctx.session.create_message(messages=[message], max_tokens=5)
    roots = await ctx.session.list_roots()
    return f"{answer} {sampled.content} {roots.roots}"


@server.tool()
def numbers(real: float, whole: int) -> dict[str, float]:
    """What has come."""
    return {"real": real, "whole": whole}


@server.tool()
def fail() -> str:
    """Fails."""
    raise RuntimeError("broken")


@server.resource("data://bytes", mime_type="application/octet-stream")
def some_bytes() -> bytes:
    """Bytes."""
    return b"\x00\xff"


@server.resource("data://text/{name}")
def some_text(name: str) -> str:
    """A text by its name."""
    return name


@server.prompt()
def greet(name: str) -> str:
    """A greeting."""
    return f"greet {name}"


@server.completion()
async def complete(
    ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, context: CompletionContext | None
) -> Completion:
    """The same two values for everything."""
    return Completion(values=["alice", "bob"])


if __name__ == "__main__":
    server.run("stdio")
