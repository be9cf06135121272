"""The starter hears by time, at one loudness, and hears nothing where nothing is said."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from models.audio.logmel import HZ, QUIET, log_mel
from models.omnisync.ear import COLUMNS, around, windows


def voice(seconds: float = 2.0, seed: int = 0) -> NDArray[np.float32]:
    """A hum that comes and goes, with some breath."""
    at = np.arange(int(seconds * HZ)) / HZ
    loud = np.clip(np.sin(2 * np.pi * 1.5 * at), 0, 1)
    breath = np.random.default_rng(seed).normal(0, 0.05, len(at))
    return (0.2 * loud * (np.sin(2 * np.pi * 220 * at) + breath) + 0.02 * breath).astype(np.float32)


@pytest.mark.parametrize("gain", [0.3, 3.0])
def test_a_soft_dub_is_heard_as_a_loud_one(gain: float) -> None:
    moments = [Fraction(n, 25) for n in range(10, 30)]
    heard, softer = windows(voice(), moments), windows(voice() * np.float32(gain), moments)
    assert np.abs(heard - softer).mean() < 0.01


def test_the_same_moment_sounds_the_same_at_every_frame_rate() -> None:
    for rate in (Fraction(24000, 1001), Fraction(25), Fraction(30)):
        frame = int(rate)  # about one second in
        alone = windows(voice(), [frame / rate])
        among = windows(voice(), [n / rate for n in range(40)])[frame]
        assert np.array_equal(alone[0], among)


def test_a_click_is_heard_by_the_frame_in_whose_middle_it_sounds() -> None:
    sound = voice() * 0
    sound[HZ : HZ + 80] = 0.5
    sound[0] = sound[-1] = 1e-6  # or all before the click would be taken for no sound at all
    loudness = around(log_mel(sound), [Fraction(n, 25) for n in range(50)]).mean(axis=1)  # (50, 20)
    middle = loudness[:, COLUMNS // 2 - 1 : COLUMNS // 2 + 1].mean(axis=1)
    assert abs(int(middle.argmax()) - 25) <= 1
    assert loudness[25].argmax() in (9, 10)


@pytest.mark.parametrize("sound", [np.zeros(HZ, np.float32), np.zeros(0, np.float32)], ids=["silence", "no sound"])
def test_silence_is_exactly_quiet(sound: NDArray[np.float32]) -> None:
    heard = windows(sound, [Fraction(n, 25) for n in range(5)])
    assert heard.shape == (5, 80, COLUMNS) and (heard == QUIET).all()


def test_beyond_both_ends_of_the_sound_it_is_quiet() -> None:
    heard = windows(voice(), [Fraction(-3), Fraction(60)])
    assert (heard == QUIET).all()


def test_silence_around_a_voice_does_not_change_how_loud_it_is() -> None:
    silence = np.zeros(4 * HZ, np.float32)
    moments = [Fraction(n, 25) for n in range(10, 30)]
    later = [moment + 4 for moment in moments]
    padded = np.concatenate([silence, voice(), silence])
    assert np.abs(windows(voice(), moments) - windows(padded, later)).mean() < 0.02
