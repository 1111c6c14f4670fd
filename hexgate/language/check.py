"""Check an expression: resolve its names, expand its macros, prove what can be proved of its types.

Gradual: what is known only at run time is `dyn` and passes. All findings of an expression are reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hexgate.diagnostics import Severity
from hexgate.faults import Fault
from hexgate.language import checked, tree
from hexgate.language.checked import CheckedExpression, Node
from hexgate.language.environment import RESERVED_ROOTS, Environment
from hexgate.language.finding import ExpressionError, Finding
from hexgate.language.functions import TYPE_NAMES, Function, Style
from hexgate.language.macros import MACROS, expand_macro
from hexgate.language.members import check_member, facts_when, path_of, refuse_impossible
from hexgate.language.overloads import functions_by_call, join, resolve
from hexgate.language.parse import parse
from hexgate.language.patterns import check_pattern, check_zone
from hexgate.language.suggest import help_for
from hexgate.language.tree import Expr, Span
from hexgate.language.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    ListOf,
    MapOf,
    Record,
    Type,
    TypeOf,
    format_type,
)  # fmt: skip
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Value, value_of_key

_LITERAL_TYPES: dict[type, Type] = {
    type(None): NULL, bool: BOOL, int: INT, UInt: UINT, float: DOUBLE, str: STRING, bytes: BYTES,
    Timestamp: TIMESTAMP, Duration: DURATION,
}  # fmt: skip


def check(text: str, environment: Environment) -> CheckedExpression:
    """The checked expression of a text. Raises ExpressionError with every finding that is an error."""
    return check_with_warnings(text, environment)[0]


def check_with_warnings(text: str, environment: Environment) -> tuple[CheckedExpression, tuple[Finding, ...]]:
    """As `check`, with the findings that are only warnings."""
    expression = parse(text)
    checker = Checker(environment)
    root = checker.visit(expression)
    findings = tuple(sorted(checker.findings, key=lambda finding: (finding.span, finding.code)))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise ExpressionError(findings)
    return CheckedExpression(text, expression, root, checker.slots), findings


def require_bool(expression: CheckedExpression) -> None:
    """Refuses a constraint that is known to be no bool (L2.8). Raises ExpressionError."""
    type_ = expression.root.type
    if type_ not in (BOOL, DYN, ERROR):
        raise ExpressionError((
            Finding(
                "HG114", f"a constraint must be a bool, and this is {format_type(type_)}", expression.root.span,
                "compare it, for example with `==` or `<=`",
            ),
        ))  # fmt: skip


def type_of_value(value: Value) -> Type:
    """The static type of a constant."""
    if type(value) is tuple:
        return ListOf(_joined([type_of_value(element) for element in value]))
    if type(value) is dict:
        keys = [type_of_value(value_of_key(key)) for key in value]
        return MapOf(_joined(keys), _joined([type_of_value(member) for member in value.values()]))
    if type(value) is TypeValue:
        return TypeOf(TYPE_NAMES.get(value.name, DYN))
    return _LITERAL_TYPES[type(value)]


def _joined(types: list[Type]) -> Type:
    if not types:
        return DYN
    result = types[0]
    for type_ in types[1:]:
        result = join(result, type_)
    return result


class Checker:
    """Visits one expression. `slots` counts the local variables given out, `facts` the paths known to be present."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.findings: list[Finding] = []
        self.slots = 0
        self.facts: frozenset[tuple[str, ...]] = frozenset()
        self._scopes: list[dict[str, tuple[int, Type]]] = []
        self._by_type: dict[type, Callable[[Any], Node]] = {
            tree.Literal: self._literal,
            tree.Ident: self._ident,
            tree.Select: self._select,
            tree.Index: self._index,
            tree.Call: self._call,
            tree.Unary: self._unary,
            tree.Binary: self._binary,
            tree.Conditional: self._conditional,
            tree.ListLiteral: self._list,
            tree.MapLiteral: self._map,
        }

    def visit(self, expression: Expr) -> Node:
        """The checked node of an expression; a `Faulty` node of type ERROR where a finding was reported."""
        return self._by_type[type(expression)](expression)

    def report(
        self, code: str, message: str, span: Span, help_: str = "", fault: Fault = Fault.NO_SUCH_OVERLOAD
    ) -> Node:
        """Notes an error; the node that stands in its place."""
        if self.environment.unchecked and code in _RUN_TIME_CODES:
            return checked.Faulty(fault, DYN, span)
        self.findings.append(Finding(code, message, span, help_))
        return checked.Faulty(fault, ERROR, span)

    def warn(self, code: str, message: str, span: Span, help_: str = "") -> None:
        """Notes a warning."""
        self.findings.append(Finding(code, message, span, help_, Severity.WARNING))

    def new_slot(self) -> int:
        """The number of a fresh local variable."""
        self.slots += 1
        return self.slots - 1

    def visit_with(self, expression: Expr, names: dict[str, tuple[int, Type]]) -> Node:
        """Visits an expression in which these names are local variables."""
        self._scopes.append(names)
        facts, self.facts = self.facts, frozenset(fact for fact in self.facts if fact[0] not in names)
        node = self.visit(expression)
        self.facts = facts
        self._scopes.pop()
        return node

    def is_shadowed(self, name: str) -> bool:
        """Whether a name is a local variable or a root, so that it cannot begin a qualified name."""
        return any(name in scope for scope in self._scopes) or name in self.environment.variables

    def _literal(self, node: tree.Literal) -> Node:
        return checked.Constant(node.value, _LITERAL_TYPES[type(node.value)], node.span)

    def _ident(self, node: tree.Ident) -> Node:
        name = node.name
        if not node.leading_dot:
            for scope in reversed(self._scopes):
                if name in scope:
                    slot, type_ = scope[name]
                    return checked.Local(slot, name, type_, node.span)
        root = self.environment.variables.get(name)
        if root is not None:
            return checked.Variable(name, root, node.span)
        if name in TYPE_NAMES:
            return checked.Constant(TypeValue(name), TypeOf(TYPE_NAMES[name]), node.span)
        return self._unknown_name(name, node.span)

    def _unknown_name(self, name: str, span: Span) -> Node:
        fault = Fault.UNDECLARED_REFERENCE
        if name in RESERVED_ROOTS:
            return self.report("HG120", f"`{name}` is reserved for later", span, "use `ctx` for what the host knows", fault)
        if name == "consts":
            return self.report("HG110", "`consts` stands only before a constant's name", span, "write `consts.name`", fault)
        if name in ("True", "False", "None", "Null", "TRUE", "FALSE", "NULL", "nil", "undefined"):
            word = {"t": "true", "f": "false"}.get(name[0].lower(), "null")
            return self.report("HG110", f"`{name}` is not a name", span, f"write `{word}`", fault)
        names = [*self.environment.variables, "consts", *(n for scope in self._scopes for n in scope)]
        roots = ", ".join(f"`{root}`" for root in self.environment.variables)
        other = f"put text in quotes: `\"{name}\"`; the roots are {roots}" if roots else f'put text in quotes: `"{name}"`'
        return self.report("HG110", f"`{name}` is not a name", span, help_for(name, names, other), fault)

    def _select(self, node: tree.Select) -> Node:
        qualified = self._qualified(node)
        if qualified is not None:
            return qualified
        if node.optional:
            return self.report("HG121", "`.?` needs optional values, which the profile leaves out", node.span, "guard with `has(...)`")
        operand = self.visit(node.operand)
        type_ = check_member(self, operand, node.operand, node.field, node.field_span)
        if type_ is None:
            return checked.Faulty(Fault.NO_SUCH_OVERLOAD, ERROR, node.span)
        return checked.Select(operand, node.field, type_, node.span)

    def _qualified(self, node: tree.Select) -> Node | None:
        """A constant, or a type with a dotted name."""
        path = path_of(node)
        if path is None or self.is_shadowed(path[0]):
            return None
        if path[0] == "consts" and len(path) == 2:
            constants = self.environment.constants
            if node.field in constants:
                value = constants[node.field]
                return checked.Constant(value, type_of_value(value), node.span)
            known = "declare it under `consts:`" if not constants else "the constants are " + ", ".join(f"`{c}`" for c in constants)
            return self.report("HG113", f"`{node.field}` is not a constant here", node.field_span, help_for(node.field, constants, known), Fault.UNDECLARED_REFERENCE)
        name = ".".join(path)
        if name in TYPE_NAMES:
            return checked.Constant(TypeValue(name), TypeOf(TYPE_NAMES[name]), node.span)
        return None

    def _index(self, node: tree.Index) -> Node:
        if node.optional:
            return self.report("HG121", "`[?…]` needs optional values, which the profile leaves out", node.span, "guard with `in`")
        operand, index = self.visit(node.operand), self.visit(node.index)
        if isinstance(operand.type, Record) and type(index) is checked.Constant and type(index.value) is str:
            type_ = check_member(self, operand, node.operand, index.value, node.index.span)
            if type_ is None:
                return checked.Faulty(Fault.NO_SUCH_OVERLOAD, ERROR, node.span)
            return checked.Invoke("index", (operand, index), type_, node.span)
        return self.invoke(_operator("_[_]", 2), "[]", (operand, index), node.span, node.span)

    def _unary(self, node: tree.Unary) -> Node:
        operand = self.visit(node.operand)
        sign = Span(node.span.start, node.span.start + 1)
        return self.invoke(_operator(f"{node.operator}_", 1), node.operator, (operand,), node.span, sign)

    def _binary(self, node: tree.Binary) -> Node:
        if node.operator in ("&&", "||"):
            return self._logical(node)
        operands = self.visit(node.left), self.visit(node.right)
        if node.operator in ("==", "!=", "in"):
            refuse_impossible(self, node.operator, operands, node)
        function = _operator(f"_{node.operator}_", 2)
        return self.invoke(function, node.operator, operands, node.span, node.operator_span)

    def _logical(self, node: tree.Binary) -> Node:
        """Both sides must be bools; what the left one proves present holds while the right one is checked."""
        left = self._bool_operand(node.left, node.operator)
        facts = self.facts
        self.facts = facts | facts_when(node.left, node.operator == "&&")
        right = self._bool_operand(node.right, node.operator)
        self.facts = facts
        made = checked.And if node.operator == "&&" else checked.Or
        return made(left, right, BOOL, node.span)

    def _bool_operand(self, expression: Expr, operator: str) -> Node:
        node = self.visit(expression)
        if node.type not in (BOOL, DYN, ERROR) and not self.environment.unchecked:
            return self.report("HG112", f"`{operator}` takes bools, and this is {format_type(node.type)}", expression.span, "compare it first, for example with `==`")
        return node

    def _conditional(self, node: tree.Conditional) -> Node:
        test = self._bool_operand(node.test, "? :")
        facts = self.facts
        self.facts = facts | facts_when(node.test, True)
        then = self.visit(node.then)
        self.facts = facts | facts_when(node.test, False)
        otherwise = self.visit(node.otherwise)
        self.facts = facts
        return checked.Conditional(test, then, otherwise, join(then.type, otherwise.type), node.span)

    def _list(self, node: tree.ListLiteral) -> Node:
        if any(element.optional for element in node.elements):
            return self.report("HG121", "`?` elements need optional values, which the profile leaves out", node.span)
        elements = tuple(self.visit(element.value) for element in node.elements)
        type_ = ListOf(_joined([element.type for element in elements]))
        return checked.MakeList(elements, (False,) * len(elements), type_, node.span)

    def _map(self, node: tree.MapLiteral) -> Node:
        if any(entry.optional for entry in node.entries):
            return self.report("HG121", "`?` entries need optional values, which the profile leaves out", node.span)
        keys = tuple(self._map_key(entry.key) for entry in node.entries)
        values = tuple(self.visit(entry.value) for entry in node.entries)
        type_ = MapOf(_joined([key.type for key in keys]), _joined([value.type for value in values]))
        return checked.MakeMap(keys, values, (False,) * len(keys), type_, node.span)

    def _map_key(self, expression: Expr) -> Node:
        key = self.visit(expression)
        if key.type not in (INT, UINT, STRING, BOOL, DYN, ERROR) and not self.environment.unchecked:
            return self.report("HG119", f"{format_type(key.type)} cannot be a map's key", expression.span, "keys are int, uint, string or bool")
        return key

    def _call(self, node: tree.Call) -> Node:
        qualified = self._qualified_function(node)
        if qualified is not None:
            style, name, target, span = Style.GLOBAL, qualified, None, Span(node.span.start, node.name_span.end)
        else:
            style = Style.METHOD if node.target is not None else Style.GLOBAL
            name, target, span = node.name, node.target, node.name_span
        if (style, name) in MACROS:
            expanded = expand_macro(self, style, name, node)
            if expanded is not None:
                return expanded
        if name == "matches":
            return self._matches(node)
        arities = functions_by_call().get((style, name))
        if arities is None:
            return self._unknown_function(style, name, span)
        operands = tuple(self.visit(e) for e in ((target, *node.arguments) if target is not None else node.arguments))
        if name in ("math.greatest", "math.least"):
            operands = _gathered(operands, node.span)
        function = arities.get(len(operands))
        if function is None:
            return self._wrong_arity(style, name, arities, len(operands), node)
        check_zone(self, function, operands, node)
        return self.invoke(function, name, operands, node.span, span)

    def _qualified_function(self, node: tree.Call) -> str | None:
        """`math.greatest` and the like: a global function with a dotted name, or a macro (`cel.bind`)."""
        path = path_of(node.target) if node.target is not None else None
        if path is None or self.is_shadowed(path[0]):
            return None
        name = ".".join((*path, node.name))
        known = (Style.GLOBAL, name) in functions_by_call() or (Style.GLOBAL, name) in MACROS
        return name if known or path[0] in _NAMESPACES else None

    def _matches(self, node: tree.Call) -> Node:
        operands = (node.target, *node.arguments) if node.target is not None else node.arguments
        if len(operands) != 2:
            return self.report("HG112", "`matches` takes a string and a pattern", node.name_span, "write `args.name.matches(\"^[a-z]+$\")`")
        subject = self.visit(operands[0])
        pattern = check_pattern(self, operands[1])
        if subject.type not in (STRING, DYN, ERROR):
            return self.report("HG112", f"`matches` takes a string, and this is {format_type(subject.type)}", operands[0].span)
        if pattern is None:
            return checked.Faulty(Fault.NO_SUCH_OVERLOAD, ERROR, node.span)
        return checked.Matches(subject, pattern, BOOL, node.span)

    def _unknown_function(self, style: Style, name: str, span: Span) -> Node:
        names = [n for s, n in (*functions_by_call(), *MACROS) if s is style]
        names += ["matches"] if style is Style.METHOD else []
        kind = "method" if style is Style.METHOD else "function"
        if name.startswith("proto."):
            return self.report("HG121", f"`{name}` is for protobuf messages, which the profile leaves out", span)
        other_style = Style.GLOBAL if style is Style.METHOD else Style.METHOD
        otherwise = "docs/functions.md lists the functions"
        if (other_style, name) in functions_by_call():
            otherwise = f"write `{name}(x)`" if other_style is Style.GLOBAL else f"write `x.{name}(...)`"
        return self.report("HG111", f"`{name}` is not a {kind}", span, help_for(name, names, otherwise))

    def _wrong_arity(self, style: Style, name: str, arities: dict[int, Function], got: int, node: tree.Call) -> Node:
        less = 1 if style is Style.METHOD else 0
        wanted = " or ".join(str(arity - less) for arity in sorted(arities))
        return self.report("HG112", f"`{name}` takes {wanted} argument{'' if wanted == '1' else 's'}, not {got - less}", node.span)

    def invoke(self, function: Function, shown: str, operands: tuple[Node, ...], span: Span, at: Span) -> Node:
        """The call of a function of the table; a finding at `at` where no overload takes the operands' types."""
        types = tuple(operand.type for operand in operands)
        result = resolve(function, types)
        if result is None:
            if self.environment.unchecked:
                return checked.Invoke(function.id, operands, DYN, span)
            shapes = ", ".join(format_type(type_) for type_ in types)
            return self.report("HG112", f"`{shown}` takes no ({shapes})", at, _overload_help(function, shown, types))
        if ERROR in types:
            result = ERROR if result is DYN else result
        return checked.Invoke(function.id, operands, result, span)


