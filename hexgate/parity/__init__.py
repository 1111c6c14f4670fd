"""Compare the engines: generate policies and calls, decide each on both, report the first difference."""
