"""One process works on one film with one dub at a time, on one machine.

The claim is a lock of the operating system on a file in home: it goes when its process goes, however that dies, so
nothing has to be cleaned up before the same command can go on. It does not reach across machines; there Prefect's
queues see to it that an episode runs once.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Refused
from storage.settings import settings


@contextmanager
def claim(film_sha: str, dub_sha: str, out: str) -> Iterator[None]:
    """Hold the claim while the block runs; Refused at once if another process holds it."""
    path = _lock(film_sha, dub_sha)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise Refused(
                f"This film is being given this dub already, by {holder}. Wait for it; the same command goes on from "
                "there."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} ({out})")
        lock.flush()
        yield
        lock.truncate(0)  # the file stays: a lock on a deleted name would lock nobody out


def holder(film_sha: str, dub_sha: str) -> str | None:
    """Who holds the claim on this machine, in words; None if nobody does."""
    try:
        with _lock(film_sha, dub_sha).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _lock(film_sha, dub_sha).read_text().strip() or "another process"
    return None


def _lock(film_sha: str, dub_sha: str) -> Path:
    return settings().home / "locks" / f"{film_sha[:16]}-{dub_sha[:16]}.lock"
