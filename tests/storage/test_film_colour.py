"""Code values to RGB and back: what storage/film/colour.py promises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.errors import Refused
from storage.film.colour import from_rgb, matrix_of, to_rgb
from storage.film.planes import pixel_format
from storage.film.probe import Colour, Film, probe
from tests.shoot import draw_film

FORMATS = ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p12le", "gray", "gbrp10le"]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return probe(draw_film(tmp_path_factory.mktemp("colour") / "film.mkv", frames=1))


def of(film: Film, pix_fmt: str, matrix: str | None = "bt709", span: str | None = None) -> Film:
    span = "pc" if pix_fmt.startswith("yuvj") else span
    return replace(film, pix_fmt=pix_fmt, bits=pixel_format(pix_fmt).bits, colour=Colour(matrix, None, None, span))


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
def test_colours_come_back_to_the_same_code_value(film: Film, pix_fmt: str, matrix: str) -> None:
    film = of(film, pix_fmt, matrix)
    smooth = np.random.default_rng(seed=3).uniform(0.3, 0.7, (4, 6, 3)).repeat(8, 0).repeat(8, 1).astype(np.float32)
    planes = from_rgb(smooth, film)
    again = from_rgb(to_rgb(planes, film, 0, 0, 48, 32), film)
    assert [p.dtype for p in planes] == [pixel_format(pix_fmt).dtype] * len(planes)
    for before, after in zip(planes, again, strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p12le"])
def test_rgb_survives_to_the_precision_of_the_format(film: Film, pix_fmt: str) -> None:
    film = of(film, pix_fmt)
    rgb = np.random.default_rng(seed=5).uniform(0, 1, (8, 8, 3)).repeat(2, 0).repeat(2, 1).astype(np.float32)
    back = to_rgb(from_rgb(rgb, film), film, 0, 0, 16, 16)
    assert np.abs(back - rgb).max() < 2.0 / 2 ** pixel_format(pix_fmt).bits


@pytest.mark.parametrize(
    ("rgb", "matrix", "codes"),
    [
        pytest.param((1, 1, 1), "bt709", (235, 128, 128), id="709/white"),
        pytest.param((0, 0, 0), "bt709", (16, 128, 128), id="709/black"),
        pytest.param((1, 0, 0), "bt709", (63, 102, 240), id="709/red"),
        pytest.param((0, 1, 0), "bt709", (173, 42, 26), id="709/green"),
        pytest.param((1, 0, 0), "smpte170m", (81, 90, 240), id="601/red"),
        pytest.param((0, 0, 1), "smpte170m", (41, 240, 110), id="601/blue"),
    ],
)
def test_known_colours_have_their_known_codes(
    film: Film, rgb: tuple[int, int, int], matrix: str, codes: tuple[int, int, int]
) -> None:
    planes = from_rgb(np.full((2, 2, 3), rgb, np.float32), of(film, "yuv444p", matrix))
    assert tuple(int(plane[0, 0]) for plane in planes) == codes


def test_full_range_reaches_the_ends(film: Film) -> None:
    luma = from_rgb(np.array([[[0, 0, 0], [1, 1, 1]]], np.float32), of(film, "yuv444p10le", span="pc"))[0]
    assert luma.tolist() == [[0, 1023]]


def test_an_untagged_film_is_601_below_720_lines_and_709_above(film: Film) -> None:
    assert matrix_of(of(replace(film, height=576), "yuv420p", None)) == (0.299, 0.114)
    assert matrix_of(of(replace(film, height=720), "yuv420p", None)) == (0.2126, 0.0722)


def test_a_rectangle_must_lie_on_chroma_samples(film: Film) -> None:
    film = of(film, "yuv420p")
    planes = from_rgb(np.zeros((32, 48, 3), np.float32), film)
    for rectangle in [(1, 0, 4, 4), (0, 1, 4, 4), (0, 0, 3, 4), (40, 0, 16, 4)]:
        with pytest.raises(ValueError, match="sample"):
            to_rgb(planes, film, *rectangle)


def test_an_odd_picture_is_whole_too(film: Film, tmp_path: Path) -> None:
    film = of(film, "yuv420p")
    rgb = np.full((31, 47, 3), 0.5, np.float32)
    planes = from_rgb(rgb, film)
    assert [plane.shape for plane in planes] == [(31, 47), (16, 24), (16, 24)]
    assert to_rgb(planes, film, 0, 0, 47, 31).shape == (31, 47, 3)


@pytest.mark.parametrize("pix_fmt", ["nv12", "yuyv422", "rgb24", "yuv420p10be", "p010le", "nonsense"])
def test_formats_that_are_not_planes_are_refused_by_name(pix_fmt: str) -> None:
    with pytest.raises(Refused, match=pix_fmt):
        pixel_format(pix_fmt)


def test_a_matrix_that_is_not_linear_is_refused_by_name(film: Film) -> None:
    with pytest.raises(Refused, match="ictcp"):
        matrix_of(of(film, "yuv420p", "ictcp"))