_NAMESPACES = frozenset({"math", "strings", "lists", "sets", "base64", "cel", "proto", "optional"})
_RUN_TIME_CODES = frozenset({"HG110", "HG111", "HG112", "HG113", "HG119", "HG120"})
"""Findings that an unchecked run turns into faults."""


def _operator(name: str, arity: int) -> Function:
    return functions_by_call()[Style.OPERATOR, name][arity]


def _gathered(operands: tuple[Node, ...], span: Span) -> tuple[Node, ...]:
    """The operands of `math.greatest` and `math.least`: two or more become one list."""
    if len(operands) < 2:
        return operands
    type_ = ListOf(_joined([operand.type for operand in operands]))
    return (checked.MakeList(operands, (False,) * len(operands), type_, span),)


def _overload_help(function: Function, shown: str, types: tuple[Type, ...]) -> str:
    """The way forward: same types for comparison, or what the function does take."""
    if len(types) == 2 and (shown in ("==", "!=", "in") or STRING in types) and shown in ("==", "!=", "<", "<=", ">", ">=", "in"):
        return "the two sides have types that are never equal; convert one, for example with `int(...)` or `string(...)`"
    forms = dict.fromkeys(", ".join(format_type(o) for o in overload.operands) for overload in function.overloads)
    return "it takes " + " or ".join(f"({form})" for form in list(forms)[:4]) if len(forms) <= 6 else "both sides need types that go together"


