"""Crops of heads that lean: turned upright on the way in, back on the way out."""

import cv2
import numpy as np
import pytest

from models.face.crop import cut, enlarge, into, out_of


@pytest.mark.parametrize("roll", [0.0, 0.3, -0.9])
def test_a_smooth_picture_survives_the_way_there_and_back(roll: float) -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (300, 400, 3)).astype(np.float32)
    picture = np.asarray(cv2.GaussianBlur(noise, (0, 0), 4), np.float32)
    square = np.array([200.3, 150.7, 120.5, roll], np.float32)
    back = enlarge(cut(picture, square, 96), square, (100, 50, 200, 200))
    y, x = np.mgrid[50:250, 100:300].astype(np.float32) + 0.5
    inside = (np.abs(into(np.stack([x, y], -1), np.broadcast_to(square, (200, 4))) - 0.5) < 0.45).all(-1)
    error = np.abs(np.asarray(back, np.float32) - picture[50:250, 100:300])[inside].max()
    assert error < 0.05 * (picture.max() - picture.min())


def test_points_and_pictures_turn_together() -> None:
    picture = np.zeros((300, 400), np.float32)
    cv2.circle(picture, (230, 130), 4, 1.0, -1)
    square = np.array([200, 150, 120, 0.5], np.float32)
    crop = np.asarray(cut(picture, square, 96), np.float64)
    y, x = np.mgrid[0:96, 0:96] + 0.5
    seen = np.array([(crop * x).sum(), (crop * y).sum()]) / crop.sum()
    assert np.allclose(into(np.array([[230.5, 130.5]], np.float32), square)[0] * 96, seen, atol=0.3)
    assert np.allclose(out_of(into(np.array([[10.0, 20.0]], np.float32), square), square), [[10, 20]], atol=1e-3)
