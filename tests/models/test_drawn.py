"""Drawn mouths, found and followed in films this file draws itself, and passed over where people are photographed."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.corpus.prepare import pictures
from models.face.drawn import DrawnFace, at_rest, follow
from models.face.drawn_measure import away, clip
from models.face.drawn_typed import follow_from
from models.puppets.draw import Puppet
from models.puppets.pose import random_pose
from tests.media import shared

Picture = NDArray[np.uint8]


def puppet(
    species: str, style: str, seed: int, frames: int, size: int = 288
) -> tuple[list[Picture], NDArray[np.float32]]:
    """A puppet that says something, square, and the truth about its mouth in pixels."""
    chance = np.random.default_rng(seed)
    drawn = Puppet.random(chance, species, style)
    poses = random_pose(chance, frames)
    poses[:, 8:] = 0  # no hand
    mouths = np.tile(np.array([0, 0.5, 0, 0], np.float32), (frames, 1))
    mouths[:, 0] = np.clip(np.sin(np.arange(frames) / 2), 0, 1)
    rows = drawn.mouth_at(poses) * np.array([size, size, size, 1], np.float32)
    return list(drawn.render(poses, mouths, size, 2)), rows


def test_a_character_it_has_never_seen_is_found_where_it_is() -> None:
    shown = clip(np.random.default_rng(2), learnt=False, frames=30)
    faces = follow(shown.pictures)
    face, off = away(faces, shown)
    assert len(faces) == 1 and face is not None and len(off) == 30
    assert np.median(off[:, 0]) < 0.25 and np.median(np.abs(off[:, 1])) < 0.2 and np.median(off[:, 2]) < 5
    assert np.corrcoef(off[:, 3], off[:, 4])[0, 1] > 0.7


def test_every_measure_has_a_row_a_frame() -> None:
    frames, _ = puppet("robot", "flat", 4, 20)
    (face,) = follow(frames)
    n = len(face.frames)
    assert face.frames.tolist() == list(range(20)) and face.mouths.shape == (n, 4)
    assert face.opening.shape == face.score.shape == face.motion.shape == face.sharpness.shape == (n,)
    assert face.opening.min() >= 0 and face.opening.max() <= 1 and face.motion[0] == 0


def test_a_mouth_that_speaks_moves_and_one_that_is_shut_does_not() -> None:
    chance = np.random.default_rng(8)
    drawn = Puppet.random(chance, "ghost", "flat")
    poses = np.repeat(random_pose(chance, 1), 30, axis=0)
    poses[:, 8:] = 0
    mouths = np.tile(np.array([0, 0.5, 0, 0], np.float32), (30, 1))
    still = follow(drawn.render(poses, mouths, 288, 2))
    mouths[:, 0] = np.abs(np.sin(np.arange(30) / 2))
    speaks = follow(drawn.render(poses, mouths, 288, 2))
    assert len(still) == len(speaks) == 1
    assert np.median(speaks[0].motion) > np.median(still[0].motion) + 0.02
    assert speaks[0].opening.std() > 3 * still[0].opening.std()


def test_a_mouth_is_as_wide_at_rest_while_it_speaks_as_when_it_is_shut() -> None:
    frames = np.arange(50)
    opening = np.where(frames % 10 < 3, 0.0, 0.6)
    read = np.log(np.where(opening == 0, 20.0, 15.0))  # open mouths are read too narrow
    assert np.allclose(np.exp(at_rest(read, opening, frames)), 20, rtol=0.02)
    grown = read + frames * 0.004  # while the head comes nearer
    assert np.allclose((at_rest(grown, opening, frames) - frames * 0.004)[15:35], np.log(20), atol=0.05)
    assert np.allclose(np.exp(at_rest(read, np.full(50, 0.6), frames)), np.exp(read.mean()), rtol=0.1), "never shut"
    apart = at_rest(np.log([20.0, 10.0]), np.zeros(2), np.array([0, 900]))
    assert np.allclose(np.exp(apart), [20, 10]), "what was long ago tells nothing"


def test_two_characters_are_two_faces_from_left_to_right() -> None:
    one, left = puppet("cat", "flat", 5, 12)
    other, right = puppet("robot", "outline", 6, 12)
    faces = follow(np.hstack(pair) for pair in zip(one, other, strict=True))
    assert [len(face.frames) for face in faces] == [12, 12]
    right[:, 0] += 288
    for face, truth in zip(faces, (left, right), strict=True):
        assert (np.hypot(*(face.mouths[:, :2] - truth[:, :2]).T) < truth[:, 2]).all()


def test_a_character_that_leaves_is_followed_until_it_has_gone_and_no_longer() -> None:
    frames, _ = puppet("ghost", "flat", 7, 40)
    empty = np.full_like(frames[0], 90)
    (face,) = follow([*frames[:20], *([empty] * 20)])
    assert face.frames.tolist() == list(range(20))


def test_a_few_frames_without_the_mouth_are_bridged() -> None:
    frames, rows = puppet("ghost", "flat", 7, 24)
    for n in (10, 11, 12):
        frames[n] = np.full_like(frames[n], 90)
    (face,) = follow(frames)
    assert (
        face.frames.tolist() == list(range(24)) and (face.score[10:13] == 0).all() and (face.motion[10:14] == 0).all()
    )
    assert (np.hypot(*(face.mouths[10:13, :2] - rows[10:13, :2]).T) < rows[10:13, 2]).all()


@pytest.mark.parametrize("frames", [0, 1, 4])
def test_a_shot_too_short_to_tell_has_no_drawn_face(frames: int) -> None:
    assert follow(puppet("cat", "flat", 5, 4)[0][:frames]) == []


@pytest.mark.parametrize(
    "film", ["eval/grid_s31_bbai7s.mp4", "eval/multishot_tos_bridge_2spk.mp4", "eval/real_lipify_a.mp4"]
)
def test_photographed_people_are_passed_over(film: str) -> None:
    found = sorted(shared("media/eval").glob(f"{Path(film).stem}*.mp4"))
    assert found, film
    assert follow(pictures(found[0])[:30]) == []


# A mouth that somebody pointed at


def drifting(frames: int, inside: Callable[[int], float] = lambda n: 0.0) -> tuple[list[Picture], NDArray[np.float32]]:
    """A board of blots that drifts, leans and grows; in its middle a slit that opens. No finder takes it for a face."""
    chance = np.random.default_rng(12)
    board = cv2.GaussianBlur(chance.integers(0, 256, (400, 400, 3), dtype=np.uint8), (0, 0), 4)
    board = np.clip((np.asarray(board, np.float32) - 128) * 4 + 128, 0, 255).astype(np.uint8)
    shown, rows = [], []
    for n in range(frames):
        here = board.copy()
        cv2.ellipse(here, (200, 200), (24, 2 + round(14 * inside(n))), 0, 0, 360, (20, 10, 10), -1, cv2.LINE_AA)
        angle, scale = 0.006 * n, 1 + 0.004 * n
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        x, y = 150 + 2.0 * n, 130 + 0.8 * n
        matrix = np.array([[cos, -sin, x - 200 * cos + 200 * sin], [sin, cos, y - 200 * sin - 200 * cos]])
        ground = np.full((280, 420, 3), 60, np.uint8)
        over = cv2.warpAffine(here, matrix, (420, 280), ground, borderMode=cv2.BORDER_TRANSPARENT)
        shown.append(np.asarray(over, np.uint8))
        rows.append([x + 0.5, y + 0.5, 24 * scale, angle])
    return shown, np.array(rows, np.float32)


def test_a_mouth_that_was_pointed_at_is_followed_on_a_thing_no_finder_knows() -> None:
    shown, truth = drifting(40, lambda n: abs(float(np.sin(n / 2))))
    face = follow_from(shown, float(truth[0, 0]), float(truth[0, 1]), 24.0)
    assert face.frames.tolist() == list(range(40))
    inner = slice(4, -4)
    assert np.hypot(*(face.mouths - truth)[inner, :2].T).max() < 0.2 * 24
    assert face.mouths[inner, 2] == pytest.approx(truth[inner, 2], rel=0.1)
    assert face.mouths[inner, 3] == pytest.approx(truth[inner, 3], abs=0.07)


def test_where_the_finder_sees_a_mouth_at_the_place_its_reading_is_followed() -> None:
    frames, truth = puppet("robot", "flat", 4, 20)
    (found,) = follow(frames)
    x, y, half, _ = truth[0]
    face = follow_from(frames, x + 0.3 * half, y)
    assert np.abs(face.mouths - found.mouths).max() < 0.2 * half
    wide = follow_from(frames, x, y, 1.5 * float(found.mouths[0, 2]))
    assert wide.mouths[:, 2] == pytest.approx(1.5 * found.mouths[:, 2], rel=0.1)


def test_pointing_past_the_picture_or_at_no_picture_is_a_bug() -> None:
    grey = np.full((90, 160, 3), 99, np.uint8)
    with pytest.raises(ValueError, match="lies outside a picture of 160 × 90"):
        follow_from([grey], 160, 20)
    with pytest.raises(ValueError, match="without a picture"):
        follow_from([], 3, 3)
    with pytest.raises(ValueError, match="half width 0"):
        follow_from([grey], 3, 3, 0)


def test_one_picture_is_enough_to_point_at() -> None:
    face: DrawnFace = follow_from([np.full((90, 160, 3), 99, np.uint8)], 80, 40)
    assert face.frames.tolist() == [0] and face.mouths[0, :2].tolist() == [80, 40]
