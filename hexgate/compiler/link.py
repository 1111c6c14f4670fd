"""Link the prelude: the functions of `runtime_wasm/*.wat` that a module's text reaches, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hexgate.compiler.inline import COMMENT, inline, templates

_FUNCTION = re.compile(r"^\(func \$(\w+)", re.MULTILINE)
_CALL = re.compile(r"\(call \$(\w+)")


@dataclass(frozen=True, slots=True)
class PreludeFunction:
    """A function of the prelude: its text, the comment above it included, and the functions that it calls."""

    name: str
    text: str
    calls: tuple[str, ...]


@cache
def prelude() -> dict[str, PreludeFunction]:
    """Every function of the prelude by name, the smallest ones inlined in all others. Raises ValueError where two have
    one name."""
    sources = _sources()
    bodies = templates({name: function.text for name, function in sources.items()})
    return {name: _inlined(function, bodies) for name, function in sources.items()}


def _sources() -> dict[str, PreludeFunction]:
    """The functions as the files have them."""
    functions: dict[str, PreludeFunction] = {}
    for file in sorted(resources.files("hexgate.runtime_wasm").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".wat"):
            continue
        for function in _split(file.read_text(encoding="utf-8")):
            if function.name in functions:
                raise ValueError(f"the prelude defines ${function.name} twice, the second time in {file.name}")
            functions[function.name] = function
    return functions


def _inlined(function: PreludeFunction, bodies: dict[str, list[str]]) -> PreludeFunction:
    """A function with calls inlined, and without the comments inside its body."""
    start = function.text.index("(func $")
    lines = COMMENT.sub("", function.text[start:]).split("\n")
    code = inline("\n".join(line.rstrip() for line in lines if line.strip()), bodies)
    return PreludeFunction(function.name, function.text[:start] + code, tuple(dict.fromkeys(_CALL.findall(code))))


def _split(text: str) -> Iterator[PreludeFunction]:
    """The functions of a file. A function begins at `(func` in the first column and ends before the next one's comment."""
    starts = [match.start() for match in _FUNCTION.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        lines = text[start:end].rstrip().split("\n")
        while lines and (lines[-1].startswith(";;") or not lines[-1].strip()):
            lines.pop()
        comment = text[:start].rstrip("\n").split("\n")
        above = []
        while comment and comment[-1].startswith(";;"):
            above.append(comment.pop())
        body = "\n".join(lines)
        match = _FUNCTION.match(body)
        if match is not None:
            yield PreludeFunction(
                match.group(1), "\n".join([*reversed(above), body]), tuple(dict.fromkeys(_CALL.findall(body)))
            )


def link_prelude(text: str) -> str:
    """The prelude functions that a module's text calls, and those that these call, in order of name."""
    functions = prelude()
    defined = set(_FUNCTION.findall(text))
    reached: set[str] = set()
    pending = [name for name in dict.fromkeys(_CALL.findall(text)) if name not in defined]
    while pending:
        name = pending.pop()
        if name in reached or name in defined:
            continue
        reached.add(name)
        pending.extend(functions[name].calls)
    return "\n".join(functions[name].text for name in sorted(reached))
