"""Every test lives in a house of its own: no DUBLINE_* from outside, an empty home, nothing left open."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.catalog import session
from storage.settings import settings

# Before torch is imported: its waiting threads sleep, as under `dubline`.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # one of several: each keeps to its core
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty DUBLINE_HOME, not yet made."""
    for name in os.environ:
        if name.startswith("DUBLINE_") and name != "DUBLINE_SHARED":
            monkeypatch.delenv(name)
    home = tmp_path / "house"
    monkeypatch.setenv("DUBLINE_HOME", str(home))
    settings.cache_clear()
    yield home
    session.close()
    settings.cache_clear()
