"""`schemas/policy.schema.json` and the loader agree on the structure of documents.

Documents are generated, valid and then broken in one place. What only the loader can tell is left out: names of parents
that do not exist, conflicts, the meaning of expressions, the sum of a duration, integers beyond 64 bits.
"""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hexgate.diagnostics import PolicyInvalidError
from hexgate.policy import parse_entries, reading
from hexgate.policy.parse import parse

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "policy.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
TESTS = jsonschema.Draft202012Validator(json.loads((ROOT / "schemas" / "policy-test.schema.json").read_text(encoding="utf-8")))
BOUNDARY = jsonschema.Draft202012Validator({**SCHEMA, "if": True, "then": {"$ref": "#/$defs/boundary_file"}})

WHOLE_SET = {"roles": {"a": None}, "version": 1}


def loads(document: Any, file: str = "role.yaml") -> bool:
    """Whether the loader takes a document; written so that every text is a text in YAML."""
    text = yaml.dump(document, Dumper=Quoting, allow_unicode=True)
    files = {file: text.encode()}
    if file == "boundary.yaml":
        files["role.yaml"] = b"version: 1\n"
    try:
        parse(files)
    except PolicyInvalidError:
        return False
    return True


class Quoting(yaml.SafeDumper):
    """Writes every text in quotes, and nothing twice by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


class WithoutTimes(yaml.SafeLoader):
    """YAML 1.2, whose core schema has no timestamps: a date without quotes is a text."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Documents:
    """Valid documents, at random."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def some(self, **makers: Any) -> dict[str, Any]:
        """A map with some of these keys."""
        return {name: make() for name, make in makers.items() if self._source.random() < 0.5}

    def text(self) -> str:
        return self._source.choice(["x", "two words", "é 😀", "line\nbreak", "true", "12", " padded "])

    def constraint(self) -> str:
        return self._source.choice(["args.a <= 5", "true", "has(args.x) && args.x == 'y'"])

    def many(self, make: Any, least: int = 1) -> list[Any]:
        return [make() for _ in range(self._source.randint(least, 3))]

    def rule(self) -> dict[str, Any]:
        mode = self._source.choice(["allow", "deny", "approval_required"])
        rule = {"mode": mode, **self.some(constraints=lambda: self.many(self.constraint), message=self.text)}
        if mode == "approval_required":
            rule |= self.some(
                approvers=lambda: self._source.sample(["finance", "user:alice", "a@b.example", "x/y+z"], 2),
                expires_in=lambda: self._source.choice(["15m", "2h", "1h30m", "90s", "1d", "0d5m", "2592000s"]),
            )
        return rule

    def audit(self) -> Any:
        paths = ["args.card", "user.attrs.e-mail", "ctx.a.b_9", "resource.x"]
        return self._source.choice([None, {}, self.some(mask=lambda: self._source.sample(paths, 2), hash=lambda: paths[:1])])

    def tool_entry(self) -> dict[str, Any]:
        return {**self.entry(), **self.some(audit=self.audit)}

    def entry(self) -> dict[str, Any]:
        return self.rule() if self._source.random() < 0.7 else {"rules": self.many(self.rule)}

    def constant(self) -> Any:
        return self._source.choice([1, -5, 1.5, 1.0, True, False, "text", "", [], [1, ["a"]], {}, {"no": 1, "b c": {"d": [True]}}])

    def constants(self) -> Any:
        return self._source.choice([None, {}, {"limit": self.constant(), "_b9": self.constant(), "Max": self.constant()}])

    def tools(self) -> Any:
        names = self._source.sample(["a", "github.*", "A.b:c/d-e_9", "no", "x*y"], self._source.randint(0, 3))
        return self._source.choice([None, {name: self.tool_entry() for name in names}])

    def boundary(self) -> dict[str, Any]:
        return self.some(description=self.text, default_policy=self.entry, tools=self.tools, consts=self.constants, audit=self.audit)

    def role(self) -> dict[str, Any]:
        return {
            **self.boundary(),
            **self.some(inherits=lambda: self._source.choice([[], ["b"], ["b", "c"]]), abstract=lambda: self._source.random() < 0.5),
        }  # fmt: skip

    def role_file(self) -> dict[str, Any]:
        return {"version": 1, **self.role()}

    def boundary_file(self) -> dict[str, Any]:
        return {"version": 1, **self.boundary()}

    def set_file(self) -> dict[str, Any]:
        roles = {name: self._source.choice([None, self.role()]) for name in self._source.sample(["a", "b-c", "d_9"], 2)}
        return {"version": 1, "roles": roles, **self.some(boundary=self.boundary, consts=self.constants, description=self.text, audit=self.audit)}


SPOILS: list[Any] = [
    None, True, 0, 1, 2, -1.5, "", " ", "x", "allow", "15m", "0s", "5m30h", "1x", "a b", "**", "default_policy", "boundary", "Admin", "1a", "in", "ctrl\x07",
    [], [None], [1], ["x", "x"], ["a b"], [[]], [{}], {}, {"x": 1}, {"mode": "allow"}, {"mode": "maybe"}, {"rules": []}, "x" * 65, "x" * 257,
]  # fmt: skip


def spoil(document: Any, source: random.Random) -> Any:
    """A copy with one place changed: a value replaced, a key renamed, added, or taken away."""
    document = copy.deepcopy(document)
    places: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                collect(node[key])

    collect(document)
    node, key = source.choice(places)
    kind = source.randrange(4)
    if kind == 0 or isinstance(node, list):
        node[key] = source.choice(SPOILS)
    elif kind == 1:
        del node[key]
    elif kind == 2:
        name = source.choice([spoil for spoil in SPOILS if isinstance(spoil, str)] + list(reading._MEANT))
        node[name] = node.pop(key)
    else:
        name = source.choice(["mode", "rules", "tools", "roles", "version", "approvers", "expires_in", "constraints", "audit", "zzz"])
        node[name] = source.choice(SPOILS)
    return document


FORMS = {"role_file": "role.yaml", "boundary_file": "boundary.yaml", "set_file": "set.yaml"}


@pytest.mark.parametrize("form", FORMS)
def test_the_schema_and_the_loader_agree(form: str) -> None:
    source = random.Random(form)
    documents = Documents(source)
    validator = BOUNDARY if form == "boundary_file" else VALIDATOR
    verdicts = {True: 0, False: 0}
    for _ in range(700):
        document = getattr(documents, form)()
        assert loads(document, FORMS[form]), document
        assert validator.is_valid(document), document
        spoilt = spoil(document, source)
        accepted = loads(spoilt, FORMS[form])
        assert validator.is_valid(spoilt) == accepted, (spoilt, "the loader accepts" if accepted else "the loader refuses")
        verdicts[accepted] += 1
    assert min(verdicts.values()) > 50


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_has_the_loaders_limits_and_names() -> None:
    defs = SCHEMA["$defs"]
    rule = defs["rule"]["properties"]
    assert rule["constraints"]["maxItems"] == parse_entries.CONSTRAINTS
    assert rule["approvers"]["maxItems"] == parse_entries.APPROVERS
    assert defs["entry"]["then"]["properties"]["rules"]["maxItems"] == parse_entries.RULES
    assert tuple(rule["mode"]["enum"]) == parse_entries.MODES
    assert rule["approvers"]["items"]["pattern"] == f"^{parse_entries.APPROVER.pattern}$"
    assert defs["role_name"]["pattern"] == f"^{reading.ROLE_NAME.pattern}$"
    assert defs["tool_name"]["pattern"] == f"^{reading.TOOL_NAME.pattern}$"
    assert defs["constant_name"]["pattern"] == f"^{reading.CONSTANT_NAME.pattern}$"
    assert set(defs["constant_name"]["not"]["enum"]) == reading.RESERVED_NAMES


def test_every_key_is_described() -> None:
    described = set(SCHEMA["$defs"]["rule"]["properties"]) | {"inherits", "abstract", "default_policy", "tools", "consts", "text", "version"}
    for name in described:
        definition = SCHEMA["$defs"].get(name) or SCHEMA["$defs"]["rule"]["properties"][name]
        assert definition.get("description"), name


WRITTEN = sorted(path for folder in ("examples/*", "hexgate_cli/starter") for path in ROOT.glob(f"{folder}/policies/*.yaml"))


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: "/".join(path.relative_to(ROOT).parts))
def test_the_examples_are_valid(path: Path) -> None:
    validator = TESTS if path.name.endswith("_test.yaml") else VALIDATOR
    validator.validate(yaml.load(path.read_text(encoding="utf-8"), Loader=WithoutTimes))
