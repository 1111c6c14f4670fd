"""Names: variables, constants, types, and what to say of an unknown one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexgate.faults import Fault
from hexgate.language import checked, tree
from hexgate.language.checked import Node
from hexgate.language.environment import RESERVED_ROOTS, type_of_value
from hexgate.language.functions import TYPE_NAMES
from hexgate.language.suggest import help_for, listed
from hexgate.language.tree import Expr, Span
from hexgate.language.types import TypeOf
from hexgate.values import TypeValue

if TYPE_CHECKING:
    from hexgate.language.check import Checker

_FOREIGN_WORDS = {
    "True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
    "None": "null", "Null": "null", "NULL": "null", "nil": "null", "undefined": "null",
}  # fmt: skip


def path_of(expression: Expr | None) -> tuple[str, ...] | None:
    """The names of a plain path `a.b.c`, or None for anything else."""
    names: list[str] = []
    while type(expression) is tree.Select and not expression.optional:
        names.append(expression.field)
        expression = expression.operand
    if type(expression) is not tree.Ident or expression.leading_dot:
        return None
    return (expression.name, *reversed(names))


def free_path(checker: Checker, expression: Expr | None) -> tuple[str, ...] | None:
    """The names of a plain path that begins with neither a local variable nor a root: it may be a qualified name."""
    base = expression
    while type(base) is tree.Select:
        base = base.operand
    if type(base) is not tree.Ident or checker.is_variable(base.name):
        return None
    return path_of(expression)


def check_ident(checker: Checker, node: tree.Ident) -> Node:
    """A local variable, a root, or the name of a type."""
    name = node.name
    if not node.leading_dot:
        local = checker.local(name)
        if local is not None:
            return checked.Local(local[0], name, local[1], node.span)
    root = checker.environment.variables.get(name)
    if root is not None:
        return checked.Variable(name, root, node.span)
    if name in TYPE_NAMES:
        return checked.Constant(TypeValue(name), TypeOf(TYPE_NAMES[name]), node.span)
    return _unknown_name(checker, name, node.span)


def _unknown_name(checker: Checker, name: str, span: Span) -> Node:
    fault = Fault.UNDECLARED_REFERENCE
    if name in RESERVED_ROOTS:
        return checker.report("HG120", f"`{name}` is reserved for later", span, "use `ctx` for what the host knows", fault)
    if name == "consts":
        return checker.report("HG110", "`consts` stands only before a constant's name", span, "write `consts.name`", fault)
    if name in _FOREIGN_WORDS:
        return checker.report("HG110", f"`{name}` is not a name", span, f"write `{_FOREIGN_WORDS[name]}`", fault)
    roots = checker.environment.variables
    other = f'put text in quotes: `"{name}"`'
    if roots:
        other += f"; the {'roots are' if len(roots) > 1 else 'root is'} {listed(roots)}"
    return checker.report("HG110", f"`{name}` is not a name", span, help_for(name, [*roots, "consts", *checker.locals()], other), fault)


def check_qualified(checker: Checker, node: tree.Select) -> Node | None:
    """`consts.name`, or a type with a dotted name; None for anything else."""
    path = free_path(checker, node)
    if path is None:
        return None
    if path[0] == "consts" and len(path) == 2:
        return _constant(checker, node)
    name = ".".join(path)
    if name in TYPE_NAMES:
        return checked.Constant(TypeValue(name), TypeOf(TYPE_NAMES[name]), node.span)
    if name.startswith("google.protobuf."):
        return checker.report("HG121", f"`{name}` is for protobuf messages, which the profile leaves out", node.span, "use a map")
    return None


def _constant(checker: Checker, node: tree.Select) -> Node:
    environment, name = checker.environment, node.field
    if name in environment.constants:
        return checked.Constant(environment.constants[name], environment.type_of_constant(name), node.span)
    names = environment.constants
    known = f"the constants are {listed(names)}" if names else "declare it under `consts:`"
    help_ = help_for(name, names, known)
    return checker.report("HG113", f"`{name}` is not a constant here", node.field_span, help_, Fault.UNDECLARED_REFERENCE)


def check_constant_member(checker: Checker, operand: checked.Constant, field: str, at: Span, span: Span) -> Node | None:
    """A member of a constant map is a constant itself; a finding where there is none. None where it is no map."""
    if type(operand.value) is not dict:
        return None
    if field in operand.value:
        value = operand.value[field]
        return checked.Constant(value, type_of_value(value), span)
    names = [key for key in operand.value if type(key) is str]
    known = f"it has {listed(names)}" if names else "it has no members with names"
    message = f"`{checker.text_at(operand.span)}` has no `{field}`"
    return checker.report("HG113", message, at, help_for(field, names, known), Fault.NO_SUCH_KEY)
