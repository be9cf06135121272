"""A 10 bit gradient, dubbed and delivered lossless: not a band that the film does not have."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.lipsync import CropSpec, Sight, SpeechSpec, Window
from storage.catalog import Take
from storage.film.pictures import read_mattes
from storage.film.planes import Planes, pixel_format
from storage.film.probe import Film, probe
from storage.film.read import frames
from storage.film.siting import siting
from tasks.conform import chroma_matte, lay_takes
from tasks.geometry import Geometry
from tasks.render import Question, draw_take
from tests.shoot import draw_film, draw_sound

FRAMES: Final = 6
SIZE: Final = (320, 240)
MOUTH: Final = (161.0, 117.0, 22.0)  # middle and half width
SLOW: Final = 3  # pixels to one code value of the ramp


class Lighter:
    """Draws what it sees, lighter and warmer by so much in the middle, with a soft rim."""

    crop = CropSpec(64, "mouth", 6.0, 0.0)
    hearing = SpeechSpec(16000, Fraction(1, 10))
    window = Window(frames=4, overlap=1)
    prompts: tuple[str, ...] = ()

    def __init__(self, change: float) -> None:
        self.change = change

    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        middles = (torch.arange(64) + 0.5) / 64 - 0.5
        spot = torch.exp(-(middles**2 + middles[:, None] ** 2) / 0.02)
        return sight.crops + self.change * spot * torch.tensor([1.2, 1.0, 0.7])[:, None, None]


def gradient(pix_fmt: str) -> Planes:
    """Ramps of one code value to SLOW pixels, luma to the right, colour down and up; nothing else."""
    layout = pixel_format(pix_fmt)
    base, planes = 400 << (layout.bits - 10), []
    for number, (kind, shape) in enumerate(zip(layout.kinds, layout.shapes(*SIZE[::-1]), strict=True)):
        y, x = np.mgrid[: shape[0], : shape[1]]
        down, across = layout.steps(number)
        ramp = {"y": x * across, "g": x + 7 * number}.get(kind, y * down * (1 if number == 1 else -1) + SIZE[1])
        planes.append((base + ramp // SLOW).astype(layout.dtype))
    return tuple(planes)


def dubbed(folder: Path, pix_fmt: str, change: float) -> tuple[Film, Planes, Planes, list[NDArray[np.uint8]]]:
    """(the film, a frame of it, the same frame delivered, the matte of each of its planes)."""
    film = probe(draw_film(folder / "film.mkv", FRAMES, size=SIZE, pix_fmt=pix_fmt, draw=lambda _: gradient(pix_fmt)))
    speech = draw_sound(folder / "dub.wav", FRAMES / film.rate, hz=16000)
    rows, none = np.tile(np.array([*MOUTH, 0.0], np.float32), (FRAMES, 1)), np.zeros(FRAMES, np.float32)
    track = Geometry(
        np.arange(FRAMES, dtype=np.int32), np.tile(np.array([95, 51, 132, 132], np.float32), (FRAMES, 1)),
        np.zeros((FRAMES, 0, 2), np.float32), rows, none, none, none, none, none, none,
    )  # fmt: skip
    question = Question(
        "f",
        "g",
        (0, FRAMES),
        ((0, FRAMES),),
        "s",
        ((0, 10**6),),
        "lighter",
        "tiny",
        "c",
        "w",
        seed=7,
        steps=0,
        prompt="",
    )
    drawn = draw_take(question, film, track, speech, Lighter(change), folder)
    circled = Take(
        track_id=1, version=1, key="k", model="lighter", weights_sha="w", seed=7, patch=drawn.patch.name,
        matte=drawn.matte.name, placements=drawn.placements, microseconds_a_frame=1, machine="test", rendered_us=0,
    )  # fmt: skip
    out = probe(lay_takes(film, [circled], folder.joinpath, folder / "out.nut", "ffv1").path)
    _, x, y = drawn.placements[3]
    matte = list(read_mattes(drawn.matte))[3]
    whole = np.zeros(SIZE[::-1], np.uint8)
    whole[y : y + matte.shape[0], x : x + matte.shape[1]] = matte
    small = chroma_matte(whole, siting(film))
    mattes = [small if kind == "c" else whole for kind in pixel_format(pix_fmt).kinds]
    return film, list(frames(film))[3].planes, list(frames(out))[3].planes, mattes


FORMATS: Final = ["yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv422p12le", "gbrp10le", "gray10le"]


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_where_the_patch_is_the_plate_not_a_code_value_changes(tmp_path: Path, pix_fmt: str) -> None:
    _, before, after, mattes = dubbed(tmp_path, pix_fmt, 0.0)
    assert mattes[0].max() == 255
    for one, two in zip(before, after, strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_a_soft_change_leaves_no_bands(tmp_path: Path, pix_fmt: str) -> None:
    """Outside the matte nothing moves. Inside, the change is as smooth as a rounding to the film's depth allows, so
    there is no step that the ramp and the change do not have, and no code value between that is left out."""
    film, before, after, mattes = dubbed(tmp_path, pix_fmt, 0.012)
    moved = False
    for number, (one, two, matte) in enumerate(zip(before, after, mattes, strict=True)):
        change = two.astype(int) - one
        assert (change[matte == 0] == 0).all(), number
        moved |= bool(np.abs(change).max() >= 6 << (film.bits - 10))
        for axis in (0, 1):
            steps = np.abs(np.diff(two.astype(int), axis=axis))
            own = np.abs(np.diff(one.astype(int), axis=axis))
            assert steps.max() <= own.max() + (1 << (film.bits - 10)), "an edge that neither film nor model drew"
        inside = two[matte == 255]
        if inside.size:
            assert np.array_equal(np.unique(inside), np.arange(inside.min(), inside.max() + 1)), "a comb of codes"
            common = np.bincount(inside.ravel() - inside.min())
            was = np.bincount(one[matte == 255].ravel() - one[matte == 255].min())
            assert common.max() <= 3 * was.max(), "a flat run that the ramp does not have"
    assert moved
