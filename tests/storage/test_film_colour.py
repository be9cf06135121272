"""Code values to RGB and back: what storage/film/colour.py promises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.errors import Refused
from storage.film.colour import matrix_of, patched, to_rgb
from storage.film.planes import Planes, pixel_format
from storage.film.probe import Colour, Film, probe
from tests.shoot import draw_film, painted

FORMATS = [
    "yuv420p", "yuvj420p", "yuv422p", "yuv440p", "yuv411p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv422p12le",
    "yuv444p12le", "yuv420p16le", "yuva444p10le", "gray", "gray10le", "gray16le", "gbrp10le", "gbrp12le", "gbrap16le",
]  # fmt: skip


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return probe(draw_film(tmp_path_factory.mktemp("colour") / "film.mkv", frames=1))


def of(film: Film, pix_fmt: str, matrix: str | None = "bt709", span: str | None = None) -> Film:
    span = "pc" if pix_fmt.startswith("yuvj") else span
    return replace(film, pix_fmt=pix_fmt, bits=pixel_format(pix_fmt).bits, colour=Colour(matrix, None, None, span))


def any_codes(film: Film, size: tuple[int, int]) -> Planes:
    """Every code value that the depth has, also those that no colour has; `size` is (width, height)."""
    layout = pixel_format(film.pix_fmt)
    chance = np.random.default_rng(seed=3)
    return tuple(chance.integers(0, 2**layout.bits, shape, layout.dtype) for shape in layout.shapes(*size[::-1]))


@pytest.mark.parametrize("span", ["tv", "pc"])
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_where_nothing_changed_a_patch_is_the_plate_code_for_code(
    film: Film, pix_fmt: str, matrix: str, span: str
) -> None:
    film = of(film, pix_fmt, matrix, span)
    for width, height in ((48, 32), (47, 31), (5, 1)):
        plate = any_codes(film, (width, height))
        almost = np.full((height, width), 1 - 2e-7, np.float32)  # as a resampling of ones leaves it
        patch = patched(plate, film, np.full((height, width, 3), 1e-7, np.float32), almost)
        assert all(np.array_equal(before, after) for before, after in zip(plate, patch, strict=True))


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_a_small_change_moves_code_values_by_itself_and_takes_nothing_else_along(film: Film, pix_fmt: str) -> None:
    """A little lighter: luma of any kind rises by as much, also under white and above it; chroma stays."""
    film = of(film, pix_fmt)
    layout = pixel_format(pix_fmt)
    step = 1 << (layout.bits - 8)
    full = layout.kinds[0] == "g" or pix_fmt.startswith("yuvj")
    wanted = round(0.02 * (2**layout.bits - 1 if full else 219 * step))
    plate = any_codes(film, (48, 32))
    patch = patched(plate, film, np.full((32, 48, 3), 0.02, np.float32), np.ones((32, 48), np.float32))
    for kind, before, after in zip(layout.kinds, plate, patch, strict=True):
        moved = after.astype(int) - before
        if kind in "ca":
            assert np.abs(moved).max() <= (kind == "c")
        else:
            room = before < (2**layout.bits - 1 if full else 235 * step) - wanted - 1
            assert np.abs(moved[room] - wanted).max() <= 1
            assert (moved[before > 235 * step] >= 0).all() and (full or (moved[before > 235 * step] == 0).all())


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p12le", "gray10le", "gbrp12le"])
def test_what_is_drawn_stays_within_black_and_white_and_colours_within_theirs(film: Film, pix_fmt: str) -> None:
    film = of(film, pix_fmt, span="tv")
    layout = pixel_format(pix_fmt)
    shades = np.random.default_rng(seed=3).uniform(-0.5, 1.5, (32, 48, 3)).astype(np.float32)
    plate = tuple(np.full(s, 100 << (layout.bits - 8), layout.dtype) for s in layout.shapes(32, 48))
    for kind, plane in zip(layout.kinds, patched(plate, film, shades, np.zeros((32, 48), np.float32)), strict=True):
        assert plane.min() >= 16 << (layout.bits - 8)
        assert plane.max() <= (240 if kind == "c" else 235) << (layout.bits - 8)


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_colours_come_back_to_the_precision_of_the_format(film: Film, pix_fmt: str) -> None:
    film = of(film, pix_fmt)
    for colour in np.random.default_rng(seed=5).uniform(0, 1, (12, 3)):
        shade = np.full(3, colour.mean()) if pix_fmt.startswith("gray") else colour
        rgb = np.full((8, 8, 3), shade, np.float32)
        back = to_rgb(painted(rgb, film), film, 0, 0, 8, 8)
        assert np.abs(back - rgb).max() < 2.0 / 2 ** pixel_format(pix_fmt).bits


def test_depth_beyond_eight_bits_is_used(film: Film) -> None:
    """A ramp far finer than 8 bit, drawn anew, has every code value of a 12 bit film in it."""
    film = of(film, "yuv444p12le")
    ramp = np.broadcast_to(np.linspace(0.4, 0.45, 2400, dtype=np.float32)[:, None], (8, 2400, 3))
    luma = painted(np.ascontiguousarray(ramp), film)[0][0].astype(int)
    assert np.array_equal(np.unique(luma), np.arange(luma[0], luma[-1] + 1)) and luma[-1] - luma[0] > 170


def test_transparency_stays_the_plates(film: Film) -> None:
    film = of(film, "yuva444p10le")
    plate = any_codes(film, (16, 8))
    patch = patched(plate, film, np.full((8, 16, 3), 0.5, np.float32), np.zeros((8, 16), np.float32))
    assert np.array_equal(patch[3], plate[3]) and not np.array_equal(patch[0], plate[0])


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
    planes = painted(np.full((2, 2, 3), rgb, np.float32), of(film, "yuv444p", matrix))
    assert tuple(int(plane[0, 0]) for plane in planes) == codes


def test_full_range_reaches_the_ends(film: Film) -> None:
    luma = painted(np.array([[[0, 0, 0], [1, 1, 1]]], np.float32), of(film, "yuv444p10le", span="pc"))[0]
    assert luma.tolist() == [[0, 1023]]


def test_an_untagged_film_is_601_below_720_lines_and_709_above(film: Film) -> None:
    assert matrix_of(of(replace(film, height=576), "yuv420p", None)) == (0.299, 0.114)
    assert matrix_of(of(replace(film, height=720), "yuv420p", None)) == (0.2126, 0.0722)


def test_a_rectangle_must_lie_on_chroma_samples(film: Film) -> None:
    film = of(film, "yuv420p")
    planes = painted(np.zeros((32, 48, 3), np.float32), film)
    for rectangle in [(1, 0, 4, 4), (0, 1, 4, 4), (0, 0, 3, 4), (40, 0, 16, 4)]:
        with pytest.raises(ValueError, match="sample"):
            to_rgb(planes, film, *rectangle)


def test_an_odd_picture_is_whole_too(film: Film, tmp_path: Path) -> None:
    film = of(film, "yuv420p")
    rgb = np.full((31, 47, 3), 0.5, np.float32)
    planes = painted(rgb, film)
    assert [plane.shape for plane in planes] == [(31, 47), (16, 24), (16, 24)]
    assert to_rgb(planes, film, 0, 0, 47, 31).shape == (31, 47, 3)


@pytest.mark.parametrize("pix_fmt", ["nv12", "yuyv422", "rgb24", "yuv420p10be", "p010le", "nonsense"])
def test_formats_that_are_not_planes_are_refused_by_name(pix_fmt: str) -> None:
    with pytest.raises(Refused, match=pix_fmt):
        pixel_format(pix_fmt)


def test_a_matrix_that_is_not_linear_is_refused_by_name(film: Film) -> None:
    with pytest.raises(Refused, match="ictcp"):
        matrix_of(of(film, "yuv420p", "ictcp"))
