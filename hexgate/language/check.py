"""Check an expression: resolve its names, expand its macros, prove what can be proved of its types.

Gradual: what is known only at run time is `dyn` and passes. All findings of an expression are reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hexgate.diagnostics import Severity
from hexgate.faults import Fault
from hexgate.language import checked, tree
from hexgate.language.calls import check_call, overload_help
from hexgate.language.checked import CheckedExpression, Node
from hexgate.language.environment import SCALAR_TYPES, Environment
from hexgate.language.finding import ExpressionError, Finding
from hexgate.language.members import NO_FACTS, Facts, check_member, facts_when, refuse_impossible
from hexgate.language.names import check_constant_member, check_ident, check_qualified
from hexgate.language.overloads import INDEX, INFIX, PREFIX, Callee, join, join_all
from hexgate.language.parse import comments_of, parse
from hexgate.language.print import format_value
from hexgate.language.tree import Expr, Span
from hexgate.language.types import BOOL, DYN, ERROR, INT, STRING, UINT, ListOf, MapOf, Record, Type, format_type
from hexgate.values import key_of

_ORDERS = frozenset({"<", "<=", ">", ">="})
_OPERAND = re.compile(r"[ \t]*(?:[0-9(]|(?:args|user|ctx|resource|consts|now)\b)")
"""How an operand may begin that stands after a mistaken `//`."""

_RUN_TIME_CODES = frozenset({"HG110", "HG111", "HG112", "HG113", "HG119", "HG120"})
"""Findings that an unchecked run turns into faults."""


def check(text: str, environment: Environment) -> CheckedExpression:
    """The checked expression of a text. Raises ExpressionError with every finding that is an error."""
    return check_with_warnings(text, environment)[0]


def check_with_warnings(text: str, environment: Environment) -> tuple[CheckedExpression, tuple[Finding, ...]]:
    """As `check`, with the findings that are only warnings."""
    expression = parse(text)
    checker = Checker(text, environment)
    root = checker.visit(expression)
    if "//" in text:
        _warn_of_division(checker)
    findings: tuple[Finding, ...] = ()
    if checker.findings:
        findings = tuple(sorted(checker.findings, key=lambda finding: (finding.span, finding.code)))
        if any(finding.severity is Severity.ERROR for finding in findings):
            raise ExpressionError(findings)
    return CheckedExpression(text, expression, root, checker.slots), findings


def _warn_of_division(checker: Checker) -> None:
    """Other languages divide by `//`. Here it begins a comment, and what was meant as a divisor is not read."""
    for span in comments_of(checker.text):
        if _OPERAND.match(checker.text, span.start + 2):
            message = "`//` begins a comment: what follows it on the line is not read"
            checker.warn("HG123", message, span, "divide by `/`, or put the comment after `#`, outside of the expression")


def require_bool(expression: CheckedExpression) -> None:
    """Refuses a constraint that is known to be no bool (L2.8). Raises ExpressionError."""
    type_ = expression.root.type
    if type_ is not BOOL and type_ not in (BOOL, DYN, ERROR):
        raise ExpressionError((
            Finding(
                "HG114", f"a constraint must be a bool, and this is {format_type(type_)}", expression.root.span,
                "compare it, for example with `==` or `<=`",
            ),
        ))  # fmt: skip


class Checker:
    """Visits one expression. `slots` counts the local variables given out; `facts` are the paths known to be present,
    `warned` those that a warning names already."""

    __slots__ = ("_scopes", "environment", "facts", "findings", "slots", "text", "warned")

    def __init__(self, text: str, environment: Environment) -> None:
        self.text = text
        self.environment = environment
        self.findings: list[Finding] = []
        self.slots = 0
        self.facts: Facts = NO_FACTS
        self.warned: set[tuple[str, ...]] = set()
        self._scopes: list[dict[str, tuple[int, Type]]] = []

    def visit(self, expression: Expr) -> Node:
        """The checked node of an expression; a `Faulty` node of type ERROR where a finding was reported."""
        return _VISITORS[type(expression)](self, expression)

    def report(
        self, code: str, message: str, span: Span, help_: str = "", fault: Fault = Fault.NO_SUCH_OVERLOAD
    ) -> Node:
        """Notes an error; the node that stands in its place."""
        if self.environment.unchecked and code in _RUN_TIME_CODES:
            return checked.Faulty(fault, DYN, span)
        self.findings.append(Finding(code, message, span, help_))
        return checked.Faulty(fault, ERROR, span)

    def faulty(self, span: Span) -> Node:
        """The node in place of what was reported already."""
        return checked.Faulty(Fault.NO_SUCH_OVERLOAD, ERROR, span)

    def text_at(self, span: Span) -> str:
        """The author's text, on one line and shortened, for messages."""
        text = " ".join(self.text[span.start : span.end].split())
        return text if len(text) <= 40 else text[:37] + "..."

    def warn(self, code: str, message: str, span: Span, help_: str = "") -> None:
        """Notes a warning."""
        self.findings.append(Finding(code, message, span, help_, Severity.WARNING))

    def new_slot(self) -> int:
        """The number of a fresh local variable."""
        self.slots += 1
        return self.slots - 1

    def visit_with(self, expression: Expr, names: dict[str, tuple[int, Type]], given: Facts = NO_FACTS) -> Node:
        """Visits an expression in which these names are local variables, and `given` is known of them."""
        self._scopes.append(names)
        facts, warned = self.facts, self.warned
        # What is known of a root's members says nothing of a local variable's that hides it.
        self.facts = frozenset(fact for fact in facts if fact[0] not in names) | given
        self.warned = {path for path in warned if path[0] not in names}
        node = self.visit(expression)
        warned.update(path for path in self.warned if path[0] not in names)
        self.facts, self.warned = facts, warned
        self._scopes.pop()
        return node

    def local(self, name: str) -> tuple[int, Type] | None:
        """The slot and the type of a local variable."""
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return None

    def locals(self) -> Iterator[str]:
        """The names of the local variables."""
        return (name for scope in self._scopes for name in scope)

    def is_variable(self, name: str) -> bool:
        """Whether a name is a local variable or a root, so that it cannot begin a qualified name."""
        return name in self.environment.variables or self.local(name) is not None

    def invoke(self, callee: Callee, shown: str, operands: tuple[Node, ...], span: Span, at: Span) -> Node:
        """The call of a function of the table; a finding at `at` where no overload takes the operands' types."""
        types = tuple([operand.type for operand in operands])
        result = callee.result(types)
        if result is None:
            if self.environment.unchecked:
                return checked.Invoke(callee.function.id, operands, DYN, span)
            shapes = ", ".join(format_type(type_) for type_ in types)
            return self.report("HG112", f"`{shown}` takes no ({shapes})", at, overload_help(callee.function, shown, types))
        if result is DYN and ERROR in types:
            result = ERROR
        return checked.Invoke(callee.function.id, operands, result, span)

    def as_bool(self, node: Node, span: Span, taker: str) -> Node:
        """The node, which must be a bool; a finding where it is known to be none."""
        type_ = node.type
        if type_ is BOOL or type_ in (BOOL, DYN, ERROR) or self.environment.unchecked:
            return node
        message = f"{taker}, and this is {format_type(type_)}"
        return self.report("HG112", message, span, "compare it first, for example with `==`")

    def _literal(self, node: tree.Literal) -> Node:
        return checked.Constant(node.value, SCALAR_TYPES[type(node.value)], node.span)

    def _select(self, node: tree.Select) -> Node:
        if node.optional:
            return self.report("HG121", "`.?` needs optional values, which the profile leaves out", node.span, "guard with `has(...)`")
        qualified = check_qualified(self, node)
        if qualified is not None:
            return qualified
        operand = self.visit(node.operand)
        if type(operand) is checked.Constant:
            member = check_constant_member(self, operand, node.field, node.field_span, node.span)
            if member is not None:
                return member
        type_ = check_member(self, operand, node.operand, node.field, node.field_span)
        if type_ is None:
            return self.faulty(node.span)
        return checked.Select(operand, node.field, type_, node.span)

    def _index(self, node: tree.Index) -> Node:
        if node.optional:
            return self.report("HG121", "`[?…]` needs optional values, which the profile leaves out", node.span, "guard with `in`")
        operand, index = self.visit(node.operand), self.visit(node.index)
        if type(index) is checked.Constant and type(index.value) is str:
            if type(operand) is checked.Constant:
                member = check_constant_member(self, operand, index.value, index.span, node.span)
                if member is not None:
                    return member
            if isinstance(operand.type, Record):
                type_ = check_member(self, operand, node.operand, index.value, index.span)
                return self.faulty(node.span) if type_ is None else checked.Invoke("index", (operand, index), type_, node.span)
        return self.invoke(INDEX, "[]", (operand, index), node.span, node.span)

    def _unary(self, node: tree.Unary) -> Node:
        sign = Span(node.span.start, node.span.start + 1)
        return self.invoke(PREFIX[node.operator], node.operator, (self.visit(node.operand),), node.span, sign)

    def _binary(self, node: tree.Binary) -> Node:
        operator = node.operator
        if operator == "&&" or operator == "||":
            return self._logical(node)
        operands = self.visit(node.left), self.visit(node.right)
        if operator in _ORDERS:
            left = node.left
            if type(left) is tree.Binary and _chains(node, left) and not self.environment.unchecked:
                return self._refuse_chain(node, left)
        elif operator in ("==", "!=", "in"):
            refuse_impossible(self, operator, operands)
        return self.invoke(INFIX[operator], operator, operands, node.span, node.operator_span)

    def _refuse_chain(self, node: tree.Binary, left: tree.Binary) -> Node:
        """`1 < x < 3` compares a bool: nobody means that."""
        shared = self.text_at(left.right.span)
        help_ = f"write `{self.text_at(left.span)} && {shared} {node.operator} {self.text_at(node.right.span)}`"
        return self.report("HG112", "comparisons do not chain", node.operator_span, help_)

    def _logical(self, node: tree.Binary) -> Node:
        """Both sides must be bools. What one proves present holds while the other is checked, in both directions: a fault
        of the left side is absorbed where the right side decides (L2.3)."""
        facts, conjunction = self.facts, node.operator == "&&"
        taker = f"`{node.operator}` takes bools"
        self.facts = facts | facts_when(node.right, conjunction)
        left = self.as_bool(self.visit(node.left), node.left.span, taker)
        self.facts = facts | facts_when(node.left, conjunction)
        right = self.as_bool(self.visit(node.right), node.right.span, taker)
        self.facts = facts
        made = checked.And if conjunction else checked.Or
        return made(left, right, BOOL, node.span)

    def _conditional(self, node: tree.Conditional) -> Node:
        test = self.as_bool(self.visit(node.test), node.test.span, "`? :` takes a bool before `?`")
        facts = self.facts
        self.facts = facts | facts_when(node.test, True)
        then = self.visit(node.then)
        self.facts = facts | facts_when(node.test, False)
        otherwise = self.visit(node.otherwise)
        self.facts = facts
        return checked.Conditional(test, then, otherwise, join(then.type, otherwise.type), node.span)

    def _list(self, node: tree.ListLiteral) -> Node:
        for element in node.elements:
            if element.optional:
                message = "`?` elements need optional values, which the profile leaves out"
                return self.report("HG121", message, element.value.span, "leave the element out, or use `filter`")
        elements = tuple([self.visit(element.value) for element in node.elements])
        type_ = ListOf(join_all([element.type for element in elements]))
        return checked.MakeList(elements, (False,) * len(elements), type_, node.span)

    def _map(self, node: tree.MapLiteral) -> Node:
        for entry in node.entries:
            if entry.optional:
                message = "`?` entries need optional values, which the profile leaves out"
                return self.report("HG121", message, entry.key.span, "leave the entry out")
        keys, values, taken = [], [], set()
        for entry in node.entries:
            key = self._map_key(entry.key)
            if type(key) is checked.Constant:
                plain = key_of(key.value)
                if plain in taken and not self.environment.unchecked:
                    key = self.report("HG119", f"the key `{format_value(key.value)}` stands twice", key.span, "leave one out")
                taken.add(plain)
            keys.append(key)
            values.append(self.visit(entry.value))
        type_ = MapOf(join_all([key.type for key in keys]), join_all([value.type for value in values]))
        return checked.MakeMap(tuple(keys), tuple(values), (False,) * len(keys), type_, node.span)

    def _map_key(self, expression: Expr) -> Node:
        key = self.visit(expression)
        if key.type not in (STRING, INT, UINT, BOOL, DYN, ERROR) and not self.environment.unchecked:
            message = f"{format_type(key.type)} cannot be a map's key"
            return self.report("HG119", message, expression.span, "keys are int, uint, string or bool")
        return key


def _chains(node: tree.Binary, left: tree.Binary) -> bool:
    """Whether both are orders and the left one has no parentheses: in those it begins after the whole does."""
    return left.operator in _ORDERS and left.span.start == node.span.start


_VISITORS: dict[type, Callable[[Checker, Any], Node]] = {
    tree.Literal: Checker._literal,
    tree.Ident: check_ident,
    tree.Select: Checker._select,
    tree.Index: Checker._index,
    tree.Call: check_call,
    tree.Unary: Checker._unary,
    tree.Binary: Checker._binary,
    tree.Conditional: Checker._conditional,
    tree.ListLiteral: Checker._list,
    tree.MapLiteral: Checker._map,
}
