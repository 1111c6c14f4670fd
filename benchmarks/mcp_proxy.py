"""What the proxy adds to a call of an MCP server over stdio: `python -m benchmarks.mcp_proxy [--json]`.

One server, a program that answers each line at once, asked directly and through `hexgate mcp-proxy` (a signed module decides, each decision is
written to the log), in blocks that change places. The time of a call is from writing its line to reading its answer; what the proxy adds is the
median of the differences between neighbouring blocks' medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.policies import REFUNDS
from benchmarks.signed_policies import KEY, signed_policy

CALLS = 300
"""Calls of one block."""

BLOCKS = 15

SERVER = (
    sys.executable, "-S", "-c",
    "import json, os, sys\n"
    "for line in sys.stdin.buffer:\n"
    "    id_ = json.loads(line)['id']\n"
    "    os.write(1, b'{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"content\":[]}}\\n' % id_)\n",
)  # fmt: skip

SHAPES = {
    "a refund, allowed": ("refund_order", {"order_id": "30", "amount": 30, "currency": "USD"}),
    "a refund, refused": ("refund_order", {"order_id": "30", "amount": 9_000, "currency": "USD"}),
    "a refund with a note of 100,000 characters": ("refund_order", {"order_id": "30", "amount": 30, "currency": "USD", "note": "x" * 100_000}),
}


class Asked:
    """A server, or a proxy in front of one."""

    def __init__(self, command: tuple[str, ...], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment)
        self._number = 0

    def block(self, tool: str, arguments: dict[str, object]) -> float:
        """The median of one block of calls, in microseconds."""
        assert self._process.stdin is not None and self._process.stdout is not None
        source, sink = self._process.stdout.fileno(), self._process.stdin.fileno()
        times = []
        for _ in range(CALLS):
            self._number += 1
            message = {"jsonrpc": "2.0", "id": self._number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
            rest = memoryview(json.dumps(message).encode() + b"\n")
            begun = time.perf_counter_ns()
            while rest:
                rest = rest[os.write(sink, rest) :]
            while not os.read(source, 65_536).endswith(b"\n"):
                pass
            times.append(time.perf_counter_ns() - begun)
        return statistics.median(times) / 1_000

    def end(self) -> None:
        """Close its input, and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def measure(folder: Path) -> dict[str, tuple[float, float]]:
    """For each shape of a call: microseconds of a call of the server alone, and what the proxy adds."""
    now = int(time.time())
    (folder / "policy.hexgate").write_bytes(signed_policy(REFUNDS, 1, issued_at=now - 60, not_after=now + 86_400))
    environment = {**os.environ, "HEXGATE_KEY": f"{KEY.public.text}@{folder / 'policy.hexgate'}", "XDG_STATE_HOME": str(folder)}
    proxy = (sys.executable, "-m", "hexgate_cli", "mcp-proxy", "--role", "billing", "--user", "alice", "--", *SERVER)
    alone, behind = Asked(SERVER, environment), Asked(proxy, environment)
    measured = {}
    for name, (tool, arguments) in SHAPES.items():
        alone.block(tool, arguments)
        behind.block(tool, arguments)
        pairs = []
        for number in range(BLOCKS):
            first, second = (alone, behind) if number % 2 else (behind, alone)
            times = {id(first): first.block(tool, arguments)}
            times[id(second)] = second.block(tool, arguments)
            pairs.append((times[id(alone)], times[id(behind)]))
        measured[name] = (statistics.median(each for each, _ in pairs), statistics.median(after - before for before, after in pairs))
    alone.end()
    behind.end()
    return measured


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="What the proxy adds to a call.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder))
    if options.json:
        print(json.dumps({name: {"server_us": alone, "added_us": added} for name, (alone, added) in measured.items()}))
        return
    for name, (alone, added) in measured.items():
        print(f"{name}: {alone:,.0f} us of the server alone, {added:+,.0f} us through the proxy")


if __name__ == "__main__":
    main()
