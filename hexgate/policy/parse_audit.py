"""Parse `audit:`: the values of a call that the log must not hold (docs/language.md P9)."""

from __future__ import annotations

from hexgate.decision.mask_paths import Masked, MaskPath, MaskPathError, parse_path
from hexgate.policy.reading import Reader, shorten
from hexgate.policy.yaml_tree import Mapping, Scalar, Sequence

AUDIT = "audit"
MASKS = 64
"""Paths of one list, at most."""


def parse_audit(reader: Reader, tree: Mapping, tool: str | None) -> tuple[MaskPath, ...]:
    """The paths of `audit:`, for one tool's name or pattern, or for all tools (None)."""
    node = tree.get(AUDIT)
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return ()
    if not isinstance(node, Mapping):
        reader.report("HG204", f"`{AUDIT}` is a map of keys", node.place, "for example `audit: {mask: [args.card_number]}`")
        return ()
    reader.refuse_keys(node, [masked.value for masked in Masked], f"`{AUDIT}`")
    return tuple(path for masked in Masked for path in _parse_paths(reader, node, masked, tool))


def _parse_paths(reader: Reader, tree: Mapping, masked: Masked, tool: str | None) -> list[MaskPath]:
    key = masked.value
    node = tree.get(key)
    if node is None:
        return []
    if not isinstance(node, Sequence) or not (node.items or node.is_broken):
        reader.report("HG204", f"`{key}` is a list of paths", node.place, f"for example `{key}: [args.card_number]`")
        return []
    if len(node.items) > MASKS:
        message = f"`{key}` has {len(node.items)} paths, more than {MASKS}"
        reader.report("HG204", message, tree.key_place(key), "name what they are members of")
    paths: list[MaskPath] = []
    for item in node.items:
        text = item.source.text if isinstance(item, Scalar) and not item.is_null else ""
        try:
            path = parse_path(text if "/" not in text else "", masked)
        except MaskPathError:
            message = f"`{shorten(text)}` is no path to a value of a call" if text else "a path is a text"
            reader.report("HG210", message, item.place, "write `args.card_number`, `user.attrs.email`, `ctx.x` or `resource.x`")
            continue
        path = MaskPath(tool, path.root, path.members, masked)
        if path in paths:
            reader.report("HG203", f"`{shorten(text)}` stands here twice", item.place, "keep one of them")
        else:
            paths.append(path)
    return paths
