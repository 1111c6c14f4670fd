"""Regular expressions of RE2 syntax as automata over UTF-8."""
