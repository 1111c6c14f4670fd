"""The Lark grammars: the only definitions of the syntax."""
