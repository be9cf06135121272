"""Film that looks drawn: as large as it was, as calm as it was, and plainly another picture."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from models.corpus.cartoon import LOOKS, Look, cartoon
from models.corpus.prepare import pictures
from tests.media import shared


def speaker() -> list[NDArray[np.uint8]]:
    return pictures(shared("media/eval/grid_s31_bbai7s.mp4"))[20:28]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("part", [np.s_[:, :], np.s_[60:204, 110:254]])
def test_a_picture_keeps_its_size_and_its_place(look: Look, part: tuple[slice, slice]) -> None:
    frame = speaker()[0][part]
    drawn = cartoon(frame, look)
    assert drawn.shape == frame.shape and drawn.dtype == np.uint8
    grey, other = frame.mean(axis=2).ravel(), drawn.mean(axis=2).ravel()
    assert np.corrcoef(grey, other)[0, 1] > 0.7


@pytest.mark.parametrize("look", LOOKS)
def test_the_same_picture_is_drawn_the_same_every_time(look: Look) -> None:
    frame = speaker()[0]
    before = frame.copy()
    assert (cartoon(frame, look) == cartoon(frame, look)).all()
    assert (frame == before).all(), "the input is left alone"


@pytest.mark.parametrize("look", LOOKS)
def test_grain_that_moves_does_not_make_the_drawing_flicker(look: Look) -> None:
    """A still face under moving grain: what is drawn changes at most little more than the grain itself does."""
    still, chance = speaker()[0].astype(np.float32), np.random.default_rng(7)
    grainy = [np.clip(still + chance.normal(0, 2, still.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    drawn = [cartoon(frame, look) for frame in grainy]
    film, restless = (
        np.mean([np.abs(b.astype(np.float32) - a).mean() for a, b in pairwise(some)]) for some in (grainy, drawn)
    )
    assert restless < 1.5 * film


@pytest.mark.parametrize("look", LOOKS)
def test_skin_becomes_flatter_than_it_was_filmed(look: Look) -> None:
    chance = np.random.default_rng(7)
    skin = np.clip(170 + chance.normal(0, 6, (96, 96, 3)), 0, 255).astype(np.uint8)
    assert cartoon(skin, look)[8:-8, 8:-8].std(axis=(0, 1)).mean() < 0.7 * skin.std(axis=(0, 1)).mean()


def test_the_looks_are_different() -> None:
    frame = speaker()[0]
    drawn = [cartoon(frame, look).astype(np.float32) for look in LOOKS]
    for i, one in enumerate(drawn):
        for other in [frame.astype(np.float32), *drawn[:i]]:
            assert np.abs(one - other).mean() > 3
