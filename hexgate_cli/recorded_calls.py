"""Recorded tool calls: JSON lines with `tool`, `args`, and optionally who called, when, and what is expected.

| key                | value                                                                                   |
|--------------------|-----------------------------------------------------------------------------------------|
| `tool`             | the tool's name                                                                         |
| `args`             | an object; empty where it is absent                                                     |
| `role`             | the user's role; else `--role`                                                          |
| `user`             | the user's id, or an object with `id`, `role`, `attrs`                                  |
| `attrs`            | the user's attributes                                                                   |
| `ctx`, `resource`  | objects                                                                                 |
| `now`              | RFC 3339, or whole seconds since the epoch                                              |
| `expect`           | the verdict that the call should get                                                    |
| `reason`, `fault`  | with `expect`: their codes; null where there must be none                               |
| `constraint`       | with `expect`: the text of the one that decides; null where none does                   |

Other keys are the recorder's own and mean nothing here, unless they look like one of these misspelt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.faults import Fault
from hexgate.language.suggest import suggest
from hexgate.strict_json import Json, StrictJsonError, parse_json
from hexgate_cli.engines import Request
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import name_json, parse_instant

DETAILS = ("reason", "constraint", "fault")
KEYS = ("tool", "args", "role", "user", "attrs", "ctx", "resource", "now", "expect", *DETAILS)
VERDICTS = {verdict.value: verdict for verdict in Verdict}
_REASONS = tuple(reason.value for reason in Reason)
_FAULTS = tuple(fault.code for fault in Fault)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a decision must be. `details` has those of reason, constraint and fault that were written; None is none."""

    verdict: Verdict
    details: Mapping[str, str | None]

    def is_met_by(self, decision: Decision) -> bool:
        """Whether a decision is what was expected."""
        found = details_of(decision)
        return decision.verdict is self.verdict and all(found[name] == text for name, text in self.details.items())

    def __str__(self) -> str:
        parts = [f"{name} {text if text is not None else 'none'}" for name, text in self.details.items()]
        return ", ".join([self.verdict.value, *parts])


def details_of(decision: Decision) -> dict[str, str | None]:
    """Reason, constraint and fault of a decision, as calls spell them."""
    return {
        "reason": decision.reason.value,
        "constraint": None if decision.constraint is None else decision.constraint.text,
        "fault": None if decision.fault is None else decision.fault.code,
    }


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call, the line it stands in (from 1), and what it should be answered."""

    line: int
    request: Request
    expectation: Expectation | None


@dataclass(frozen=True, slots=True)
class Defaults:
    """What stands in for what a call does not say. `now` is in nanoseconds since the epoch."""

    role: str | None
    user: str
    now: int


def parse_calls(lines: Iterable[bytes], file: str, defaults: Defaults) -> Iterator[RecordedCall]:
    """The calls of a file, one at a time; empty lines are skipped. Raises InputError with the file and the line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _parse_call(line, number, defaults)
        except StrictJsonError as error:
            column = "" if error.column is None else f":{error.column}"
            raise InputError(f"{file}:{number}{column}: {error.message}") from None
        except InputError as error:
            raise InputError(f"{file}:{number}: {error.message}", help=error.help) from None


def _parse_call(line: bytes, number: int, defaults: Defaults) -> RecordedCall:
    call = parse_json(line)
    if not isinstance(call, dict):
        raise InputError(f"a call is an object, not {name_json(call)}")
    _refuse_misspelt(call)
    tool = _text(call, "tool")
    if tool is None:
        raise InputError("the call has no `tool`")
    request = Request(
        tool,
        _object(call, "args"),
        _user(call, defaults),
        _object(call, "ctx"),
        _object(call, "resource"),
        _instant(call.get("now"), defaults.now),
    )
    return RecordedCall(number, request, _expectation(call))


def _refuse_misspelt(call: dict[str, Json]) -> None:
    for key in call:
        meant = None if key in KEYS else _meant(key)
        if meant is not None and meant not in call:
            raise InputError(f"unknown key `{key}`", help=f"did you mean `{meant}`?")


@lru_cache(maxsize=1024)
def _meant(key: str) -> str | None:
    """The key that a recorder's own key may be a misspelling of. Recorders write the same keys on every line."""
    return suggest(key, KEYS) if len(key) > 2 else None


def _text(call: dict[str, Json], key: str) -> str | None:
    value = call.get(key)
    if value is None or isinstance(value, str):
        return value
    raise InputError(f"`{key}` is a string, not {name_json(value)}")


def _object(call: dict[str, Json], key: str) -> dict[str, Json]:
    value = call.get(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise InputError(f"`{key}` is an object, not {name_json(value)}")


def _user(call: dict[str, Json], defaults: Defaults) -> User:
    described = call.get("user")
    user_id: str | None = None
    role = _text(call, "role")
    attrs = _object(call, "attrs")
    if isinstance(described, dict):
        user_id = _text(described, "id")
        role = role if role is not None else _text(described, "role")
        attrs = {**_object(described, "attrs"), **attrs}
    else:
        user_id = _text(call, "user")
    if role is None:
        role = defaults.role
    if role is None:
        raise InputError("the call has no `role`", help="pass one for all calls: `--role ROLE`")
    return User(defaults.user if user_id is None else user_id, role, attrs)


def _instant(value: Json, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, str) or type(value) is int:
        return parse_instant(str(value))
    raise InputError(f"`now` is RFC 3339 text or whole seconds, not {name_json(value)}")


def _expectation(call: dict[str, Json]) -> Expectation | None:
    verdict = _text(call, "expect")
    details = {name: _text(call, name) for name in DETAILS if name in call}
    if verdict is None:
        if details:
            raise InputError(f"`{next(iter(details))}` without `expect`", help="say which verdict is expected")
        return None
    _require_one_of(verdict, "verdict", tuple(VERDICTS))
    _require_one_of(details.get("reason"), "reason", _REASONS)
    _require_one_of(details.get("fault"), "fault", _FAULTS)
    return Expectation(VERDICTS[verdict], details)


def _require_one_of(text: str | None, what: str, known: tuple[str, ...]) -> None:
    if text is not None and text not in known:
        names = ", ".join(f"`{name}`" for name in known)
        raise InputError(f"`{text}` is no {what}", help=f"one of {names}")
