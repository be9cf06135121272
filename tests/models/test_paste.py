"""Laying back: a face drawn by hand, results that differ from it in known ways."""

from typing import Final

import cv2
import numpy as np
import pytest

from models.face.closeup import OVAL
from models.face.crop import covering, cut, enlarge
from models.face.detect import Floats
from models.face.form import OUTER
from models.face.matte import JAW, UPPER, drawable, matte
from models.face.paste import MOST, colour_at_edge, lay, over
from models.lipsync import CropSpec
from models.metrics import flicker, seam

STARTER: Final = CropSpec(128, "eyes", 1.9, 0.62, top=60 / 128, bottom=120 / 128, sides=28 / 128)
PAPER: Final = CropSpec(128, "eyes", 2.1, 0.6, top=0.5)
SQUARE: Final = np.array([150.3, 140.8, 150.5, 0.0], np.float32)
LEANING: Final = np.array([150.3, 140.8, 150.5, 0.2], np.float32)


@pytest.fixture(scope="module")
def points() -> Floats:
    """A round face with its jaw, cheeks, nose and lips where the canonical face has them, in 0 … 1 of the crop."""
    face = np.full((468, 2), 0.5, np.float32)
    for n, name in enumerate(OVAL):
        angle = 2 * np.pi * n / len(OVAL)
        face[name] = 0.5 + np.array([0.36 * np.sin(angle), -0.42 * np.cos(angle)])
    assert set(JAW) <= set(OVAL)
    face[list(UPPER)] = [(0.3, 0.55), (0.42, 0.5), (0.5, 0.52), (0.58, 0.5), (0.7, 0.55)]
    turn = np.linspace(np.pi, -np.pi, 20, endpoint=False)
    face[list(OUTER)] = 0.5 + np.stack([0.13 * np.cos(turn), 0.2 + 0.05 * np.sin(turn)], axis=1)
    return face


@pytest.fixture(scope="module")
def plate(points: Floats) -> Floats:
    """Skin under a lamp from one side, with pores, and dark red lips."""
    light = np.linspace(0.45, 0.65, 300)[None, :, None] * np.array([1.0, 0.8, 0.7])
    pores = cv2.GaussianBlur(np.random.default_rng(7).normal(0, 0.03, (280, 300)), (0, 0), 1.0)
    picture = np.ascontiguousarray(np.broadcast_to(light, (280, 300, 3)) + pores[..., None], np.float32)
    lips = (points[list(OUTER)] - 0.5) * SQUARE[2] + SQUARE[:2]
    cv2.fillPoly(picture, [np.rint(lips).astype(np.int32)], (0.5, 0.2, 0.2))
    return picture


def laid(
    plate: Floats, change: Floats | float, points: Floats, spec: CropSpec, square: Floats = SQUARE
) -> tuple[Floats, Floats]:
    """The plate with a result on it that differs from the crop by `change` wherever the model may draw."""
    crop = cut(plate, square, spec.size)
    result = np.where(drawable(spec)[..., None], crop + change, crop).astype(np.float32)
    x, y, width, height = box = covering(square, 300, 280)
    below = plate[y : y + height, x : x + width]
    rgb, shown = lay(below, crop, result, matte(points[None], spec)[0], points, square, box, spec)
    picture, whole = plate.copy(), np.zeros(plate.shape[:2], np.float32)
    picture[y : y + height, x : x + width] = over(below, rgb, shown)
    whole[y : y + height, x : x + width] = shown
    return picture, whole


@pytest.mark.parametrize("square", [SQUARE, LEANING], ids=["upright", "leaning"])
@pytest.mark.parametrize("spec", [STARTER, PAPER], ids=["starter", "paper"])
def test_what_was_not_changed_is_the_plate(plate: Floats, points: Floats, spec: CropSpec, square: Floats) -> None:
    picture, shown = laid(plate, 0.0, points, spec, square)
    assert np.abs(picture - plate).max() < 1e-5
    assert shown.max() > 0.99


@pytest.mark.parametrize("square", [SQUARE, LEANING], ids=["upright", "leaning"])
@pytest.mark.parametrize("spec", [STARTER, PAPER], ids=["starter", "paper"])
def test_outside_the_matte_every_bit_is_the_plates(
    plate: Floats, points: Floats, spec: CropSpec, square: Floats
) -> None:
    picture, shown = laid(plate, 0.3, points, spec, square)
    assert (picture[shown == 0] == plate[shown == 0]).all() and (picture != plate).any()


