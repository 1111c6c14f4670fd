"""Parse what a role says of tools: entries, rules, modes (docs/language.md P2, P3)."""

from __future__ import annotations

import re

from hexgate.decision.decision import Verdict
from hexgate.policy.parse_audit import AUDIT, parse_audit
from hexgate.policy.reading import Reader, shorten
from hexgate.policy.source import SourceEntry, SourceRule, SourceText
from hexgate.policy.values import duration_seconds
from hexgate.policy.yaml_tree import Mapping, Node, Scalar, Sequence

DEFAULT = "default_policy"
MODES = tuple(verdict.value for verdict in (Verdict.ALLOW, Verdict.DENY, Verdict.APPROVAL_REQUIRED))
RULES = 64
"""Rules of one entry, at most."""

CONSTRAINTS = 64
"""Constraints of one rule, at most."""

APPROVERS = 64
"""Approvers of one rule, at most."""

APPROVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:/+-]{0,127}")

_RULE_KEYS = ("mode", "constraints", "message", "approvers", "expires_in")
_MEANT_MODES = {
    **dict.fromkeys(("ask", "approval", "approve", "confirm"), "approval_required"),
    **dict.fromkeys(("require_approval", "requires_approval"), "approval_required"),
    **dict.fromkeys(("permit", "grant", "true", "yes"), "allow"),
    **dict.fromkeys(("block", "forbid", "refuse", "reject", "false", "no"), "deny"),
}  # fmt: skip


def parse_entries(reader: Reader, tree: Mapping) -> tuple[SourceEntry, ...]:
    """The entries of `tools:`."""
    entries: list[SourceEntry] = []
    for key, node in reader.mapping(tree, "tools"):
        reader.require_tool_name(key.text, key.place)
        rules = _parse_rules(reader, node, f"the entry of `{shorten(key.text)}`", AUDIT)
        masks = parse_audit(reader, node, key.text) if isinstance(node, Mapping) else ()
        if rules:
            entries.append(SourceEntry(key.text, rules, key.place, masks))
    return tuple(entries)


def parse_default(reader: Reader, tree: Mapping) -> SourceEntry | None:
    """The entry of `default_policy:`."""
    node = tree.get(DEFAULT)
    if node is None:
        return None
    rules = _parse_rules(reader, node, f"`{DEFAULT}`")
    return SourceEntry(DEFAULT, rules, tree.key_place(DEFAULT)) if rules else None


def _parse_rules(reader: Reader, node: Node, what: str, *others: str) -> tuple[SourceRule, ...]:
    """One rule, or the rules of `rules:`; none where the entry was reported. `others` are keys that are read elsewhere."""
    if not isinstance(node, Mapping):
        shown = node.source.text if isinstance(node, Scalar) else ""
        help_ = f"write `mode: {shown}` below it" if shown in MODES else "write `mode:` below it"
        reader.report("HG204", f"{what} is a map of keys", node.place, help_)
        return ()
    listed = node.get("rules")
    if listed is None:
        meant = reader.refuse_keys(node, (*_RULE_KEYS, "rules", *others), "an entry")
        is_list = "rules" in node.broken or "rules" in meant
        rule = None if is_list else _parse_rule(reader, node, what, meant)
        return (rule,) if rule else ()
    reader.refuse_keys(node, ("rules", *others), "an entry with `rules`", "write it in each of the rules")
    if not isinstance(listed, Sequence) or not (listed.items or listed.is_broken):
        reader.report("HG204", "`rules` is a list of rules", listed.place, "write each rule as `- mode: ...`")
        return ()
    if len(listed.items) > RULES:
        message = f"{what} has {len(listed.items)} rules, more than {RULES}"
        reader.report("HG204", message, node.key_place("rules"), "join them with `&&` and `||`")
    return tuple(rule for item in listed.items if (rule := _parse_listed_rule(reader, item)) is not None)


def _parse_listed_rule(reader: Reader, item: Node) -> SourceRule | None:
    if not isinstance(item, Mapping):
        reader.report("HG204", "a rule is a map of keys", item.place, "write `- mode: ...`")
        return None
    meant = reader.refuse_keys(item, _RULE_KEYS, "a rule")
    return _parse_rule(reader, item, "the rule", meant)


