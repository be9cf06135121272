"""The voices puppets speak with in training: prepared clips, also higher and lower, and the law's answer to them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from models.audio.logmel import HZ, log_mel
from models.audio.loudness import level
from models.corpus.clips import speaker_of
from models.omnisync.ear import around
from models.puppets.law import law

MOST: Final = 14  # clips of one speaker: 84 % of the corpus is one man
PITCHES: Final = (1.0, 0.82, 1.22)  # frequencies and formants times this; the law is taken of the sound that results
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Voice:
    """One sound: what an ear hears of it, and what a puppet's mouth does."""

    columns: Floats  # (80, n) log-mel, a column each 10 ms
    law: Floats  # (n, 4) the same moments

    @property
    def seconds(self) -> float:
        return len(self.law) / 100

    def windows(self, middles: Sequence[Fraction]) -> Floats:
        """(T, 80, 20) what is heard around T moments."""
        return around(self.columns, middles)

    def mouths(self, middles: Sequence[Fraction]) -> Floats:
        """(T, 4) open, width, teeth, tongue."""
        seconds, at = [float(middle) for middle in middles], np.arange(len(self.law)) / 100
        return np.stack([np.interp(seconds, at, column) for column in self.law.T], axis=1).astype(np.float32)


def voice(speech: Floats) -> Voice:
    """Of (N,) samples at 16 kHz."""
    return Voice(log_mel(level(speech)), law(speech).astype(np.float32))


def few(paths: Iterable[Path]) -> Iterator[Path]:
    """At most MOST clips of each speaker, the first by name."""
    taken: Counter[str] = Counter()
    for path in sorted(paths):
        taken[speaker_of(path)] += 1
        if taken[speaker_of(path)] <= MOST:
            yield path


def voices(paths: Iterable[Path]) -> Iterator[Voice]:
    """Three of each prepared clip: as it is, lower, higher. Only the sound of a clip is read."""
    for path in few(paths):
        with np.load(path) as clip:
            speech = clip["speech"].astype(np.float32)
        for pitch in PITCHES:
            yield voice(speech if pitch == 1 else soxr.resample(speech, HZ * pitch, HZ).astype(np.float32))
