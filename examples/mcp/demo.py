"""A client behind the proxy: what it sees, and what it is told. `python -m examples.mcp.demo`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from mcp import Client, MCPError, StdioServerParameters

POLICIES = Path(__file__).parent / "policies"
ROOT = Path(__file__).parents[2]


def behind_the_proxy(role: str, server: list[str], *options: str, state: Path, user: str = "alice") -> StdioServerParameters:
    """How a client starts the proxy in place of a server: its program, the caller, and after `--` the server's own command."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "hexgate_cli", "mcp-proxy", "--role", role, "--user", user, "--policy", str(POLICIES), *options, "--", *server],
        env={"XDG_STATE_HOME": str(state)},
        cwd=ROOT,
    )


def orders_server(database: Path) -> list[str]:
    """The command of the server of orders."""
    return [sys.executable, "-m", "examples.mcp.server", str(database)]


def told(result: Any) -> str:
    """A tool's answer, as the model reads it."""
    text = " ".join(part.text for part in result.content)
    return f"error: {text}" if result.is_error else text


async def work(client: Client) -> list[str]:
    """A conversation: lists, calls within the policy and beyond it, a resource, a prompt. It goes on after each refusal."""
    said = [
        "tools: " + " ".join(tool.name for tool in (await client.list_tools()).tools),
        "resources: " + " ".join(str(resource.uri) for resource in (await client.list_resources()).resources),
        "prompts: " + " ".join(prompt.name for prompt in (await client.list_prompts()).prompts),
    ]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("find_order", {"order_id": 30}),
        ("refund_order", {"order_id": 30, "amount": 20}),
        ("refund_order", {"order_id": 31, "amount": 900}),
        ("refund_order", {"order_id": 31, "amount": 9000}),
        ("delete_order", {"order_id": 30}),
    ]
    for name, arguments in calls:
        said.append(told(await client.call_tool(name, arguments)))
    for uri in ("orders://32", "accounts://payouts"):
        try:
            said.append((await client.read_resource(uri)).contents[0].text)  # type: ignore[union-attr]
        except MCPError as error:
            said.append(f"error: {error}")
    try:
        await client.get_prompt("audit")
    except MCPError as error:
        said.append(f"error: {error}")
    return said


async def main() -> None:
    """The conversation, once for each role."""
    with tempfile.TemporaryDirectory() as folder:
        for role in ("support", "billing"):
            parameters = behind_the_proxy(role, orders_server(Path(folder) / "orders.sqlite"), state=Path(folder) / "state")
            async with Client(parameters) as client:
                print(f"-- {role}", *await work(client), sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