def _parse_rule(reader: Reader, tree: Mapping, what: str, meant: set[str]) -> SourceRule | None:
    """A rule; None where it has no mode. `meant` are keys that seem to be there, misspelt."""
    constraints = _parse_constraints(reader, tree)
    message = reader.text(tree, "message")
    approvers, expires_in = _parse_approvers(reader, tree), _parse_expiry(reader, tree)
    node = tree.get("mode")
    if node is None:
        if "mode" not in tree.broken and "mode" not in meant:
            help_ = "write one of " + ", ".join(f"`mode: {mode}`" for mode in MODES)
            reader.report("HG205", f"{what} has no `mode`", tree.place, help_)
        return None
    mode = reader.one_of(node, "mode", MODES, _MEANT_MODES)
    if mode is None:
        return None
    if mode != Verdict.APPROVAL_REQUIRED.value:
        for key in ("approvers", "expires_in"):
            if tree.get(key) is not None:
                message_ = f"`{key}` goes with `mode: approval_required`"
                reader.report("HG210", message_, tree.key_place(key), "remove it, or change the mode")
    return SourceRule(Verdict(mode), constraints, node.place, message, approvers, expires_in)


def _parse_constraints(reader: Reader, tree: Mapping) -> tuple[SourceText, ...]:
    node = tree.get("constraints")
    if node is None:
        return ()
    if not isinstance(node, Sequence) or not (node.items or node.is_broken):
        message = "`constraints` is a list" if not _is_empty(node) else "`constraints` has no constraint"
        help_ = "write each constraint as `- args.amount <= 500`" + (", or remove the key" if _is_empty(node) else "")
        reader.report("HG204", message, node.place, help_)
        return ()
    if len(node.items) > CONSTRAINTS:
        message = f"the rule has {len(node.items)} constraints, more than {CONSTRAINTS}"
        reader.report("HG204", message, tree.key_place("constraints"), "join them with `&&`")
    constraints = []
    for item in node.items:
        if isinstance(item, Scalar) and not item.is_null and item.source.text.strip():
            constraints.append(item.source)
        elif isinstance(item, Scalar):
            reader.report("HG204", "the constraint is empty", item.place, "write an expression, or remove the line")
        else:
            help_ = "put the whole expression in quotes: YAML reads `: ` and a leading `[` or `{` as its own"
            reader.report("HG204", "a constraint is an expression", item.place, help_)
    return tuple(constraints)


def _is_empty(node: Node) -> bool:
    return (isinstance(node, Scalar) and node.is_null) or (isinstance(node, Sequence) and not node.items)


def _parse_approvers(reader: Reader, tree: Mapping) -> tuple[str, ...]:
    node = tree.get("approvers")
    if node is None:
        return ()
    if not isinstance(node, Sequence) or not (node.items or node.is_broken):
        reader.report("HG204", "`approvers` is a list of names", node.place, "for example `approvers: [finance]`")
        return ()
    if len(node.items) > APPROVERS:
        message = f"the rule has {len(node.items)} approvers, more than {APPROVERS}"
        reader.report("HG204", message, tree.key_place("approvers"), "name a group")
    names: list[str] = []
    for item in node.items:
        text = item.source.text if isinstance(item, Scalar) and not item.is_null else ""
        if not APPROVER.fullmatch(text):
            help_ = "use ASCII letters, digits and `_.@:/+-`, for example a role's name or `user:alice`"
            message = f"`{shorten(text)}` cannot name an approver" if text else "an approver is a name"
            reader.report("HG210", message, item.place, help_)
        elif text in names:
            reader.report("HG203", f"`{text}` stands here twice", item.place, "keep one of them")
        else:
            names.append(text)
    return tuple(names)


def _parse_expiry(reader: Reader, tree: Mapping) -> int | None:
    node = tree.get("expires_in")
    if node is None:
        return None
    seconds = duration_seconds(node.source.text) if isinstance(node, Scalar) else None
    if seconds is None:
        message = "`expires_in` is a span of time from 1 second to 30 days"
        reader.report("HG210", message, node.place, "for example `15m`, `2h` or `1h30m`")
    return seconds
