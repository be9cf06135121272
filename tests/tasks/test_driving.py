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
