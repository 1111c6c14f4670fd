"""The module's `$regex_search` on its own: a module around runtime_wasm/regex.wat whose memory tests write to."""

from __future__ import annotations

from pathlib import Path

import wasmtime

SOURCE = Path(__file__).parents[2] / "runtime_wasm" / "regex.wat"
TABLE_AT = 0
TEXT_AT = 0x20000
PAGES = 8


class WasmSearch:
    """Runs encoded automata over texts."""

    def __init__(self) -> None:
        functions = SOURCE.read_text(encoding="utf-8")
        engine = wasmtime.Engine()
        module = wasmtime.Module(
            engine, f'(module (memory (export "memory") {PAGES}) {functions} (export "search" (func $regex_search)))'
        )
        self._store = wasmtime.Store(engine)
        instance = wasmtime.Instance(self._store, module, [])
        exports = instance.exports(self._store)
        memory, search = exports["memory"], exports["search"]
        assert isinstance(memory, wasmtime.Memory)
        assert isinstance(search, wasmtime.Func)
        self._memory, self._search = memory, search

    def load(self, table: bytes) -> None:
        """Puts the table that the next searches use in place."""
        self._memory.write(self._store, table, TABLE_AT)

    def search(self, text: bytes) -> bool:
        """Whether the loaded automaton finds a match."""
        self._memory.write(self._store, text, TEXT_AT)
        result = self._search(self._store, TABLE_AT, TEXT_AT, len(text))
        assert result in (0, 1)
        return bool(result)
