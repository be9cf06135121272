"""The mel spectrogram is Wav2Lip's, and every frame of every rate hears its own moment."""

from fractions import Fraction

import numpy as np
import pytest

from models.audio.mel import bands, mel, windows


def direct(speech: np.ndarray[tuple[int], np.dtype[np.float64]], column: int, band: int) -> float:
    """One value by the definition, a sum over 800 samples for each frequency: slow and hard to get wrong."""
    emphasised = [speech[n] - (0.97 * speech[n - 1] if n else 0) for n in range(len(speech))]
    inside = [(n, 200 * column - 400 + n) for n in range(800) if 0 <= 200 * column - 400 + n < len(speech)]
    total = 0.0
    low, mid, high = (_edge(band + i) for i in range(3))
    for k in range(401):
        weight = max(0.0, min((20 * k - low) / (mid - low), (high - 20 * k) / (high - mid))) * 2 / (high - low)
        if weight:
            terms = ((0.5 - 0.5 * np.cos(2 * np.pi * n / 800)) * emphasised[at] * np.exp(-2j * np.pi * k * n / 800)
                     for n, at in inside)  # fmt: skip
            total += weight * abs(sum(terms))
    return float(np.clip(8 * (20 * np.log10(max(1e-5, total)) - 20 + 100) / 100 - 4, -4, 4))


def _edge(i: int) -> float:
    """The i-th of 82 frequencies, evenly spaced on Slaney's scale between 55 and 7,600 Hz."""
    highest = 15 + 27 * np.log(7.6) / np.log(6.4)
    at = 55 * 3 / 200 + i * (highest - 55 * 3 / 200) / 81
    return float(at * 200 / 3 if at < 15 else 1000 * 6.4 ** ((at - 15) / 27))


@pytest.mark.parametrize(("column", "band"), [(0, 3), (1, 40), (7, 0), (7, 79), (14, 21)])
def test_a_value_is_what_the_definition_gives(column: int, band: int) -> None:
    speech = np.random.default_rng(7).normal(0, 0.1, 3000)
    found = mel(speech.astype(np.float32))
    assert found.shape == (80, 16)
    assert found[band, column] == pytest.approx(direct(speech, column, band), abs=2e-4)


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
