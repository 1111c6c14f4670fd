"""The folder of third-party test data, which the project does not vendor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(os.environ.get("HEXGATE_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def shared_data(*parts: str) -> Path:
    """The path of a data file; skips the test where the folder is absent. A folder without the file is an error."""
    if not _ROOT.is_dir():
        pytest.skip(f"the test data folder is absent: set HEXGATE_DATA, or put it at {_ROOT}")
    return _ROOT.joinpath(*parts)
