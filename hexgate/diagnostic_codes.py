"""The registry of diagnostic codes: code to one line of meaning. Codes are never reused.

`HG1xx` syntax and meaning of expressions, `HG2xx` policy documents, `HG3xx` links between roles, `HG4xx` tool
schemas, `HG5xx` notes about a policy's effect.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    # expressions: syntax
    "HG101": "the expression does not parse",
    "HG102": "a spelling of another language (`and`, `or`, `not`, `=`, `===`, `&`, `|`)",
    "HG103": "a literal is malformed or out of range",
    "HG104": "the expression is too long or too deeply nested",
    "HG105": "a reserved word is used as a name",
    # expressions: meaning
    "HG110": "an unknown name",
    "HG111": "an unknown function or method",
    "HG112": "no overload of a function takes these types",
    "HG113": "an unknown constant",
    "HG114": "a constraint is not a bool",
    "HG115": "an invalid or unsupported regular expression",
    "HG116": "an invalid macro call",
    "HG117": "a regular expression that is not a constant",
    "HG118": "an unknown time zone",
    "HG119": "a map key of a type that keys cannot have, or a repeated key",
    "HG120": "a reserved root (`session`, `budget`)",
    "HG121": "a function of a part of CEL that the profile leaves out",
    "HG122": "a text that is no timestamp or duration",
    "HG123": "a `//` that may be meant to divide",
    # policy documents
    "HG201": "the file is not YAML",
    "HG202": "an unknown key",
    "HG203": "a duplicate key",
    "HG204": "a value of the wrong type",
    "HG205": "a missing key",
    "HG206": "an unsupported version",
    "HG207": "a YAML feature that policies do not use (alias, tag, merge key, several documents)",
    "HG208": "the file is too large, too deep or in another encoding than UTF-8",
    "HG209": "an invalid name or pattern",
    "HG210": "an invalid mode, duration or approver",
    "HG211": "the policy set has no role, or cannot be read",
    "HG212": "an invalid constant or argument",
    # links
    "HG301": "an unknown parent role",
    "HG302": "a cycle of parents",
    "HG303": "two parents with different entries for one tool",
    "HG304": "two patterns that tie",
    "HG305": "two definitions of one role or constant",
    # tool schemas
    "HG401": "a tool-schema file that cannot be used",
    "HG402": "a tool that no schema describes",
    "HG403": "an argument that the tool does not have",
    "HG404": "an argument that may be absent",
    "HG405": "a comparison that can never hold",
    # notes
    "HG501": "a role is wider than its parent",
    "HG502": "a rule that can never decide",
    "HG503": "an entry that never allows",
    "HG504": "a pattern that a wider one beats on some of its names",
    "HG505": "a constant that inherited constraints do not see",
    "HG506": "a role that looks like a misspelt boundary",
    "HG507": "a limit of the boundary that another of its entries replaces",
    "HG508": "a constraint that reads nothing of the call",
    "HG509": "a pattern of a granting rule that matches parts of texts",
    # policy tests
    "HG601": "a test of a role that the policy does not have",
    "HG602": "a test of a tool that no entry covers",
}
