"""What the starter hears: 200 ms of log-mel around the middle of a frame, as eight tokens.

The published model hears with Whisper (whisper.py). Whisper's weights are not ours to ship, and its last layer tells
less of a mouth than its first; so the starter's ear is four small convolutions on the same log-mel, taught with it.
Promises: sound is found by time, so every frame rate works; gain drops out; who is silent is exactly silent.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.audio.logmel import COLUMNS_A_SECOND, QUIET, log_mel
from models.audio.loudness import level

COLUMNS: Final = 20  # of 10 ms around the middle of a frame
TOKENS: Final = 8  # of 20 ms, as a latent frame of the published model has

Floats = NDArray[np.float32]


class Ear(nn.Module):
    """(N, 80, 20) windows of log-mel → (N, 8, dim) tokens."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(80, dim, 3), nn.SiLU(),  # 18
            nn.Conv1d(dim, dim, 3, stride=2), nn.SiLU(),  # 8
            nn.Conv1d(dim, dim, 3, padding=1), nn.SiLU(),
            nn.Conv1d(dim, dim, 1),
        )  # fmt: skip
        self.place = nn.Parameter(torch.zeros(1, TOKENS, dim))
        self.norm = nn.LayerNorm(dim)
        self.law = nn.Linear(TOKENS * dim, 4)  # in training: what the puppets' mouths do at this sound

    def forward(self, windows: Tensor) -> Tensor:
        tokens = self.layers(windows).transpose(1, 2)  # (N, 8, dim)
        return self.norm(tokens + self.place)  # type: ignore[no-any-return]


def windows(speech: Floats, middles: Sequence[Fraction]) -> Floats:
    """(T, 80, 20) log-mel around T moments.

    speech   (N,) 16 kHz, −1 … 1; long enough that its loudness is the voice's, not one word's
    middles  seconds: the middle of each frame, 0 is the sound's first sample
    """
    return around(log_mel(level(_trimmed(speech))), middles, _first(speech))


def around(columns: Floats, middles: Sequence[Fraction], start: Fraction = Fraction(0)) -> Floats:
    """(T, 80, 20) of (80, n) columns of 10 ms, the first at `start`, read between columns; quiet beyond both ends."""
    at = np.array([float((middle - start) * COLUMNS_A_SECOND) for middle in middles])
    at = at[:, None] + np.arange(COLUMNS) - (COLUMNS - 1) / 2
    low = np.floor(at).astype(np.int64)
    share = (at - low).astype(np.float32)
    padded = np.pad(columns, ((0, 0), (1, 1)), constant_values=QUIET)
    here, after = (padded[:, np.clip(low + n, 0, padded.shape[1] - 1)] for n in (1, 2))
    return np.ascontiguousarray((here * (1 - share) + after * share).transpose(1, 0, 2))


def _first(speech: Floats) -> Fraction:
    heard = np.flatnonzero(speech)
    return Fraction(int(heard[0]), 16_000) if len(heard) else Fraction(0)


def _trimmed(speech: Floats) -> Floats:
    """Without the digital silence before and after, which says nothing of how loud the voice is."""
    heard = np.flatnonzero(speech)
    return speech[heard[0] : heard[-1] + 1] if len(heard) else speech[:0]
