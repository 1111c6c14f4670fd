"""Both directions of one client's conversation with a server, without IO: what is forwarded, and what is answered in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain
from typing import Any, Protocol

from hexgate.mcp_proxy import answers
from hexgate.mcp_proxy.answers import Ruling
from hexgate.mcp_proxy.limits import OPEN_REQUESTS, OPEN_TASKS
from hexgate.mcp_proxy.lines import Line
from hexgate.mcp_proxy.meaning import (
    PROMPT_GET,
    RESERVED,
    RESOURCE_READ,
    Call,
    Completed,
    Decided,
    Invalid,
    Listed,
    Meaning,
    OfTask,
    meaning_of,
    meaning_of_notification,
)
from hexgate.mcp_proxy.message import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    Batch,
    Id,
    Malformed,
    Message,
    Notification,
    Request,
    Response,
    read_message,
    write,
)


class Sight(Enum):
    """What the policy says of calls of which not all is known."""

    ALWAYS = "always"
    """Any of them may run, or be held."""
    DEPENDS = "depends"
    """On what is not known."""
    NEVER = "never"
    """None of them may run."""


class Judge(Protocol):
    """The gate, for one caller. Neither method raises."""

    def rule(self, call: Call, *, call_id: str, can_hold: bool) -> Ruling:
        """Decide on a call, and record it. `can_hold` lets an approval be asked for and used."""

    def sight(self, tool: str, arguments: dict[str, Any] | None, missing: str | None = None) -> Sight:
        """What the caller may call, for a list: with these arguments (None: any), the missing one any. Not recorded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to write, line by line, and what to tell the operator: never a value of a message."""

    to_server: tuple[bytes, ...] = ()
    to_client: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()

    @staticmethod
    def of_all(outcomes: Iterable[Outcome]) -> Outcome:
        """Several as one, in their order."""
        found = list(outcomes)
        return Outcome(
            tuple(chain.from_iterable(each.to_server for each in found)),
            tuple(chain.from_iterable(each.to_client for each in found)),
            tuple(chain.from_iterable(each.notes for each in found)),
        )


@dataclass(frozen=True, slots=True)
class _Open:
    """A request that the server has not answered: which member of its result is filtered, whether it was decided on as a call, and whether the
    client still waits."""

    id: Id
    member: str | None
    decided: bool
    cancelled: bool = False


class Conversation:
    """Takes lines of either side in the order that they come in. One conversation belongs to one thread at a time."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        # By their text: a server may answer 1 with "1", and what was asked as which of the two would not be known.
        self._open: dict[str, _Open] = {}
        self._tasks: dict[str, None] = {}

    def from_client(self, line: Line) -> Outcome:
        """What a line of the client leads to."""
        match read_message(line):
            case Request() as request:
                return self._ask(request)
            case Notification() as notification:
                return self._notify(notification)
            case Response(data=data):
                return Outcome(to_server=(data,))
            case Batch(members):
                return _refuse_batch(members)
            case Malformed(code, sentence, id_, answers=True) if id_ is not None:
                return Outcome(to_server=(answers.error(id_, code, sentence),), notes=(f"an answer of the client is dropped: {sentence}",))
            case Malformed(code, sentence, id_):
                return Outcome(to_client=(answers.error(id_, code, sentence),), notes=(f"a message of the client is refused: {sentence}",))

    def from_server(self, line: Line) -> Outcome:
        """What a line of the server leads to."""
        return self._from_server(read_message(line))

    def end(self, sentence: str) -> tuple[bytes, ...]:
        """Answers to all requests that the server does not answer any more."""
        waiting = [request.id for request in self._open.values() if not request.cancelled]
        self._open.clear()
        return tuple(answers.error(id_, INTERNAL_ERROR, sentence) for id_ in waiting)

    @property
    def waiting(self) -> int:
        """How many requests the client waits for."""
        return sum(not request.cancelled for request in self._open.values())

    def _ask(self, request: Request) -> Outcome:
        key = str(request.id)
        if key in self._open:
            return _refuse(request, INVALID_REQUEST, "the id is that of a request that is not answered yet")
        if len(self._open) >= OPEN_REQUESTS and not self._forget_cancelled():
            return _refuse(request, INTERNAL_ERROR, f"{OPEN_REQUESTS} requests are not answered yet")
        meaning = meaning_of(request)
        outcome = self._rule(request, meaning)
        if outcome.to_server:
            self._open[key] = _Open(request.id, meaning.member if isinstance(meaning, Listed) else None, isinstance(meaning, Decided))
        return outcome

    def _rule(self, request: Request, meaning: Meaning) -> Outcome:
        match meaning:
            case Invalid(code, sentence):
                return _refuse(request, code, sentence)
            case Completed(tool, arguments, missing):
                if self._judge.sight(tool, arguments, missing) is not Sight.ALWAYS:
                    return Outcome(to_client=(answers.no_completion(request),))
                return Outcome(to_server=(_written(request),))
            case OfTask(task, call):
                known = Decided(()) if task in self._tasks else Decided((call,))
                return self._rule(request, known)
            case Decided(calls, can_hold, of_tool):
                for call in calls:
                    ruling = self._judge.rule(call, call_id=str(request.id), can_hold=can_hold)
                    if not ruling.runs:
                        return Outcome(to_client=(answers.refuse(request, ruling, of_tool=of_tool),))
                return Outcome(to_server=(_written(request),))
            case _:
                return Outcome(to_server=(request.data,))

    def _notify(self, notification: Notification) -> Outcome:
        match meaning_of_notification(notification):
            case Invalid(_, sentence):
                return Outcome(notes=(f"a notification of the client is dropped: {sentence}",))
            case Decided((call,)):
                if not self._judge.rule(call, call_id="", can_hold=False).runs:
                    return Outcome(notes=("a notification of the client is dropped: the policy does not allow it",))
                return Outcome(to_server=(_written(notification),))
            case _:
                if notification.method == "notifications/cancelled":
                    self._cancel(notification.params)
                return Outcome(to_server=(notification.data,))

    def _cancel(self, params: dict[str, Any] | None) -> None:
        """The server need not answer a cancelled request; if it does, its list is still filtered."""
        id_ = None if params is None else params.get("requestId")
        found = self._open.get(str(id_)) if type(id_) in (int, str) else None
        if found is not None and type(found.id) is type(id_):
            self._open[str(id_)] = replace(found, cancelled=True)

    def _forget_cancelled(self) -> bool:
        """Make room. What is forgotten is not forwarded when it is answered after all; a list is not forgotten, or it would pass for the
        answer to what is asked later under its id."""
        key = next((key for key, request in self._open.items() if request.cancelled and request.member is None), None)
        if key is not None:
            del self._open[key]
        return key is not None

    def _from_server(self, message: Message) -> Outcome:
        match message:
            case Request(data=data):
                return Outcome(to_client=(data,))
            case Notification(method, params, data):
                if method == "notifications/resources/updated" and not self._shows_resource(params):
                    return Outcome()
                return Outcome(to_client=(data,))
            case Response() as response:
                return self._answer(response)
            case Batch(members):
                return Outcome.of_all(map(self._from_server, members))
            case Malformed(code, sentence, id_, answers=True) if id_ is not None and str(id_) in self._open:
                del self._open[str(id_)]
                return Outcome(to_client=(answers.error(id_, INTERNAL_ERROR, f"the server's answer cannot be read: {sentence}"),))
            case Malformed(code, sentence, id_, answers=False) if id_ is not None:
                return Outcome(to_server=(answers.error(id_, code, sentence),), notes=(f"a request of the server is refused: {sentence}",))
            case Malformed(_, sentence):
                return Outcome(notes=(f"a line of the server is dropped: {sentence}",))

    def _answer(self, response: Response) -> Outcome:
        if response.id is None:
            return Outcome(to_client=(response.data,))
        request = self._open.pop(str(response.id), None)
        if request is None:
            # It may be a list, and nobody knows which.
            return Outcome(notes=("an answer of the server is dropped: the client has not asked for it",))
        if request.member is None or response.result is None:
            if request.decided and response.result is not None:
                self._remember_task(response.result)
            return Outcome(to_client=(response.data,))
        shown = answers.filtered(response.result, request.member, self._shows[request.member])
        sentence = "the server's list cannot be read"
        if shown is not None:
            try:
                return Outcome(to_client=(answers.result(response.id, shown),))
            except ValueError:
                sentence = "the server's list has a number that JSON does not have"
        return Outcome(to_client=(answers.error(response.id, INTERNAL_ERROR, sentence),))

    def _remember_task(self, result: dict[str, Any]) -> None:
        """A call may be answered with a task, whose result is fetched later (MCP 2025-11-25, "Tasks"; since 2026 an extension)."""
        task = _text(result if result.get("resultType") == "task" else result.get("task"), "taskId")
        if task is not None:
            self._tasks[task] = None
            if len(self._tasks) > OPEN_TASKS:
                del self._tasks[next(iter(self._tasks))]

    @property
    def _shows(self) -> dict[str, Any]:
        return {
            "tools": self._shows_tool,
            "prompts": self._shows_prompt,
            "resources": self._shows_resource,
            "resourceTemplates": self._shows_template,
            "tasks": self._shows_task,
        }

    def _shows_tool(self, item: Any) -> bool:
        name = _text(item, "name")
        return name is not None and name not in RESERVED and self._judge.sight(name, None) is not Sight.NEVER

    def _shows_prompt(self, item: Any) -> bool:
        name = _text(item, "name")
        return name is not None and self._judge.sight(PROMPT_GET, {"name": name}, "arguments") is not Sight.NEVER

    def _shows_resource(self, item: Any) -> bool:
        uri = _text(item, "uri")
        return uri is not None and self._judge.sight(RESOURCE_READ, {"uri": uri}) is not Sight.NEVER

    def _shows_template(self, item: Any) -> bool:
        return type(item) is dict and self._judge.sight(RESOURCE_READ, {}, "uri") is not Sight.NEVER

    def _shows_task(self, item: Any) -> bool:
        return _text(item, "taskId") in self._tasks


def _text(item: Any, member: str) -> str | None:
    found = item.get(member) if type(item) is dict else None
    return found if type(found) is str else None


def _written(message: Request | Notification) -> bytes:
    """The message as it was read and decided on: what is forwarded has no other reading."""
    head = {"jsonrpc": "2.0", "id": message.id} if isinstance(message, Request) else {"jsonrpc": "2.0"}
    params = {} if message.params is None else {"params": message.params}
    return write({**head, "method": message.method, **params})


def _refuse(request: Request, code: int, sentence: str) -> Outcome:
    return Outcome(to_client=(answers.error(request.id, code, sentence),))


def _refuse_batch(members: tuple[Request | Notification | Response | Malformed, ...]) -> Outcome:
    """MCP has had no batches since 2025-06-18."""
    sentence = "batches are not relayed; send the messages one by one"
    ids = list(dict.fromkeys(member.id for member in members if isinstance(member, Request)))
    answer = answers.errors(ids, INVALID_REQUEST, sentence) if ids else answers.error(None, INVALID_REQUEST, sentence)
    return Outcome(to_client=(answer,), notes=("a batch of the client is refused",))
