"""Finds the real exports that integration tests read; they are not part of the repository."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "real-data"


def real_data(name: str) -> Path:
    """The real file `name`; skips the test, saying why, where the set is absent."""
    root = Path(os.environ.get("CES_REAL_DATA", _BESIDE))
    if not root.is_dir():
        pytest.skip(f"no real data at {root}: set CES_REAL_DATA to its folder")
    path = root / name
    if not path.exists():
        pytest.skip(f"the real data at {root} has no {name}")
    return path
