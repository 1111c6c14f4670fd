"""Fixtures of the tests of regular expressions."""

from __future__ import annotations

import pytest

from tests.regex.wasm_search import WasmSearch


@pytest.fixture(scope="session")
def wasm() -> WasmSearch:
    """The module's search, in one instance for the whole run."""
    return WasmSearch()
