"""Write docs/functions.md from the table of functions: `python docs/functions.py`."""

from __future__ import annotations

from pathlib import Path

from hexgate.language.functions import FUNCTIONS, Function, Group, Style
from hexgate.language.types import format_type

PAGE = Path(__file__).with_name("functions.md")
_TITLES = {
    Group.CORE: "Core", Group.STRINGS: "Strings", Group.MATH: "Math", Group.LISTS: "Lists", Group.SETS: "Sets",
    Group.ENCODERS: "Encoders",
}  # fmt: skip
_MACROS = """## Macros

| form | meaning |
|---|---|
| `has(m.f)` | whether a map has a field; the field itself is not read |
| `r.all(x, p)`, `r.exists(x, p)`, `r.exists_one(x, p)` | whether all, some, exactly one element (key of a map) satisfies |
| `r.filter(x, p)`, `r.map(x, e)`, `r.map(x, p, e)` | the list of elements, or of results |
| `r.all(k, v, p)`, `r.exists(k, v, p)`, `r.existsOne(k, v, p)` | the same over index and element, or key and value |
| `r.transformList(k, v, e)`, `r.transformMap(k, v, e)`, `r.transformMapEntry(k, v, e)` | a list, a map of the same keys, a map of all entries; each also with a condition before `e` |
| `cel.bind(x, v, e)` | `e` with `x` standing for the value of `v` |
| `s.matches(re)` | whether a string matches an RE2 pattern, which is a constant |

`&&`, `||` and `? :` evaluate only what decides (docs/language.md L2.3, L2.4).
"""


def render() -> str:
    """The whole page."""
    parts = ["# Functions\n\nGenerated from `hexgate/language/functions.py`. What each does at its edges: docs/language.md.\n", _MACROS]
    for group, title in _TITLES.items():
        rows = [_row(function) for function in FUNCTIONS if function.group is group]
        parts.append(f"## {title}\n\n| form | takes | gives | |\n|---|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(function: Function) -> str:
    takes = "; ".join(", ".join(format_type(o) for o in overload.operands) for overload in function.overloads)
    gives = ", ".join(dict.fromkeys(format_type(overload.result) for overload in function.overloads))
    return f"| `{_form(function)}` | {takes} | {gives} | {function.summary} |".replace("||", "\\|\\|")


def _form(function: Function) -> str:
    names = ["x", "y", "z", "w"][: function.arity]
    if function.style is Style.METHOD:
        return f"x.{function.name}({', '.join(names[1:])})"
    if function.style is Style.GLOBAL:
        return f"{function.name}({', '.join(names)})"
    if function.name == "_[_]":
        return "x[y]"
    sign = function.name.strip("_")
    return f"{sign}x" if function.arity == 1 else f"x {sign} y"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
