"""The sound that moves one mouth: this character's dubbed words, and silence everywhere else.

A turn opens the gate a little early and closes it a little late, so no consonant is cut; the edges are ramps, for a
click is a consonant to a network.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.film.read import samples

LEAD_US: Final = 60_000  # the gate opens this much before a turn: lips part before the voice
TAIL_US: Final = 80_000  # and closes this much after it
RAMP: Final = 160  # samples from shut to open: 10 ms

Intervals = tuple[tuple[int, int], ...]  # (start, end) in microseconds after the film's first frame


def gated(speech: Path, turns: Intervals, start: int, stop: int, hz: int) -> NDArray[np.float32]:
    """Samples [start, stop) of a mono WAV at `hz`, silent outside the turns. Sample 0 is the film's first frame."""
    heard = samples(speech, start, stop)[:, 0]
    gate = np.zeros(stop - start, np.float32)
    for opens, closes in turns:
        a, b = (at_sample(us, hz) - start for us in (opens - LEAD_US, closes + TAIL_US))
        gate[max(a, 0) : max(b, 0)] = 1.0
    if gate.any():
        ramp = np.convolve(np.pad(gate, RAMP, mode="edge"), np.full(2 * RAMP + 1, 1 / (2 * RAMP + 1)), "valid")
        gate = np.minimum(ramp, 1).astype(np.float32)
    return np.asarray(heard * gate, np.float32)


def at_sample(us: int, hz: int) -> int:
    """The sample heard at a moment."""
    return int(Fraction(us * hz, 1_000_000))


def within(turns: Iterable[tuple[int, int]], start_us: int, end_us: int) -> Intervals:
    """The turns that are heard in a stretch of the film, in order."""
    return tuple(sorted((a, b) for a, b in turns if a < end_us and b > start_us))
