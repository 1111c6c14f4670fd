"""Parse the files of a policy set: bytes by file name to a `SourcePolicy`. Pure; `load` does the reading."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from pathlib import PurePath

from hexgate.diagnostics import Diagnostic, Place, PolicyInvalidError, Related
from hexgate.policy.parse_entries import parse_default, parse_entries
from hexgate.policy.reading import Reader
from hexgate.policy.source import SourceConstant, SourceParent, SourcePolicy, SourceRole
from hexgate.policy.values import constant_value
from hexgate.policy.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml

BOUNDARY_FILE = "boundary"
_ROLE_KEYS = ("inherits", "abstract", "default_policy", "tools", "consts", "description")
_BOUNDARY_KEYS = ("default_policy", "tools", "consts", "description")
_SET_KEYS = ("version", "roles", "boundary", "consts", "description")


def parse(files: MappingType[str, bytes]) -> SourcePolicy:
    """The policy set of these files: one with `roles:`, or one role in each. Raises PolicyInvalidError with everything
    that is wrong."""
    policy, diagnostics = parse_with_diagnostics(files)
    if diagnostics:
        raise PolicyInvalidError(diagnostics)
    return policy


def parse_with_diagnostics(files: MappingType[str, bytes]) -> tuple[SourcePolicy, tuple[Diagnostic, ...]]:
    """What could be read of a policy set, and everything that is wrong with it, in order of place."""
    reader = Reader()
    roles: dict[str, SourceRole] = {}
    boundary: SourceRole | None = None
    constants: tuple[SourceConstant, ...] = ()
    for file, data in files.items():
        tree, diagnostics = parse_yaml(file, data)
        reader.diagnostics.extend(diagnostics)
        if not isinstance(tree, Mapping):
            if not diagnostics:
                _report_shape(reader, file, tree)
            continue
        if len(files) == 1 and tree.get("roles") is not None:
            roles, boundary, constants = _parse_set(reader, file, tree)
        elif PurePath(file).stem == BOUNDARY_FILE:
            boundary = _parse_boundary(reader, file, tree, with_version=True)
        else:
            role = _parse_role_file(reader, file, tree)
            _refuse_twin(reader, roles.get(role.name), role)
            roles.setdefault(role.name, role)
    if not roles and not reader.diagnostics:
        where = next(iter(files), "")
        reader.report("HG211", "the policy set has no role", Place(where, 1, 1), "write a role, for example `billing.yaml`; `hexgate init` makes one")
    return SourcePolicy(roles, boundary, constants), tuple(sorted(reader.diagnostics, key=_order))


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    place = diagnostic.place
    return (place.file, place.line, place.column, diagnostic.code) if place else ("", 0, 0, diagnostic.code)


def _report_shape(reader: Reader, file: str, tree: Node | None) -> None:
    place = Place(file, 1, 1) if tree is None else tree.place
    message = "the file is empty" if tree is None else "a policy file is a map of keys"
    reader.report("HG205" if tree is None else "HG204", message, place, "begin with `version: 1`")


def _refuse_twin(reader: Reader, first: SourceRole | None, second: SourceRole) -> None:
    if first is not None:
        related = (Related(first.place, "the other one is here"),)
        reader.report("HG305", f"the role `{second.name}` is defined twice", second.place, "remove one of the files", related)


def _parse_role_file(reader: Reader, file: str, tree: Mapping) -> SourceRole:
    start = Place(file, 1, 1)
    reader.require_version(tree, start)
    reader.refuse_keys(tree, ("version", *_ROLE_KEYS), "a role")
    name = PurePath(file).stem
    reader.require_role_name(name, start, in_file=True)
    return _parse_role(reader, name, tree, start)


def _parse_boundary(reader: Reader, file: str, tree: Mapping, with_version: bool) -> SourceRole:
    if with_version:
        reader.require_version(tree, Place(file, 1, 1))
    reader.refuse_keys(tree, ("version", *_BOUNDARY_KEYS) if with_version else _BOUNDARY_KEYS, "a boundary")
    return _parse_role(reader, BOUNDARY_FILE, tree, tree.place)


def _parse_set(
    reader: Reader, file: str, tree: Mapping
) -> tuple[dict[str, SourceRole], SourceRole | None, tuple[SourceConstant, ...]]:
    """A file with `roles:`."""
    reader.require_version(tree, Place(file, 1, 1))
    reader.refuse_keys(tree, _SET_KEYS, "a policy set")
    roles: dict[str, SourceRole] = {}
    for key, node in reader.mapping(tree, "roles"):
        reader.require_role_name(key.text, key.place, in_file=False)
        if key.text == BOUNDARY_FILE:
            reader.report("HG209", "`boundary` is not a role", key.place, "write it beside `roles:`, not below")
        if isinstance(node, Mapping):
            reader.refuse_keys(node, _ROLE_KEYS, "a role")
            roles[key.text] = _parse_role(reader, key.text, node, key.place)
        elif isinstance(node, Scalar) and not node.source.text:
            roles[key.text] = SourceRole(key.text, key.place)
        else:
            reader.report("HG204", "a role is a map of keys", node.place, "for example `tools:` below it")
    boundary = tree.get("boundary")
    made = None
    if isinstance(boundary, Mapping):
        made = _parse_boundary(reader, file, boundary, with_version=False)
    elif boundary is not None:
        reader.report("HG204", "a boundary is a map of keys", boundary.place, "for example `tools:` below it")
    return roles, made, _parse_constants(reader, tree)


def _parse_role(reader: Reader, name: str, tree: Mapping, place: Place) -> SourceRole:
    return SourceRole(
        name,
        place,
        _parse_inherits(reader, tree),
        reader.flag(tree, "abstract"),
        parse_default(reader, tree),
        parse_entries(reader, tree),
        _parse_constants(reader, tree),
        reader.text(tree, "description"),
    )


def _parse_inherits(reader: Reader, tree: Mapping) -> tuple[SourceParent, ...]:
    node = tree.get("inherits")
    if node is None:
        return ()
    items = node.items if isinstance(node, Sequence) else (node,)
    parents: list[SourceParent] = []
    for item in items:
        if not isinstance(item, Scalar) or not item.source.text:
            reader.report("HG204", "`inherits` is a list of role names", item.place, "for example `inherits: [read_only]`")
        elif any(parent.name == item.source.text for parent in parents):
            reader.report("HG203", f"`{item.source.text}` is inherited twice", item.place, "keep one of them")
        else:
            parents.append(SourceParent(item.source.text, item.place))
    return tuple(parents)


def _parse_constants(reader: Reader, tree: Mapping) -> tuple[SourceConstant, ...]:
    constants: list[SourceConstant] = []
    for key, node in reader.mapping(tree, "consts"):
        if reader.require_constant_name(key.text, key.place):
            value = constant_value(reader, node)
            if value is not None:
                constants.append(SourceConstant(key.text, value.value, key.place))
    return tuple(constants)
