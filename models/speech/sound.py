"""A sound that nobody has to hold whole, and the stretches in which it is listened to.

Promises: stretches follow each other without a gap; each but for chance begins and ends where nobody speaks.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

HZ: Final = 16_000
LONGEST: Final = 300 * HZ  # of a stretch; five minutes have enough of each voice to know it by
SEEK: Final = 30 * HZ  # how far from its place a cut may go to find a pause

Range = tuple[int, int]  # samples, half open


class Sound(Protocol):
    """Mono, −1 … 1 at 16 kHz, read where it is sliced: an array, or a file of any length."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> NDArray[np.float32]: ...


def stretches(length: int, spoken: Sequence[Range], longest: int = LONGEST) -> list[Range]:
    """The whole of a sound in pieces of about equal length, cut in the middle of the longest pause near each place.

    length   samples of the sound
    spoken   where somebody speaks, rising
    longest  of a piece, but for the way to its pause
    """
    pieces = max(1, -(-length // longest))
    seek = min(SEEK, longest // 4)
    edges = [0, *(cut(n * length // pieces, seek, spoken) for n in range(1, pieces)), length]
    return list(pairwise(edges))


def cut(place: int, seek: int, spoken: Sequence[Range]) -> int:
    """The middle of the longest pause within `seek` samples of a place; the place itself if there is none."""
    first, last = place - seek, place + seek
    near = [(max(a, first), min(b, last)) for a, b in spoken if a < last and b > first]
    ends, begins = [first, *(b for _, b in near)], [*(a for a, _ in near), last]
    pause, middle = max((b - a, (a + b) // 2) for a, b in zip(ends, begins, strict=True))
    return middle if pause > 0 else place
