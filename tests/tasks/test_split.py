"""Cuts: what tasks/split.py promises."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from storage.film.planes import Planes
from storage.film.probe import probe
from tasks.split import cut_at, find_shots, split
from tests.shoot import draw_film, draw_picture

SIZE = (160, 96)


def room(seed: int, n: int, light: int = 0, walk: int = 0) -> Planes:
    """A room of its own: furniture in blocks, one moving figure, lit by `light`, seen `walk` pixels further on."""
    rng = np.random.default_rng(seed)
    luma = rng.integers(30, 180, (14, 60)).repeat(8, 0).repeat(8, 1)
    luma = luma[3 * seed % 8 :, 5 * seed % 8 + walk :][:96, :160] + light  # no two rooms' walls stand on one line
    luma[40:60, 20 + n % 60 : 40 + n % 60] = 210
    chroma = [rng.integers(90, 166, (6, 40)).repeat(8, 0).repeat(8, 1)[:, walk // 2 : walk // 2 + 80] for _ in range(2)]
    return luma.clip(16, 235).astype(np.uint8), chroma[0].astype(np.uint8), chroma[1].astype(np.uint8)


def starts(folder: Path, frames: int, draw: Callable[[int], Planes]) -> list[int]:
    film = probe(draw_film(folder / "film.mkv", frames, draw=draw))
    return [shot.start for shot in find_shots(film)]


def test_cuts_are_found_to_the_frame(tmp_path: Path) -> None:
    assert starts(tmp_path, 90, lambda n: room(sum(n >= cut for cut in (20, 47, 60)), n)) == [0, 20, 47, 60]


def test_shots_are_contiguous_and_cover_the_film(tmp_path: Path) -> None:
    shots = split.fn(probe(draw_film(tmp_path / "film.mkv", 60, draw=lambda n: room(n // 25, n))))
    assert [(s.name, s.start, s.end) for s in shots] == [("sh0010", 0, 25), ("sh0020", 25, 50), ("sh0030", 50, 60)]


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda n: room(1, n), id="a-figure-walks"),
        pytest.param(lambda n: room(1, n, walk=5 * n), id="the-camera-pans"),
        pytest.param(lambda n: room(1, n, light=60 if n >= 20 else 0), id="a-lamp-goes-on"),
        pytest.param(lambda n: room(1, n, light=200 if n == 20 else 0), id="a-photographer-flashes"),
        pytest.param(lambda n: room(2 if n in (20, 21) else 1, n), id="two-frames-of-something-else"),
        pytest.param(lambda n: room(1, 0), id="a-still"),
    ],
)  # fmt: skip
def test_what_is_no_cut_is_none(tmp_path: Path, draw: Callable[[int], Planes]) -> None:
    assert starts(tmp_path, 45, draw) == [0]


@pytest.mark.parametrize("cut", [1, 2, 3, 6, 37, 38, 39])
def test_a_cut_near_an_end_is_found_or_left_out_and_never_doubled(tmp_path: Path, cut: int) -> None:
    assert starts(tmp_path, 40, lambda n: room(int(n >= cut), n)) in ([0], [0, cut])


@pytest.mark.parametrize("pix_fmt", ["yuv422p10le", "gray", "gbrp10le", "yuv444p12le"])
def test_every_pixel_format_can_be_looked_at(tmp_path: Path, pix_fmt: str) -> None:
    film = probe(
        draw_film(
            tmp_path / "film.mkv", 40, pix_fmt=pix_fmt, draw=lambda n: draw_picture(n, SIZE, pix_fmt, 6 * (n >= 20))
        )
    )
    assert 20 in [shot.start for shot in find_shots(film)]


def test_a_film_of_one_frame_is_one_shot(tmp_path: Path) -> None:
    assert starts(tmp_path, 1, lambda n: room(1, n)) == [0]


def test_shots_are_named_in_tens() -> None:
    assert [shot.name for shot in cut_at(range(10, 1010, 10), 1010)][-1] == "sh1010"
