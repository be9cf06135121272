"""One face, one track: what is kept where a mesh, a drawn mouth and a person's finger meet."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.face.closeup import Closeup
from models.face.drawn import DrawnFace
from models.face.track import Followed, Sight
from tasks.faces import WIDE_OPEN, faces_of

MOUTH = (72.0, 90.0)  # of the mesh below


def meshed(style: str, x: float = 0.0, frames: int = 20) -> Followed:
    """A face whose eyes are 64 pixels apart and whose mouth is at MOUTH, moved to the right by x."""
    points = np.random.default_rng(3).uniform(20, 120, (468, 2)).astype(np.float32)
    points[[33, 263, 61, 291, 13, 14]] = [(40, 40), (104, 40), (56, 90), (88, 90), (72, 89), (72, 91)]
    points[:, 0] += x
    lines, liveliness = {"photoreal": (10.0, 0.2), "stylised": (40.0, 0.2), "uncertain": (27.0, 0.2)}[style]
    close = Closeup(150.0, lines, 0.0, liveliness, np.zeros((48, 48), np.int8))
    return Followed([Sight(n, points, 0.99, close) for n in range(frames)])


def drawn(x: float, y: float, half: float = 16.0, frames: int = 20) -> DrawnFace:
    numbers = np.arange(frames, dtype=np.int32)
    rows = np.tile(np.array([x, y, half, 0.1], np.float32), (frames, 1))
    opening, motion = np.linspace(0, 1, frames, dtype=np.float32), np.full(frames, 0.3, np.float32)
    return DrawnFace(numbers, rows, opening, np.full(frames, 0.9, np.float32), motion, np.full(frames, 80, np.float32))


def kept(*faces: object) -> list[str]:
    return ["mesh" if face.geometry.points.size else "drawn" for face in faces]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("style", "at", "frames", "whole"),
    [
        pytest.param("photoreal", MOUTH, 20, ["mesh"], id="photographed/the-finder-was-wrong"),
        pytest.param("photoreal", (72, 60), 20, ["mesh"], id="photographed/even-where-they-disagree"),
        pytest.param("stylised", (74, 91), 20, ["mesh"], id="drawn/they-agree-and-a-mesh-tells-more"),
        pytest.param("stylised", (72, 70), 20, ["drawn"], id="drawn/the-mesh-sits-wrong"),
        pytest.param("stylised", (74, 91), 12, ["drawn"], id="drawn/the-mesh-was-there-for-a-moment-only"),
        pytest.param("uncertain", (72, 70), 20, ["drawn"], id="uncertain/the-mesh-sits-wrong"),
        pytest.param("photoreal", (400, 90), 20, ["mesh", "drawn"], id="side-by-side/both-are-kept"),
    ],
)
def test_one_face_is_one_track(style: str, at: tuple[float, float], frames: int, whole: list[str]) -> None:
    faces = faces_of([meshed(style, frames=frames)], [drawn(*at)], None, 1.0)
    assert kept(*faces) == whole


def test_specks_taken_for_mouths_do_not_cost_a_face_its_mesh() -> None:
    assert kept(*faces_of([meshed("stylised")], [drawn(72, 60, half=4.0)], None, 1.0)) == ["mesh"]
    assert kept(*faces_of([meshed("stylised")], [drawn(72, 60), drawn(73, 91)], None, 1.0)) == ["mesh"]


def test_a_drawn_face_that_keeps_its_mesh_opens_its_mouth_as_the_finder_saw_and_a_filmed_one_as_its_mesh_says() -> None:
    (stylised,) = faces_of([meshed("stylised")], [drawn(74, 91)], None, 1.0)
    assert stylised.geometry.opening == pytest.approx(np.linspace(0, WIDE_OPEN, 20), abs=1e-6)
    assert stylised.geometry.points.shape == (20, 468, 2) and not stylised.geometry.motion.any()
    (filmed,) = faces_of([meshed("photoreal")], [drawn(*MOUTH)], None, 1.0)
    assert filmed.geometry.opening == pytest.approx(2 / 64)


def test_what_was_pointed_at_takes_the_place_of_what_was_found_there_and_of_nothing_else() -> None:
    faces = faces_of([meshed("photoreal"), meshed("photoreal", x=300)], [], drawn(75, 92), 1.0)
    assert kept(*faces) == ["mesh", "drawn"][::-1] and faces[0].style == "stylised"
    assert faces[1].geometry.mouth[0, 0] == pytest.approx(372, abs=1)
    beside = faces_of([meshed("photoreal")], [drawn(400, 90)], drawn(500, 90), 1.0)
    assert kept(*beside) == ["mesh", "drawn", "drawn"]


def test_a_drawn_face_is_measured_in_the_films_pixels() -> None:
    (face,) = faces_of([], [drawn(100, 90)], None, 2.0)
    g = face.geometry
    assert g.points.shape == (20, 0, 2) and g.mouth[0].tolist() == pytest.approx([200, 180, 32, 0.1])
    assert g.box[0].tolist() == pytest.approx([200 - 96, 180 - 96, 192, 192])
    assert g.opening[-1] == pytest.approx(WIDE_OPEN) and (g.motion[1:] > 0).all() and not g.yaw.any()
    assert face.height == pytest.approx(7 * 32)
    every: dict[str, NDArray[np.generic]] = g.arrays()
    assert all(len(values) == 20 for values in every.values())