@pytest.mark.parametrize("spec", [STARTER, PAPER], ids=["starter", "paper"])
@pytest.mark.parametrize("colour", [(0.02, 0.02, 0.02), (0.02, 0.0, -0.02)], ids=["lighter", "warmer"])
def test_a_colour_of_its_own_leaves_no_seam(
    plate: Floats, points: Floats, spec: CropSpec, colour: tuple[float, float, float]
) -> None:
    crop = cut(plate, SQUARE, spec.size)
    result = np.where(drawable(spec)[..., None], crop + np.array(colour), crop).astype(np.float32)
    mended = colour_at_edge(crop, result, matte(points[None], spec)[0], points, spec)
    edge = (np.abs(matte(points[None], spec)[0] - 0.5) < 0.4) & drawable(spec)
    assert np.abs(mended[edge] + np.array(colour)).mean() < 0.004
    picture, shown = laid(plate, np.array(colour, np.float32), points, spec)
    plain = plate + (shown[..., None] > 0) * shown[..., None] * np.array(colour, np.float32)
    left, was = (seam.against([plate], [one], [shown]) - 1 for one in (picture, plain))
    assert was > 0.1 and left < 0.35 * was


def test_a_jaw_that_moved_is_not_chased(plate: Floats, points: Floats) -> None:
    """A shadow under the chin and a wide open mouth are drawn; cheeks stay as they are."""
    spec = STARTER
    crop = cut(plate, SQUARE, spec.size)
    result = crop.copy()
    result[104:120, 44:84] -= 0.3
    result[80:100, 48:80] = 0.05
    mended = colour_at_edge(crop, result, matte(points[None], spec)[0], points, spec)
    assert np.abs(mended).max() < 1.5 / 255


def test_a_correction_has_its_limit(plate: Floats, points: Floats) -> None:
    crop = cut(plate, SQUARE, 128)
    result = np.where(drawable(STARTER)[..., None], crop + np.float32(0.05), crop)
    mended = colour_at_edge(crop, result, matte(points[None], STARTER)[0], points, STARTER)
    assert np.abs(mended).max() <= np.float32(MOST) and np.abs(mended).max() > 0.9 * MOST


def test_the_correction_does_not_flicker(plate: Floats, points: Floats) -> None:
    """Fresh noise in every result, a constant colour: the correction varies by a fraction of a code value."""
    crop, cover = cut(plate, SQUARE, 128), matte(points[None], STARTER)[0]
    chance = np.random.default_rng(7)
    mended = np.stack(
        [
            colour_at_edge(
                crop, crop + 0.015 + chance.normal(0, 0.01, crop.shape).astype(np.float32), cover, points, STARTER
            )
            for _ in range(8)
        ]
    )
    assert 255 * mended[:, cover > 0].std(axis=0).max() < 0.3


def test_pores_stay_on_cheeks_beside_a_new_mouth(plate: Floats, points: Floats) -> None:
    crop = cut(plate, SQUARE, 128)
    change = np.zeros_like(crop)
    change[84:98, 50:78] = 0.3
    picture, shown = laid(plate, change, points, STARTER)
    cheek = np.s_[150:165, 110:125]
    assert (shown[cheek] > 0.9).mean() > 0.5
    enlarged = enlarge(crop, SQUARE, (0, 0, 300, 280))
    lively = [float(np.var(np.diff(one[cheek], axis=1))) for one in (picture, plate, enlarged)]
    assert lively[0] == pytest.approx(lively[1], rel=0.05) and lively[2] < 0.8 * lively[1]


def test_still_skin_is_as_calm_as_the_film(plate: Floats, points: Floats) -> None:
    films = [plate, plate + np.float32(1 / 255)] * 3
    out, masks = [], []
    for n, one in enumerate(films):
        picture, shown = laid(one, 0.01 if n % 2 else 0.0, points, STARTER)
        out.append(np.rint(picture * 255).astype(np.uint8))
        masks.append((shown > 0) & (shown < 0.5))
    source = [np.rint(one * 255).astype(np.uint8) for one in films]
    assert flicker.against(source, out, np.stack(masks)) == pytest.approx(1, abs=0.15)


def test_a_line_that_moved_leaves_no_ghost_where_it_was(points: Floats) -> None:
    """A drawn outline, finer in the film than in the crop: its own detail must not stay beside the place it left."""
    flat, square = np.full((400, 400, 3), 0.6, np.float32), np.array([200, 200, 340, 0], np.float32)
    drawn = flat.copy()
    cv2.line(drawn, (150, 250), (250, 262), (0.05, 0.05, 0.05), 5, cv2.LINE_AA)
    crop = cut(drawn, square, PAPER.size)
    x, y, width, height = box = covering(square, 400, 400)
    below = drawn[y : y + height, x : x + width]
    everywhere = np.pad(np.ones((PAPER.size - 8, PAPER.size - 8), np.float32), 4)
    rgb, _ = lay(below, crop, np.full_like(crop, 0.6), everywhere, np.zeros((0, 2), np.float32), square, box, PAPER)
    assert np.abs(rgb - 0.6).max() < 0.005
