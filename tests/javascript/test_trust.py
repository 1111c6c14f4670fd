"""The JavaScript runtime trusts the keys that the Python one trusts, and counts the signatures that it counts."""

from __future__ import annotations

import json
import subprocess
from base64 import urlsafe_b64encode
from pathlib import Path
from random import Random
from typing import Any

from hexgate.bundle.keys import signing_key_of
from hexgate.bundle.strict_members import decode_base64, encode_base64
from hexgate.bundle.trust_root import HexgateKeyError, SignedLocation, parse_hexgate_key
from hexgate.parity.javascript_engine import JavaScriptHost, encode_bytes
from tests.bundle_vectors import FOLDER
from tests.vectors.bundle.material import NAME, NOW, RELEASE, contents_of, honest, keys_text, seconds

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")


def _text(raw: bytes) -> str:
    return "ed25519:" + urlsafe_b64encode(raw).rstrip(b"=").decode()


def _points() -> list[bytes]:
    """Points of small order in every encoding, the edges of the field, numbers around them, and any bytes."""
    random = Random(9)
    small = (0, 1, P - 1, ORDER_8, P - ORDER_8)
    numbers = [y + shift for y in (*small, P, 2**255 - 1) for shift in (-2, -1, 0, 1, 2)] + [y + P for y in small if y + P < 2**255]
    encoded = [(y % 2**255 | sign << 255).to_bytes(32, "little") for y in numbers for sign in (0, 1)]
    return encoded + [random.randbytes(32) for _ in range(150)]


def _settings() -> list[str]:
    """Whom to trust, well and badly written."""
    keys = [signing_key_of(bytes([number]) * 32).public.text for number in range(1, 18)]
    one, two, *_ = keys
    digits = one.removeprefix("ed25519:")
    spare = one[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(one[-1]) | 1]
    return [
        one, f"{one},{two}", f"1/{one}", f"2/{one},{two}", f"2/{one}", f"0/{one}", f"-1/{one}", f"+1/{one}", f"01/{one}", f"1.0/{one}", f" 1/{one}", f"1 /{one}",
        f"/{one}", f"{one}/2", f"1/1/{one}", f"١/{one}", f"{one},{one}", f"2/{one},{one}", f"{one},", f",{one}", f"{one},,{two}", f"{one}, {two}", f" {one}", f"{one}\n",
        one + "=", one + "A", one[:-1], spare, digits, "ED25519:" + digits, "ed25519:", "ed25519", "", "dev:x", f"{one};{two}", one.replace("ed25519:", "ed25519::"),
        "ed25519:" + "+" + digits[1:], "ed25519:" + "/" + digits[1:], ",".join(keys[:16]), ",".join(keys), "16/" + ",".join(keys[:16]), "17/" + ",".join(keys[:16]),
        "99/" + one, "100/" + one, *map(_text, _points()), *(f"{one},{_text(raw)}" for raw in _points()[:20]),
    ]  # fmt: skip


def _ours(text: str) -> Any:
    try:
        found = parse_hexgate_key(f"{text}@{NAME}.hexgate")
    except HexgateKeyError:
        return None
    return [found.trust.threshold, *(key.raw.hex() for key in found.trust.keys)] if isinstance(found, SignedLocation) else None


def test_whom_to_trust_is_read_alike() -> None:
    texts = _settings()
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("trust_driver.mjs"))],
        input="".join(json.dumps(text) + "\n" for text in texts), capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [_ours(text) for text in texts]
    assert expected.count(None) > 100 and len(texts) - expected.count(None) > 50
    for text, theirs, ours in zip(texts, found, expected, strict=True):
        assert theirs == ours, text


def test_signatures_that_say_the_same_otherwise() -> None:
    """RFC 8032, 5.1.7: S is below the group's order, or a signature could be made into another one."""
    draft = honest(contents_of((FOLDER / "bundles" / "accepted.hexgate").read_bytes()))
    document = json.loads(draft.signed(RELEASE))
    signature = decode_base64(document["dsse"]["signatures"][0]["sig"])
    assert signature is not None
    number = int.from_bytes(signature[32:], "little")
    others = [number + ORDER, number + 8 * ORDER, ORDER - number, number ^ 1, 0]
    changed = [signature[:32] + other.to_bytes(32, "little") for other in others]
    changed += [bytes([signature[0] ^ 1]) + signature[1:], signature[:31] + bytes([signature[31] ^ 0x80]) + signature[32:], signature[:63], signature + b"\0", bytes(64)]
    host = JavaScriptHost()
    words = []
    for one in (signature, *changed):
        document["dsse"]["signatures"][0]["sig"] = encode_base64(one)
        data = encode_bytes(json.dumps(document).encode())
        words.append(host.ask({"op": "verify", "bundle": data, "trust": keys_text(RELEASE), "name": NAME, "now": seconds(NOW), "floor": None})["refusal"])
    host.close()
    assert words == [None, *["signatures"] * len(changed)]
