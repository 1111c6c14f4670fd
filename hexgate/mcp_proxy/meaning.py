"""What a request of the client means to the gate: calls to decide on, a list to filter, or nothing."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from hexgate.mcp_proxy.message import INVALID_PARAMS, Notification, Request

RESOURCE_READ, PROMPT_GET = "resource.read", "prompt.get"
OTHER_REQUEST, OTHER_NOTIFICATION = "mcp.request", "mcp.notification"
"""What policies call the things of a server that are no tools of its own: extensions that the proxy does not know are calls too."""
RESERVED = frozenset({RESOURCE_READ, PROMPT_GET, OTHER_REQUEST, OTHER_NOTIFICATION})
"""A server's tool of such a name would be decided by rules that are meant for something else."""

LISTS: Mapping[str, str] = {
    "tools/list": "tools",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
    "tasks/list": "tasks",
}
"""Method to the member of its result that is filtered."""

PASSED_REQUESTS = frozenset(
    {"initialize", "ping", "logging/setLevel", "resources/unsubscribe", "server/discover"}
)
"""Requests of MCP up to 2026-07-28 that neither call, read nor list anything that the gate decides on."""

PASSED_NOTIFICATIONS = frozenset(
    {"notifications/cancelled", "notifications/initialized", "notifications/progress", "notifications/roots/list_changed",
     "notifications/tasks/status"}
)  # fmt: skip

_DECIDED = frozenset(
    {"tools/call", "resources/read", "resources/subscribe", "prompts/get", "completion/complete", "subscriptions/listen"}
)
_OF_TASKS = frozenset({"tasks/get", "tasks/result", "tasks/cancel"})
REQUESTS = PASSED_REQUESTS | _DECIDED | _OF_TASKS | LISTS.keys()
"""Methods that are requests: none of them is a notification."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call to decide on."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passed:
    """Not the gate's business: forwarded byte for byte."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Forwarded where every call is allowed. `can_hold` says whether a call that needs an approval may get one: a subscription may not, or
    it would use up the approval of a read. `of_tool` says that the refusal is a tool's result."""

    calls: tuple[Call, ...]
    can_hold: bool = True
    of_tool: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """Forwarded; what the caller may not use is taken out of this member of the result."""

    member: str


@dataclass(frozen=True, slots=True)
class Completed:
    """Forwarded where the policy lets any call of the tool pass with these arguments, whatever the one is that is missing. Values that
    are offered for it tell what exists."""

    tool: str
    arguments: dict[str, Any]
    missing: str


@dataclass(frozen=True, slots=True)
class OfTask:
    """Forwarded for a task of this conversation, whose call was decided; for another, whose result may be anybody's, if the call is
    allowed."""

    task: str
    call: Call


@dataclass(frozen=True, slots=True)
class Invalid:
    """Answered with an error: what the server would make of it is not certain."""

    code: int
    sentence: str


Meaning: TypeAlias = Passed | Decided | Listed | Completed | OfTask | Invalid


def meaning_of(request: Request) -> Meaning:
    """What a request of the client means."""
    method = request.method
    if method in LISTS:
        return Listed(LISTS[method])
    if method in PASSED_REQUESTS:
        return Passed()
    params = {} if request.params is None else request.params
    fault = fault_in(params)
    if fault is not None:
        return Invalid(INVALID_PARAMS, fault)
    other = Call(OTHER_REQUEST, {"method": method, "params": params})
    if method in _OF_TASKS:
        return _of_task(params, other)
    return _decided(method, params) if method in _DECIDED else Decided((other,))


def meaning_of_notification(notification: Notification) -> Passed | Decided | Invalid:
    """What a notification of the client means."""
    if notification.method in PASSED_NOTIFICATIONS:
        return Passed()
    if notification.method in REQUESTS:
        return Invalid(INVALID_PARAMS, "the message is a request without an id")
    params = {} if notification.params is None else notification.params
    fault = fault_in(params)
    if fault is not None:
        return Invalid(INVALID_PARAMS, fault)
    return Decided((Call(OTHER_NOTIFICATION, {"method": notification.method, "params": params}),), can_hold=False)


def _decided(method: str, params: dict[str, Any]) -> Meaning:
    fault = _misspelt(params, _MEMBERS[method])
    if fault is not None:
        return Invalid(INVALID_PARAMS, fault)
    match method:
        case "tools/call":
            return _tool_call(params)
        case "prompts/get":
            return _prompt_get(params)
        case "completion/complete":
            return _completion(params)
        case "subscriptions/listen":
            return _subscriptions(params)
        case _:
            uri = params.get("uri")
            if type(uri) is not str:
                return Invalid(INVALID_PARAMS, "`uri` is no text")
            return Decided((Call(RESOURCE_READ, {"uri": uri}),), can_hold=method == "resources/read")


