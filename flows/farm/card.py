"""One process draws on a card at a time.

A card's worker runs two shots at once: while one draws, the next starts its Python and reads its film. The card
itself goes from one to the other by a lock of the operating system, which goes when its process goes, however that
dies. An orphan that still draws is waited for.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from storage.settings import settings


@contextmanager
def card() -> Iterator[str]:
    """Hold the card this process may see, named as in CUDA_VISIBLE_DEVICES ("cpu" where that is not set)."""
    name = os.environ.get("CUDA_VISIBLE_DEVICES") or "cpu"
    folder = settings().home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"card-{name.replace('/', '-')}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield name
