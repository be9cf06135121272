"""Seams planted on a smooth and on a lively picture."""

import cv2
import numpy as np
import pytest

from models.face.detect import Floats
from models.metrics import seam


def matte() -> Floats:
    """A disc with a rim of five pixels."""
    y, x = np.mgrid[0:120, 0:120] - 59.5
    inside = np.clip((40 - np.hypot(x, y)) / 5 + 0.5, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)


def skin(lively: float = 0.0) -> Floats:
    """Falls off to one side as under a lamp; pores and grain if lively."""
    light = np.linspace(0.45, 0.65, 120)[None, :, None] * np.array([1.0, 0.8, 0.7])
    grain = np.random.default_rng(7).normal(0, lively, (120, 120, 1))
    return np.asarray(
        np.broadcast_to(light, (120, 120, 3)) + cv2.GaussianBlur(grain, (0, 0), 1.0)[..., None], np.float32
    )


def laid(plate: Floats, offset: float, shown: Floats) -> Floats:
    return np.asarray(plate + shown[..., None] * offset, np.float32)


def test_white_grey_and_red_have_the_colours_of_the_tables() -> None:
    """Values of Lindbloom's calculator, D65."""
    colours = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0]], np.float32)
    assert seam.lab(colours) == pytest.approx(np.array([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]), abs=0.05)


def test_nothing_laid_is_one() -> None:
    plate, shown = skin(0.02), matte()
    assert seam.against([plate], [plate], [shown]) == 1


def test_a_planted_step_is_caught_on_smooth_and_on_lively_skin() -> None:
    shown = matte()
    for lively in (0.0, 0.02):
        plate = skin(lively)
        assert seam.against([plate], [laid(plate, 10 / 255, shown)], [shown]) > 1.5


def test_the_larger_the_step_the_larger_the_figure() -> None:
    plate, shown = skin(0.02), matte()
    figures = [seam.against([plate], [laid(plate, step / 255, shown)], [shown]) for step in (0, 1, 4, 16)]
    assert figures == sorted(figures) and figures[1] < 1.2 and figures[3] > 3


def test_what_changes_deep_inside_is_no_seam() -> None:
    plate, shown = skin(), matte()
    mouth = plate.copy()
    mouth[45:75, 45:75] = 0.1
    assert seam.against([plate], [mouth], [shown]) == 1


def test_inside_and_outside_lie_across_the_rim() -> None:
    shown = matte()
    inner, outer = seam.sides(shown)
    assert len(inner) == len(outer) > 200
    radius = [np.hypot(*(places - 59.5).T) for places in (inner, outer)]
    assert (radius[0] < 39.5).all() and (radius[1] > 41).all() and (radius[1] - radius[0] < 8).all()


def test_a_matte_that_covers_nothing_has_no_rim() -> None:
    inner, outer = seam.sides(np.zeros((20, 20), np.float32))
    assert len(inner) == len(outer) == 0
