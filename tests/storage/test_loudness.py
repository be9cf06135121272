"""The meter of loudness, against the signals of EBU Tech 3341 and 3342 whose loudness is known."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from storage.film.loudness import loudness

HZ = 48000


def sine(level: float, seconds: float, pitch: float = 1000) -> NDArray[np.float64]:
    """A tone whose peaks are `level` dB below full scale."""
    return 10 ** (level / 20) * np.sin(2 * np.pi * pitch * np.arange(round(seconds * HZ)) / HZ)


def kept(path: Path, wave: NDArray[np.float64], channels: int = 2, subtype: str = "PCM_24") -> Path:
    soundfile.write(str(path), np.repeat(wave[:, None], channels, 1), HZ, subtype=subtype)
    return path


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_stereo_tone_is_as_loud_as_tech_3341_says(tmp_path: Path, level: float) -> None:
    got = loudness(kept(tmp_path / "a.wav", sine(level, 20)), 0)
    assert got.integrated == pytest.approx(level, abs=0.1) and got.range == pytest.approx(0, abs=0.1)
    assert got.peak == pytest.approx(level, abs=0.2) and not got.why


def test_quiet_parts_are_gated_as_tech_3341_says(tmp_path: Path) -> None:
    wave = np.concatenate([sine(-36, 10), sine(-23, 60), sine(-36, 10)])
    assert loudness(kept(tmp_path / "a.wav", wave), 0).integrated == pytest.approx(-23, abs=0.1)


def test_the_range_is_as_tech_3342_says(tmp_path: Path) -> None:
    got = loudness(kept(tmp_path / "a.wav", np.concatenate([sine(-20, 20), sine(-30, 20)])), 0)
    assert got.range == pytest.approx(10, abs=1)


def test_a_peak_between_two_samples_is_found(tmp_path: Path) -> None:
    """A quarter of the rate, 45° off: samples reach −9.0 dBFS and the wave −6.0 dBTP (Tech 3341, signal 16)."""
    swell = np.minimum(1, np.minimum(np.arange(5 * HZ), np.arange(5 * HZ)[::-1]) / HZ)  # or its ends overshoot
    wave = 0.5 * swell * np.sin(np.pi / 2 * np.arange(5 * HZ) + np.pi / 4)
    got = loudness(kept(tmp_path / "a.wav", wave), 0)
    assert np.abs(wave).max() < 0.36 and got.peak is not None and -6.4 <= got.peak <= -5.8


@pytest.mark.parametrize(
    ("wave", "words"),
    [
        pytest.param(np.zeros(2 * HZ), "silence", id="silence"),
        pytest.param(sine(-90, 2), "-70 LUFS", id="below-the-gate"),
        pytest.param(sine(-20, 0.2), "-70 LUFS", id="shorter-than-a-block"),
    ],
)
def test_what_has_no_loudness_is_said(tmp_path: Path, wave: NDArray[np.float64], words: str) -> None:
    got = loudness(kept(tmp_path / "a.wav", wave), 0)
    assert got.integrated is None and got.range is None and words in got.why


def test_any_number_of_channels_is_measured(tmp_path: Path) -> None:
    for channels in (1, 6, 8, 32):
        assert loudness(kept(tmp_path / "a.wav", sine(-40, 2), channels), 0).integrated is not None


def test_what_cannot_be_measured_is_said_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"not a sound")
    got = loudness(tmp_path / "a.wav", 0)
    assert got.integrated is None and "could not be measured" in got.why
