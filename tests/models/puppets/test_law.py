"""The puppets' law: exact silence, no gain, every frame rate."""

import numpy as np

from models.puppets import law


def _voice(seconds: float, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A voice of a sort: pulses at 120 Hz through two moving resonances, in syllables."""
    t = np.arange(int(seconds * law.HZ)) / law.HZ
    pulses = np.sign(np.sin(2 * np.pi * 120 * t))
    vowel = np.sin(2 * np.pi * (500 + 200 * np.sin(2 * np.pi * 1.3 * t + seed)) * t)
    return np.asarray(0.3 * pulses * vowel * np.clip(np.sin(2 * np.pi * 2 * t), 0, 1), np.float32)


def test_silence_shuts_every_mouth() -> None:
    assert np.allclose(law.law(np.zeros(law.HZ, np.float32)), [0, 0.5, 0, 0])


def test_gain_does_not_move_the_lips() -> None:
    loud = law.law(_voice(2))
    assert loud[:, 0].max() > 0.3
    assert np.allclose(law.law(_voice(2) * 0.1), loud, atol=1e-6)


def test_every_frame_rate_reads_the_same_curve() -> None:
    moments = np.array([0.5, 1.0, 1.5])
    every = law.mouths(_voice(2), np.linspace(0, 1.99, 200))
    assert np.allclose(law.mouths(_voice(2), moments), every[[50, 100, 150]], atol=0.02)
