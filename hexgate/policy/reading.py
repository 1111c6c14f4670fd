"""Read typed things out of a YAML tree, reporting what is not as it should be."""

from __future__ import annotations

from collections.abc import Iterable

from hexgate.diagnostics import Diagnostic, Place, Related
from hexgate.language.suggest import help_for, suggest
from hexgate.limits import NAME_BYTES
from hexgate.policy.source import SourceText
from hexgate.policy.yaml_tree import Mapping, Node, Scalar

_LOWER, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
_ROLE_FIRST = frozenset(_LOWER)
_ROLE = frozenset(_LOWER + _DIGITS + "_-")
_CONSTANT_FIRST = frozenset(_LOWER + _LOWER.upper() + "_")
_CONSTANT = _CONSTANT_FIRST | frozenset(_DIGITS)
_TOOL = frozenset(_LOWER + _LOWER.upper() + _DIGITS + "_.:/-")
ROLE_CHARACTERS = 64
_MEANT = {"reason": "message", "tool": "tools", "constraint": "constraints", "conditions": "constraints", "when": "constraints", "constants": "consts", "extends": "inherits", "default": "default_policy", "effect": "mode", "action": "mode", "rule": "rules"}


class Reader:
    """Collects diagnostics while a policy set is read."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def report(self, code: str, message: str, place: Place, help_: str = "", related: tuple[Related, ...] = ()) -> None:
        """Notes an error."""
        self.diagnostics.append(Diagnostic(code, message, place, help_, related))

    def refuse_keys(self, tree: Mapping, known: Iterable[str], what: str) -> None:
        """Reports every key that is not known here."""
        names = tuple(known)
        for key, _ in tree.entries:
            if key.text not in names:
                meant = _MEANT.get(key.text)
                found = meant if meant in names else suggest(key.text, names)
                help_ = f"did you mean `{found}`?" if found else f"{what} has " + ", ".join(f"`{name}`" for name in names)
                self.report("HG202", f"`{key.text}` is not a key of {what}", key.place, help_)

    def require_version(self, tree: Mapping, start: Place) -> None:
        """`version: 1` must be there."""
        node = tree.get("version")
        if node is None:
            self.report("HG205", "the file has no `version`", start, "begin with `version: 1`")
        elif not isinstance(node, Scalar) or not node.plain or node.source.text != "1":
            shown = node.source.text if isinstance(node, Scalar) else "this"
            self.report("HG206", f"version `{shown}` is not known", node.place, "write `version: 1`")

    def mapping(self, tree: Mapping, name: str) -> tuple[tuple[SourceText, Node], ...]:
        """The entries of a key whose value is a map; none where it is absent or empty."""
        node = tree.get(name)
        if node is None or (isinstance(node, Scalar) and node.plain and not node.source.text):
            return ()
        if isinstance(node, Mapping):
            return node.entries
        self.report("HG204", f"`{name}` is a map", node.place, f"write names with their values below `{name}:`")
        return ()

    def flag(self, tree: Mapping, name: str) -> bool:
        """A key whose value is true or false; False where it is absent."""
        node = tree.get(name)
        if node is None:
            return False
        if isinstance(node, Scalar) and node.plain and node.source.text in ("true", "false"):
            return node.source.text == "true"
        self.report("HG204", f"`{name}` is `true` or `false`", node.place, f"write `{name}: true`, or leave it out")
        return False

    def text(self, tree: Mapping, name: str) -> str | None:
        """A key whose value is text; None where it is absent."""
        node = tree.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and node.source.text:
            return node.source.text
        self.report("HG204", f"`{name}` is a text", node.place, "write it on one line, or in quotes")
        return None

    def require_role_name(self, name: str, place: Place, in_file: bool) -> None:
        """A role's name: a lower-case letter, then letters, digits, `_` and `-`."""
        if not name or name[0] not in _ROLE_FIRST or not _ROLE.issuperset(name) or len(name) > ROLE_CHARACTERS:
            what = "the file's name" if in_file else "it"
            help_ = f"{what} must be a role's name: a lower-case letter, then letters, digits, `_` or `-`, at most {ROLE_CHARACTERS}"
            self.report("HG209", f"`{name}` cannot name a role", place, help_)

    def require_constant_name(self, name: str, place: Place) -> bool:
        """A constant's name: an identifier."""
        if name and name[0] in _CONSTANT_FIRST and _CONSTANT.issuperset(name) and len(name) <= ROLE_CHARACTERS:
            return True
        self.report("HG209", f"`{name}` cannot name a constant", place, "use letters, digits and `_`, beginning with a letter")
        return False

    def require_tool_name(self, name: str, place: Place) -> None:
        """A tool's name, or a pattern with `*`."""
        plain = name.replace("*", "")
        if name and _TOOL.issuperset(plain) and len(name.encode()) <= NAME_BYTES and "**" not in name:
            return
        if "**" in name:
            self.report("HG209", f"`{name}` has `**`", place, "one `*` stands for any run of characters")
            return
        help_ = f"use ASCII letters, digits, `_`, `-`, `.`, `:`, `/`, and `*` for any run of characters, at most {NAME_BYTES}"
        self.report("HG209", f"`{name}` cannot name a tool", place, help_)

    def one_of(self, node: Node, what: str, names: tuple[str, ...]) -> str | None:
        """A scalar that is one of a few words, or None where it is reported."""
        shown = node.source.text if isinstance(node, Scalar) else ""
        if shown in names:
            return shown
        if not isinstance(node, Scalar):
            self.report("HG204", f"`{what}` is a word", node.place, "it is " + ", ".join(f"`{n}`" for n in names))
        else:
            otherwise = "it is " + ", ".join(f"`{n}`" for n in names)
            self.report("HG210", f"`{shown}` is not a {what}", node.place, help_for(shown, names, otherwise))
        return None
