"""The GitHub Action and the recipe for any pipeline: their own shell, run here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hexgate.bundle.keys import generate_key, write_signing_key

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
POLICY = "version: 1\ntools:\n  refund_order:\n    mode: allow\n    constraints:\n      - args.amount <= 500\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Policies with tests, in one commit; `hexgate` on the path is this tree's."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "billing.yaml").write_text(POLICY)
    (tmp_path / "policies" / "billing_test.yaml").write_text("version: 1\ncases: [{role: billing, tool: refund_order, args: {amount: 1}, expect: allow}]\n")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A script as the runner runs it: bash that ends at the first failure."""
    programs = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": programs + os.pathsep + os.environ["PATH"], **variables}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def step(name: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """A step of the action, with its expressions replaced."""
    (found,) = (one for one in STEPS if one.get("name") == name)
    values = {f"inputs.{key}": value["default"] for key, value in ACTION["inputs"].items()}
    values |= {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
    environment = {key: EXPRESSION.sub(lambda match: _value(match[1], values), text) for key, text in found["env"].items()}
    return shell(found["run"], folder, **environment)


def _value(expression: str, values: dict[str, str]) -> str:
    """The first that is not empty of `a || b`; nothing of the event's is known here."""
    return next((values[part] for part in expression.split(" || ") if values.get(part)), "")


def test_every_input_is_used_and_every_used_one_is_there() -> None:
    used = {name for one in STEPS for text in (*one.get("env", {}).values(), *one.get("with", {}).values()) for name in re.findall(r"inputs\.([a-z-]+)", str(text))}
    assert used == set(ACTION["inputs"])
    assert all(set(one) == {"description", "default"} for one in ACTION["inputs"].values())


def test_no_expression_stands_in_a_script() -> None:
    """What a pull request names would be run there: values reach scripts by variables only."""
    assert not [one["run"] for one in STEPS if "run" in one and EXPRESSION.search(one["run"])]


def test_steps_on_policies_that_are_well(repository: Path) -> None:
    for name in ("Check", "Test"):
        assert step(name, repository).returncode == 0
    done = step("Prove that both engines decide alike", repository, parity_seconds="1")
    assert (done.returncode, "all decided alike by interpreter and wasm" in done.stdout) == (0, True)


def test_steps_on_policies_that_are_not(repository: Path) -> None:
    (repository / "policies" / "billing.yaml").write_text(POLICY.replace("500", "0"))
    done = step("Test", repository)
    assert (done.returncode, done.stdout.startswith("::error file=policies/billing_test.yaml,line=2")) == (1, True)
    (repository / "policies" / "billing.yaml").write_text(POLICY.replace("allow", "alow"))
    done = step("Check", repository)
    assert (done.returncode, done.stdout.startswith("::error file=policies/billing.yaml,line=4")) == (5, True)


@pytest.mark.parametrize(("fail_on", "code"), [("none", 0), ("widening", 1), ("any", 1)])
def test_what_a_change_lets_through(repository: Path, fail_on: str, code: int) -> None:
    (repository / "policies" / "billing.yaml").write_text(POLICY.replace("500", "900"))
    done = step("Show what changes", repository, base="HEAD", fail_on=fail_on)
    assert done.returncode == code
    assert done.stdout.startswith("::warning file=policies/billing.yaml,line=4")


@pytest.mark.parametrize(
    ("base", "policies", "said"),
    [("", "policies", "there is no base to compare with\n"), ("HEAD", "elsewhere", "::warning title=hexgate diff::there is no elsewhere in HEAD to compare with\n")],
)
def test_nothing_to_compare_with(repository: Path, base: str, policies: str, said: str) -> None:
    done = step("Show what changes", repository, base=base, policies=policies)
    assert (done.returncode, done.stdout) == (0, said)


def test_a_whole_path_is_compared_as_well(repository: Path) -> None:
    (repository / "policies" / "billing.yaml").write_text(POLICY.replace("500", "900"))
    done = step("Show what changes", repository, base="HEAD", fail_on="widening", policies=str(repository / "policies"))
    assert (done.returncode, "::warning file=" in done.stdout) == (1, True)


def test_names_with_spaces_and_options(repository: Path) -> None:
    (repository / "policies").rename(repository / "a b")
    (repository / "t $x.json").write_text('{"refund_order": {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}}')
    for name in ("Check", "Test"):
        done = step(name, repository, policies="a b", tools="t $x.json")
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_recipe_for_any_pipeline(repository: Path) -> None:
    document = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```console\n(.*?)```", document, re.DOTALL)
    script = "\n".join(line.removeprefix("$ ") for line in commands.splitlines()).replace("--time 60", "--time 1")
    key = generate_key()
    done = shell(script, repository, HEXGATE_SIGNING_KEY=write_signing_key(key).decode(), HEXGATE_KEY=f"{key.public.text}@policy.hexgate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repository / "policies.xml").exists()
    assert (repository / "policy.hexgate").exists()
