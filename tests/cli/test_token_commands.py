"""Tokens from the command line: what is random in them, what is written where, and JSON that fits its schemas."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from hexgate.bundle.keys import generate_key, write_signing_key
from hexgate.identity.refusal import TokenRefusal
from hexgate_cli.main import run_command
from tests.identity.tokens import ALICE, NOW_SECONDS, ROOT, text

SCHEMAS = {
    name: json.loads((Path(__file__).parents[2] / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in ("token", "token-verification")
}
REGISTRY: Registry[Any] = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values())
AT = ["--now", str(NOW_SECONDS)]
ROOT_KEY = ["--root-key", ROOT.public.text]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("HEXGATE_KEY", "HEXGATE_SIGNING_KEY", "HEXGATE_SIGNING_PASSPHRASE", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    Path("root.pem").write_bytes(write_signing_key(ROOT))
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert run_command(["token", *arguments]) == status, capsys.readouterr().err
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], schema: str, *arguments: str, status: int = 0) -> Any:
    found = json.loads(answer(capsys, *arguments, "--format", "json", status=status))
    assert [error.message for error in Draft202012Validator(SCHEMAS[schema], registry=REGISTRY).iter_errors(found)] == []
    return found


def mint(capsys: pytest.CaptureFixture[str], *options: str) -> None:
    Path("t").write_text(answer(capsys, "mint", "--key", "root.pem", "--user", "alice", "--role", "billing", *AT, *options), encoding="ascii")


def test_the_whole_way(capsys: pytest.CaptureFixture[str]) -> None:
    mint(capsys, "--attr", "team=refunds", "--attr", "level:=3", "--attr", "on:=true", "--attr", 'ids:=[1, "x"]', "--audience", "prod")
    found = document(capsys, "token", "inspect", "t")
    assert found["claims"] == {
        "user": "alice",
        "role": "billing",
        "narrowerRoles": [],
        "audiences": ["prod"],
        "attributes": {"ids": [1, "x"], "level": 3, "on": True, "team": "refunds"},
        "notBefore": None,
        "notAfter": "2026-11-18T12:06:40Z",
    }
    for number in (1, 2):
        Path("n").write_text(answer(capsys, "attenuate", "t", "--max", f"amount={100 // number}", *AT), encoding="ascii")
        Path("t").write_bytes(Path("n").read_bytes())
    call = [*ROOT_KEY, "--audience", "prod", *AT, "--tool", "refund", "--args"]
    found = document(capsys, "token-verification", "verify", "t", *call, '{"amount": 50}')
    assert found["call"] == {"tool": "refund", "permitted": True, "refusal": None}
    found = document(capsys, "token-verification", "verify", "t", *call, '{"amount": 51}', status=3)
    assert found["call"] == {"tool": "refund", "permitted": False, "refusal": "attenuation"}
    assert found["tokenId"] == document(capsys, "token", "inspect", "t")["blocks"][0]["revocationId"]


def test_refusals_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t").write_text(text(ALICE), encoding="ascii")
    found = document(capsys, "token-verification", "verify", "t", *ROOT_KEY, "--audience", "prod", *AT, status=6)
    assert (found["trusted"], found["refusal"]) == (False, "audience")


ODD = [
    (ALICE + 'attr("d", 2026-01-01T00:00:00Z); attr("h", hex:00ff); attr("n", null); x({"a": [1]})', "x($a) <- user($a); check if true"),
    (ALICE, 'check all arg("a", $a), tool($t), !($t == "x"), $a < 3 or arg_opaque("b"), time($n)', "check if arg(\"a\", $a)"),
    (ALICE, "check if time($t), $t < 2026-12-01T00:00:00Z, $t >= 2026-01-01T00:00:00Z", "check if tool($t), !{\"a\", \"b\"}.contains($t)"),
]


@pytest.mark.parametrize("blocks", ODD)
def test_tokens_of_others_fit_the_schema(blocks: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    Path("t").write_text(text(*blocks), encoding="ascii")
    assert len(document(capsys, "token", "inspect", "t")["blocks"]) == len(blocks)


def test_words_for_checks(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t").write_text(text(*ODD[1]), encoding="ascii")
    words = [check["words"] for block in document(capsys, "token", "inspect", "t")["blocks"] for check in block["checks"]]
    assert words == [
        'only if always the tool is not "x" and the argument "a" is less than 3, or always the argument "b" is no string, integer or bool',
        'only if the argument "a" is a string, an integer or a bool',
    ]
    Path("t").write_text(text(*ODD[2]), encoding="ascii")
    words = [check["words"] for block in document(capsys, "token", "inspect", "t")["blocks"] for check in block["checks"]]
    assert words == [
        "only from 2026-01-01T00:00:00Z on and before 2026-12-01T00:00:00Z",
        'only if the tool is not one of "a", "b"',
    ]
    Path("t").write_text(text(ALICE, 'check if tool($t) or arg("a", $a), arg("b", $a), $a >= 0'), encoding="ascii")
    words = [check["words"] for check in document(capsys, "token", "inspect", "t")["blocks"][1]["checks"]]
    assert words == ['only if there is a call, or if the argument "b" equals the argument "a" and the argument "a" is at least 0']


def test_the_schema_has_every_refusal() -> None:
    assert SCHEMAS["token"]["$defs"]["refusal"]["enum"] == [refusal.value for refusal in TokenRefusal]
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.skipif(os.name == "nt", reason="permissions are not those of POSIX")
def test_secrets_are_for_their_owner_only(capsys: pytest.CaptureFixture[str]) -> None:
    os.umask(0o022)
    answer(capsys, "keygen", "-o", "new.pem")
    answer(capsys, "mint", "--key", "new.pem", "--user", "a", "--role", "b", "-o", "a.token")
    answer(capsys, "attenuate", "a.token", "--tool", "x", "-o", "b.token")
    for name in ("new.pem", "a.token", "b.token"):
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600, name


def test_a_new_key_signs_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    said = answer(capsys, "keygen", "-o", "new.pem", "--key-id", "7")
    entry = json.loads(said.splitlines()[1].removeprefix("  rootKeys     "))
    assert (entry["id"], entry["notBefore"], entry["notAfter"]) == (7, None, None)
    answer(capsys, "mint", "--key", "new.pem", "--key-id", "7", "--user", "a", "--role", "b", "-o", "a.token", *AT)
    found = document(capsys, "token-verification", "verify", "a.token", "--root-key", f"7={entry['key']}", *AT)
    assert (found["user"], found["roles"], found["notAfter"]) == ("a", ["b"], "2026-11-18T12:06:40Z")


def test_root_keys_from_a_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    Path("policies").mkdir()
    Path("policies/billing.yaml").write_text("version: 1\ntools:\n  refund:\n    mode: allow\n", encoding="utf-8")
    release = generate_key()
    Path("release.pem").write_bytes(write_signing_key(release))
    identity = {
        "requireToken": True,
        "rootKeys": [{"id": 1, "key": ROOT.public.text, "notBefore": None, "notAfter": None}],
        "revoked": [],
        "audience": "prod",
    }
    Path("settings.json").write_text(json.dumps({"identity": identity}), encoding="utf-8")
    sign = ["sign", "policies", "--key", "release.pem", "--settings", "settings.json", "-o", "orders.hexgate", "--issued", str(NOW_SECONDS)]
    assert run_command(sign) == 0
    capsys.readouterr()
    mint(capsys, "--audience", "prod")
    trusted = ["--bundle", "orders.hexgate", "--trust", release.public.text, *AT]
    assert document(capsys, "token-verification", "verify", "t", *trusted)["user"] == "alice"
    other = ["--bundle", "orders.hexgate", "--trust", ROOT.public.text, *AT]
    assert run_command(["token", "verify", "t", *other]) == 6
    assert "`orders.hexgate` is refused (signatures): " in capsys.readouterr().err


def test_no_output_shows_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    mint(capsys)
    token = Path("t").read_text(encoding="ascii").strip()
    for arguments in (["inspect", "t", *AT], ["inspect", "t", "--format", "json"], ["verify", "t", *ROOT_KEY, *AT]):
        assert token[-60:] not in answer(capsys, *arguments)
