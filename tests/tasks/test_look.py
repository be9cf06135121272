"""Looking at real faces: one track a shot, in the film's own pixels."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from models.puppets.draw import Puppet
from models.puppets.pose import random_pose
from storage import artifacts
from storage.catalog import Shot
from storage.errors import Refused
from storage.film.colour import to_rgb
from storage.film.glance import glance, smaller
from storage.film.planes import planes_of
from storage.film.probe import Film, probe
from storage.film.read import frames
from tasks.geometry import Geometry
from tasks.look import look
from tests.media import shared
from tests.shoot import FILM_24, PAL, draw_film

EPISODE = "media/film/synthetic_episode_grid.mp4"


def shots(*edges: int) -> list[Shot]:
    rows = [Shot(name=f"sh{10 * n:04}", start=a, end=b) for n, (a, b) in enumerate(pairwise(edges), 1)]
    for n, row in enumerate(rows, start=1):
        row.id = n
    return rows


def test_each_shot_has_its_face_and_nothing_is_followed_over_a_cut(house: Path) -> None:
    film = probe(shared(EPISODE))
    seen = look.fn(film, shots(60, 75, 90))  # s2 photographed; s4 through a filter
    first, second = seen.tracks
    assert [(t.shot_id, t.name, t.start, t.end, t.present) for t in seen.tracks] == [
        (1, "f1", 60, 75, 15),
        (2, "f1", 75, 90, 15),
    ]
    assert (first.style, second.style) == ("photoreal", "stylised")
    assert 120 < first.height_px < 150 and first.yaw < 15 and 100 < first.sharpness < 400
    assert [kept.sha for kept in seen.kept] == [first.geometry, first.likeness, second.geometry, second.likeness]
    geometry = Geometry(**artifacts.arrays(first.geometry))
    assert geometry.points.shape == (15, 468, 2) and geometry.frames.tolist() == list(range(60, 75))
    assert (geometry.score > 0.9).all() and geometry.motion[0] == 0
    eyes = geometry.points[:, [33, 263]].mean(axis=1)
    assert ((eyes > geometry.box[:, :2]) & (eyes < geometry.box[:, :2] + geometry.box[:, 2:])).all()


def test_a_large_film_is_looked_at_small_and_measured_in_its_own_pixels(house: Path, tmp_path: Path) -> None:
    with av.open(str(shared(EPISODE))) as file:
        pictures = [frame for _, frame in zip(range(8), file.decode(video=0), strict=False)]
    large = draw_film(
        tmp_path / "large.mkv", 8, PAL, "libx264", (2160, 1728),
        draw=lambda n: planes_of(pictures[n].reformat(2160, 1728, "yuv420p")),
    )  # fmt: skip
    (big,) = look.fn(probe(large), shots(0, 8)).tracks
    (small,) = look.fn(probe(shared(EPISODE)), shots(0, 8)).tracks
    assert big.height_px == pytest.approx(6 * small.height_px, rel=0.02)


def puppets(path: Path, frames: int = 24) -> tuple[Film, NDArray[np.float32]]:
    """A film of a robot that speaks, and where its mouth is."""
    chance = np.random.default_rng(4)
    robot = Puppet.random(chance, "robot", "flat")
    poses = random_pose(chance, frames)
    poses[:, 8:] = 0  # no hand
    mouths = np.tile(np.array([0, 0.5, 0, 0], np.float32), (frames, 1))
    mouths[:, 0] = np.abs(np.sin(np.arange(frames) / 2))
    drawn = robot.render(poses, mouths, 288, 2)
    made = draw_film(
        path, frames, PAL, "ffv1", (288, 288), pix_fmt="yuv444p",
        draw=lambda n: planes_of(av.VideoFrame.from_ndarray(drawn[n], "rgb24").reformat(format="yuv444p")),
    )  # fmt: skip
    return probe(made), robot.mouth_at(poses) * np.array([288, 288, 288, 1], np.float32)


def test_a_drawn_character_is_one_track_by_its_mouth(house: Path, tmp_path: Path) -> None:
    film, truth = puppets(tmp_path / "robot.mkv")
    seen = look.fn(film, shots(0, 16, 24))
    assert [(t.shot_id, t.name, t.start, t.end, t.style) for t in seen.tracks] == [
        (1, "f1", 0, 16, "stylised"),
        (2, "f1", 16, 24, "stylised"),
    ]
    geometry = Geometry(**artifacts.arrays(seen.tracks[0].geometry))
    away = np.hypot(*(geometry.mouth[:, :2] - truth[:16, :2]).T) / truth[:16, 2]
    assert np.median(away) < 0.25 and geometry.mouth[:, 2] == pytest.approx(truth[:16, 2], rel=0.3)
    assert seen.tracks[0].height_px == pytest.approx(0.72 * 288, rel=0.4)
    assert geometry.opening.max() < 0.4 and geometry.opening.std() > 0.02


def test_a_photographed_face_has_the_mouth_of_its_mesh(house: Path) -> None:
    (track,) = look.fn(probe(shared(EPISODE)), shots(60, 75)).tracks
    g = Geometry(**artifacts.arrays(track.geometry))
    lips = g.points[:, [13, 14]].mean(axis=1)
    assert g.mouth.shape == (15, 4) and (np.linalg.norm(g.mouth[:, :2] - lips, axis=1) < g.mouth[:, 2]).all()
    assert np.abs(np.diff(g.mouth[:, :2], axis=0)).max() < 2.5


def test_a_mouth_that_was_pointed_at_is_a_track_of_its_own(house: Path, tmp_path: Path) -> None:
    film = probe(shared(EPISODE))
    (found,) = look.fn(film, shots(60, 75)).tracks
    mouth = Geometry(**artifacts.arrays(found.geometry)).mouth[0]
    (there,) = look.fn(film, shots(60, 75), mouths={"sh0010": (float(mouth[0]), float(mouth[1]), 12.0)}).tracks
    assert (there.name, there.style, there.present) == ("f1", "stylised", 15)
    assert Geometry(**artifacts.arrays(there.geometry)).points.shape == (15, 0, 2)
    beside = look.fn(film, shots(60, 75), mouths={"sh0010": (40.0, 250.0, 12.0)}).tracks
    assert [track.style for track in beside].count("photoreal") == 1 and len(beside) == 2


def test_pointing_into_a_shot_that_is_not_there_is_refused_before_anything_is_looked_at(
    house: Path, tmp_path: Path
) -> None:
    def told(done: int, whole: int) -> None:
        raise AssertionError("a frame was looked at")

    film = probe(draw_film(tmp_path / "film.mkv", 14, FILM_24))
    with pytest.raises(Refused, match=r"There is no shot sh0070 .* sh0010 to sh0020"):
        look.fn(film, shots(0, 6, 14), told, {"sh0010": (20.0, 20.0, None), "sh0070": (20.0, 20.0, None)})


def test_no_face_is_no_track(house: Path, tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 14, FILM_24))
    assert look.fn(film, shots(0, 6, 14)).tracks == []


def test_shots_that_leave_frames_out_or_have_no_row_are_a_bug(house: Path, tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 14, FILM_24))
    gap = shots(0, 6, 14)
    gap[1].start = 7
    with pytest.raises(ValueError, match="leave frames out"):
        look.fn(film, gap)
    with pytest.raises(ValueError, match="sh0010 must be stored"):
        look.fn(film, [Shot(name="sh0010", start=0, end=14)])


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p", "gbrp10le", "gray", "yuvj420p"])
def test_a_glance_is_nearly_the_exact_colour(tmp_path: Path, pix_fmt: str) -> None:
    codec = "mjpeg" if pix_fmt == "yuvj420p" else "ffv1"
    y, x = np.mgrid[:96, :160]
    smooth = av.VideoFrame.from_ndarray(
        np.stack([x + 40, 2 * y + 20, 200 - x], axis=-1).clip(0, 255).astype(np.uint8), "rgb24"
    )
    film = probe(draw_film(tmp_path / "film.mkv", 2, PAL, codec, pix_fmt=pix_fmt,
                           draw=lambda n: planes_of(smooth.reformat(format=pix_fmt))))  # fmt: skip
    frame = next(frames(film))
    exact = to_rgb(frame.planes, film, 0, 0, 160, 96) * 255
    away = np.abs(glance(frame.planes, film) - exact)
    assert np.median(away) < 1.5 and np.percentile(away, 99) < 6


def test_only_wide_films_are_made_smaller() -> None:
    class Wide:
        width = 3840

    class Narrow:
        width = 1920

    assert (smaller(as_film(Wide())), smaller(as_film(Narrow()))) == (2.0, 1.0)


def as_film(film: object) -> Film:
    return film  # type: ignore[return-value]
