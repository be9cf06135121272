"""Stretches of a sound, and voices known again in them: numbers only, no networks."""

from itertools import pairwise

import numpy as np
import pytest

from models.speech.diarize import healed, meets
from models.speech.same import Voice, joined
from models.speech.sound import stretches


def voice(start: int, *direction: float, seconds: int = 10) -> Voice:
    print_ = np.array(direction, np.float32)
    return Voice([(start, start + seconds)], print_ / np.linalg.norm(print_))


def test_stretches_cover_the_sound_and_are_cut_in_its_longest_pauses() -> None:
    spoken = [(0, 90), (94, 102), (112, 180), (181, 219), (221, 330)]
    assert stretches(330, spoken, 110) == [(0, 107), (107, 220), (220, 330)]
    assert stretches(100, [], 110) == [(0, 100)] and stretches(0, [], 110) == [(0, 0)]
    assert stretches(200, [(0, 200)], 100) == [(0, 100), (100, 200)], "nobody pauses"


@pytest.mark.parametrize("longest", [20, 37, 99, 100, 101])
def test_stretches_leave_no_gap(longest: int) -> None:
    rng = np.random.default_rng(3)
    edges = np.unique(rng.integers(0, 1000, 60))[:40].reshape(-1, 2)
    found = stretches(1000, [(int(a), int(b)) for a, b in edges], longest)
    assert found[0][0] == 0 and found[-1][1] == 1000
    assert all(a[1] == b[0] and a[0] < a[1] for a, b in pairwise(found))
    assert max(b - a for a, b in found) <= 1.5 * longest


def test_voices_that_sound_alike_are_one_and_keep_all_they_said() -> None:
    anna, bert, again, short = voice(0, 1, 0.1, 0), voice(20, 0, 1, 0), voice(40, 1, -0.1, 0), Voice([(60, 61)], None)
    found = joined([anna, bert, again, short], 0.57)
    assert [each.spoken for each in found] == [[(0, 10), (40, 50)], [(20, 30)], [(60, 61)]]
    assert found[0].print is not None and np.allclose(found[0].print, [0.995, 0, 0], atol=1e-3), "their mean"


def test_who_knows_how_many_there_are_is_believed() -> None:
    three = [voice(0, 1, 0, 0), voice(20, 0, 1, 0), voice(40, 0.5, 0.7, 0.6)]
    assert len(joined(three, 0.57, most=2)) == 2
    assert len(joined([voice(0, 1, 0, 0), voice(9, 1, 0.1, 0)], 0.57, fewest=2)) == 2


def test_the_mean_of_windows_is_compared_as_the_windows_would_be() -> None:
    rng = np.random.default_rng(4)
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in rng.standard_normal((2, 7, 5)))
    assert 1 - a.mean(0) @ b.mean(0) == pytest.approx((1 - a @ b.T).mean())


def test_a_turn_cut_by_the_edge_of_a_stretch_is_whole_again() -> None:
    assert healed([(0, 10), (10, 20), (21, 30)]) == [(0, 20), (21, 30)]


def test_a_turn_is_speech_where_any_is_heard_in_it() -> None:
    spoken = [(10, 20), (30, 40)]
    assert meets((0, 11), spoken) and meets((19, 31), spoken) and meets((39, 50), spoken)
    assert not any(meets(turn, spoken) for turn in ((0, 10), (20, 30), (40, 50)))
    assert not meets((0, 9), [])
