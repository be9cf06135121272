"""The law of the puppets: which mouth a sound makes. Exact and documented, so lips can be judged against it.

16 kHz mono → power every 10 ms in five bands → four numbers in 0 … 1 at 100 Hz, smoothed by a Gaussian of 47 ms full
width at half maximum, read at any time, so every frame rate works:

open    loudness gate × jaw-open vowels (share of 350–1000 Hz), less for hiss
width   0.5 at rest; spectral centroid in octaves: low is round, high is wide
teeth   share of 2.5–7.8 kHz
tongue  share of 1.0–2.5 kHz among the voiced bands

Loudness is taken relative to the loudest 5 % of the whole sound, so gain drops out (down to −66 dBFS, under which all
is silence). Silence gives (0, 0.5, 0, 0).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

HZ: Final = 16_000  # samples a second
HOP: Final = 160  # samples between two columns: 100 columns a second
WINDOW: Final = 400  # samples heard by one column, 25 ms
FFT: Final = 512
BANDS: Final = ((80, 350), (350, 1000), (1000, 2500), (2500, 4500), (4500, 7800))  # Hz
SIGMA: Final = 2.0  # columns; 47 ms full width at half maximum
FLOOR_DB: Final = -20.0  # of a column's power; −66 dBFS, below it all is silence

Floats = NDArray[np.float64]


def mouths(sound: NDArray[np.float32], seconds: Floats) -> NDArray[np.float32]:
    """(T, 4) open, width, teeth, tongue at T moments.

    sound    (N,) 16 kHz mono, −1 … 1
    seconds  (T,) moments, 0 is the sound's first sample; a frame is best read at its centre
    """
    columns = law(sound)
    at = np.arange(len(columns)) * HOP / HZ
    return np.stack([np.interp(seconds, at, c) for c in columns.T], 1).astype(np.float32)


def law(sound: NDArray[np.float32]) -> Floats:
    """(n, 4) open, width, teeth, tongue at 100 Hz, column k centred on k · 10 ms."""
    power = _power(sound)
    hz = np.fft.rfftfreq(FFT, 1 / HZ)
    low, f1, mid, high, top = (power[:, (hz >= a) & (hz < b)].sum(1) + 1e-10 for a, b in BANDS)
    total = low + f1 + mid + high + top
    db = 10 * np.log10(total)
    loud = np.clip((db - max(float(np.percentile(db, 95)), FLOOR_DB) + 35) / 35, 0, 1)  # 0: 35 dB under the loud parts
    hiss = (high + top) / total
    octaves = np.log2((power * hz).sum(1) / total.clip(1e-10) / 200 + 1e-3)  # spectral centroid over 200 Hz
    gate = np.clip((loud - 0.25) / 0.4, 0, 1)
    opening = gate * (0.25 + 0.75 * f1 / (low + f1)) * (1 - 0.6 * hiss) * np.clip(loud * 1.2, 0, 1)
    width = 0.5 + gate * np.clip((octaves - 1.6) / 2.0, -0.5, 0.5)
    teeth = gate * np.clip(hiss * 2.5, 0, 1)
    tongue = gate * np.clip(2.0 * mid / (low + f1 + mid), 0, 1) * (1 - hiss)
    return np.clip(_smooth(np.stack([opening, width, teeth, tongue], 1)), 0, 1)


def _power(sound: NDArray[np.float32]) -> Floats:
    """(n, 257) power spectrum every 10 ms."""
    padded = np.pad(np.asarray(sound, np.float64), WINDOW // 2)
    count = (len(padded) - WINDOW) // HOP + 1
    columns = padded[np.arange(WINDOW)[None] + HOP * np.arange(count)[:, None]]
    return np.asarray(np.abs(np.fft.rfft(columns * np.hanning(WINDOW), FFT)) ** 2)


def _smooth(columns: Floats) -> Floats:
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / SIGMA) ** 2)
    kernel /= kernel.sum()
    return np.stack([np.convolve(np.pad(c, 8, mode="edge"), kernel, "valid") for c in columns.T], 1)
