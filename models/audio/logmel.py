"""Whisper's log-mel spectrogram, 100 columns a second, with a fixed floor instead of one under the loudest moment.

Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, arXiv 2212.04356 §2.2: 80 bands,
25 ms Hann windows every 10 ms. Deliberately not here: Whisper itself, which normalises over its 30 seconds.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.audio.mel import triangles

HZ: Final = 16_000
HOP: Final = 160
COLUMNS_A_SECOND: Final = HZ // HOP
WINDOW: Final = 400
BANDS: Final = 80
FLOOR: Final = -8.0  # log10 of power; a levelled voice has 2 in its loudest bands
QUIET: Final = FLOOR / 4 + 1  # what a column of no sound holds

Floats = NDArray[np.float32]


def log_mel(speech: Floats) -> Floats:
    """(80, 1 + N // 160) for (N,) samples at 16 kHz; column c is centred on sample 160·c; about −1 … 1.5."""
    if not len(speech):
        return np.full((BANDS, 1), QUIET, np.float32)
    padded = np.pad(np.asarray(speech, np.float32), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: 1 + len(speech) // HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * hann, axis=1)).astype(np.float32) ** 2  # (columns, 201)
    return np.ascontiguousarray((np.maximum(np.log10(power @ _bands().T + 1e-30), FLOOR) / 4 + 1).T, np.float32)


@cache
def _bands() -> Floats:
    return triangles(WINDOW, BANDS, 0.0, 8000.0)
