"""Drawn pictures: stripes of known steepness, and a mouth with something white in it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.face.detect import Floats
from models.face.form import INNER, OUTER
from models.metrics import sharpness


def faces(count: int) -> Floats:
    """Meshes whose outer lips fill (40, 60) … (80, 80) and whose inner ones (45, 65) … (75, 75)."""
    points = np.zeros((count, 468, 2), np.float32)
    for ring, reach in ((OUTER, (20, 10)), (INNER, (15, 5))):
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        points[:, list(ring)] = np.stack([60 + reach[0] * np.cos(turn), 70 + reach[1] * np.sin(turn)], axis=1)
    return points


def stripes(depth: int) -> NDArray[np.uint8]:
    picture = np.full((120, 120, 3), 100, np.uint8)
    picture[:, ::2] += np.uint8(depth)
    return picture


def test_energy_is_the_square_of_the_steps() -> None:
    assert sharpness.energy([stripes(10)] * 2, faces(2)) == pytest.approx(100)
    assert sharpness.energy([stripes(20)] * 2, faces(2)) == pytest.approx(400)


def test_only_the_lips_count() -> None:
    outside = stripes(10)
    outside[:50] = np.random.default_rng(7).integers(0, 255, (50, 120, 3))
    assert sharpness.energy([outside], faces(1)) == pytest.approx(100)


def test_blur_lowers_it() -> None:
    noise = np.random.default_rng(7).integers(0, 255, (120, 120, 3), dtype=np.uint8)
    soft = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.7), np.uint8)
    assert sharpness.energy([soft], faces(1)) < 0.5 * sharpness.energy([noise], faces(1))


def test_open_frames_are_counted_alone() -> None:
    opening = np.array([0, 3, 1, 0, 0, 0, 2, 0], np.float32)
    assert sharpness.open_frames(opening).tolist() == [1, 6]
    pictures = [stripes(20 if n in (1, 6) else 0) for n in range(8)]
    assert sharpness.energy(pictures, faces(8), sharpness.open_frames(opening)) == pytest.approx(400)


def test_teeth_are_white_and_a_red_tongue_is_not() -> None:
    mouth = np.full((120, 120, 3), 20, np.uint8)
    mouth[66:70, 45:76] = (210, 205, 190)
    tongue = np.full((120, 120, 3), (220, 60, 60), np.uint8)
    first = np.array([0])
    assert sharpness.white([mouth], faces(1), first) == 190
    assert sharpness.white([tongue], faces(1), first) == 60


def test_lips_pressed_to_a_line_are_not_a_number() -> None:
    shut = faces(1)
    shut[:, list(INNER)] = -50
    assert np.isnan(sharpness.white([stripes(0)], shut, np.array([0])))
