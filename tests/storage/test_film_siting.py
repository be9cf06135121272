"""Where chroma samples lie: what storage/film/siting.py promises, against the places of ITU-T H.273."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.film.colour import patched, to_rgb
from storage.film.planes import pixel_format
from storage.film.probe import Colour, Film, probe
from storage.film.siting import PLACES, Values, gathered, sited, siting, spread
from tests.shoot import draw_film

WIDTH, HEIGHT = 64, 48
# (column, row) in pixels of the first chroma sample, 0 on the middle of the top left pixel.
FIRST: Final = {
    ("yuv420p", "left"): (0, 0.5), ("yuv420p", "center"): (0.5, 0.5), ("yuv420p", "topleft"): (0, 0),
    ("yuv420p", "bottom"): (0.5, 1), ("yuv422p10le", "left"): (0, 0), ("yuv422p10le", "center"): (0.5, 0),
    ("yuv440p", "left"): (0, 0.5), ("yuv411p", "left"): (0, 0), ("yuv411p", "center"): (1.5, 0),
    ("yuv444p", "left"): (0, 0),
}  # fmt: skip
CASES: Final = [pytest.param(*case, *first, id="-".join(case)) for case, first in FIRST.items()]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return probe(draw_film(tmp_path_factory.mktemp("siting") / "film.mkv", frames=1, size=(WIDTH, HEIGHT)))


def of(film: Film, pix_fmt: str, place: str | None) -> Film:
    colour = Colour("bt709", None, None, "tv", place)
    return replace(film, pix_fmt=pix_fmt, bits=pixel_format(pix_fmt).bits, colour=colour)


def places(shape: tuple[int, ...], pix_fmt: str, column: float, row: float) -> tuple[Values, Values]:
    """(columns, rows) of the samples of a plane, in pixels."""
    layout = pixel_format(pix_fmt)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return x * layout.across + column, y * layout.down + row


def centroid(change: NDArray[np.float64], x: Values, y: Values) -> tuple[float, float]:
    return float((change * x).sum() / change.sum()), float((change * y).sum() / change.sum())


@pytest.mark.parametrize(("pix_fmt", "place", "column", "row"), CASES)
def test_a_slope_of_colour_is_read_where_it_lies(
    film: Film, pix_fmt: str, place: str, column: float, row: float
) -> None:
    grid = siting(of(film, pix_fmt, place))
    x, y = places(pixel_format(pix_fmt).shapes(HEIGHT, WIDTH)[1], pix_fmt, column, row)
    seen = spread(10 + 2 * x + y, grid, 8, 8, 40, 32)
    down, right = np.mgrid[8:40, 8:48]
    assert np.abs(seen - (10 + 2 * right + down)).max() < 1e-3
    whole = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    back = gathered(whole[1], grid)
    assert np.abs(back - x)[1:-1, 1:-1].max() < 1e-4 and np.abs(gathered(whole[0], grid) - y)[1:-1, 1:-1].max() < 1e-4


@pytest.mark.parametrize(("pix_fmt", "place", "column", "row"), CASES)
@pytest.mark.parametrize("at", [(30.0, 22.0), (30.7, 21.3), (31.5, 22.5)], ids=str)
def test_a_coloured_change_lands_where_its_light_does(
    film: Film, pix_fmt: str, place: str, column: float, row: float, at: tuple[float, float]
) -> None:
    """A soft red spot; its middle in luma and in both chroma planes is the same to a tenth of a pixel."""
    film = of(film, pix_fmt, place)
    layout = pixel_format(pix_fmt)
    plate = tuple(np.full(s, 512 if layout.bits == 10 else 128, layout.dtype) for s in layout.shapes(HEIGHT, WIDTH))
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 4.0**2))
    red = (spot[..., None] * np.array([0.4, 0.1, -0.3])).astype(np.float32)
    patch = patched(plate, film, red, np.ones((HEIGHT, WIDTH), np.float32))
    for number, first in ((0, (0.0, 0.0)), (1, (column, row)), (2, (column, row))):
        change = np.abs(patch[number].astype(float) - plate[number])
        scale = pix_fmt if number else "yuv444p"
        found = centroid(change, *places(change.shape, scale, *first))
        assert np.abs(np.subtract(found, at)).max() < 0.1, (number, found)


@pytest.mark.parametrize("place", ["left", "center", "topleft"])
@pytest.mark.parametrize("edge", [29.0, 30.0, 30.5])
def test_a_red_and_blue_edge_keeps_its_place(film: Film, place: str, edge: float) -> None:
    """Drawn at an exact place, read, and drawn anew as it was read: the edge in chroma has not moved."""
    film = of(film, "yuv420p", place)
    layout = pixel_format("yuv420p")
    share = np.clip(np.arange(WIDTH, dtype=np.float32) - edge + 0.5, 0, 1)[None, :, None]  # of blue
    sharp = (1 - share) * np.array([0.8, 0.1, 0.1]) + share * np.array([0.1, 0.1, 0.8])
    drawn = np.broadcast_to(sharp, (HEIGHT, WIDTH, 3)).astype(np.float32)
    none, grey = np.zeros((HEIGHT, WIDTH), np.float32), np.full((HEIGHT, WIDTH), 128, np.uint8)
    blank = tuple(grey[: s[0], : s[1]] for s in layout.shapes(HEIGHT, WIDTH))
    plate = patched(blank, film, drawn, none)
    again = patched(plate, film, to_rgb(plate, film, 0, 0, WIDTH, HEIGHT), none)

    def where(planes: tuple[NDArray[np.uint8], ...]) -> float:
        row = planes[1][HEIGHT // 4].astype(float)
        slope = np.diff(row)
        between = 2 * np.arange(len(slope)) + 2 * PLACES[place][0] * 0.5 + 1
        return float((slope * between).sum() / slope.sum())

    assert where(plate) == pytest.approx(edge, abs=0.1) and where(again) == pytest.approx(where(plate), abs=0.1)
    untouched = patched(plate, film, np.zeros_like(drawn), none + 1)
    assert all(np.array_equal(a, b) for a, b in zip(plate, untouched, strict=True))


@pytest.mark.parametrize(("pix_fmt", "place", "column", "row"), CASES)
def test_only_pixels_about_a_sample_reach_it(film: Film, pix_fmt: str, place: str, column: float, row: float) -> None:
    grid, layout = siting(of(film, pix_fmt, place)), pixel_format(pix_fmt)
    one = np.zeros((HEIGHT, WIDTH), np.float32)
    one[20, 32] = 1
    small = gathered(one, grid)
    x, y = places(small.shape, pix_fmt, column, row)
    near = (np.abs(x - 32) < (layout.across + 1) / 2) & (np.abs(y - 20) < (layout.down + 1) / 2)
    assert (small[near] > 0).all() and (small[~near] == 0).all()
    assert small.sum() == pytest.approx(1 / (layout.across * layout.down))


@pytest.mark.parametrize("size", [(47, 31), (5, 3), (1, 1)], ids=str)
@pytest.mark.parametrize("place", sorted(PLACES))
def test_odd_pictures_are_covered_to_their_edges(place: str, size: tuple[int, int]) -> None:
    layout, (width, height) = pixel_format("yuv420p"), size
    grid = sited(layout, PLACES[place])
    flat = np.full((height, width), 7, np.uint8)
    small = gathered(flat, grid)
    assert small.shape == layout.shapes(height, width)[1] and (small == 7).all()
    assert (spread(small, grid, 0, 0, width, height) == 7).all()


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options", "place"),
    [
        pytest.param("a.mp4", "libx264", "yuv420p", {}, (0.0, 0.5), id="h264-untagged"),
        pytest.param("a.mp4", "libx264", "yuv420p", {"chroma_sample_location": "center"}, (0.5, 0.5), id="h264-center"),
        pytest.param("a.mkv", "ffv1", "yuv420p", {"chroma_sample_location": "topleft"}, (0.0, 0.0), id="ffv1-topleft"),
        pytest.param("a.mkv", "libx265", "yuv420p10le", {"chroma_sample_location": "topleft"}, (0.0, 0.0), id="hevc"),
        pytest.param("a.mov", "prores_ks", "yuv422p10le", {}, (0.0, 0.0), id="prores"),
        pytest.param("a.mov", "mjpeg", "yuvj420p", {}, (0.5, 0.5), id="mjpeg"),
        pytest.param("a.mov", "mjpeg", "yuvj422p", {}, (0.5, 0.0), id="mjpeg-422"),
    ],
)
def test_the_film_says_where_its_samples_lie(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, options: dict[str, str], place: tuple[float, float]
) -> None:
    tags = options | ({"color_range": "pc"} if pix_fmt.startswith("yuvj") else {})
    film = probe(draw_film(tmp_path / name, 2, codec=codec, pix_fmt=pix_fmt, tags=tags))
    grid = siting(film)
    assert (grid.right.first, grid.below.first) == place
