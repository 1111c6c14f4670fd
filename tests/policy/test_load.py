"""Policy sets on disk: what is read, and what cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hexgate.diagnostics import PolicyInvalidError
from hexgate.policy import load
from hexgate.policy.load import load_policy, read_files
from hexgate.policy.yaml_tree import FILE_BYTES

ROLE = "version: 1\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def refusals(path: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(PolicyInvalidError) as caught:
        load_policy(path)
    return [
        (Path(found.place.file).name if found.place else "", found.code, found.message) for found in caught.value.diagnostics
    ]


def test_a_directory(tmp_path: Path) -> None:
    write(tmp_path, billing__yaml=ROLE, read_only__yml=ROLE, boundary__yaml=ROLE, README__md="# no", billing_test__yaml="no: [")
    write(tmp_path, **{".hidden__yaml": "no: [", "notes__yaml~": "x"})
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder", other__yaml="no: [")
    policy = load_policy(tmp_path)
    assert list(policy.roles) == ["billing", "read_only"]
    assert policy.boundary is not None
    assert list(read_files(tmp_path)) == [str(tmp_path / name) for name in ("billing.yaml", "boundary.yaml", "read_only.yml")]


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    assert list(load_policy(str(write(tmp_path, a__yaml=ROLE))).roles) == ["a"]


def test_symbolic_links(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    write(tmp_path, real__txt=ROLE)
    (tmp_path / "set" / "role.yaml").symlink_to(tmp_path / "real.txt")
    assert list(load_policy(tmp_path / "set").roles) == ["role"]
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert list(load_policy(tmp_path / "link").roles) == ["role"]


def test_a_link_without_target_is_no_missing_boundary(tmp_path: Path) -> None:
    write(tmp_path, role__yaml=ROLE)
    (tmp_path / "boundary.yaml").symlink_to(tmp_path / "gone")
    expected = [("boundary.yaml", "HG211", "the policy set cannot be read: no such file or directory")]
    assert refusals(tmp_path) == expected
    assert refusals(tmp_path / "role.yaml") == expected


def test_what_is_no_file(tmp_path: Path) -> None:
    write(tmp_path, role__yaml=ROLE)
    (tmp_path / "x.yaml").mkdir()
    assert refusals(tmp_path) == [("x.yaml", "HG211", "`x.yaml` is not a file")]
    (tmp_path / "x.yaml").rmdir()
    os.mkfifo(tmp_path / "y.yaml")
    assert refusals(tmp_path) == [("y.yaml", "HG211", "`y.yaml` is not a file")]
    assert refusals(tmp_path / "y.yaml") == [("y.yaml", "HG211", "`y.yaml` is not a file")]


def test_suffixes_in_capitals(tmp_path: Path) -> None:
    write(tmp_path, role__yaml=ROLE, boundary__YAML=ROLE, x__Yml=ROLE)
    assert refusals(tmp_path) == [
        ("boundary.YAML", "HG211", "the suffix `.YAML` is not in lower case"),
        ("x.Yml", "HG211", "the suffix `.Yml` is not in lower case"),
    ]


def test_nothing_to_read(tmp_path: Path) -> None:
    assert refusals(tmp_path) == [(tmp_path.name, "HG211", "the directory has no policy file")]
    assert refusals(tmp_path / "none") == [("none", "HG211", "the policy set cannot be read: no such file or directory")]
    write(tmp_path, boundary__yaml=ROLE)
    assert refusals(tmp_path) == [("boundary.yaml", "HG211", "the policy set has no role")]


def test_twins(tmp_path: Path) -> None:
    write(tmp_path, a__yaml=ROLE, a__yml=ROLE, boundary__yaml=ROLE, boundary__yml=ROLE)
    assert refusals(tmp_path) == [
        ("a.yml", "HG305", "the role `a` is defined twice"),
        ("boundary.yml", "HG305", "the boundary is defined twice"),
    ]


def test_all_errors_of_all_files(tmp_path: Path) -> None:
    write(tmp_path, a__yaml="version: 2\ntool: 1\n", b__yaml="x: &y [\n", c__yaml=ROLE, d__yaml="")
    assert [(name, code) for name, code, _ in refusals(tmp_path)] == [
        ("a.yaml", "HG206"), ("a.yaml", "HG202"), ("b.yaml", "HG207"), ("b.yaml", "HG201"), ("d.yaml", "HG205"),
    ]  # fmt: skip


def test_large_files_are_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "role.yaml").open("wb") as file:
        file.truncate(1 << 34)
    assert refusals(tmp_path) == [("role.yaml", "HG208", f"the file has more than {FILE_BYTES} bytes")]


def test_a_large_set(tmp_path: Path) -> None:
    for number in range(17):
        write(tmp_path, **{f"r{number}__yaml": ROLE + "#" + "x" * (FILE_BYTES - 100)})
    assert refusals(tmp_path) == [("r0.yaml", "HG208", "the policy set has more than 16777216 bytes")]


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "FILES", 2)
    write(tmp_path, a__yaml=ROLE, b__yaml=ROLE)
    assert len(load_policy(tmp_path).roles) == 2
    write(tmp_path, c__yaml=ROLE)
    assert refusals(tmp_path) == [(tmp_path.name, "HG211", "the directory has more than 2 policy files")]


def test_a_set_in_one_file(tmp_path: Path) -> None:
    write(tmp_path, policies__yaml="version: 1\nroles:\n  a: {}\n  b:\n    inherits: [a]\n", other__yaml=ROLE)
    assert list(load_policy(tmp_path / "policies.yaml").roles) == ["a", "b"]


def test_a_role_alone_takes_its_ancestors_and_the_boundary_along(tmp_path: Path) -> None:
    write(
        tmp_path,
        billing__yaml="version: 1\ninherits: [read_only, gone]\n",
        read_only__yml="version: 1\ninherits: [base]\n",
        base__yaml="version: 1\ninherits: [billing]\n",
        boundary__yaml=ROLE,
        unrelated__yaml="no: [",
    )
    policy = load_policy(tmp_path / "billing.yaml")
    assert set(policy.roles) == {"billing", "read_only", "base"}
    assert policy.boundary is not None
    assert set(read_files(tmp_path / "billing.yaml")) == {
        str(tmp_path / name) for name in ("billing.yaml", "read_only.yml", "base.yaml", "boundary.yaml")
    }


def test_a_parent_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    write(tmp_path, x__yaml=ROLE)
    write(tmp_path / "set", role__yaml="version: 1\ninherits: ['../x']\n")
    assert refusals(tmp_path / "set" / "role.yaml") == [("role.yaml", "HG209", "`../x` cannot name a role")]


def test_a_broken_role_alone(tmp_path: Path) -> None:
    write(tmp_path, billing__yaml="version: 1\ninherits: [read_only]\ntool: {}\n", read_only__yaml="version: 9\n")
    assert refusals(tmp_path / "billing.yaml") == [
        ("billing.yaml", "HG202", "`tool` is not a key of a role"),
        ("read_only.yaml", "HG206", "version `9` is not known"),
    ]


def test_the_boundary_alone_is_no_set(tmp_path: Path) -> None:
    write(tmp_path, boundary__yaml=ROLE, role__yaml=ROLE)
    assert refusals(tmp_path / "boundary.yaml") == [("boundary.yaml", "HG211", "the policy set has no role")]


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, role__yaml=ROLE)

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert refusals(tmp_path) == [("role.yaml", "HG211", "the policy set cannot be read: permission denied")]
