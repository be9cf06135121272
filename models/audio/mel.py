"""The mel spectrogram of Wav2Lip, which Diff2Lip, IP-LAP, LatentSync and MuseTalk share, and its windows by time.

Source: Rudrabha/Wav2Lip, audio.py and hparams.py, as measured in the shared facts (models/blocks.md §0.1).
Deliberately not here: resampling (the caller brings 16 kHz), other spectrograms.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import floor
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

HZ: Final = 16_000
HOP: Final = 200  # samples between columns
COLUMNS_A_SECOND: Final = Fraction(HZ, HOP)  # 80
N_FFT: Final = 800
BANDS: Final = 80
LOWEST, HIGHEST = 55.0, 7600.0  # Hz
SILENCE: Final = -4.0  # what a column of no sound holds
COLUMNS: Final = 16  # columns of one window: 0.2 s

Floats = NDArray[np.float32]


def mel(speech: Floats, padding: Literal["zeros", "reflect"] = "zeros") -> Floats:
    """(80, 1 + N // 200) for (N,) samples at 16 kHz in −1 … 1; column c is centred on sample 200·c; values −4 … 4.

    padding   what lies beyond both ends: zeros as librosa since 0.9 (Diff2Lip, IP-LAP), reflect as 0.7 (Wav2Lip). Only
              the first and last two columns differ.
    """
    emphasised = np.append(speech[:1], speech[1:] - 0.97 * speech[:-1]).astype(np.float32)
    if padding == "reflect" and len(speech) > N_FFT // 2:
        padded = np.pad(emphasised, N_FFT // 2, mode="reflect")
    else:  # reflecting needs more sound than there is
        padded = np.pad(emphasised, N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][: 1 + len(speech) // HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)  # periodic
    magnitude = np.abs(np.fft.rfft(frames * hann, axis=1)).astype(np.float32)  # (columns, 401)
    decibel = 20 * np.log10(np.maximum(1e-5, magnitude @ bands().T)) - 20  # reference level 20 dB
    return np.ascontiguousarray(np.clip(8 * (decibel + 100) / 100 - 4, -4, 4).T.astype(np.float32))


def windows(columns: Floats, times: Sequence[Fraction], before: Fraction) -> Floats:
    """(T, 80, 16): for each frame the 16 columns from `before` seconds ahead of its time; silence beyond both ends.

    before   2/25 s puts the middle of the window on the middle of a 25 fps frame; Diff2Lip takes 1/25 s
    """
    starts = np.array([floor((time - before) * COLUMNS_A_SECOND) for time in times])
    at = starts[:, None] + np.arange(COLUMNS)  # (T, 16)
    inside = (at >= 0) & (at < columns.shape[1])
    sound = columns[:, np.clip(at, 0, columns.shape[1] - 1)].transpose(1, 0, 2)  # (T, 80, 16)
    return np.where(inside[:, None], sound, np.float32(SILENCE))


@cache
def bands() -> Floats:
    """(80, 401) of Wav2Lip."""
    return triangles(N_FFT, BANDS, LOWEST, HIGHEST)


def triangles(n_fft: int, count: int, lowest: float, highest: float) -> Floats:
    """(count, n_fft / 2 + 1) triangles on Slaney's mel scale, each of area one (librosa's norm "slaney"); Hz."""
    edges = _hz(np.linspace(_mel(lowest), _mel(highest), count + 2))
    bins = np.arange(n_fft // 2 + 1) * (HZ / n_fft)
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangle = np.maximum(0, np.minimum((bins - low) / (mid - low), (high - bins) / (high - mid)))
    return (triangle * 2 / (high - low)).astype(np.float32)


def _mel(hz: float) -> float:
    return hz / (200 / 3) if hz < 1000 else 15 + 27 * float(np.log(hz / 1000)) / float(np.log(6.4))


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
