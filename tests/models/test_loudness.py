"""A room alone is no voice, however it hums; a voice is one, however soft."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.audio.loudness import Floats, level, voiced

HZ = 16000


def room(decibel: float, exponent: float, seconds: float = 3.0) -> Floats:
    """Noise whose amplitude falls with frequency to the power `exponent`: 0 white, 1 a rumbling room."""
    count = int(seconds * HZ)
    chance = np.random.default_rng(7)
    rise = np.maximum(np.fft.rfftfreq(count, 1 / HZ), 20) ** -exponent
    wave = np.fft.irfft(rise * np.exp(2j * np.pi * chance.random(len(rise))), count)
    return np.asarray(wave / wave.std() * 10 ** (decibel / 20), np.float32)


def speaker(decibel: float, floor: float) -> Floats:
    """Syllables of a buzz, four a second with short pauses, in a room."""
    time = np.arange(3 * HZ) / HZ
    buzz = sum(np.sin(2 * np.pi * 120 * n * time) / n for n in range(1, 30))
    wave: NDArray[np.float64] = np.asarray(buzz * (np.sin(2 * np.pi * 2 * time) > 0))
    return np.asarray(wave / wave.std() * 10 ** (decibel / 20) + room(floor, 0.5), np.float32)


@pytest.mark.parametrize("decibel", [-65.0, -55.0, -45.0, -40.0])
@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_a_room_alone_is_not_made_to_speak(decibel: float, exponent: float) -> None:
    alone = room(decibel, exponent)
    assert not voiced(alone) and not level(alone).any()


def test_a_room_cut_into_digital_silence_is_still_a_room() -> None:
    gated = room(-50, 0.5)
    gated[: 2 * HZ] = 0
    assert not level(gated).any()


@pytest.mark.parametrize("decibel", [-15.0, -30.0, -45.0])
def test_a_voice_is_brought_to_one_loudness(decibel: float) -> None:
    spoken = speaker(decibel, decibel - 30)
    assert voiced(spoken)
    assert np.percentile(np.abs(level(spoken)), 90) > np.percentile(np.abs(speaker(-15, -45)), 90) / 4


def test_nothing_and_next_to_nothing_are_silence() -> None:
    assert len(level(np.zeros(0, np.float32))) == 0
    assert not level(np.full(10, 0.5, np.float32)).any()
    assert not level(np.zeros(HZ, np.float32)).any()
