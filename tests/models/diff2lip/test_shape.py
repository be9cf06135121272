"""Mouths are measured free of the head's pose and set down on it again."""

import numpy as np
import pytest

from models.diff2lip import shape
from tests.models.conftest import Filmed


def turned(points: shape.Floats, degrees: float, scale: float, shift: tuple[float, float]) -> shape.Floats:
    a = np.radians(degrees)
    turn = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return np.asarray(points @ turn.T + shift, np.float32)


def test_a_mouth_measures_the_same_however_the_head_is_held(filmed: Filmed) -> None:
    points = filmed.points
    median = np.median(points, axis=0).astype(np.float32)
    still = shape.measure(points, median)
    moved = np.stack([turned(p, 3.0 * n - 30, 0.8 + 0.03 * n, (5.0 * n, -n)) for n, p in enumerate(points)])
    assert np.abs(shape.measure(moved, median) - still).max() < 2e-3


def test_set_down_is_the_way_back(filmed: Filmed) -> None:
    median = np.median(filmed.points, axis=0).astype(np.float32)
    back = shape.set_down(shape.measure(filmed.points, median), median, filmed.points)
    assert np.abs(back - filmed.points[:, list(shape.MOUTH)]).max() < 0.02  # pixels


def test_the_mirror_image_of_the_mirror_image_is_the_mouth() -> None:
    order = np.arange(43)[list(shape.MIRRORED)]
    assert (order[list(shape.MIRRORED)] == np.arange(43)).all()
    mesh = np.array(shape.MOUTH)[order]
    pairs = {61: 291, 146: 375, 78: 308, 191: 415, 0: 0, 13: 13, 14: 14, 152: 152, 148: 377}
    assert all(mesh[shape.MOUTH.index(a)] == b for a, b in pairs.items())


def test_a_reference_is_pulled_to_the_wanted_mouth(filmed: Filmed) -> None:
    """Where the wanted mouth has a lip point, the reference's own lip point is looked up."""
    shown = filmed.meshes[0].numpy()[list(shape.MOUTH)] * 128 - (24, 56)
    wanted = shown.astype(np.float32) + np.array([0, 3], np.float32)
    pose = np.array([[1, 0, -24], [0, 1, -56]], np.float32)
    x, y = shape.look_up(pose, shown.astype(np.float32), wanted, 80, 64)
    column, row = np.rint(wanted[shape.LOWER_LIP] - 0.5).astype(int)
    assert (x[row, column], y[row, column]) == pytest.approx((column + 24, row + 56 - 3), abs=0.3)
    assert (x[2, 2], y[2, 2]) == pytest.approx((26, 58), abs=0.1)  # the cheek stays


def test_drawn_planes_are_lips_gap_and_chin(filmed: Filmed) -> None:
    mouth = (filmed.meshes[0].numpy()[list(shape.MOUTH)] * 128 - (24, 56)).astype(np.float32)
    lips, gap, chin = shape.draw(mouth, 80, 64) > 127
    assert lips.sum() > gap.sum() and lips.sum() > 100 and chin.any()
    assert np.flatnonzero(chin.any(axis=1)).min() > np.flatnonzero(lips.any(axis=1)).max()
