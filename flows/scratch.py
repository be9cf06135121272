"""A folder for files that live for minutes. What a killed process left there is swept by the next one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.room import room
from storage.settings import settings


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder on home's disk, gone after the block. Raises Unreachable if the disk is full."""
    place = settings().home / "scratch"
    with room(place):
        place.mkdir(parents=True, exist_ok=True)
    for left in place.iterdir():
        if not _lives(left.name.partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    with room(place), tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=place) as folder:
        yield Path(folder)


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True  # another user's, so not ours to sweep
    return True
