"""Runs of frames, and which of them lie under a stretch of sound. Half open, rising, none touching the next.

Exact: sound is in whole microseconds, frames are where the film's clock has them, and no float comes between.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.film.probe import Film

FADE: Final = 3  # frames on each side of the speech, over which the matte opens and closes (DESIGN §3)

Range = tuple[int, int]


def under(film: Film, start_us: int, end_us: int) -> Range:
    """The frames that are on screen at some moment of [start_us, end_us); empty (n, n) if the film is over by then."""
    start, end = Fraction(start_us, 1_000_000), Fraction(end_us, 1_000_000)
    if start >= film.duration or end <= 0 or start >= end:
        return (film.frames, film.frames) if start >= film.duration else (0, 0)
    numbers = range(film.frames)
    return max(0, bisect_right(numbers, start, key=film.time) - 1), bisect_left(numbers, end, key=film.time)


def union(ranges: Iterable[Range]) -> list[Range]:
    """Every frame of any of them; ranges that touch become one, empty ones go."""
    out: list[Range] = []
    for start, end in sorted(ranges):
        if start < end and out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        elif start < end:
            out.append((start, end))
    return out


def meet(a: Sequence[Range], b: Sequence[Range]) -> list[Range]:
    """The frames that are in both."""
    return union((max(s, t), min(e, f)) for s, e in a for t, f in b if max(s, t) < min(e, f))


def without(a: Sequence[Range], b: Sequence[Range]) -> list[Range]:
    """The frames of the first that are not in the second."""
    edges = [0, *(edge for pair in union(b) for edge in pair), max((end for _, end in a), default=0)]
    return meet(a, list(zip(edges[::2], edges[1::2], strict=True)))


def widen(ranges: Iterable[Range], frames: int) -> list[Range]:
    """Each begins that much earlier and ends that much later, but not before frame 0."""
    return union((max(0, start - frames), end + frames) for start, end in ranges)


def runs(frames: NDArray[np.int32]) -> list[Range]:
    """Rising frame numbers as ranges."""
    if not len(frames):
        return []
    breaks = np.flatnonzero(np.diff(frames) != 1) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(frames, breaks)]


def length(ranges: Iterable[Range]) -> int:
    return sum(end - start for start, end in ranges)
