"""Crops around the mouth: no landmarks, no eyes, and the same promises."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.face.crop import covering, cut, frame_squares, mouth_into, out_of
from models.face.detect import Floats
from models.face.matte import DOWN, SIDEWAYS, UP, matte
from models.face.paste import colour_at_edge, lay, over
from models.lipsync import CropSpec

SPEC = CropSpec(96, "mouth", 6.0, 0.0)
LOW = CropSpec(96, "mouth", 8.0, 0.5)
NO_MESH = np.zeros((0, 2), np.float32)


def still(count: int, x: float = 200, y: float = 120, half: float = 20, roll: float = 0) -> Floats:
    return np.tile(np.array([x, y, half, roll], np.float32), (count, 1))


def numbers(*frames: int) -> NDArray[np.int32]:
    return np.array(frames, np.int32)


def test_the_square_lies_around_the_mouth_in_half_widths_of_it() -> None:
    (square,) = frame_squares(numbers(3), still(1), SPEC)
    assert np.allclose(square, [200, 120, 120, 0])
    (low,) = frame_squares(numbers(3), still(1), LOW)
    assert np.allclose(low, [200, 130, 160, 0])
    (leaning,) = frame_squares(numbers(3), still(1, roll=np.pi / 2), LOW)
    assert np.allclose(leaning, [190, 120, 160, np.pi / 2], atol=1e-4), "lying on its right, down is to the left"


def test_a_head_that_hardly_leans_is_cut_straight_and_the_mouth_keeps_its_roll() -> None:
    places = still(9, roll=0.05)
    squares = frame_squares(np.arange(9, dtype=np.int32), places, SPEC)
    assert (squares[:, 3] == 0).all()
    assert np.allclose(mouth_into(places, squares), [0.5, 0.5, 1 / 6, 0.05])


def test_what_trembles_is_calmed_and_a_gap_is_not_crossed() -> None:
    frames = np.concatenate([np.arange(40), np.arange(60, 90)]).astype(np.int32)
    places = still(70)
    places[40:, 0] += 300
    places += np.random.default_rng(7).normal(0, 1, places.shape).astype(np.float32) * [2, 2, 1.5, 0.01]
    squares = frame_squares(frames, places.astype(np.float32), SPEC)
    assert np.abs(squares[:40, 0] - 200).max() < 5 and np.abs(squares[40:, 0] - 500).max() < 5
    assert np.diff(squares[:40, 2]).std() < 0.1 * np.diff(6 * places[:40, 2]).std()


@pytest.mark.parametrize("roll", [0.0, 0.4, -0.8])
def test_the_mouth_in_the_crop_is_the_mouth_in_the_picture(roll: float) -> None:
    picture = np.zeros((300, 400), np.float32)
    cv2.circle(picture, (210, 125), 3, 1.0, -1)
    square = frame_squares(numbers(0), still(1, roll=roll), SPEC)[0]
    mouth = mouth_into(np.array([210.5, 125.5, 20, roll], np.float32), square)
    crop = np.asarray(cut(picture, square, 96), np.float64)
    y, x = np.mgrid[0:96, 0:96] + 0.5
    seen = np.array([(crop * x).sum(), (crop * y).sum()]) / crop.sum() / 96
    assert np.allclose(mouth[:2], seen, atol=0.01) and np.allclose(mouth[2:], [1 / 6, 0], atol=1e-5)
    assert np.allclose(out_of(mouth[None, :2], square), [[210.5, 125.5]], atol=1e-3)


def test_the_matte_is_a_box_around_the_mouth_that_a_dropping_chin_stays_in() -> None:
    (cover,) = matte(np.array([[0.5, 0.5, 1 / 6, 0.0]], np.float32), SPEC)
    half = 96 / 6
    for across, down in ((0.0, 0.0), (0.9, 0.0), (-0.9, 0.3), (0.0, 2.4), (-2, 2), (0.0, -0.9)):
        assert cover[int(48 + down * half), int(48 + across * half)] > 0.95, "the lips and the chin are covered"
    rows, columns = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
    assert np.allclose([48 - rows[0], rows[-1] + 1 - 48], [UP * half, DOWN * half], atol=1.5)
    assert np.allclose([48 - columns[0], columns[-1] + 1 - 48], SIDEWAYS * half, atol=1.5)
    assert np.abs(np.diff(cover, axis=0)).max() < 0.25, "soft at its rim"


def test_the_matte_turns_with_the_mouth() -> None:
    upright, turned = matte(np.array([[0.5, 0.5, 0.1, 0.0], [0.5, 0.5, 0.1, np.pi / 2]], np.float32), SPEC)
    assert np.allclose(turned, np.rot90(upright, -1), atol=1e-4), "its chin is on the left when it lies on its right"


@pytest.mark.parametrize("mouth", [(0.1, 0.95, 1 / 6, 0.3), (0.5, 0.5, 0.4, 0), (3.0, -2.0, 1 / 6, 0)])
def test_the_matte_ends_within_the_crop_wherever_the_mouth_is(mouth: tuple[float, ...]) -> None:
    (cover,) = matte(np.array([mouth], np.float32), SPEC)
    border = np.ones((96, 96), bool)
    border[1:-1, 1:-1] = False
    assert np.isfinite(cover).all() and (cover[border] == 0).all()
    assert max(np.abs(np.diff(cover, axis=0)).max(), np.abs(np.diff(cover, axis=1)).max()) < 0.25


def test_a_colour_of_its_own_leaves_no_seam_on_a_drawn_face_and_no_bit_moves_beyond_the_matte() -> None:
    plate = np.full((240, 400, 3), (0.75, 0.6, 0.3), np.float32)
    plate[:, 250:] = (0.2, 0.3, 0.5)  # the wall behind the cheek
    cv2.line(plate, (250, 0), (250, 239), (0.05, 0.05, 0.05), 3)
    square = frame_squares(numbers(0), still(1), SPEC)[0]
    crop = cut(plate, square, 96)
    result = crop + np.array([0.018, -0.012, 0.02], np.float32)
    result[44:56, 40:57] = 0.1  # the new mouth
    (cover,) = matte(mouth_into(still(1), square[None]), SPEC)
    mended = colour_at_edge(crop, result, cover, NO_MESH, SPEC)
    rim = (cover > 0.05) & (cover < 0.6)
    left = np.abs(result + mended - crop)[rim].mean() / np.abs(result - crop)[rim].mean()
    assert left < 0.35
    x, y, width, height = box = covering(square, 400, 240)
    below = plate[y : y + height, x : x + width]
    rgb, shown = lay(below, crop, result, cover, NO_MESH, square, box, SPEC)
    laid = over(below, rgb, shown)
    assert (laid[shown == 0] == below[shown == 0]).all() and np.abs(laid - below).max() > 0.3
