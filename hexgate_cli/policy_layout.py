"""The text of a policy file with its constraints in canonical form, and nothing else changed.

Decides on text alone. A constraint is a scalar in a `constraints` list of a tool entry, of `default_policy`, or of one
of their `rules`. What replaces it is read back before it is accepted: same scalars everywhere else, same trees here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from hexgate.diagnostics import Diagnostic
from hexgate.language.finding import ExpressionError
from hexgate.language.parse import parse
from hexgate.language.print import format_expression
from hexgate.language.tree import Expr, Span
from hexgate.place import Place
from hexgate.policy.scalar_places import scalar_places
from hexgate.policy.yaml_tree import parse_yaml
from hexgate_cli.expression_layout import break_lines, has_comment

LINE_WIDTH = 100
"""Columns that a constraint of several lines is filled to."""


@dataclass(frozen=True, slots=True)
class FormattedPolicy:
    """The text, or, where it could not be read, the text as it was and why."""

    text: str
    findings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def format_policy_text(file: str, text: str) -> FormattedPolicy:
    """Rewrite every constraint of a policy file. `file` names it in findings."""
    _, problems = parse_yaml(file, text.encode())
    if problems:
        return FormattedPolicy(text, problems)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return FormattedPolicy(text, (_yaml_finding(file, error),))
    edits: list[_Edit] = []
    findings: list[Diagnostic] = []
    for node, flow in _constraints(root):
        try:
            edit = _edit(text, node, flow)
        except ExpressionError as error:
            findings += [
                Diagnostic(finding.code, finding.message, _place(file, text, node, finding.span), finding.help)
                for finding in error.findings
            ]
            continue
        if edit is not None:
            edits.append(edit)
    if findings:
        return FormattedPolicy(text, tuple(findings))
    return FormattedPolicy(_apply(text, root, edits))


def _yaml_finding(file: str, error: yaml.YAMLError) -> Diagnostic:
    """What the pure parser refuses of a file that the strict one has read."""
    mark = getattr(error, "problem_mark", None)
    place = Place(file, 1, 1) if mark is None else Place(file, mark.line + 1, mark.column + 1)
    return Diagnostic("HG201", f"the file is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}", place)


def _place(file: str, text: str, node: yaml.ScalarNode, span: Span) -> Place:
    """Where a finding is in the file: its characters in the scalar, up to the end of their first line."""
    mark = node.start_mark
    raw = text[mark.index : node.end_mark.index]
    places = scalar_places(raw, node.value, node.style, mark.line + 1, mark.column + 1)
    last = len(places) - 1
    line, column = places[min(span.start, last)]
    ends = [end for row, end in places[span.start : min(span.end, last)] if row == line]
    return Place(file, line, column, max([end + 1 - column for end in ends], default=1))


def _constraints(root: yaml.Node | None) -> Iterator[tuple[yaml.ScalarNode, bool]]:
    """The scalars of all constraints, and whether each stands in a flow list."""
    documents = [root, _member(root, "boundary"), *(value for _, value in _members(_member(root, "roles")))]
    for document in documents:
        entries = [value for _, value in _members(_member(document, "tools"))]
        for entry in [*entries, _member(document, "default_policy")]:
            for rule in [entry, *_elements(_member(entry, "rules"))]:
                constraints = _member(rule, "constraints")
                for element in _elements(constraints):
                    if isinstance(element, yaml.ScalarNode):
                        yield element, isinstance(constraints, yaml.CollectionNode) and bool(constraints.flow_style)


def _members(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def _member(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _members(node) if key == name), None)


def _elements(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _edit(text: str, node: yaml.ScalarNode, flow: bool) -> _Edit | None:
    """What to put in the place of a constraint, or None where it stays. Raises ExpressionError."""
    written = text[node.start_mark.index : node.end_mark.index]
    if node.tag != _STRING or has_comment(node.value):
        return None
    tree = parse(node.value)
    canonical = format_expression(tree)
    if node.value == canonical:
        return None
    for candidate in _candidates(written, node, canonical, flow, "\r\n" if "\r\n" in text else "\n"):
        if candidate == written:
            return None
        if _reads_back(candidate, node, tree, flow):
            return _Edit(node.start_mark.index, node.end_mark.index, candidate)
    return None


_STRING = "tag:yaml.org,2002:str"


def _candidates(written: str, node: yaml.ScalarNode, canonical: str, flow: bool, newline: str) -> Iterator[str]:
    """Spellings of a scalar, best first: in its own form where that holds the text as it is, else plain, else quoted."""
    if node.style in ("|", ">"):
        yield _block(written, canonical, newline)
        return
    if node.style is None and node.start_mark.line != node.end_mark.line and not flow:
        indent = " " * node.start_mark.column
        yield (newline + indent).join(break_lines(canonical, LINE_WIDTH - len(indent)))
    single = "'" + canonical.replace("'", "''") + "'"
    if node.style == "'" and "'" not in canonical:
        yield single
    if node.style == '"' and '"' not in canonical and "\\" not in canonical:
        yield f'"{canonical}"'
    yield canonical
    yield single


_BLOCK = re.compile(r"(?P<head>[^\n]*\n)(?P<body>.*?)(?P<tail>[ \t\r\n]*)", re.DOTALL)


def _block(written: str, canonical: str, newline: str) -> str:
    """A block scalar with its header, its indentation and the empty lines after it kept."""
    match = _BLOCK.fullmatch(written)
    if match is None:
        return written
    lines = match["body"].split("\n")
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    if indent == 0:
        return written
    several = len([line for line in lines if line.strip()]) > 1
    kept = break_lines(canonical, LINE_WIDTH - indent) if several else [canonical]
    body = newline.join(" " * indent + line for line in kept)
    return match["head"] + body + match["tail"]


def _reads_back(candidate: str, node: yaml.ScalarNode, tree: Expr, flow: bool) -> bool:
    """Whether a spelling, standing in a list, is one string with the same tree."""
    column = node.start_mark.column
    sample = f"[{candidate}, x]\n" if flow else f"{' ' * (column - 2)}- {candidate}\n" if column >= 2 else candidate
    try:
        root = yaml.compose(sample, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return False
    elements = _elements(root)
    if len(elements) != (2 if flow else 1):
        return False
    found = elements[0]
    return isinstance(found, yaml.ScalarNode) and found.tag == _STRING and _same_tree(found.value, tree)


def _same_tree(text: str, tree: Expr) -> bool:
    try:
        return format_expression(parse(text)) == format_expression(tree)
    except ExpressionError:
        return False


def _apply(text: str, root: yaml.Node | None, edits: list[_Edit]) -> str:
    """The text with all edits made, read back: every node as before but for the constraints that were edited."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    new = "".join([*pieces, text[position:]])
    if edits:
        edited = {edit.start for edit in edits}
        again = yaml.compose(new, Loader=yaml.SafeLoader)
        if not _same_documents(root, again, edited):
            raise RuntimeError("formatting would have changed the meaning of a policy file")
    return new


def _same_documents(left: yaml.Node | None, right: yaml.Node | None, edited: set[int]) -> bool:
    """Whether two trees are equal but for the text of edited constraints, whose expressions are."""
    if left is None or right is None:
        return left is right
    if left.tag != right.tag:
        return False
    if isinstance(left, yaml.ScalarNode) and isinstance(right, yaml.ScalarNode):
        if left.start_mark.index in edited:
            return _same_tree(right.value, parse(left.value))
        return bool(left.value == right.value)
    if len(left.value) != len(right.value):
        return False
    pairs = zip(left.value, right.value, strict=True)
    if isinstance(left, yaml.MappingNode):
        return all(
            _same_documents(a, c, edited) and _same_documents(b, d, edited) for (a, b), (c, d) in pairs
        )
    return all(_same_documents(a, b, edited) for a, b in pairs)
