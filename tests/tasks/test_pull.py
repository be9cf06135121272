"""Shots for a finishing suite: what tasks/pull.py promises."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from storage.catalog import Shot
from storage.errors import DublineError
from storage.film.planes import Planes
from storage.film.probe import Film, probe
from storage.film.read import frames
from storage.film.timecode import frame_of
from tasks.conform import lay_takes
from tasks.pull import PullAs, Pulled, black, deep, pictures, pull
from tests.shoot import FILM_24, NTSC_30, PAL, draw_film, number_on
from tests.tasks.test_conform import SIZE, draw_take

X, Y = 64, 40  # where draw_take lays its patch
INSIDE = (slice(Y + 6, Y + SIZE[1] - 6), slice(X + 6, X + SIZE[0] - 6))  # where its matte is 255


def pulled(film: Film, folder: Path, shot: Shot, handles: int = 8, pull_as: PullAs = "prores4444") -> Pulled:
    take = draw_take(film, folder, range(shot.start + 2, shot.end - 2), X, Y)
    take.version = 3
    return pull(film, shot, [take], folder.joinpath, "ep 03/fr", folder / "pulls", handles, pull_as)


@pytest.mark.parametrize(
    ("rate", "label", "first"),
    [
        pytest.param(FILM_24, "01:00:00:00", "01:00:00:12", id="23.976"),
        pytest.param(NTSC_30, "00:59:59;20", "01:00:00;02", id="29.97-drop"),
        pytest.param(PAL, "", "00:00:00:12", id="25-without-timecode"),
    ],
)
def test_a_shot_is_pulled_with_handles_and_the_films_timecode(
    tmp_path: Path, rate: Fraction, label: str, first: str
) -> None:
    tags = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
    film = probe(draw_film(tmp_path / "film.mov", 60, rate, "prores_ks", timecode=label, tags=tags))
    got = pulled(film, tmp_path, Shot("sh0120", 20, 40))
    assert (got.start, got.end, got.note) == (12, 48, "")
    assert [path.name for path in (got.picture, got.patch)] == [
        "ep_03_fr_sh0120_v003.mov",
        "ep_03_fr_sh0120_v003_patch.mov",
    ]
    for path, pix_fmt in ((got.picture, "yuv444p"), (got.patch, "yuva444p")):
        made = probe(path)
        assert (made.frames, made.rate, made.codec, made.tag) == (36, rate, "prores", "ap4h")
        assert made.pix_fmt.startswith(pix_fmt)
        assert made.start_timecode == first
        assert (made.colour.matrix, made.colour.transfer) == ("bt709", "bt709")
    assert [number_on(f.planes[0]) for f in frames(probe(got.picture))] == list(range(12, 48))
    assert sorted(path.name for path in (tmp_path / "pulls").iterdir()) == sorted([got.picture.name, got.patch.name])


def test_the_patch_laid_over_the_film_is_the_picture_and_that_is_the_delivery(tmp_path: Path) -> None:
    """Premultiplied over: film · (1 − alpha) + patch, in codes above black, is the delivered frame."""
    film = probe(draw_film(tmp_path / "film.mkv", 40, pix_fmt="yuv444p10le"))
    take = draw_take(film, tmp_path, range(12, 20), X, Y)
    delivered = lay_takes(film, [take], tmp_path.joinpath, tmp_path / "picture.nut", "ffv1").path
    for frame, after, (whole, alone, alpha) in zip(
        frames(film, 8, 24),
        frames(probe(delivered), 8, 24),
        pictures(film, [take], tmp_path.joinpath, 8, 24),
        strict=True,
    ):
        assert all(np.array_equal(one, other) for one, other in zip(whole, after.planes, strict=True))
        for plate, patch, dark, wanted in zip(frame.planes, alone, black(film), whole, strict=True):
            assert np.abs((plate.astype(float) - dark) * (1 - alpha) + patch - wanted).max() <= 1
        assert (alpha.max() == 1) == (12 <= frame.index < 20)
        assert alpha[:Y].max() == alpha[:, :X].max() == 0


def test_two_faces_of_a_shot_lie_in_one_patch(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 12, pix_fmt="yuv422p10le"))
    takes = [draw_take(film, tmp_path, range(2, 8)), draw_take(film, tmp_path, range(5, 11), x=16, y=8, level=90)]
    drawn = pictures(film, takes, tmp_path.joinpath, 0, 12)
    assert [float(alpha[20, 32]) + 2 * float(alpha[52, 80]) for _, _, alpha in drawn] == [
        0, 0, 2, 2, 2, 3, 3, 3, 1, 1, 1, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p12le", "gbrp10le", "gray", "yuva444p10le", "yuvj420p"]
)
@pytest.mark.parametrize("pull_as", ["prores4444", "exr"])
def test_films_of_every_kind_are_pulled(tmp_path: Path, pix_fmt: str, pull_as: PullAs) -> None:
    codec = {"yuvj420p": "mjpeg"}.get(pix_fmt, "ffv1")
    film = probe(
        draw_film(
            tmp_path / "film.mkv", 8, PAL, codec, pix_fmt=pix_fmt, size=(162, 97) if "j" not in pix_fmt else (160, 96)
        )
    )
    got = pulled(film, tmp_path, Shot("sh0010", 0, 8), pull_as=pull_as)
    if pull_as == "exr":
        assert len(list(got.picture.iterdir())) == len(list(got.patch.iterdir())) == 8
    else:
        assert probe(got.picture).frames == probe(got.patch).frames == 8


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "yuvj420p"])
def test_the_code_values_of_the_film_stay_on_the_way_to_ten_bit(pix_fmt: str, tmp_path: Path) -> None:
    codec = {"yuvj420p": "mjpeg"}.get(pix_fmt, "ffv1")
    film = probe(draw_film(tmp_path / "film.mkv", 2, PAL, codec, pix_fmt=pix_fmt))
    frame = next(frames(film))
    luma = deep(frame.planes, film)[0].astype(int)
    assert np.abs(luma - (frame.planes[0].astype(int) << (10 - film.bits))).max() <= 1
    flat = tuple(np.full_like(plane, plane.flat[0]) for plane in frame.planes)
    assert all(len(np.unique(plane)) == 1 for plane in deep(flat, film))


def read_exr(path: Path) -> NDArray[np.float32]:
    """(channels, h, w): green, blue, red, and alpha where there is one."""
    with av.open(str(path)) as container:
        picture: Any = next(container.decode(video=0))
    kind = np.dtype(np.float16 if "f16" in picture.format.name else np.float32)
    rows = [
        np.frombuffer(plane, kind).reshape(-1, plane.line_size // kind.itemsize)[: picture.height, : picture.width]
        for plane in picture.planes
    ]
    return np.stack(rows).astype(np.float32)


def test_exr_pictures_bear_the_numbers_of_their_timecode_and_the_films_rgb(tmp_path: Path) -> None:
    def white(_: int) -> Planes:
        return tuple(np.full((96, 160), 1023, np.uint16) for _ in range(3))

    film = probe(draw_film(tmp_path / "film.mkv", 20, PAL, pix_fmt="gbrp10le", timecode="01:00:00:00", draw=white))
    got = pulled(film, tmp_path, Shot("sh0010", 4, 14), handles=2, pull_as="exr")
    zero = frame_of("01:00:00:00", PAL)
    assert sorted(path.name for path in got.picture.iterdir()) == [
        f"ep_03_fr_sh0010_v003.{zero + n:07}.exr" for n in range(2, 16)
    ]
    first, drawn = (read_exr(got.picture / f"{got.picture.name}.{zero + n:07}.exr") for n in (2, 8))
    assert np.abs(first - 1).max() < 1e-3
    patch = read_exr(got.patch / f"{got.patch.name}.{zero + 8:07}.exr")
    assert patch.shape[0] == 4 and patch[:, :Y].max() == 0
    assert np.abs(patch[:3] + first * (1 - patch[3]) - drawn).max() < 4e-3
    assert np.abs(patch[3][INSIDE] - 1).max() == 0


def test_handles_end_with_the_film_and_a_second_pull_takes_the_place_of_the_first(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 20, PAL))
    for pull_as in ("exr", "prores4444"):
        for handles in (8, 3):
            got = pulled(film, tmp_path, Shot("sh0010", 2, 18), handles, pull_as)
            assert (got.start, got.end) == (0, 20)
            assert "2 handles before and 2 after" in got.note
    assert sorted(path.suffix for path in (tmp_path / "pulls").iterdir()) == ["", "", ".mov", ".mov"]


@pytest.mark.parametrize("pull_as", ["prores4444", "exr"])
def test_a_pull_that_fails_leaves_nothing(tmp_path: Path, pull_as: PullAs) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 20, PAL))
    take = draw_take(film, tmp_path, range(4, 10))
    take.placements = [[n, X, Y] for n in range(4, 16)]
    with pytest.raises(DublineError, match="lacks frame 10"):
        pull(film, Shot("sh0010", 2, 18), [take], tmp_path.joinpath, "ep", tmp_path / "pulls", 0, pull_as)
    assert list((tmp_path / "pulls").iterdir()) == []
