"""Mouths are measured free of the head's pose and set down on it again."""

import numpy as np

from models.face import form
from tests.models.conftest import Filmed


def turned(points: form.Floats, degrees: float, scale: float, shift: tuple[float, float]) -> form.Floats:
    a = np.radians(degrees)
    turn = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return np.asarray(points @ turn.T + shift, np.float32)


def test_a_mouth_measures_the_same_however_the_head_is_held(filmed: Filmed) -> None:
    points = filmed.points
    median = np.median(points, axis=0).astype(np.float32)
    still = form.measure(points, median)
    moved = np.stack([turned(p, 3.0 * n - 30, 0.8 + 0.03 * n, (5.0 * n, -n)) for n, p in enumerate(points)])
    assert np.abs(form.measure(moved, median) - still).max() < 2e-3


def test_set_down_is_the_way_back(filmed: Filmed) -> None:
    median = np.median(filmed.points, axis=0).astype(np.float32)
    back = form.set_down(form.measure(filmed.points, median), median, filmed.points)
    assert np.abs(back - filmed.points[:, list(form.MOUTH)]).max() < 0.02  # pixels


def test_the_mirror_image_of_the_mirror_image_is_the_mouth() -> None:
    order = np.arange(43)[list(form.MIRRORED)]
    assert (order[list(form.MIRRORED)] == np.arange(43)).all()
    mesh = np.array(form.MOUTH)[order]
    pairs = {61: 291, 146: 375, 78: 308, 191: 415, 0: 0, 13: 13, 14: 14, 152: 152, 148: 377}
    assert all(mesh[form.MOUTH.index(a)] == b for a, b in pairs.items())


def test_the_frame_at_rest_is_not_the_one_with_pressed_lips() -> None:
    openings = np.array([0.3, -0.1, *[0.2] * 12, 0.01], np.float32)
    breadths = np.array([0.5, 0.6, 0.4, 0.9, *[0.5] * 11], np.float32)
    assert form.kinds(openings, breadths) == (14, 0, 2, 3)
