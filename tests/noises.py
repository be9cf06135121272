"""Sounds in which nobody speaks, made of sines and seeded noise: (N,) −1 … 1 at 16 kHz."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

HZ: Final = 16_000
Wave = NDArray[np.float32]
CHORDS: Final = ((220, 277, 330), (196, 247, 294), (175, 220, 262), (247, 311, 370))  # Hz


def band(seconds: float) -> Wave:
    """Four chords in a steady beat, each note with five harmonics, and a drum of noise on every beat."""
    t = np.arange(round(seconds * HZ)) / HZ
    beat, since = np.divmod(t, 0.5)
    wave = np.zeros(len(t))
    for n, notes in enumerate(CHORDS):
        held = (beat.astype(int) // 2 % len(CHORDS)) == n
        wave += held * sum(np.sin(2 * np.pi * f * k * t) / k for f in notes for k in range(1, 6))
    drum = np.random.default_rng(5).standard_normal(len(t)) * np.exp(-since * 40)
    return _level(wave * np.exp(-since) + 3 * drum)


def effects(seconds: float) -> Wave:
    """Steps, doors and wind: bursts of filtered noise of many lengths over a slow rumble."""
    rng, length = np.random.default_rng(6), round(seconds * HZ)
    wave = np.convolve(rng.standard_normal(length), np.full(200, 1 / 200), "same") * 4
    for start in rng.integers(0, length, round(seconds * 2)):
        long = min(int(rng.integers(800, 9600)), length - start)
        burst = np.convolve(rng.standard_normal(long), np.full(int(rng.integers(1, 24)), 0.2), "same")
        wave[start : start + long] += burst * np.exp(-np.arange(long) / (long / 4))
    return _level(wave)


def sung(seconds: float) -> Wave:
    """A voice-like tune without words: a buzz with vibrato through the formants of an ah, a new note each second."""
    t = np.arange(round(seconds * HZ)) / HZ
    note = np.array([220.0, 247, 262, 294, 330, 294, 262, 247])[t.astype(int) % 8]
    phase = 2 * np.pi * np.cumsum(note * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * t))) / HZ
    wave = np.zeros(len(t))
    for k in range(1, 24):
        formant = sum(np.exp(-(((k * note - f) / w) ** 2)) for f, w in ((730, 120), (1090, 150), (2440, 200)))
        wave += (0.1 + formant) / k * np.sin(k * phase)
    return _level(wave)


NOISES: Final[dict[str, Callable[[float], Wave]]] = {"a band": band, "effects": effects, "a tune without words": sung}


def _level(wave: NDArray[np.float64]) -> Wave:
    return np.asarray(0.3 * wave / np.abs(wave).max(), np.float32)
