"""Films of noise, to which a jump of known size is added."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.metrics import flicker

RING = np.zeros((10, 20, 20), np.bool_)
RING[:, 5:15, 5:15] = True


def film(jump: int = 0, where: NDArray[np.bool_] = RING) -> list[NDArray[np.uint8]]:
    """Every frame one level lighter and darker by turns, by `jump` more where asked."""
    frames = np.full((10, 20, 20, 3), 100, np.uint8)
    frames[::2] += 4
    frames[::2][where[::2]] += np.uint8(jump)
    return list(frames)


def test_a_film_beside_itself_is_one() -> None:
    assert flicker.against(film(), film(), RING) == 1


def test_restlessness_is_the_step_between_frames() -> None:
    assert flicker.restless(film(), RING) == pytest.approx(4)
    assert flicker.against(film(), film(2), RING) == pytest.approx(1.5)


def test_what_jumps_elsewhere_is_not_counted() -> None:
    assert flicker.against(film(), film(9, ~RING), RING) == 1


def test_a_pixel_counts_where_it_is_in_question_in_both_frames() -> None:
    moving = RING.copy()
    moving[5:, 5:15, 5:15] = False
    moving[5:, 0:5] = True
    after_the_move = film()
    after_the_move[5][0:5] += np.uint8(50)  # was not in question the frame before
    assert flicker.restless(after_the_move[:6], moving[:6]) == pytest.approx(4)


def test_a_frozen_patch_is_less_than_one() -> None:
    assert flicker.against(film(), [film()[0]] * 10, RING) == 0