_MEMBERS = {
    "tools/call": ("name", "arguments"),
    "prompts/get": ("name", "arguments"),
    "resources/read": ("uri",),
    "resources/subscribe": ("uri",),
    "completion/complete": ("ref", "argument", "context"),
    "subscriptions/listen": ("notifications",),
}
"""The members of the parameters that are decided on."""


def _tool_call(params: dict[str, Any]) -> Meaning:
    name, arguments = params.get("name"), params.get("arguments", {})
    if type(name) is not str or not _is_unicode(name):
        return Invalid(INVALID_PARAMS, "`name` is no text")
    if type(arguments) is not dict:
        return Invalid(INVALID_PARAMS, "`arguments` is no object")
    if name in RESERVED:
        return Invalid(INVALID_PARAMS, "the name is what policies call something else than a tool")
    return Decided((Call(name, arguments),), of_tool=True)


def _prompt_get(params: dict[str, Any]) -> Meaning:
    name, arguments = params.get("name"), params.get("arguments", {})
    if type(name) is not str:
        return Invalid(INVALID_PARAMS, "`name` is no text")
    if type(arguments) is not dict:
        return Invalid(INVALID_PARAMS, "`arguments` is no object")
    return Decided((Call(PROMPT_GET, {"name": name, "arguments": arguments}),))


def _completion(params: dict[str, Any]) -> Meaning:
    ref = params.get("ref")
    if type(ref) is not dict:
        return Invalid(INVALID_PARAMS, "`ref` is no object")
    fault = _misspelt(ref, ("type", "name", "uri"))
    if fault is not None:
        return Invalid(INVALID_PARAMS, fault)
    kind, name, uri = ref.get("type"), ref.get("name"), ref.get("uri")
    if kind == "ref/prompt" and type(name) is str:
        return Completed(PROMPT_GET, {"name": name}, "arguments")
    if kind == "ref/resource" and type(uri) is str:
        return Completed(RESOURCE_READ, {}, "uri")
    return Invalid(INVALID_PARAMS, "`ref` names neither a prompt nor a resource")


def _subscriptions(params: dict[str, Any]) -> Meaning:
    asked = params.get("notifications")
    if type(asked) is not dict:
        return Invalid(INVALID_PARAMS, "`notifications` is no object")
    fault = _misspelt(asked, ("resourceSubscriptions",))
    if fault is not None:
        return Invalid(INVALID_PARAMS, fault)
    uris = asked.get("resourceSubscriptions")
    if uris is None:
        return Passed()
    if type(uris) is not list or not all(type(uri) is str for uri in uris):
        return Invalid(INVALID_PARAMS, "`resourceSubscriptions` is no list of texts")
    return Decided(tuple(Call(RESOURCE_READ, {"uri": uri}) for uri in dict.fromkeys(uris)), can_hold=False)


def _of_task(params: dict[str, Any], other: Call) -> Meaning:
    fault, task = _misspelt(params, ("taskId",)), params.get("taskId")
    if fault is not None or type(task) is not str:
        return Invalid(INVALID_PARAMS, fault or "`taskId` is no text")
    return OfTask(task, other)


def _is_unicode(text: str) -> bool:
    """Whether every reader has the text alike: it has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_LARGEST = int(sys.float_info.max)


def fault_in(value: Any) -> str | None:
    """Why two readers may take a value of JSON for two; None where they cannot. Readers that ignore case (Go's, for one) take two keys
    for one; a number beyond a double has no text."""
    pending = [value]
    while pending:
        found = pending.pop()
        if type(found) is dict:
            if len({key.casefold() for key in found}) < len(found):
                return "two keys of one object differ in case only"
            pending.extend(found.values())
        elif type(found) is list:
            pending.extend(found)
        elif (type(found) is float and not math.isfinite(found)) or (type(found) is int and abs(found) > _LARGEST):
            return "a number is beyond the range of a double"
    return None


def _misspelt(members: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """A key that a reader which ignores case takes for one that is decided on."""
    folded = {name.casefold() for name in names}
    if any(key not in names and key.casefold() in folded for key in members):
        return "a key differs from a member of the protocol in case only"
    return None
