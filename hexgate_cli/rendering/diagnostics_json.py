"""Diagnostics for programs: our JSON (`schemas/diagnostics.schema.json`) and SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from urllib.parse import quote

from hexgate import __version__
from hexgate.diagnostic_codes import CODES
from hexgate.diagnostics import Diagnostic, Severity
from hexgate.place import Place
from hexgate.strict_json import Json
from hexgate_cli.rendering.diagnostics_human import sort_diagnostics


def place_to_dict(place: Place) -> dict[str, Json]:
    """A place, as all JSON formats show it."""
    return {"file": place.file, "line": place.line, "column": place.column, "length": place.length}


def diagnostic_to_dict(diagnostic: Diagnostic) -> dict[str, Json]:
    """One diagnostic."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "help": diagnostic.help or None,
        "place": None if diagnostic.place is None else place_to_dict(diagnostic.place),
        "related": [
            {"place": place_to_dict(related.place), "message": related.message} for related in diagnostic.related
        ],
    }


def diagnostics_to_dict(diagnostics: Iterable[Diagnostic]) -> dict[str, Json]:
    """All diagnostics of a run, sorted, with their count by severity."""
    found = sort_diagnostics(diagnostics)
    counts: dict[str, Json] = {
        f"{severity.value}s": sum(1 for diagnostic in found if diagnostic.severity is severity)
        for severity in Severity
    }
    return {"diagnostics": [diagnostic_to_dict(diagnostic) for diagnostic in found], "summary": counts}


def diagnostics_to_sarif(diagnostics: Iterable[Diagnostic]) -> dict[str, Json]:
    """The log of a run in SARIF 2.1.0 (OASIS). Columns count code points (3.14.17)."""
    found = sort_diagnostics(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in found})
    rules: list[Json] = [{"id": code, "shortDescription": {"text": CODES[code]}} for code in codes]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "hexgate", "version": __version__, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(diagnostic, codes) for diagnostic in found],
            }
        ],
    }


def _sarif_result(diagnostic: Diagnostic, codes: Sequence[str]) -> dict[str, Json]:
    text = diagnostic.message + (f"; help: {diagnostic.help}" if diagnostic.help else "")
    result: dict[str, Json] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": diagnostic.severity.value,
        "message": {"text": text},
    }
    if diagnostic.place is not None:
        result["locations"] = [{"physicalLocation": _sarif_location(diagnostic.place)}]
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _sarif_location(related.place), "message": {"text": related.message}}
            for number, related in enumerate(diagnostic.related)
        ]
    return result


def _sarif_location(place: Place) -> dict[str, Json]:
    return {
        "artifactLocation": {"uri": _uri_reference(place.file)},
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endColumn": place.column + max(place.length, 1),
        },
    }


def _uri_reference(file: str) -> str:
    """A file as a URI reference (RFC 3986): `file:` for absolute paths, else relative. A colon in the first segment would
    read as a scheme, and is escaped."""
    path = PurePath(file)
    text = quote(path.as_posix().encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{'' if text.startswith('/') else '/'}{text}" if path.is_absolute() else text
