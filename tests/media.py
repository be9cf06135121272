"""Where the developers' shared files lie, and what happens to a test where they do not."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "shared"


def shared(path: str) -> Path:
    """A file of the shared folder, by its path in it.

    Without it the test is skipped and says so; on CI it fails, for there it must be.
    """
    found = Path(os.environ.get("DUBLINE_SHARED", HERE)) / path
    if not found.exists():
        why = f"{found} is not on this machine; DUBLINE_SHARED names the folder that holds it"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    return found
