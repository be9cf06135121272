"""Takes of a drawn face without landmarks: any length, any silence, any place of the mouth."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.lipsync import CropSpec, Sight, SpeechSpec, Window
from storage.film.pictures import read_mattes, read_pictures
from storage.film.planes import Planes, pixel_format
from storage.film.probe import Film, probe
from storage.film.read import frames
from tasks.geometry import Geometry
from tasks.render import Drawn, Question, draw_take
from tests.shoot import FILM_24, draw_film, draw_sound, painted

FRAMES = 20
SIZE = (160, 120)
MOUTH = (84.0, 70.0, 9.0)


class Painter:
    """Paints lips of the colour of the loudness it hears, where it is told that the mouth is."""

    crop = CropSpec(48, "mouth", 6.0, 0.0)
    hearing = SpeechSpec(16000, Fraction(1, 10))
    window = Window(frames=8, overlap=3)
    prompts: tuple[str, ...] = ("", "calm")

    def __init__(self) -> None:
        self.seen: list[tuple[Sight, Tensor, str]] = []

    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        self.seen.append((sight, speech, prompt))
        out = sight.crops.clone()
        middles = (torch.arange(48) + 0.5) / 48
        for n, (x, y, half, _) in enumerate(sight.mouths.tolist()):
            inside = ((middles - x) / half) ** 2 + ((middles[:, None] - y) / half * 2) ** 2 < 1
            out[n, :, inside] = 0.9 if speech.abs().max() > 0.01 else 0.1
        return out


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """A yellow ball with eyes and a line for a mouth, before a blue wall."""
    folder = tmp_path_factory.mktemp("film")
    blank = probe(draw_film(folder / "blank.mkv", 1, size=SIZE))

    def ball(n: int) -> Planes:
        picture = np.full((SIZE[1], SIZE[0], 3), (0.3, 0.4, 0.6), np.float32)
        cv2.circle(picture, (84, 56), 40, (0.9, 0.8, 0.3), -1)
        for x in (70, 98):
            cv2.circle(picture, (x, 44), 4, (0.05, 0.05, 0.05), -1)
        cv2.line(picture, (75, 70), (93, 70), (0.2, 0.05, 0.05), 2)
        return painted(picture + np.float32(0.004 * (n % 3)), blank)

    return probe(draw_film(folder / "film.mkv", FRAMES, size=SIZE, draw=ball))


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_sound(tmp_path_factory.mktemp("sound") / "dub.wav", FRAMES / FILM_24, hz=16000)


def seen_at(x: float, y: float, half: float, roll: float = 0.0) -> Geometry:
    """A track without a mesh."""
    rows = np.tile(np.array([x, y, half, roll], np.float32), (FRAMES, 1))
    none = np.zeros(FRAMES, np.float32)
    box = np.tile(np.array([44, 16, 80, 80], np.float32), (FRAMES, 1))
    points = np.zeros((FRAMES, 0, 2), np.float32)
    return Geometry(np.arange(FRAMES, dtype=np.int32), box, points, rows, none, none, none, none, none, none)


def asked(*ranges: tuple[int, int], **other: Any) -> Question:
    said: dict[str, Any] = {
        "shot": (0, FRAMES),
        "turns": ((0, 1_000_000),),
        "seed": 7,
        "steps": 0,
        "prompt": "",
    } | other
    return Question(
        film="f", geometry="g", ranges=ranges, speech="s", model="drawn", variant="tiny", code="c", weights="w", **said
    )


def take(
    question: Question, film: Film, geometry: Geometry, speech: Path, model: Painter, folder: Path
) -> tuple[Drawn, list[NDArray[np.uint8]], list[Planes]]:
    drawn = draw_take(question, film, geometry, speech, model, folder)
    return drawn, list(read_mattes(drawn.matte)), list(read_pictures(drawn.patch))


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param((0, 20), id="several-windows"),
        pytest.param((4, 6), id="two-frames"),
        pytest.param((9, 10), id="one-frame"),
        pytest.param((0, 8), id="a-whole-window"),
        pytest.param((0, 9), id="one-frame-more-than-a-window"),
    ],
)
def test_a_range_of_any_length_is_drawn_whole(film: Film, speech: Path, tmp_path: Path, drawn: tuple[int, int]) -> None:
    model = Painter()
    made, mattes, patches = take(asked(drawn), film, seen_at(*MOUTH), speech, model, tmp_path)
    assert [row[0] for row in made.placements] == list(range(*drawn))
    assert len(mattes) == len(patches) == len(made.placements)
    assert all(len(sight.crops) <= model.window.frames for sight, _, _ in model.seen)
    assert all(sight.face is None and sight.points.shape[1:] == (0, 2) for sight, _, _ in model.seen)


def test_a_shot_of_two_frames_is_shown_whole_from_cut_to_cut(film: Film, speech: Path, tmp_path: Path) -> None:
    question = asked((5, 7), shot=(5, 7))
    _, mattes, _ = take(question, film, seen_at(*MOUTH), speech, Painter(), tmp_path)
    assert [int(matte.max()) for matte in mattes] == [255, 255]


def test_only_around_the_mouth_anything_is_laid(film: Film, speech: Path, tmp_path: Path) -> None:
    made, mattes, patches = take(asked((0, 20)), film, seen_at(*MOUTH), speech, Painter(), tmp_path)
    source = {frame.index: frame.planes[0] for frame in frames(film)}
    for (n, left, top), matte, patch in list(zip(made.placements, mattes, patches, strict=True))[4:16]:
        height, width = matte.shape
        y, x = np.mgrid[top : top + height, left : left + width] + 0.5
        right, down = (x - MOUTH[0]) / MOUTH[2], (y - MOUTH[1]) / MOUTH[2]
        away = np.hypot(right, down)
        assert (matte[np.maximum(abs(right), abs(down)) > 3] == 0).all() and (matte[away < 1] == 255).all()
        plate = source[n][top : top + height, left : left + width]
        assert np.abs(patch[0].astype(int) - plate)[(away > 2) & (matte > 0)].max() <= 2, "what was left is the plate's"
        assert np.abs(patch[0].astype(int) - plate)[away < 0.4].min() > 20


def test_without_a_word_in_the_dub_the_model_hears_silence(film: Film, speech: Path, tmp_path: Path) -> None:
    model = Painter()
    take(asked((0, 20), turns=()), film, seen_at(*MOUTH), speech, model, tmp_path)
    assert all(len(heard) and (heard == 0).all() for _, heard, _ in model.seen)
    spoken = Painter()
    take(asked((0, 20)), film, seen_at(*MOUTH), speech, spoken, tmp_path)
    assert all(heard.abs().max() > 0.05 for _, heard, _ in spoken.seen)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param((2.0, 3.0, 9.0), id="in-a-corner"),
        pytest.param((400.0, 70.0, 9.0), id="far-outside"),
        pytest.param((-30.0, 130.0, 9.0, 0.5), id="just-outside-and-leaning"),
        pytest.param((80.0, 60.0, 60.0), id="larger-than-the-picture"),
    ],
)
def test_wherever_the_mouth_is_the_patch_lies_in_the_picture(
    film: Film, speech: Path, tmp_path: Path, place: tuple[float, ...]
) -> None:
    made, mattes, patches = take(asked((3, 9)), film, seen_at(*place), speech, Painter(), tmp_path)
    for (_, left, top), matte, patch in zip(made.placements, mattes, patches, strict=True):
        assert patch[0].shape == matte.shape
        assert min(left, top) >= 0 and left + matte.shape[1] <= SIZE[0] and top + matte.shape[0] <= SIZE[1]
    reached = any(matte.any() for matte in mattes)
    assert reached == (place[0] < 200 and place[0] > -20)


def test_a_leaning_head_is_shown_upright(film: Film, speech: Path, tmp_path: Path) -> None:
    model = Painter()
    take(asked((0, 8)), film, seen_at(*MOUTH, 0.4), speech, model, tmp_path)
    ((sight, _, _),) = model.seen
    assert torch.allclose(sight.mouths, torch.tensor([0.5, 0.5, 1 / 6, 0.0]), atol=1e-4)


def test_the_prompt_reaches_the_model_and_is_part_of_the_question(film: Film, speech: Path, tmp_path: Path) -> None:
    model = Painter()
    question = asked((0, 4), prompt="calm")
    take(question, film, seen_at(*MOUTH), speech, model, tmp_path)
    assert [prompt for _, _, prompt in model.seen] == ["calm"]
    assert question.key != replace(question, prompt="").key


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le"])
def test_a_new_mouth_has_the_films_grain_and_a_clean_film_gets_none(
    film: Film, speech: Path, tmp_path: Path, pix_fmt: str
) -> None:
    depth = pixel_format(pix_fmt).bits - 8
    clean = {frame.index: frame.planes[0].astype(int) << depth for frame in frames(film)}

    def grainy(n: int) -> Planes:
        chance = np.random.default_rng(n)
        shapes = pixel_format(pix_fmt).shapes(*SIZE[::-1])
        light = clean[n] + chance.normal(0, 4 * 2**depth, shapes[0])
        colour = np.full(shapes[1], 128 << depth)
        dtype = pixel_format(pix_fmt).dtype
        return tuple(np.rint(plane).astype(dtype) for plane in (light, colour, colour))

    noisy = probe(draw_film(tmp_path / "noisy.mkv", FRAMES, size=SIZE, pix_fmt=pix_fmt, draw=grainy))
    made, _, patches = take(asked((0, 20)), noisy, seen_at(*MOUTH), speech, Painter(), tmp_path)
    again = take(asked((0, 20)), noisy, seen_at(*MOUTH), speech, Painter(), tmp_path)[2]
    assert all(
        np.array_equal(a, b) for one, two in zip(patches, again, strict=True) for a, b in zip(one, two, strict=True)
    )
    new, old = [], []
    for (n, left, top), patch in zip(made.placements, patches, strict=True):
        height, width = patch[0].shape
        y, x = np.mgrid[top : top + height, left : left + width] + 0.5
        inside = np.hypot(x - MOUTH[0], 2 * (y - MOUTH[1])) < 0.6 * MOUTH[2]
        beside = np.hypot(x - MOUTH[0], y - MOUTH[1] - 20) < 4
        new.append(patch[0].astype(float)[inside])
        old.append(noisy_at(noisy, n)[top : top + height, left : left + width][beside])
        assert np.ptp(patch[1]) == 0, "colour has no grain in this film"
    assert 0.8 < np.var(np.diff(new, axis=0)) / np.var(np.diff(old, axis=0)) < 1.25

    calm = take(asked((0, 20)), film, seen_at(*MOUTH), speech, Painter(), tmp_path)[2]
    other = take(asked((0, 20), seed=-8), film, seen_at(*MOUTH), speech, Painter(), tmp_path)[2]
    assert all(
        np.array_equal(a, b) for one, two in zip(calm, other, strict=True) for a, b in zip(one, two, strict=True)
    )


def noisy_at(film: Film, n: int) -> NDArray[np.float64]:
    return next(frames(film, n, n + 1)).planes[0].astype(np.float64)
