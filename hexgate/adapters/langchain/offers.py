"""What the model is offered: tools that its provider runs are withheld unless the policy allows them by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from langchain_core.tools.base import BaseTool

from hexgate.adapters.guard import GuardedRun, UngatedToolsError
from hexgate.adapters.langchain.scope import find_run

LOG = logging.getLogger("hexgate")

FUNCTIONS = frozenset({"function", "custom"})
"""Types of tools whose calls come back as tool calls, each of which is decided on."""

CALLED_HERE = ("bash_2", "computer_2", "memory_2", "text_editor_2")
"""Types of Anthropic's that begin so (`bash_20250124`) are its own tools, but their calls come back as tool calls."""

SCHEMAS = frozenset({"function", "input_schema", "parameters", "toolSpec", "title", "properties"})
"""Members of the forms in which providers take functions."""

DECLARATIONS = frozenset({"function_declarations", "functionDeclarations"})
"""Google's: functions, beside members that the provider runs."""


def gate_model(call_model: Callable[..., Any]) -> Callable[..., Any]:
    """A way into a chat model. What it is bound with is withheld; raises UngatedToolsError for what is among its own fields."""

    @wraps(call_model)
    def gated(self: Any, *arguments: Any, **options: Any) -> Any:
        run, _ = find_run(*_whose(arguments, options))
        if run is not None and not run.guard.allow_ungated:
            if not OFFERED_BY.isdisjoint(options):
                options = _withhold(options, run)
            refused = refused_offers(self._get_invocation_params(), run)
            if refused:
                raise UngatedToolsError(refused)
        return call_model(self, *arguments, **options)

    return gated


def hosted_names(tool: object) -> list[str]:
    """What policies call the parts of an offered tool that the provider runs; empty for one whose calls come back."""
    if isinstance(tool, BaseTool | type) or callable(tool):
        return []
    if not isinstance(tool, Mapping):
        return [str(getattr(tool, "name", None) or type(tool).__name__)]
    kind = tool.get("type")
    if isinstance(kind, str) and kind != "object":
        if kind in FUNCTIONS or kind.startswith(CALLED_HERE):
            return []
        if kind == "mcp":
            return [f"hosted_mcp.{tool.get('server_label', '')}"]
        if kind == "mcp_toolset":
            return [f"hosted_mcp.{tool.get('mcp_server_name', '')}"]
        return [str(tool.get("name") or kind)]
    if not SCHEMAS.isdisjoint(tool):
        return []
    if set(tool) <= {"name", "description", "strict"}:
        return []  # a function without parameters
    return [str(name) for name in tool if name not in DECLARATIONS]


def refused_offers(options: Mapping[str, Any], run: GuardedRun) -> list[str]:
    """The names of what the provider would run, of a model's parameters, that the policy does not allow."""
    if run.guard.allow_ungated or OFFERED_BY.isdisjoint(options):
        return []
    return [name for name in dict.fromkeys(_names(options)) if not run.offer(name).runs]


def _names(options: Mapping[str, Any]) -> Iterable[str]:
    for key, read in OFFERS.items():
        if options.get(key) is not None:
            yield from read(options[key])


def _tools(tools: Any) -> list[str]:
    return [name for tool in tools for name in hosted_names(tool)] if isinstance(tools, list | tuple) else []


def _servers(servers: Any) -> list[str]:
    return [f"hosted_mcp.{each.get('name', '')}" for each in servers if isinstance(each, Mapping)] if isinstance(servers, list | tuple) else []


OFFERS: dict[str, Callable[[Any], list[str]]] = {
    # a model's option -> the names of what its provider runs
    "tools": _tools,
    "mcp_servers": _servers,
    "web_search_options": lambda _: ["web_search"],
}
OFFERED_BY = frozenset(OFFERS)


def _withhold(options: dict[str, Any], run: GuardedRun) -> dict[str, Any]:
    """The options without what is refused."""
    refused = refused_offers(options, run)
    if not refused:
        return options
    for name in refused:
        LOG.warning("`%s` is withheld from the model: the policy does not allow it by name", name)
    kept = dict(options)
    for key in OFFERED_BY & kept.keys():
        value = kept[key]
        if isinstance(value, list | tuple):
            one = _tools if key == "tools" else _servers
            left = [part for each in value if (part := _left(each, one([each]), refused)) is not None]
            if left:
                kept[key] = left
                continue
        elif not any(name in refused for name in OFFERS[key](value)):
            continue
        del kept[key]
        if key == "tools":
            kept.pop("tool_choice", None)
    return kept


def _left(tool: Any, names: list[str], refused: list[str]) -> Any:
    """What of a tool stays; None where nothing does."""
    gone = [name for name in names if name in refused]
    if not gone:
        return tool
    if isinstance(tool, Mapping) and not DECLARATIONS.isdisjoint(tool):
        return {key: value for key, value in tool.items() if key not in gone}
    return None


def _whose(arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, Any]:
    """The callbacks of `generate(messages, stop, callbacks)`, or the callbacks and the config of the other ways."""
    config = options.get("config") or (arguments[1] if len(arguments) > 1 else None)
    if isinstance(config, Mapping):
        return config.get("callbacks"), config
    callbacks = options.get("callbacks")
    return callbacks if callbacks is not None or len(arguments) < 3 else arguments[2], None
