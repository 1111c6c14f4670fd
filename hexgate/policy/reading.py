"""Read typed things out of a YAML tree, reporting what is not as it should be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hexgate.diagnostics import Diagnostic, Related
from hexgate.language.suggest import help_for, suggest
from hexgate.limits import NAME_BYTES
from hexgate.place import Place
from hexgate.policy.plain_scalars import Kind, kind_of
from hexgate.policy.source import SourceText
from hexgate.policy.yaml_tree import Mapping, Node, Scalar

ROLE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
CONSTANT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
TOOL_NAME = re.compile(r"[A-Za-z0-9_.:/*-]{1,256}")
RESERVED_NAMES = frozenset({
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
})  # fmt: skip
"""Words that CEL's grammar keeps: no constant can be called so."""

_SHOWN_CHARACTERS = 60
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MEANT = {
    "reason": "message", "why": "message", "tool": "tools", "constraint": "constraints", "conditions": "constraints",
    "condition": "constraints", "when": "constraints", "if": "constraints", "constants": "consts", "const": "consts",
    "vars": "consts", "extends": "inherits", "inherit": "inherits", "parents": "inherits", "parent": "inherits",
    "default": "default_policy", "effect": "mode", "action": "mode", "verdict": "mode", "rule": "rules",
    "approver": "approvers", "expires": "expires_in", "expiry": "expires_in", "ttl": "expires_in", "role": "roles",
    "boundaries": "boundary",
}  # fmt: skip
"""Keys that people write, and what they mean by them."""


def shorten(text: str) -> str:
    """A user's text as a message shows it: one line, not too long, nothing invisible."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in cut)


class Reader:
    """Collects diagnostics while a policy set is read."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def report(self, code: str, message: str, place: Place, help_: str = "", related: tuple[Related, ...] = ()) -> None:
        """Notes an error."""
        self.diagnostics.append(Diagnostic(code, message, place, help_, related))

    def refuse_keys(self, tree: Mapping, known: Iterable[str], what: str, otherwise: str = "") -> set[str]:
        """Reports every key that is not known here. Returns the known ones that seem to be meant."""
        names = tuple(known)
        meant: set[str] = set()
        for key, _ in tree.entries:
            if key.text not in names:
                found = _MEANT.get(key.text)
                found = found if found in names else suggest(key.text, names)
                help_ = otherwise or f"{what} has " + ", ".join(f"`{name}`" for name in names)
                if found is not None:
                    meant.add(found)
                    help_ = f"did you mean `{found}`?"
                self.report("HG202", f"`{shorten(key.text)}` is not a key of {what}", key.place, help_)
        return meant

    def require_version(self, tree: Mapping, start: Place, meant: set[str]) -> None:
        """`version: 1` must be there, as a number. `meant` are keys that seem to be there, misspelt."""
        node = tree.get("version")
        if node is None:
            if "version" not in tree.broken and "version" not in meant:
                self.report("HG205", "the file has no `version`", start, "begin with `version: 1`")
        elif not isinstance(node, Scalar) or node.is_null:
            self.report("HG206", "`version` is no number", node.place, "write `version: 1`")
        elif not node.plain:
            self.report("HG206", "`version` is a text", node.place, "write the number without quotes: `version: 1`")
        elif node.source.text != "1":
            shown = shorten(node.source.text)
            self.report("HG206", f"version `{shown}` is not known", node.place, "write `version: 1`")

    def mapping(self, tree: Mapping, name: str) -> tuple[tuple[SourceText, Node], ...]:
        """The entries of a key whose value is a map; none where it is absent or empty."""
        node = tree.get(name)
        if node is None or (isinstance(node, Scalar) and node.is_null):
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
        if isinstance(node, Scalar) and node.plain and kind_of(node.source.text) is Kind.BOOL:
            return node.source.text.lower() == "true"
        self.report("HG204", f"`{name}` is `true` or `false`", node.place, f"write `{name}: true`, or leave it out")
        return False

    def text(self, tree: Mapping, name: str) -> str | None:
        """A key whose value is a text that is not empty; None where it is absent. A plain scalar is its text."""
        node = tree.get(name)
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.is_null or not node.source.text.strip():
            self.report("HG204", f"`{name}` is a text", node.place, "write it on one line, or in quotes")
        elif (found := _NO_TEXT.search(node.source.text)) is not None:
            place = node.source.at(found.start(), found.end())
            self.report("HG204", f"the character U+{ord(found.group()):04X} cannot stand in `{name}`", place, "leave it out")
        else:
            return node.source.text
        return None

    def require_role_name(self, name: str, place: Place, in_file: bool) -> None:
        """A role's name: a lower-case letter, then letters, digits, `_` and `-`."""
        if not ROLE_NAME.fullmatch(name):
            what = "the file's name is the role's: " if in_file else "write "
            help_ = f"{what}a lower-case letter, then lower-case letters, digits, `_` or `-`, at most 64 characters"
            self.report("HG209", f"`{shorten(name)}` cannot name a role", place, help_)

    def require_constant_name(self, name: str, place: Place) -> bool:
        """A constant's name: an identifier, and no word that CEL keeps."""
        if name in RESERVED_NAMES:
            message = f"`{name}` is a reserved word and cannot name a constant"
            self.report("HG209", message, place, f"for example `{name}_`")
            return False
        if not CONSTANT_NAME.fullmatch(name):
            help_ = "use letters, digits and `_`, not beginning with a digit, at most 64 characters"
            self.report("HG209", f"`{shorten(name)}` cannot name a constant", place, help_)
            return False
        return True

    def require_tool_name(self, name: str, place: Place) -> None:
        """A tool's name, or a pattern with `*`."""
        if name == "default_policy":
            self.report("HG209", "`default_policy` is not a tool", place, "write it beside `tools:`, not below")
        elif "**" in name and TOOL_NAME.fullmatch(name):
            self.report("HG209", f"`{shorten(name)}` has `**`", place, "one `*` stands for any run of characters")
        elif not TOOL_NAME.fullmatch(name):
            help_ = "use ASCII letters, digits, `_`, `-`, `.`, `:`, `/`, and `*` for any run of characters, at most "
            self.report("HG209", f"`{shorten(name)}` cannot name a tool", place, f"{help_}{NAME_BYTES}")

    def one_of(self, node: Node, what: str, names: tuple[str, ...], meant: dict[str, str]) -> str | None:
        """A scalar that is one of a few words, or None where it is reported. `meant` has what people write for them."""
        all_names = "it is " + ", ".join(f"`{name}`" for name in names)
        if not isinstance(node, Scalar) or node.is_null:
            self.report("HG204", f"`{what}` is a word", node.place, all_names)
            return None
        shown = node.source.text
        if shown in names:
            return shown
        found = meant.get(shown.lower().replace("-", "_"))
        help_ = f"did you mean `{found}`?" if found else help_for(shown, names, all_names)
        self.report("HG210", f"`{shorten(shown)}` is not a {what}", node.place, help_)
        return None
