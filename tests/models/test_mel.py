"""The mel spectrogram is Wav2Lip's, and every frame of every rate hears its own moment."""

from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from models.audio.mel import bands, mel, windows

Doubles = NDArray[np.float64]


def written(speech: Doubles, padding: str) -> Doubles:
    """All of it in float64 from the written definition, transforms as sums."""
    emphasised = speech - 0.97 * np.append(0, speech[:-1])
    padded = np.pad(emphasised, 400, mode="reflect") if padding == "reflect" else np.pad(emphasised, 400)
    n = np.arange(800)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(401), n) / 800)
    weights = np.array([[_weight(band, 20.0 * k) for k in range(401)] for band in range(80)])
    columns = []
    for column in range(1 + len(speech) // 200):
        part = padded[200 * column : 200 * column + 800] * (0.5 - 0.5 * np.cos(2 * np.pi * n / 800))
        decibel = 20 * np.log10(np.maximum(1e-5, weights @ np.abs(waves @ part))) - 20
        columns.append(np.clip(8 * (decibel + 100) / 100 - 4, -4, 4))
    return np.stack(columns, axis=1)


def _weight(band: int, hz: float) -> float:
    """Of one frequency in one band."""
    low, mid, high = (_edge(band + i) for i in range(3))
    return max(0.0, min((hz - low) / (mid - low), (high - hz) / (high - mid))) * 2 / (high - low)


def _edge(i: int) -> float:
    """The i-th of 82 frequencies, evenly spaced on Slaney's scale between 55 and 7,600 Hz."""
    highest = 15 + 27 * np.log(7.6) / np.log(6.4)
    at = 55 * 3 / 200 + i * (highest - 55 * 3 / 200) / 81
    return float(at * 200 / 3 if at < 15 else 1000 * 6.4 ** ((at - 15) / 27))


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
@pytest.mark.parametrize(
    "loudness",
    [
        pytest.param(0.1, id="speech"),
        pytest.param(3e-4, id="room-noise"),
        pytest.param(30.0, id="clipped"),
    ],
)
def test_every_value_is_what_the_definition_gives(loudness: float, padding: Literal["zeros", "reflect"]) -> None:
    chance, seconds = np.random.default_rng(7), np.arange(5100) / 16000
    wave = loudness * (chance.normal(0, 0.3, 5100) + np.sin(2 * np.pi * (100 + 9000 * seconds) * seconds))
    wave[2000:3600] = 0  # a pause: parts of some columns, all of others
    speech = wave.astype(np.float32)
    found = mel(speech, padding)
    assert found.shape == (80, 26)
    assert np.abs(found - written(speech.astype(np.float64), padding)).max() < 2e-4


def test_the_basis_is_slaneys() -> None:
    assert bands().shape == (80, 401)
    assert bands().max() == pytest.approx(0.02688, abs=1e-5)
    assert bands().any(axis=1).all()  # no band is empty


def test_padding_changes_only_the_ends() -> None:
    speech = np.random.default_rng(7).normal(0, 0.1, 16000).astype(np.float32)
    differ = (mel(speech, "zeros") != mel(speech, "reflect")).any(axis=0)
    assert np.flatnonzero(differ).tolist() == [0, 1, 79, 80]


def test_silence_and_nothing_are_minus_four() -> None:
    assert (mel(np.zeros(1600, np.float32)) == -4).all()
    assert mel(np.zeros(0, np.float32)).shape == (80, 1)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_every_frame_has_a_window_at_its_own_time(rate: Fraction) -> None:
    columns = np.tile(np.arange(241, dtype=np.float32), (80, 1))  # every column says which it is
    frames = int(3 * rate) + 1
    times = [n / rate for n in range(frames)]
    sound = windows(columns, times, Fraction(2, 25))
    assert sound.shape == (frames, 80, 16)
    middle = frames // 2
    wanted = int((times[middle] - Fraction(2, 25)) * 80)
    assert sound[middle, 0].tolist() == list(range(wanted, wanted + 16))
    assert (sound[0, :, :6] == -4).all()  # before the sound there is silence


def test_at_25_frames_a_second_windows_start_where_the_published_code_starts_them() -> None:
    columns = np.tile(np.arange(400, dtype=np.float32), (80, 1))
    sound = windows(columns, [Fraction(n, 25) for n in range(1, 100)], Fraction(1, 25))
    assert sound[:, 0, 0].tolist() == [int(80 * (n - 1) / 25) for n in range(1, 100)]
