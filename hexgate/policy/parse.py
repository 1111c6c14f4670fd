"""Parse the files of a policy set: bytes by file name to a `SourcePolicy`. Pure; `load` does the reading."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from pathlib import PurePath

from hexgate.collector_pause import collector_paused
from hexgate.diagnostics import Diagnostic, PolicyInvalidError, Related
from hexgate.place import Place
from hexgate.policy.parse_audit import AUDIT, parse_audit
from hexgate.policy.parse_entries import parse_default, parse_entries
from hexgate.policy.reading import ROLE_NAME, Reader, shorten
from hexgate.policy.source import SourceConstant, SourceParent, SourcePolicy, SourceRole
from hexgate.policy.values import constant_value
from hexgate.policy.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml

SET_BYTES = 2**24
"""Length of all files of a policy set together, in bytes, at most."""

BOUNDARY_FILE = "boundary"
_ROLE_KEYS = ("inherits", "abstract", "default_policy", "tools", "consts", "description", AUDIT)
_BOUNDARY_KEYS = ("default_policy", "tools", "consts", "description", AUDIT)
_SET_KEYS = ("version", "roles", "boundary", "consts", "description", AUDIT)


def parse(files: MappingType[str, bytes]) -> SourcePolicy:
    """The policy set of these files: one with `roles:`, or one role in each. Raises PolicyInvalidError with everything
    that is wrong."""
    policy, diagnostics = parse_with_diagnostics(files)
    if diagnostics:
        raise PolicyInvalidError(diagnostics)
    return policy


@collector_paused
def parse_with_diagnostics(files: MappingType[str, bytes]) -> tuple[SourcePolicy, tuple[Diagnostic, ...]]:
    """What could be read of a policy set, and everything that is wrong with it, in order of place. The order of the files
    makes no difference."""
    reader = Reader()
    trees: dict[str, Mapping] = {}
    if sum(map(len, files.values())) > SET_BYTES:
        reader.report("HG208", f"the policy set has more than {SET_BYTES} bytes", _start(files), "split the set")
    else:
        for file, data in sorted(files.items()):
            tree = _read_tree(reader, file, data)
            if tree is not None:
                trees[file] = tree
    policy = _parse_trees(reader, trees, len(files) == 1)
    if not policy.roles and not reader.diagnostics:
        help_ = "write a role, for example `billing.yaml`; `hexgate init` makes one"
        reader.report("HG211", "the policy set has no role", _start(files), help_)
    return policy, tuple(sorted(reader.diagnostics, key=_order))


def _start(files: MappingType[str, bytes]) -> Place:
    return Place(min(files, default="."), 1, 1)


def _read_tree(reader: Reader, file: str, data: bytes) -> Mapping | None:
    """The map that a file is; None where it is reported."""
    tree, diagnostics = parse_yaml(file, data)
    reader.diagnostics.extend(diagnostics)
    if isinstance(tree, Mapping):
        return tree
    if tree is not None:
        reader.report("HG204", "a policy file is a map of keys", tree.place, "begin with `version: 1`")
    elif not diagnostics:
        reader.report("HG205", "the file is empty", Place(file, 1, 1), "begin with `version: 1`")
    return None


def _parse_trees(reader: Reader, trees: MappingType[str, Mapping], is_single: bool) -> SourcePolicy:
    roles: dict[str, SourceRole] = {}
    boundary: SourceRole | None = None
    for file, tree in trees.items():
        if is_single and (tree.get("roles") is not None or "roles" in tree.broken):
            return _parse_set(reader, file, tree)
        if PurePath(file).stem == BOUNDARY_FILE:
            found = _parse_boundary(reader, file, tree)
            _refuse_twin(reader, "the boundary", boundary, found)
            boundary = boundary or found
        else:
            role = _parse_role_file(reader, file, tree)
            _refuse_twin(reader, f"the role `{role.name}`", roles.get(role.name), role)
            roles.setdefault(role.name, role)
    return SourcePolicy(roles, boundary)


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    place = diagnostic.place
    return (place.file, place.line, place.column, diagnostic.code) if place else ("", 0, 0, diagnostic.code)


def _refuse_twin(reader: Reader, what: str, first: SourceRole | None, second: SourceRole) -> None:
    if first is not None:
        related = (Related(first.place, "the other one is here"),)
        reader.report("HG305", f"{what} is defined twice", second.place, "remove one of the files", related)


def _parse_role_file(reader: Reader, file: str, tree: Mapping) -> SourceRole:
    start = Place(file, 1, 1)
    meant = reader.refuse_keys(tree, ("version", *_ROLE_KEYS), "a role")
    reader.require_version(tree, start, meant)
    name = PurePath(file).stem
    reader.require_role_name(name, start, in_file=True)
    return _parse_role(reader, name, tree, start)


def _parse_boundary(reader: Reader, file: str, tree: Mapping) -> SourceRole:
    """A file `boundary.yaml`."""
    start = Place(file, 1, 1)
    meant = reader.refuse_keys(tree, ("version", *_BOUNDARY_KEYS), "a boundary")
    reader.require_version(tree, start, meant)
    return _parse_role(reader, BOUNDARY_FILE, tree, start)


def _parse_set(reader: Reader, file: str, tree: Mapping) -> SourcePolicy:
    """A file with `roles:`."""
    meant = reader.refuse_keys(tree, _SET_KEYS, "a policy set")
    reader.require_version(tree, Place(file, 1, 1), meant)
    reader.text(tree, "description")
    roles: dict[str, SourceRole] = {}
    for key, node in reader.mapping(tree, "roles"):
        if key.text == BOUNDARY_FILE:
            reader.report("HG209", "`boundary` is not a role", key.place, "write it beside `roles:`, not below")
            continue
        reader.require_role_name(key.text, key.place, in_file=False)
        role = _parse_inner(reader, node, f"the role `{shorten(key.text)}`", _ROLE_KEYS, key.text, key.place)
        if role is not None:
            roles[key.text] = role
    boundary = None
    limits = tree.get(BOUNDARY_FILE)
    if limits is not None:
        place = tree.key_place(BOUNDARY_FILE)
        boundary = _parse_inner(reader, limits, "the boundary", _BOUNDARY_KEYS, BOUNDARY_FILE, place)
    return SourcePolicy(roles, boundary, _parse_constants(reader, tree), parse_audit(reader, tree, None))


def _parse_inner(
    reader: Reader, node: Node, what: str, keys: tuple[str, ...], name: str, place: Place
) -> SourceRole | None:
    """A role, or the boundary, of a file with `roles:`; None where it is reported. One without keys denies."""
    if isinstance(node, Scalar) and node.is_null:
        return SourceRole(name, place)
    if not isinstance(node, Mapping):
        reader.report("HG204", f"{what} is a map of keys", node.place, "for example `tools:` below it")
        return None
    reader.refuse_keys(node, keys, "a boundary" if keys is _BOUNDARY_KEYS else "a role")
    return _parse_role(reader, name, node, place)


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
        parse_audit(reader, tree, None),
    )


def _parse_inherits(reader: Reader, tree: Mapping) -> tuple[SourceParent, ...]:
    node = tree.get("inherits")
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        shown = node.source.text if isinstance(node, Scalar) else ""
        help_ = f"write `inherits: [{shown if ROLE_NAME.fullmatch(shown) else 'read_only'}]`"
        reader.report("HG204", "`inherits` is a list of role names", node.place, help_)
        return ()
    parents: list[SourceParent] = []
    for item in node.items:
        if not isinstance(item, Scalar) or item.is_null:
            reader.report("HG204", "a parent is a role's name", item.place, "for example `inherits: [read_only]`")
        elif not ROLE_NAME.fullmatch(item.source.text):
            reader.require_role_name(item.source.text, item.place, in_file=False)
        elif any(parent.name == item.source.text for parent in parents):
            reader.report("HG203", f"`{shorten(item.source.text)}` is inherited twice", item.place, "keep one of them")
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
