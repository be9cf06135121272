"""The driving sound: this character's words and nothing else."""

from pathlib import Path

import numpy as np
import soundfile

from tasks.driving import LEAD_US, RAMP, TAIL_US, gated, within

HZ = 16000


def _tone(path: Path, seconds: float) -> Path:
    soundfile.write(str(path), np.full(int(seconds * HZ), 0.5, np.float32), HZ, subtype="FLOAT")
    return path


def test_outside_the_turns_there_is_digital_silence(tmp_path: Path) -> None:
    heard = gated(_tone(tmp_path / "dub.wav", 3), ((1_000_000, 2_000_000),), 0, 3 * HZ, HZ)
    before = HZ - HZ * LEAD_US // 1_000_000 - RAMP - 1
    after = 2 * HZ + HZ * TAIL_US // 1_000_000 + RAMP + 1
    assert not heard[:before].any() and not heard[after:].any()
    assert np.allclose(heard[HZ : 2 * HZ], 0.5)


def test_a_slice_is_the_same_as_the_whole_cut_up(tmp_path: Path) -> None:
    speech, turns = _tone(tmp_path / "dub.wav", 3), ((700_000, 900_000), (1_500_000, 2_100_000))
    whole = gated(speech, turns, -800, 3 * HZ, HZ)
    inside = slice(HZ, 2 * HZ)
    assert np.allclose(gated(speech, turns, HZ - 800, 2 * HZ - 800, HZ)[RAMP:-RAMP], whole[inside][RAMP:-RAMP])


def test_beyond_the_sounds_ends_it_is_silent(tmp_path: Path) -> None:
    heard = gated(_tone(tmp_path / "dub.wav", 1), ((0, 5_000_000),), -HZ, 2 * HZ, HZ)
    assert len(heard) == 3 * HZ and not heard[:HZ].any() and not heard[2 * HZ :].any()


def test_only_turns_that_touch_the_stretch_are_kept() -> None:
    assert within([(5, 9), (0, 2), (9, 12), (20, 30)], 2, 10) == ((5, 9), (9, 12))


def test_where_two_speak_at_once_each_hears_the_other_only_in_the_own_turns(tmp_path: Path) -> None:
    """Anna 0.5–1.5 s, Bert 1–2 s, in one dub without stems: a gate can take away no more than what is outside."""
    anna, bert = np.zeros(3 * HZ, np.float32), np.zeros(3 * HZ, np.float32)
    anna[HZ // 2 : 3 * HZ // 2], bert[HZ : 2 * HZ] = 0.25, 0.5
    soundfile.write(tmp_path / "dub.wav", anna + bert, HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "anna.wav", anna, HZ, subtype="FLOAT")
    turn = ((500_000, 1_500_000),)
    of_anna = gated(tmp_path / "dub.wav", turn, 0, 3 * HZ, HZ)
    after = 3 * HZ // 2 + HZ * TAIL_US // 1_000_000 + RAMP + 1
    assert np.allclose(of_anna[HZ // 2 : HZ], 0.25) and np.allclose(of_anna[HZ : 3 * HZ // 2], 0.75)
    assert not of_anna[after:].any(), "Bert goes on, and moves Anna's lips no more"
    of_her_stem = gated(tmp_path / "anna.wav", turn, 0, 3 * HZ, HZ)
    assert np.allclose(of_her_stem[HZ // 2 : 3 * HZ // 2], 0.25), "her stem has nobody else in it"
