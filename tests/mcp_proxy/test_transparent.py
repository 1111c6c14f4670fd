"""A real client and a real server, with the proxy between them and without: where everything is allowed, neither sees a difference."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import CreateMessageResult, ElicitResult, ListRootsResult, PromptReference, Root, TextContent
from pydantic import FileUrl

ROOT = Path(__file__).parents[2]
SERVER = ["-m", "tests.mcp_proxy.talkative_server"]
ALLOW_ALL = "version: 1\ntools:\n  '*': {mode: allow}\n"


async def _sample(*_: Any) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", content=TextContent(type="text", text="sampled"), model="none")


async def _elicit(*_: Any) -> ElicitResult:
    return ElicitResult(action="accept", content={"ok": True})


async def _roots(*_: Any) -> ListRootsResult:
    return ListRootsResult(roots=[Root(uri=FileUrl("file:///work"))])


async def _converse(parameters: StdioServerParameters, mode: Any) -> list[str]:
    """All that the client is told, in its order; what comes between two answers is sorted."""
    said: list[str] = []
    between: list[str] = []

    async def progress(*step: Any) -> None:
        between.append(f"progress {step}")

    async def log(params: Any) -> None:
        between.append(f"log {params.data}")

    async with Client(
        parameters, mode=mode, sampling_callback=_sample, elicitation_callback=_elicit, list_roots_callback=_roots, logging_callback=log, log_level="debug"
    ) as client:
        for asked in (
            client.list_tools(), client.list_resources(), client.list_resource_templates(), client.list_prompts(),
            client.call_tool("work", {"steps": 3}, progress_callback=progress),
            client.call_tool("ask", {}), client.call_tool("fail", {}), client.call_tool("nothing", {}), client.call_tool("work", {"steps": "x"}),
            client.call_tool("numbers", {"real": 1e22, "whole": 2**63}),
            client.read_resource("data://bytes"), client.read_resource("data://text/%C3%A9"), client.read_resource("data://nothing"),
            client.get_prompt("greet", {"name": "é"}), client.get_prompt("nothing"),
            client.complete(PromptReference(type="ref/prompt", name="greet"), {"name": "name", "value": "a"}),
        ):  # fmt: skip
            try:
                result = await asyncio.wait_for(asked, 30)
                said.append(json.dumps(result.model_dump(mode="json", by_alias=True), sort_keys=True))
            except MCPError as error:
                said.append(f"error {error}")
        said += sorted(between)
    return said


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_where_all_is_allowed_the_proxy_is_not_seen(tmp_path: Path, mode: str) -> None:
    (tmp_path / "billing.yaml").write_text(ALLOW_ALL)
    proxy = ["-m", "hexgate_cli", "mcp-proxy", "--role", "billing", "--user", "alice", "--policy", str(tmp_path / "billing.yaml"), "--"]
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}

    async def both() -> list[list[str]]:
        ways = [StdioServerParameters(command=sys.executable, args=args, env=environment, cwd=ROOT) for args in (SERVER, [*proxy, sys.executable, *SERVER])]
        return await asyncio.gather(*(_converse(way, mode) for way in ways))

    direct, behind = asyncio.run(both())
    assert behind == direct
    assert sum(line.startswith("error") for line in direct) < len(direct) / 2, "most of it works"
    assert "log line\u2028separator ☃" in direct
