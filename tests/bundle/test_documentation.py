"""docs/bundle.md against the code: the words of the vocabulary in their order, the numbers, and the clauses that are cited."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hexgate.bundle.envelope import MEDIA_TYPE, OUTER_SIGNS, PAYLOAD_BYTES, PAYLOAD_TYPE, SIGNATURE_BYTES, SIGNATURES
from hexgate.bundle.refusal import Refusal
from hexgate.bundle.statement import (
    ARTIFACTS,
    AUDIT_PATHS,
    PREDICATE_TYPE,
    REVOKED,
    ROOT_KEYS,
    STATEMENT_TYPE,
    TOOLS,
    VECTORS,
    read_statement,
)
from hexgate.bundle.strict_members import LONGEST_TEXT
from hexgate.bundle.trust import CLOCK_SKEW_SECONDS
from hexgate.bundle.trust_root import TRUSTED_KEYS
from hexgate.limits import BUNDLE_BYTES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "bundle.md").read_text(encoding="utf-8")


def test_the_vocabulary_stands_there_in_the_order_of_the_checks() -> None:
    table = TEXT.split("| word | refused |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [refusal.value for refusal in Refusal]


def test_every_limit_stands_there() -> None:
    limits = [
        f"16 MiB ({BUNDLE_BYTES:,} bytes)", f"{SIGNATURES} signatures of 1 to {SIGNATURE_BYTES:,} bytes", f"{ARTIFACTS:,} artifacts",
        f"more than {OUTER_SIGNS:,} commas and opening brackets", f"A payload of at most {PAYLOAD_BYTES // 2**20} MiB",
        f"{LONGEST_TEXT:,} code points", f"more than {CLOCK_SKEW_SECONDS} s", f"1 to {TRUSTED_KEYS} keys", f"at most {AUDIT_PATHS:,} texts",
        f"at most {ROOT_KEYS} of", f"at most {REVOKED:,} texts", f"at most {TOOLS:,}, hex", f"| `vectors` | at most {VECTORS} |",
        MEDIA_TYPE, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE,
    ]  # fmt: skip
    assert [limit for limit in limits if limit not in TEXT] == []


def test_the_example_of_a_statement_is_one() -> None:
    example = TEXT.split("```json\n")[2].split("```")[0].replace("<hex>", "ab" * 32).replace("<base64>", "kA==")
    assert read_statement(json.dumps(json.loads(example)).encode()).predicate.name == "policy"


def test_clauses_that_are_cited_exist() -> None:
    clauses = set(re.findall(r"\*\*(B\d+\.\d+)\*\*", TEXT)) | set(re.findall(r"^## (B\d+) ", TEXT, re.MULTILINE))
    assert len(clauses) > 30
    files = [*(ROOT / "hexgate").rglob("*.py"), *(ROOT / "hexgate_cli").rglob("*.py"), *(ROOT / "tests" / "bundle").rglob("*.py"), ROOT / "docs" / "bundle.md"]
    cited = {(path.name, clause) for path in files for clause in re.findall(r"\bB\d+(?:\.\d+)?\b(?!\w)", path.read_text(encoding="utf-8"))}
    unknown = {(name, clause) for name, clause in cited if clause not in clauses and "docs/bundle" in _text_of(files, name)}
    assert unknown == set()
    assert len(cited) > 40


def _text_of(files: list[Path], name: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in files if path.name == name)
