"""The boundaries of docs/adapters.md: a test says which one it holds, and the page's table is made from that."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_Test = TypeVar("_Test", bound=Callable[..., object])

BOUNDARIES = (
    "function tool",
    "local MCP tool",
    "hosted MCP",
    "hosted tool",
    "toolset",
    "dynamic tool",
    "agent as tool, outer call",
    "agent as tool, tools inside",
    "hand-off or transfer",
    "tools of the agent handed to",
    "nested run in a tool body",
    "streaming",
    "sync",
    "async",
    "parallel calls",
    "retries",
    "custom tool",
    "shell tool",
    "computer tool",
    "patch tool",
    "batch",
    "pause",
    "resume, approve",
    "resume, reject",
    "resume as another user",
    "edited while paused",
)
"""In the order of the table."""

COLUMNS = {
    # folder of tests/adapters -> heading
    "openai": "OpenAI Agents SDK",
    "langchain": "LangChain, LangGraph",
    "google_adk": "Google ADK",
    "pydantic_ai": "Pydantic AI",
}
HERE = Path(__file__).parent


def boundary(*names: str) -> Callable[[_Test], _Test]:
    """Marks a test of what a deny-all policy, or a pause, stops at these boundaries."""
    unknown = [name for name in names if name not in BOUNDARIES]
    if unknown or not names:
        raise ValueError(f"no boundary: {unknown}")

    def mark(test: _Test) -> _Test:
        return test

    return mark


def read_tests(folder: str) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The tests of an adapter by boundary, and why others are not there: read from the sources, so that no framework is imported."""
    tests: dict[str, list[str]] = {}
    absent: dict[str, str] = {}
    for path in sorted((HERE / folder).glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for each in node.decorator_list:
                    if isinstance(each, ast.Call) and ast.unparse(each.func) == "boundary":
                        for name in each.args:
                            tests.setdefault(ast.literal_eval(name), []).append(f"{path.name}::{node.name}")
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NOT_THERE":
                absent.update(ast.literal_eval(node.value))
    return tests, absent


def boundary_table() -> str:
    """The table of docs/adapters.md: how many tests hold each boundary, by framework."""
    folders = [folder for folder in COLUMNS if (HERE / folder).is_dir()]
    read = {folder: read_tests(folder) for folder in folders}
    lines = ["| boundary | " + " | ".join(COLUMNS[folder] for folder in folders) + " |", "|---" * (len(folders) + 1) + "|"]
    notes: list[str] = []
    for name in BOUNDARIES:
        cells = []
        for folder in folders:
            tests, absent = read[folder]
            if name in tests:
                cells.append("stops" if len(tests[name]) == 1 else f"stops ({len(tests[name])} tests)")
            elif name in absent:
                if absent[name] not in notes:
                    notes.append(absent[name])
                cells.append(f"– [{notes.index(absent[name]) + 1}]")
            else:
                cells.append("**not tested**")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if notes:
        lines += [""] + [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return "\n".join(lines) + "\n"
