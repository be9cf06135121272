"""The same voice known again: voices of several stretches, or of several episodes, joined where they are one.

Promises: the clustering that told the windows of a stretch apart goes on over the whole film with the same measure and
the same threshold, though it no longer holds the windows: the mean distance between the windows of two voices is
1 − a · b of their prints (models/speech/prints.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.speech.prints import Print
from models.speech.sound import Range


@dataclass(frozen=True, eq=False)
class Voice:
    """Where one voice speaks, and what it sounds like."""

    spoken: list[Range]  # samples, rising
    print: Print | None  # None: too short to be known again

    @property
    def samples(self) -> int:
        return sum(end - start for start, end in self.spoken)


def joined(voices: Sequence[Voice], threshold: float, fewest: int = 1, most: int | None = None) -> list[Voice]:
    """Each person once. Of two voices that are joined, the print is their mean, weighted by the time they speak.

    threshold  mean cosine distance between the windows of two voices, 0 … 2; what is nearer is one person
    fewest     persons, where somebody knows; no voice of a stretch is taken apart for it
    most       persons, where somebody knows; who has no print stays alone all the same
    source     average linkage (UPGMA): Sokal and Michener, 1958
    """
    alone = [voice for voice in voices if voice.print is None]
    known = [voice for voice in voices if voice.print is not None]
    while len(known) > max(1, fewest):
        prints = np.stack([voice.print for voice in known if voice.print is not None])
        apart = 1 - prints @ prints.T
        np.fill_diagonal(apart, np.inf)
        a, b = sorted(int(n) for n in np.unravel_index(apart.argmin(), apart.shape))
        if apart[a, b] >= threshold and (most is None or len(known) <= most):
            break
        known[a] = _one(known[a], known.pop(b))
    return known + alone


def _one(a: Voice, b: Voice) -> Voice:
    assert a.print is not None and b.print is not None
    of_a, of_b = max(1, a.samples), max(1, b.samples)
    mean = (of_a * a.print + of_b * b.print) / (of_a + of_b)
    return replace(a, spoken=sorted(a.spoken + b.spoken), print=mean.astype(np.float32))
