"""Narrowing: what each check lets through, and that a block only ever takes away."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import biscuit_auth
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hexgate.identity.attenuate import Narrowing, NarrowingError, attenuate
from hexgate.identity.block import read_blocks
from hexgate.identity.envelope import read_envelope
from hexgate.identity.refusal import TokenRefusal
from hexgate.identity.wire import BYTES, NUMBER, REPEATED, Fields, data_field, number_field
from tests.identity.datalog import print_block
from tests.identity.tokens import ALICE, NOW, NOW_SECONDS, ROOT, SECOND, refusal_of, text, token, verifier

DENIED = TokenRefusal.ATTENUATION

CALLS: list[tuple[str, str, Any, bool]] = [
    # check, tool, args, permitted
    ('check if tool("refund")', "refund", {}, True),
    ('check if tool("refund")', "refund2", {}, False),
    ('check if tool("refund")', "Refund", {}, False),
    ('check if tool("a") or tool("b")', "b", {}, True),
    ('check if tool($t), {"a", "b"}.contains($t)', "a", {}, True),
    ('check if tool($t), ["a", "b"].contains($t)', "c", {}, False),
    ('check if tool($t), !["a", "b"].contains($t)', "c", {}, True),
    ('check if tool($t), !["a", "b"].contains($t)', "a", {}, False),
    ('check if tool($t), $t != "wire"', "refund", {}, True),
    ('check if tool($t), $t.starts_with("github.")', "github.issues", {}, True),
    ('check if tool($t), $t.starts_with("github.")', "gitlab.issues", {}, False),
    ('check if tool($t), $t.ends_with("_order")', "get_order", {}, True),
    ('check if tool($t), $t.contains("order")', "get_orders", {}, True),
    ('check if arg("n", $n), {1, 2}.contains($n)', "t", {"n": 1}, True),
    ('check if arg("n", $n), [1, -2].contains($n)', "t", {"n": -2}, True),
    ('check if arg("n", $n), [1, 2].contains($n)', "t", {"n": True}, False),
    ('check if arg("n", $n), [true].contains($n)', "t", {"n": True}, True),
    ('check if arg("n", $n), [true].contains($n)', "t", {"n": 1}, False),
    ('check if arg("n", $n), [1, 2].contains($n)', "t", {"n": "1"}, False),
    ('check if time($t), tool($x), {2026-11-18T11:06:40Z}.contains($t)', "t", {}, True),
    ('check if time($t), tool($x), {2026-11-18T11:06:41Z}.contains($t)', "t", {}, False),
    ('check if arg("a", $a), $a === "x" or tool("t")', "t", {"a": 1}, False),
    ('check if arg("a", $a), $a !== "x" or tool("t")', "t", {"a": 1}, False),
    ('check if arg("a", $a), $a == "x" or tool("t")', "t", {"a": 1}, True),
    ('check if arg("a", $a), $a != "x"', "t", {"a": 1}, True),
    ('check if arg("a", $a), $a.starts_with("x") or tool("t")', "t", {"a": 1}, False),
    ('check if arg("a", $a), $a.ends_with("x") or tool("t")', "t", {"a": 1}, False),
    ('check if arg("a", $a), $a.contains("x") or tool("t")', "t", {"a": 1}, False),
    ('check if arg("a", $a), $a < "x" or tool("t")', "t", {"a": 1}, False),
    ('check if arg("a", $a), $a <= 100', "t", {"a": 10**15}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": 100}, True),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": 101}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": -(2**63)}, True),
    ('check if arg("amount", $a), $a <= 100', "t", {}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"Amount": 1}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": "1"}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": True}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": 1.0}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": None}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": [1]}, False),
    ('check if arg("amount", $a), $a <= 100', "t", {"amount": -(2**63) - 1}, False),
    ('check if arg("amount", $a), $a >= 0', "t", {"amount": 2**63}, False),
    ('check if arg("amount", $a), !($a > 100)', "t", {"amount": 2**63}, False),
    ('check if arg("amount", $a), !($a > 100)', "t", {}, False),
    ('check if arg("amount", $a), !($a > 100)', "t", {"amount": 100}, True),
    ('check all arg("amount", $a), $a <= 100', "t", {"amount": 100}, True),
    ('check all arg("amount", $a), $a <= 100', "t", {"amount": 101}, False),
    ('check all arg("amount", $a), $a <= 100', "t", {}, False),
    ('check if arg("cur", "USD")', "t", {"cur": "USD"}, True),
    ('check if arg("cur", "USD")', "t", {"cur": "usd"}, False),
    ('check if arg("cur", "USD")', "t", {"cur": ["USD"]}, False),
    ('check if arg("n", 1)', "t", {"n": True}, False),
    ('check if arg("n", true)', "t", {"n": True}, True),
    ('check if arg("n", true)', "t", {"n": 1}, False),
    ('check if arg("a", $a), arg("b", $b), $a < $b', "t", {"a": 1, "b": 2}, True),
    ('check if arg("a", $a), arg("b", $b), $a < $b', "t", {"a": 2, "b": 2}, False),
    ('check if arg("a", $a), arg("b", $a)', "t", {"a": 2, "b": 2}, True),
    ('check if arg("a", $a), arg("b", $a)', "t", {"a": 2, "b": 3}, False),
    ('check if arg_opaque("a")', "t", {"a": 1.5}, True),
    ('check if arg_opaque("a")', "t", {"a": 1}, False),
    ('check if arg_opaque("a")', "t", {}, False),
    ('check if arg("a", $a)', "t", {"a": "\ud800"}, False),
    ('check if arg("a", $a)', "t", {"a": "x" * 4_096}, True),
    ('check if arg("a", $a)', "t", {"a": "x" * 4_097}, False),
    ('check if arg("a", $a)', "t", {"a": "quote \" and \\ and \n and ;"}, True),
    ('check if arg("a", 1); check if arg("b", 1)', "t", {"a": 1}, False),
    ('check if arg("a", $a)', "t", None, False),
    ('check if arg("a", $a)', "t", [1], False),
    ('check if arg("a", $a)', "t", {"a": 1, 2: 3}, False),
    ('check if tool("t")', "t", object(), True),
    ('check if tool($t)', "", {}, False),
    ('check if tool($t)', "x" * 257, {}, False),
    ('check if tool($t)', None, {}, False),
    ('check if tool($t), $t != "b"', "b\ud800", {}, False),
    ("check if time($t), tool($x), $t < 2026-11-18T11:06:41Z", "t", {}, True),
    ("check if time($t), tool($x), $t < 2026-11-18T11:06:40Z", "t", {}, False),
]


VALUES_OF_CALLS = st.one_of(st.booleans(), st.sampled_from([0, 1, 2, -2, "x", "a", "xa", 1.5, None]))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(("check", "tool", "args", "permitted"), CALLS)
def test_checks_on_calls(check: str, tool: str, args: Any, permitted: bool, place: int) -> None:
    user = verifier().user(text(ALICE + check) if place == 0 else text(ALICE, check), NOW)
    assert user.permits(tool, args, NOW) is (None if permitted else DENIED)


@pytest.mark.parametrize(("check", "tool", "args", "permitted"), CALLS)
def test_the_whole_token_in_the_library_decides_alike(check: str, tool: str, args: Any, permitted: bool) -> None:
    """The checks are evaluated apart from the token, which makes no difference."""
    if type(tool) is not str or not 0 < len(tool) <= 256 or "\ud800" in tool:
        assert not permitted
        return
    assert whole_token_permits(check, tool, args) == permitted


def whole_token_permits(check: str, tool: str, args: Any) -> bool:
    builder: Any = biscuit_auth.AuthorizerBuilder("time(2026-11-18T11:06:40Z); allow if true")
    limits = builder.limits()
    limits.max_time = limits.max_time * 1_000
    builder.set_limits(limits)
    builder.add_fact(biscuit_auth.Fact("tool({tool})", {"tool": tool}))
    names = args if type(args) is dict and all(type(name) is str for name in args) else {}
    for name, value in names.items():
        short = type(value) is str and len(value) <= 4_096 and "\ud800" not in value
        if short or type(value) is bool or (type(value) is int and -(2**63) <= value < 2**63):
            builder.add_fact(biscuit_auth.Fact("arg({name}, {value})", {"name": name, "value": value}))
        else:
            builder.add_fact(biscuit_auth.Fact("arg_opaque({name})", {"name": name}))
    try:
        builder.build(token(ALICE, check)).authorize()
    except biscuit_auth.AuthorizationError:
        return False
    return True


TERMS = st.sampled_from(["$x", "$y", "$t", "1", "-2", '"x"', '"a"', "true"])
PARTS = st.sampled_from(['arg("a", $x)', 'arg("b", $y)', 'arg("b", $x)', "tool($t)", 'arg("a", 1)', 'tool("x")', 'arg_opaque("a")'])
SIGNS = st.sampled_from(["<", ">", "<=", ">=", "==", "!=", "===", "!=="])
EXPRESSIONS = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["$x", "$y", "$t"]), SIGNS, TERMS),
    st.builds("!({} {} {})".format, st.sampled_from(["$x", "$y", "$t"]), SIGNS, TERMS),
    st.builds("{}.{}({})".format, st.sampled_from(["$x", "$t"]), st.sampled_from(["contains", "starts_with", "ends_with"]), TERMS),
    st.builds("{}{}.contains({})".format, st.sampled_from(["", "!"]), st.sampled_from(['{"x", "a\\"b"}', '["a", "a"]', "{2, -1}", "[1]", "[true]", "{2026-01-01T00:00:00Z}"]), st.sampled_from(["$x", "$t"])),
)
QUERIES = st.builds(
    lambda parts, expressions: ", ".join([*parts, *expressions]),
    st.lists(PARTS, min_size=1, max_size=3),
    st.lists(EXPRESSIONS, max_size=2),
)
RANDOM_CHECKS = st.builds(
    lambda kind, queries: f"{kind} {' or '.join(queries)}",
    st.sampled_from(["check if", "check all"]),
    st.lists(QUERIES, min_size=1, max_size=2),
)


@settings(max_examples=150, deadline=None)
@given(RANDOM_CHECKS, st.sampled_from(["x", "a"]), st.dictionaries(st.sampled_from(["a", "b"]), VALUES_OF_CALLS))
def test_random_checks_decide_as_the_whole_token(check: str, tool: str, args: dict[str, Any]) -> None:
    try:
        found = text(ALICE, check)
    except (biscuit_auth.BiscuitBlockError, biscuit_auth.DataLogError):
        assume(False)  # a comparison of what nothing binds
    user = verifier().user(found, NOW)
    assert (user.permits(tool, args, NOW) is None) == whole_token_permits(check, tool, args)


def test_no_code_of_the_arguments_runs() -> None:
    class Text(str):
        def __eq__(self, other: object) -> bool:
            raise AssertionError("called")

        __hash__ = str.__hash__

    class Mapping(dict):  # type: ignore[type-arg]
        def __contains__(self, name: object) -> bool:
            raise AssertionError("called")

    user = verifier().user(text(ALICE, 'check if arg("a", "x")'), NOW)
    assert user.permits("t", {Text("a"): "x"}, NOW) is DENIED
    assert user.permits("t", {"a": Text("x")}, NOW) is DENIED
    assert user.permits("t", Mapping(a="x"), NOW) is DENIED
    assert user.permits(Text("t"), {"a": "x"}, NOW) is DENIED


NAMES = st.sampled_from(["a", "b", "amount", "time", "é\"\\"])
TOOLS = st.sampled_from(["refund", "get", "wire", "x\"y"])
NUMBERS = st.integers(-3, 3) | st.sampled_from([2**63 - 1, -(2**63)])
VALUES = st.one_of(st.booleans(), NUMBERS, st.sampled_from(["", "x", "USD\"); tool(\"wire"]))
NARROWINGS = st.builds(
    Narrowing,
    tools=st.lists(TOOLS, max_size=3, unique=True).map(tuple),
    maxima=st.dictionaries(NAMES, NUMBERS, max_size=2),
    minima=st.dictionaries(NAMES, NUMBERS, max_size=2),
    values=st.dictionaries(NAMES, VALUES, max_size=2),
    expires=st.none() | st.integers(NOW_SECONDS - 2, NOW_SECONDS + 2),
).filter(lambda found: found != Narrowing())
ARGS = st.dictionaries(NAMES, VALUES | st.floats() | st.none() | st.lists(NUMBERS, max_size=1), max_size=4)


def lets_through(narrowing: Narrowing, tool: str, args: dict[str, Any], seconds: int) -> bool:
    """What a narrowing means, said again."""
    return (
        (not narrowing.tools or tool in narrowing.tools)
        and all(type(args.get(name)) is int and args[name] <= most for name, most in narrowing.maxima.items())
        and all(type(args.get(name)) is int and args[name] >= least for name, least in narrowing.minima.items())
        and all(type(args.get(name)) is type(value) and args[name] == value for name, value in narrowing.values.items())
        and (narrowing.expires is None or seconds < narrowing.expires)
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(NARROWINGS, min_size=1, max_size=4), TOOLS, ARGS)
def test_attenuation_only_narrows(narrowings: list[Narrowing], tool: str, args: dict[str, Any]) -> None:
    """After each block, exactly what all blocks so far let through."""
    found = text(ALICE)
    for count, narrowing in enumerate(narrowings, 1):
        found = attenuate(found, narrowing)
        expected = all(lets_through(one, tool, args, NOW_SECONDS) for one in narrowings[:count])
        assert permitted(found, tool, args) == expected


CHECKS = st.sampled_from([check for check, _, _, _ in CALLS])


@settings(max_examples=80, deadline=None)
@given(st.lists(CHECKS, min_size=1, max_size=4), st.sampled_from([(tool, args) for _, tool, args, _ in CALLS]))
def test_blocks_of_the_library_only_narrow(checks: list[str], call: tuple[str, Any]) -> None:
    """In each place, a block takes away and gives nothing back."""
    before = True
    for count in range(len(checks) + 1):
        after = permitted(text(ALICE, *checks[:count]), *call)
        assert before or not after
        before = after


def permitted(found: str, tool: str, args: Any) -> bool:
    return refusal_of(found) is None and verifier().user(found, NOW).permits(tool, args, NOW) is None


@settings(max_examples=50, deadline=None)
@given(st.lists(NARROWINGS, min_size=1, max_size=4))
def test_the_library_reads_what_is_written(narrowings: list[Narrowing]) -> None:
    """The chain verifies in the library, and it prints the blocks as they were read here."""
    found = text(ALICE)
    for narrowing in narrowings:
        found = attenuate(found, narrowing)
    public = biscuit_auth.Biscuit.from_base64(found, _root())
    for number, block in enumerate(read_blocks(read_envelope(found).blocks)):
        assert print_block(block) == public.block_source(number).replace(";\n", ";\0").rstrip("\0").split("\0")


def _root() -> Any:
    return biscuit_auth.PublicKey.from_bytes(ROOT.public.raw, biscuit_auth.Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]


def test_the_first_block_stays_what_it_was() -> None:
    first = text(ALICE)
    second = attenuate(first, Narrowing(tools=("refund",)))
    reader = verifier()
    assert reader.user(second, NOW).token_id == reader.user(first, NOW).token_id
    assert reader.user(second, NOW).user == reader.user(first, NOW).user


def test_times_end_on_the_second() -> None:
    user = verifier().user(attenuate(text(ALICE), Narrowing(expires=NOW_SECONDS + 5)), NOW)
    assert user.expires == NOW_SECONDS + 5
    assert user.permits("t", {}, NOW + 5 * SECOND - 1) is None
    assert user.permits("t", {}, NOW + 5 * SECOND) is TokenRefusal.EXPIRED


MANY = tuple(f"tool{number}" for number in range(64))


def test_many_tools() -> None:
    user = verifier().user(attenuate(text(ALICE), Narrowing(tools=MANY)), NOW)
    assert user.permits("tool63", {}, NOW) is None
    assert user.permits("tool64", {}, NOW) is DENIED


def sealed() -> str:
    """A token whose proof is a signature: the field that a sealed one has."""
    data = urlsafe_b64decode(text(ALICE))
    return urlsafe_b64encode(data[:-36] + data_field(4, data_field(2, bytes(64)))).decode()


NARROWING_ERRORS = [
    (lambda: text(ALICE), Narrowing(), "nothing is narrowed"),
    (lambda: text(ALICE), Narrowing(tools=("",)), "the name of a tool or an argument is empty, too long, or no Unicode"),
    (lambda: text(ALICE), Narrowing(maxima={"\ud800": 1}), "the name of a tool or an argument is empty, too long, or no Unicode"),
    (lambda: text(ALICE), Narrowing(tools=(*MANY, "x")), "a block names at most 64 tools"),
    (lambda: text(ALICE), Narrowing(maxima={"a": 2**63}), "a bound is no integer of 64 bits"),
    (lambda: text(ALICE), Narrowing(values={"a": -(2**63) - 1}), "a bound is no integer of 64 bits"),
    (lambda: text(ALICE), Narrowing(expires=-1), "the expiry is before 1970 or after the year 9999"),
    (lambda: text(ALICE), Narrowing(expires=253_402_300_800), "the expiry is before 1970 or after the year 9999"),
    (lambda: text(ALICE), Narrowing(maxima={str(number): 1 for number in range(17)}),
     "the narrowed token would be refused: the checks of the token read more than 16 arguments"),
    (lambda: text(ALICE), Narrowing(values={"a": "\ud800"}), "the value of an argument is no Unicode"),
    (lambda: text(ALICE), Narrowing(values={"z": "v" * 6_000}), "the narrowed token would have more than 8,192 characters"),
    (lambda: text(ALICE, *[""] * 7), Narrowing(tools=("x",)), "the token has 8 blocks already, and a longer one is refused everywhere"),
    (lambda: text("f(1)"), Narrowing(tools=("x",)),
     "the narrowed token would be refused: the token does not name exactly one user and one role in its first block"),
    (sealed, Narrowing(tools=("x",)), "the token is sealed: no block can be added to it"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "narrowing", "sentence"), NARROWING_ERRORS)
def test_what_cannot_be_narrowed(make: Any, narrowing: Narrowing, sentence: str) -> None:
    with pytest.raises(NarrowingError) as found:
        attenuate(make(), narrowing)
    assert str(found.value) == sentence


def test_blocks_after_newer_signatures() -> None:
    """A block after one with signature version 1 is signed in that version, and the library takes it."""
    first = text_of_version_1()
    assert read_envelope(first).signature_version == 1
    second = attenuate(first, Narrowing(tools=("refund",)))
    third = attenuate(second, Narrowing(maxima={"amount": 5}))
    user = verifier().user(third, NOW)
    assert user.permits("refund", {"amount": 5}, NOW) is None
    assert user.permits("refund", {"amount": 6}, NOW) is DENIED


def text_of_version_1() -> str:
    """A token as newer libraries sign it (Biscuit specification, signature payload version 1)."""
    from hexgate.identity.wire import data_field
    fields = Fields(urlsafe_b64decode(text(ALICE)), {1: NUMBER, 2: BYTES, 3: REPEATED, 4: BYTES})
    first = Fields(fields.data(2), {1: BYTES, 2: BYTES, 3: BYTES, 5: NUMBER})
    key = Fields(first.data(2), {1: NUMBER, 2: BYTES}).data(2)
    payload = b"\0BLOCK\0\0VERSION\0\1\0\0\0\0PAYLOAD\0" + first.data(1) + b"\0ALGORITHM\0\0\0\0\0\0NEXTKEY\0" + key
    signed = data_field(1, first.data(1)) + data_field(2, first.data(2)) + data_field(3, ROOT.sign(payload)) + number_field(5, 1)
    return urlsafe_b64encode(number_field(1, 1) + data_field(2, signed) + data_field(4, fields.data(4))).decode()
