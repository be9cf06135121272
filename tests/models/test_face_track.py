"""Following faces, on a detector and a mesh that see what the test paints; so every gap is beyond dispute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from models.face.closeup import LIPS, OVAL, closeup, mouth_motion, style
from models.face.detect import Floats, Hit, Picture
from models.face.lips import loudness, says
from models.face.mesh import Roi
from models.face.track import LOOK_EVERY, Followed, Follower

SIDE = 60


@dataclass
class Stage:
    """Where faces stand in each frame; stands in for the detector and for the mesh at once."""

    faces: Mapping[int, Sequence[tuple[float, float]]]
    looked: list[int] = field(default_factory=list)
    now: int = 0

    def detect(self, rgb: Picture, *, small: bool = False) -> list[Hit]:
        self.looked.append(self.now)
        boxes = [np.array([x - SIDE / 2, y - SIDE / 2, SIDE, SIDE], np.float32) for x, y in self.faces[self.frame(rgb)]]
        return [Hit(box, np.array([[box[0] + 15, box[1] + 20], [box[0] + 45, box[1] + 20]] * 3, np.float32), 0.9)
                for box in boxes]  # fmt: skip

    def mesh(self, rgb: Picture, roi: Roi) -> tuple[Floats, float]:
        near = [(x, y) for x, y in self.faces[self.frame(rgb)] if np.hypot(x - roi.x, y - roi.y) < SIDE / 2]
        x, y = near[0] if near else (roi.x, roi.y)
        points = np.random.default_rng(1).uniform(-SIDE / 2, SIDE / 2, (468, 2))
        points[[33, 263]] = [[-20, -10], [20, -10]]
        points[[0, 1]] = [[-SIDE / 2, -SIDE / 2], [SIDE / 2, SIDE / 2]]
        return (points + np.array([x, y])).astype(np.float32), 1.0 if near else 0.1

    @staticmethod
    def frame(rgb: Picture) -> int:
        return int(rgb[0, 0, 0])

    def follow(self) -> list[Followed]:
        stage: Any = self
        follower = Follower(stage.detect, stage.mesh)
        for n in self.faces:
            self.now = n
            follower(n, np.full((120, 400, 3), n, np.uint8))
        return follower.faces


def seen(face: Followed) -> list[int]:
    return [sight.frame for sight in face.sights]


def test_a_face_is_followed_and_rarely_looked_for() -> None:
    stage = Stage({n: [(100 + n, 60)] for n in range(40)})
    (face,) = stage.follow()
    assert seen(face) == list(range(40))
    assert stage.looked == [0, 12, 24, 36]
    assert face.sights[30].box[0] == pytest.approx(100 + 30 - SIDE / 2)


def test_a_face_begins_where_it_appears_and_not_where_it_was_noticed() -> None:
    stage = Stage({n: [(100, 60)] if n >= 5 else [] for n in range(40)})
    (face,) = stage.follow()
    assert seen(face)[0] == 5 and stage.looked[1] == LOOK_EVERY


def test_a_gap_is_a_gap_and_the_face_the_same() -> None:
    stage = Stage({n: [] if 20 <= n < 22 else [(100, 60)] for n in range(40)})
    (face,) = stage.follow()
    assert seen(face) == [*range(20), *range(22, 40)]


def test_who_comes_back_late_is_another() -> None:
    stage = Stage({n: [] if 10 <= n < 30 else [(100, 60)] for n in range(60)})
    assert [seen(face) for face in stage.follow()] == [list(range(10)), list(range(30, 60))]


def test_flickers_are_left_out_and_faces_come_from_left_to_right() -> None:
    faces = {n: [(300, 60), (100, 60)] + ([(200, 60)] if n in (12, 13, 14) else []) for n in range(30)}
    left, right = Stage(faces).follow()
    assert left.sights[0].box[0] < right.sights[0].box[0] and len(left.sights) == len(right.sights) == 30


def test_two_that_slide_onto_one_are_one() -> None:
    faces = {n: [(100, 60), (100 + max(0, 100 - 10 * n), 60)] for n in range(30)}
    kept, gone = Stage(faces).follow()
    assert len(kept.sights) == 30 and len(gone.sights) < 15


def test_a_mouth_that_moves_in_a_still_face_is_seen_and_a_nod_is_not() -> None:
    rng = np.random.default_rng(5)
    still = np.repeat(rng.integers(60, 200, (30, 30, 1)), 3, axis=2).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    points = np.zeros((468, 2), np.float32)
    points[:] = [120, 120]
    points[[33, 263, 10, 152]] = [[90, 100], [150, 100], [120, 60], [120, 180]]
    speaks = still.copy()
    speaks[135:165, 100:140] = 20
    before = closeup(still, points)
    assert mouth_motion(before, closeup(speaks, points)) > 0.2
    nod = closeup(np.roll(still, 3, axis=0), points + np.array([0, 3], np.float32))
    assert abs(mouth_motion(before, nod)) < 0.02


def test_what_is_flat_or_lined_is_drawn_and_glasses_before_a_window_are_not() -> None:
    y, x = np.mgrid[:120, :120]
    points = np.full((468, 2), 60, np.float32)
    turn = np.linspace(-np.pi / 2, 3 * np.pi / 2, len(OVAL), endpoint=False)
    points[list(OVAL)] = np.stack([60 + 40 * np.cos(turn), 60 + 50 * np.sin(turn)], axis=1)
    points[[33, 263, *LIPS]] = [[40, 45], [80, 45], [72, 86], [48, 86], [60, 80], [60, 92]]
    photographed = 120 + 40 * np.sin(x / 9) * np.cos(y / 7) + np.random.default_rng(2).normal(0, 8, x.shape)
    spectacled = photographed.copy()
    spectacled[40:44, 25:95] = 5
    spectacled[:24, 100:] = 255 * (y[:24, 100:] // 8 % 2)
    faces = {
        "photographed": (photographed, "photoreal"),
        "with glasses": (spectacled, "photoreal"),
        "flat": (np.where((x - 60) ** 2 + (y - 60) ** 2 < 3000, 200, 20), "stylised"),
        "lined": (np.where(x % 12 < 2, 10, photographed), "stylised"),
    }
    for name, (grey, wanted) in faces.items():
        seen = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
        assert style([closeup(seen, points)] * 3) == wanted, name


def test_lips_that_follow_the_voice_say_it() -> None:
    rng = np.random.default_rng(4)
    loud = np.abs(np.sin(np.arange(60) / 3)).astype(np.float32) * 30 - 40
    frames = np.arange(60, dtype=np.int32)
    opening = (0.05 + loud / 1000 + rng.normal(0, 0.004, 60)).astype(np.float32)
    moving, none = np.full(60, 0.02, np.float32), np.zeros(60, np.float32)
    assert says(frames, opening, moving, loud, 25) > 2
    assert says(frames, np.full(60, 0.01, np.float32), none, loud, 25) < -5
    assert says(frames[:6], opening[:6], moving[:6], loud[:6], 25) == 0, "too little to say anything"
    fast = np.arange(120, dtype=np.int32)  # the same face filmed at 50 frames a second
    twice = says(fast, np.interp(fast / 2, frames, opening).astype(np.float32), np.full(120, 0.01, np.float32),
                 np.interp(fast / 2, frames, loud).astype(np.float32), 50)  # fmt: skip
    assert twice == pytest.approx(says(frames, opening, moving, loud, 25), abs=0.5)


def test_loudness_is_of_each_frame_alone_and_silence_has_a_floor() -> None:
    wave = np.concatenate([np.zeros(100), np.full(100, 0.1), np.full(100, 1.0)]).astype(np.float32)
    assert loudness(wave, np.array([0, 100, 200, 300, 400])).tolist() == pytest.approx([-80, -20, 0, -80], abs=1e-4)
