"""Regular expressions of RE2's syntax as automata, for the module that has no RE2.

    pattern --parse--> tree --nfa--> Nfa --determinize--> Machine --minimize--> Dfa --encode--> table

No code is shared with RE2, which the interpreter uses: the two engines are independent.
"""

from hexgate.regex.compile import compile_pattern
from hexgate.regex.dfa import Dfa
from hexgate.regex.encode import encode_dfa
from hexgate.regex.pattern_error import PatternError

__all__ = ["Dfa", "PatternError", "compile_pattern", "encode_dfa"]
