"""Attacks on artifacts, and signed bundles that are no good."""

from __future__ import annotations

from collections.abc import Iterator

from hexgate.bundle.strict_members import encode_base64
from tests.vectors.bundle.case import Case
from tests.vectors.bundle.material import RELEASE, Contents, Draft, honest, signature

_MODULE, _TABLE = "policy.wasm", "policy.json"
_START_SECTION = b"\x08\x01\x00"


def content_attacks(contents: Contents) -> Iterator[Case]:
    """All of them."""
    yield from _artifacts(contents)
    yield from _signed_and_bad(honest(contents))


def _artifacts(contents: Contents) -> Iterator[Case]:
    draft = honest(contents)
    wasm = draft.artifacts[_MODULE]

    def case(name: str, about: str, changed: Draft, expect: str) -> Case:
        return Case(name, about, changed.file([signature(RELEASE, draft.payload)]), expect)

    def with_file(name: str, content: bytes | None) -> Draft:
        return draft.with_artifact(name, content)

    yield case("missing_module", "the module was taken out", with_file(_MODULE, None), "missing_artifact")
    yield case("missing_table", "the table was taken out", with_file(_TABLE, None), "missing_artifact")
    renamed = with_file(_MODULE, None).with_artifact("sources/policy.wasm", wasm)
    yield case("renamed_module", "the module under another name", renamed, "missing_artifact")
    yield case("extraneous_artifact", "a file that nobody has signed", with_file("sources/more.yaml", b"version: 1\n"), "extraneous_artifact")
    yield case("extraneous_precompiled_module", "native code beside the module", with_file("policy.cwasm", b"\x7fELF"), "extraneous_artifact")
    yield case("swapped_artifacts", "module and table in each other's place", with_file(_MODULE, draft.artifacts[_TABLE]).with_artifact(_TABLE, wasm), "artifact_length")
    yield case("shortened_module", "a module that ends early", with_file(_MODULE, wasm[:-1]), "artifact_length")
    yield case("lengthened_module", "a section more at the end of the module", with_file(_MODULE, wasm + b"\0\x02\x01x"), "artifact_length")
    yield case("altered_module", "one bit of the module was flipped", with_file(_MODULE, wasm[:-1] + bytes([wasm[-1] ^ 1])), "artifact_digest")
    table = draft.artifacts[_TABLE]
    assert table.count(b"allow") == 1
    yield case("altered_table", "the table says deny for allow, in as many bytes", with_file(_TABLE, table.replace(b"allow", b"deny ")), "artifact_digest")
    yield case("mix_and_match", "the module of this bundle with the table of another that is signed too", with_file(_TABLE, table.replace(b"100", b"999")), "artifact_digest")
    length_first = with_file(_MODULE, wasm + b"\0").with_artifact(_TABLE, table.replace(b"100", b"999"))
    yield case("lengths_before_digests", "a wrong digest and a wrong length", length_first, "artifact_length")
    yield case("missing_before_extraneous", "a file too few and another too many", with_file(_TABLE, None).with_artifact("x", b""), "missing_artifact")
    unsigned_module = draft.with_artifact(_MODULE, None).restated().with_artifact(_MODULE, wasm)
    yield Case("unsigned_module", "signed: a statement that does not name the module", unsigned_module.signed(RELEASE), "missing_artifact")
    published = honest(contents, publish_sources=True)
    yield Case(
        "altered_sources", "published policies that are not those that were signed",
        published.with_artifact("sources/policy.yaml", published.artifacts["sources/policy.yaml"].replace(b"100", b"999")).signed(RELEASE),
        "artifact_digest",
    )  # fmt: skip


def _signed_and_bad(draft: Draft) -> Iterator[Case]:
    wasm, table = draft.artifacts[_MODULE], draft.artifacts[_TABLE]

    def case(name: str, about: str, changed: Draft, expect: str) -> Case:
        return Case(name, f"signed: {about}", changed.restated().signed(RELEASE), expect)

    yield case("empty_table", "an empty table", draft.with_artifact(_TABLE, b""), "table")
    yield case("table_with_white_space", "a table in another layout", draft.with_artifact(_TABLE, table + b"\n"), "table")
    yield case("table_of_a_later_format", "a table of a later format", draft.with_artifact(_TABLE, table.replace(b"table.v1", b"table.v2")), "table")
    yield case("empty_module", "an empty module", draft.with_artifact(_MODULE, b""), "module")
    yield case("no_module", "a module that is none", draft.with_artifact(_MODULE, b"\x7fELF" + wasm[4:]), "module")
    yield case("module_with_a_start_function", "a module that runs before it is asked", draft.with_artifact(_MODULE, _with_start(wasm)), "module")
    yield case("module_with_a_custom_section", "a module with bytes that nobody looks at", draft.with_artifact(_MODULE, wasm + b"\0\x02\x01x"), "module")
    yield case("table_before_module", "neither a table nor a module", draft.with_artifact(_TABLE, b"{}").with_artifact(_MODULE, b""), "table")
    vectors = draft.statement["predicate"]["vectors"]
    wrong = [{**vectors[0], "answer": vectors[0]["answer"] + 1}, *vectors[1:]]
    yield case("wrong_answer", "an answer that the module does not give", draft.with_predicate(vectors=wrong), "vectors")
    odd = [{"request": encode_base64(b"\xc1"), "answer": 8}]
    yield case("answer_to_no_request", "an answer to what is no request", draft.with_predicate(vectors=odd), "vectors")
    starved = draft.with_predicate(limits={**draft.statement["predicate"]["limits"], "fuel": 1})
    yield case("starved_module", "less fuel than one decision takes", starved, "vectors")
    crowded = draft.with_predicate(limits={**draft.statement["predicate"]["limits"], "functions": 1})
    yield case("fewer_functions", "fewer functions than the module has", crowded, "module")


def _with_start(wasm: bytes) -> bytes:
    """The module with a start section in its place, before the code (WebAssembly 1.0, 5.5.2)."""
    position = 8
    while wasm[position] not in (9, 10):
        size, shift, at = 0, 0, position + 1
        while True:
            size |= (wasm[at] & 0x7F) << shift
            shift += 7
            at += 1
            if wasm[at - 1] < 0x80:
                break
        position = at + size
    return wasm[:position] + _START_SECTION + wasm[position:]
