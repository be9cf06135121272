"""Mouths whose figures can be worked out by hand."""

import numpy as np
import pytest

from models.face.form import LOWER_LIP, MOUTH, UPPER_LIP, Floats
from models.metrics import lips

WAVE = 0.05 + 0.05 * np.sin(np.arange(60) / 3)


def mouths(gap: Floats | np.ndarray[tuple[int], np.dtype[np.float64]]) -> Floats:
    """Flat lips 0.1 thick whose lower half hangs `gap` below the upper."""
    found = np.zeros((len(gap), len(MOUTH), 2), np.float32)
    found[:, lips.TOP, 1] = -0.1
    found[:, LOWER_LIP, 1] = gap
    found[:, lips.BOTTOM, 1] = 0.1 + gap
    assert UPPER_LIP != LOWER_LIP
    return found


def test_a_mouth_beside_itself_is_perfect() -> None:
    true = mouths(WAVE)
    assert lips.correlation(true, true) == pytest.approx(1)
    assert lips.amplitude(true, true) == pytest.approx(1)
    assert lips.distance(true, true) == lips.shape_distance(true, true) == 0


def test_half_the_movement_is_half_the_amplitude_and_as_well_timed() -> None:
    true, shy = mouths(WAVE), mouths(WAVE / 2)
    assert lips.amplitude(true, shy) == pytest.approx(0.5, abs=1e-3)
    assert lips.correlation(true, shy) == pytest.approx(1, abs=1e-4)
    assert lips.correlation(true, mouths(-WAVE)) == pytest.approx(-1, abs=1e-4)


def test_a_shift_is_a_distance_of_place_and_none_of_shape() -> None:
    true = mouths(WAVE)
    shifted = true + np.array([0.03, 0.04], np.float32)
    assert lips.distance(true, shifted) == pytest.approx(5, abs=1e-3)  # % of the eye distance
    assert lips.shape_distance(true, shifted) == pytest.approx(0, abs=1e-4)


def test_the_chin_is_no_part_of_the_distance() -> None:
    true = mouths(WAVE)
    other = true.copy()
    other[:, lips.LIPS :] += 1
    assert lips.distance(true, other) == 0


def test_leak_is_the_share_of_the_filmed_movement_that_is_left() -> None:
    assert lips.leak(mouths(WAVE), mouths(0.3 * WAVE + 0.01)) == pytest.approx(0.3, abs=1e-3)
    assert lips.leak(mouths(WAVE), mouths(np.full(60, 0.02))) == pytest.approx(0, abs=1e-5)


def test_the_closed_mouth_is_the_middle_of_the_least_open_tenth() -> None:
    openings = np.array([9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 1, 3], np.float32)
    assert lips.closed(openings) == 2


def test_silence_is_held_against_the_closed_mouth() -> None:
    gap = np.concatenate([np.zeros(10), WAVE + 0.02])
    shut, ajar = mouths(np.zeros(60)), mouths(np.full(60, 0.05))
    assert lips.still_height(mouths(gap), shut) == pytest.approx(1, abs=1e-4)
    assert lips.still_height(mouths(gap), ajar) == pytest.approx(1.25, abs=1e-4)  # 0.25 high over 0.2
    assert lips.still_gap(mouths(gap), ajar) == pytest.approx(0.05, abs=1e-4)


def test_pressed_lips_in_the_film_do_not_turn_the_ratio_over() -> None:
    pressed = np.concatenate([np.full(10, -0.02), WAVE])
    assert lips.still_height(mouths(pressed), mouths(np.zeros(60))) == pytest.approx(0.2 / 0.18, abs=1e-3)
