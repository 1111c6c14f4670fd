"""Parse what a role says of tools: entries, rules, modes (docs/language.md P2, P3)."""

from __future__ import annotations

from hexgate.decision.decision import Verdict
from hexgate.diagnostics import Place
from hexgate.policy.reading import Reader
from hexgate.policy.source import SourceEntry, SourceRule, SourceText
from hexgate.policy.values import duration_seconds
from hexgate.policy.yaml_tree import Mapping, Node, Scalar, Sequence

DEFAULT = "default_policy"
MODES = tuple(verdict.value for verdict in Verdict)
RULES = 64
"""Rules of one entry, at most."""

CONSTRAINTS = 64
"""Constraints of one rule, at most."""

_RULE_KEYS = ("mode", "constraints", "message", "approvers", "expires_in")


def parse_entries(reader: Reader, tree: Mapping) -> tuple[SourceEntry, ...]:
    """The entries of `tools:`."""
    entries: list[SourceEntry] = []
    for key, node in reader.mapping(tree, "tools"):
        reader.require_tool_name(key.text, key.place)
        rules = _parse_rules(reader, node, f"the entry of `{key.text}`")
        if rules:
            entries.append(SourceEntry(key.text, rules, key.place))
    return tuple(entries)


def parse_default(reader: Reader, tree: Mapping) -> SourceEntry | None:
    """The entry of `default_policy:`."""
    node = tree.get(DEFAULT)
    if node is None:
        return None
    rules = _parse_rules(reader, node, "`default_policy`")
    return SourceEntry(DEFAULT, rules, node.place) if rules else None


def _parse_rules(reader: Reader, node: Node, what: str) -> tuple[SourceRule, ...]:
    """One rule, or the rules of `rules:`; none where the entry was reported."""
    if not isinstance(node, Mapping):
        shown = node.source.text if isinstance(node, Scalar) else ""
        help_ = f"write `mode: {shown}` below it" if shown in MODES else "write `mode:` below it"
        reader.report("HG204", f"{what} is a map of keys", node.place, help_)
        return ()
    listed = node.get("rules")
    if listed is None:
        reader.refuse_keys(node, (*_RULE_KEYS, "rules"), "an entry")
        rule = _parse_rule(reader, node, what)
        return (rule,) if rule else ()
    reader.refuse_keys(node, ("rules",), "an entry with `rules`")
    if not isinstance(listed, Sequence) or not listed.items:
        reader.report("HG204", "`rules` is a list of rules", listed.place, "write each rule as `- mode: ...`")
        return ()
    if len(listed.items) > RULES:
        reader.report("HG204", f"{what} has {len(listed.items)} rules, more than {RULES}", listed.place, "join them")
    rules = []
    for item in listed.items:
        if not isinstance(item, Mapping):
            reader.report("HG204", "a rule is a map of keys", item.place, "write `- mode: ...`")
            continue
        reader.refuse_keys(item, _RULE_KEYS, "a rule")
        rule = _parse_rule(reader, item, "the rule")
        if rule:
            rules.append(rule)
    return tuple(rules)


def _parse_rule(reader: Reader, tree: Mapping, what: str) -> SourceRule | None:
    node = tree.get("mode")
    if node is None:
        reader.report("HG205", f"{what} has no `mode`", tree.place, "it is " + ", ".join(f"`{mode}`" for mode in MODES))
        return None
    mode = reader.one_of(node, "mode", MODES)
    constraints = _parse_constraints(reader, tree)
    message = reader.text(tree, "message")
    approvers, expires_in = _parse_approvers(reader, tree), _parse_expiry(reader, tree)
    if mode is None:
        return None
    if mode != Verdict.APPROVAL_REQUIRED.value:
        for key in ("approvers", "expires_in"):
            found = tree.get(key)
            if found is not None:
                reader.report("HG210", f"`{key}` goes with `mode: approval_required`", _key_place(tree, key), "remove it, or change the mode")
    return SourceRule(Verdict(mode), constraints, node.place, message, approvers, expires_in)


def _key_place(tree: Mapping, name: str) -> Place:
    return next((key.place for key, _ in tree.entries if key.text == name), tree.place)


def _parse_constraints(reader: Reader, tree: Mapping) -> tuple[SourceText, ...]:
    node = tree.get("constraints")
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        reader.report("HG204", "`constraints` is a list", node.place, "write each constraint as `- args.amount <= 500`")
        return ()
    if len(node.items) > CONSTRAINTS:
        reader.report("HG204", f"the rule has {len(node.items)} constraints, more than {CONSTRAINTS}", node.place, "join them with `&&`")
    constraints = []
    for item in node.items:
        if isinstance(item, Scalar):
            constraints.append(item.source)
        else:
            help_ = "put the whole expression in quotes: YAML reads `: ` and a leading `[` or `{` as its own"
            reader.report("HG204", "a constraint is an expression on one line", item.place, help_)
    return tuple(constraints)


def _parse_approvers(reader: Reader, tree: Mapping) -> tuple[str, ...]:
    node = tree.get("approvers")
    if node is None:
        return ()
    if not isinstance(node, Sequence) or not node.items:
        reader.report("HG204", "`approvers` is a list of names", node.place, "for example `approvers: [finance]`")
        return ()
    names = []
    for item in node.items:
        text = item.source.text if isinstance(item, Scalar) else ""
        if not text or not text.isprintable() or text != text.strip() or len(text) > 128:
            reader.report("HG210", "an approver is a name", item.place, "for example a role's name")
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
        reader.report("HG210", "`expires_in` is a span of time up to 30 days", node.place, "for example `15m`, `2h` or `1h30m`")
    return seconds
