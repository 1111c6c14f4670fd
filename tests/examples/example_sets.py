"""What an example is made of: found on disk, so that a new folder is a new test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from hexgate_cli.recorded_calls import Defaults, RecordedCall, parse_calls

EXAMPLES = Path(__file__).parents[2] / "examples"

NOW = 1_767_225_600 * 10**9
"""2026-01-01T00:00:00Z, for calls whose rules do not read the clock."""


@dataclass(frozen=True, slots=True)
class Example:
    """A folder of `examples/`."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def policies(self) -> Path:
        return self.folder / "policies"

    @property
    def tools(self) -> Path | None:
        """The tools' schemas, where the example has them."""
        file = self.folder / "tools.json"
        return file if file.exists() else None

    def calls(self) -> list[RecordedCall]:
        """The recorded calls, as `hexgate replay` reads them."""
        file = self.folder / "calls.jsonl"
        with file.open("rb") as lines:
            return list(parse_calls(lines, str(file), Defaults(None, "nobody", NOW)))


def find_examples() -> list[Example]:
    """Every folder of `examples/`, whatever it holds; agents and servers are run by tests/adapters and tests/mcp_proxy."""
    return [Example(folder) for folder in sorted(EXAMPLES.iterdir()) if folder.is_dir() and folder.name not in ("agents", "mcp")]


@dataclass(frozen=True, slots=True)
class WrittenConstraint:
    """A constraint in a policy file: the entry it belongs to, and the characters that it takes."""

    file: Path
    tool: str
    text: str
    start: int
    end: int


def written_constraints(file: Path) -> Iterator[WrittenConstraint]:
    """The constraints of a policy file's tools, in order."""
    root = yaml.compose(file.read_text(encoding="utf-8"))
    for name, entry in _members(_members(root).get("tools")).items():
        members = _members(entry)
        rules = members["rules"].value if "rules" in members else [entry]
        for rule in rules:
            constraints = _members(rule).get("constraints")
            for node in constraints.value if constraints is not None else []:
                yield WrittenConstraint(file, name, node.value, node.start_mark.index, node.end_mark.index)


def _members(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
