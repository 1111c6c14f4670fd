"""From files to findings: how the tests of this folder read policy sets and show what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

from hexgate.diagnostics import Diagnostic, PolicyInvalidError
from hexgate.place import Place
from hexgate.policy.check import check_with_notes
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.link import link
from hexgate.policy.parse import parse
from hexgate.policy.tool_schemas import parse_tool_schemas

TOOLS = "tools.json"
"""The file of a set that holds its tools' schemas."""


def check_files(files: Mapping[str, bytes]) -> tuple[CheckedPolicy, tuple[Diagnostic, ...]]:
    """The checked policy of files by name, `tools.json` among them or not, and its notes. Raises PolicyInvalidError."""
    schemas = parse_tool_schemas(TOOLS, files[TOOLS]) if TOOLS in files else None
    return check_with_notes(link(parse({name: data for name, data in files.items() if name != TOOLS})), schemas)


def check_text(text: str, file: str = "role.yaml") -> CheckedPolicy:
    """The checked policy of one file."""
    return check_files({file: text.encode()})[0]


def findings_of(files: Mapping[str, bytes]) -> tuple[Diagnostic, ...]:
    """Everything there is to say about files: errors, warnings, notes."""
    try:
        return check_files(files)[1]
    except PolicyInvalidError as error:
        return error.diagnostics


def render(diagnostics: tuple[Diagnostic, ...], files: Mapping[str, bytes]) -> str:
    """Findings as the expected texts have them: code, sentence, places underlined, help."""
    if not diagnostics:
        return "nothing to say\n"
    return "\n".join(_render(diagnostic, files) for diagnostic in diagnostics)


def _render(diagnostic: Diagnostic, files: Mapping[str, bytes]) -> str:
    lines = [f"{diagnostic.severity.value}[{diagnostic.code}]: {diagnostic.message}"]
    lines += _excerpt("-->", diagnostic.place, files)
    for related in diagnostic.related:
        lines += [f"  {related.message}:", *_excerpt(":::", related.place, files)]
    if diagnostic.help:
        lines.append(f"  help: {diagnostic.help}")
    return "\n".join(lines) + "\n"


def _excerpt(arrow: str, place: Place | None, files: Mapping[str, bytes]) -> list[str]:
    if place is None:
        return []
    head = f"  {arrow} {place.file}:{place.line}:{place.column}"
    lines = files[place.file].decode("utf-8", "replace").split("\n") if place.file in files else []
    if place.line > len(lines) or place.file == TOOLS:
        return [head]
    return [head, f"  | {lines[place.line - 1]}".rstrip(), f"  | {' ' * (place.column - 1)}{'^' * place.length}"]
