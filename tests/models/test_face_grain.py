"""Grain planted in pictures that move: what models/face/grain.py finds of it, and what it draws."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from models.face.detect import Floats
from models.face.grain import COARSE, Grain, measure

HEIGHT, WIDTH = 200, 240


def scene(n: int) -> Floats:
    """Light from one side, a dark band, and a chequered ball that walks three pixels a frame."""
    picture = np.broadcast_to(np.linspace(0.25, 0.75, WIDTH, dtype=np.float32), (HEIGHT, WIDTH)).copy()
    picture[:40] *= 0.5
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ball = (x - 40 - 3 * n) ** 2 + (y - 120) ** 2 < 45**2
    picture[ball] = np.where(((x - 3 * n) // 6 + y // 6) % 2, 0.2, 0.8)[ball]
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.float32)


def planted(strength: Callable[[Floats], Floats | float], size: float, seed: int = 7) -> list[Floats]:
    """Seven frames of the scene with fresh grain of that size on each; `size` is the sigma of its blur."""
    chance, out = np.random.default_rng(seed), []
    for n in range(7):
        noise = cv2.GaussianBlur(chance.standard_normal((HEIGHT, WIDTH), np.float32), (0, 0), size)
        picture = scene(n)
        out.append(np.asarray(picture + noise / noise.std() * strength(picture), np.float32))
    return out


def found(pictures: list[Floats]) -> Grain | None:
    return measure(list(pairwise(pictures)))


def fine(plane: Floats) -> Floats:
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), COARSE), np.float32)


def neighbours(plane: Floats) -> float:
    """How alike neighbouring samples are, −1 … 1."""
    return float((plane[:, 1:] * plane[:, :-1]).mean() / np.square(plane).mean())


@pytest.mark.parametrize("size", [0.5, 0.9, 1.4])
@pytest.mark.parametrize("strength", [0.008, 0.02])
def test_planted_grain_is_found_and_drawn_as_strong_and_as_large(size: float, strength: float) -> None:
    grain = found(planted(lambda _: strength, size))
    assert grain is not None
    flat = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    made = fine(grain.drawn(flat, np.random.default_rng(2)))
    true = fine(np.asarray(planted(lambda _: strength, size)[0] - scene(0), np.float32))
    assert made.std() == pytest.approx(true.std(), rel=0.15)
    assert neighbours(made) == pytest.approx(neighbours(true), abs=0.12)


def test_grain_that_depends_on_brightness_is_drawn_so() -> None:
    grain = found(planted(lambda light: 0.004 + 0.03 * light, 0.8))
    assert grain is not None and (np.diff(grain.strengths) > 0).all()
    dark, light = (
        grain.drawn(np.full((HEIGHT, WIDTH), level, np.float32), np.random.default_rng(2)).std() for level in (0.3, 0.7)
    )
    assert light / dark == pytest.approx((0.004 + 0.021) / (0.004 + 0.009), rel=0.15)


@pytest.mark.parametrize(
    "pictures",
    [
        pytest.param([scene(n) for n in range(7)], id="a-clean-film-in-which-something-moves"),
        pytest.param([np.rint(scene(n) * 219) / 219 for n in range(7)], id="rounded-to-8-bit"),
        pytest.param([planted(lambda _: 0.02, 0.8)[0]] * 7, id="texture-that-stands-still"),
        pytest.param([np.roll(planted(lambda _: 0.02, 1.0)[0], 2 * n, 1) for n in range(7)], id="texture-that-moves"),
        pytest.param([np.zeros((HEIGHT, WIDTH), np.float32)] * 7, id="black"),
        pytest.param([scene(0)], id="one-frame"),
        pytest.param([scene(n)[:10, :10] for n in range(7)], id="too-small-to-tell"),
    ],
)
def test_a_film_without_grain_has_none(pictures: list[Floats]) -> None:
    assert found([np.asarray(picture, np.float32) for picture in pictures]) is None


def test_noise_that_a_codec_froze_in_most_blocks_is_none() -> None:
    pictures = planted(lambda _: 0.02, 0.8)
    for picture in pictures[1:]:
        picture[:, : WIDTH * 3 // 4] = pictures[0][:, : WIDTH * 3 // 4]
    grain = found(pictures)
    assert grain is None


def test_frames_that_are_shown_twice_hide_no_grain() -> None:
    shown = planted(lambda _: 0.02, 0.8)
    once, twice = found(shown), found([picture for picture in shown for _ in range(2)])
    assert once is not None and twice is not None and np.allclose(once.strengths, twice.strengths)


def test_the_same_chance_draws_the_same_and_another_frame_another() -> None:
    grain = found(planted(lambda _: 0.02, 0.8))
    assert grain is not None
    flat = np.full((50, 60), 0.5, np.float32)
    first, again, next_frame = (grain.drawn(flat, np.random.default_rng([7, n])) for n in (3, 3, 4))
    assert np.array_equal(first, again)
    assert abs(float((first * next_frame).mean())) < 0.1 * float(np.square(first).mean())
