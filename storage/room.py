"""A full disk, said in words: which folder has no room left."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from storage.errors import Unreachable

FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Around whatever writes into `folder`.

    raises  Unreachable if the disk was full. That is worth another try: room comes back by itself when a neighbour's
            film between two steps is gone, and nothing half-written stays under its name.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        what = "its disk is full" if error.errno == errno.ENOSPC else "its quota is used up"
        raise Unreachable(f"There is no room left in {folder}: {what}. Make room, then start again.") from error
