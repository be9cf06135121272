"""Faces are found where they are, cut out and laid back exactly, and turned heads read as turned."""

import hashlib

import numpy as np
import pytest

from models.diff2lip.window import CROP
from models.face.crop import covering, cut, enlarge, frame_squares, into, out_of
from models.face.detect import WEIGHTS, Detector, Hit, merge
from models.face.matte import matte
from models.face.mesh import Mesh, follow, roi
from models.face.pose import opening, pitch, yaw
from models.lipsync import WIDE
from tests.models.conftest import Filmed


def test_a_face_is_found_where_it_is_even_in_a_corner_of_a_wide_frame(filmed: Filmed) -> None:
    frame = filmed.frames[0]
    (hit,) = Detector()(frame)
    nose = filmed.points[0, 1]
    assert np.abs(hit.keypoints[2] - nose).max() < 8

    wide = np.full((540, 1290, 3), 90, np.uint8)  # 2.39:1, the face a twelfth of the width
    wide[240:528, 920:1280] = frame
    found = Detector()(wide)
    assert len(found) == 1 and np.abs(found[0].keypoints[2] - nose - (920, 240)).max() < 10


def test_no_face_is_an_empty_list() -> None:
    assert Detector()(np.random.default_rng(7).integers(0, 60, (270, 480, 3), dtype=np.uint8)) == []


def test_two_boxes_of_one_face_are_one_hit() -> None:
    keypoints = np.zeros((6, 2), np.float32)
    boxes = [np.array(box, np.float32) for box in ([10, 10, 40, 40], [14, 10, 40, 40], [200, 10, 40, 40])]
    hits = merge([Hit(box, keypoints, score) for box, score in zip(boxes, (0.6, 0.9, 0.7), strict=True)])
    assert [hit.score for hit in hits] == [0.9, 0.7]
    assert 12 < hits[0].box[0] < 13  # the weighted mean of 10 and 14


def test_following_a_face_gives_the_same_points_as_detecting_it(filmed: Filmed) -> None:
    frame, mesh = filmed.frames[0], Mesh()
    detected, presence = mesh(frame, roi(Detector()(frame)[0]))
    followed, _ = mesh(frame, follow(detected))
    assert presence > 0.9
    assert np.abs(followed - detected).mean() < 1.5  # pixels; the face is 110 high


def test_an_upright_and_a_tilted_picture_have_the_same_face(filmed: Filmed) -> None:
    frame = filmed.frames[0]
    tilted = np.ascontiguousarray(np.rot90(frame, -1))  # a quarter clockwise: (x, y) → (H − y, x)
    points, presence = Mesh()(tilted, follow(np.stack([288 - filmed.points[0, :, 1], filmed.points[0, :, 0]], axis=1)))
    back = np.stack([points[:, 1], 288 - points[:, 0]], axis=1)
    assert presence > 0.9 and np.abs(back - filmed.points[0]).mean() < 1.0


@pytest.mark.parametrize(
    ("turn", "nod"),
    [
        pytest.param(0, 0, id="front"),
        pytest.param(25, 0, id="to-the-pictures-right"),
        pytest.param(-40, 0, id="to-the-pictures-left"),
        pytest.param(0, 20, id="up"),
        pytest.param(0, -15, id="down"),
    ],
)
def test_pose_of_the_canonical_head(turn: float, nod: float) -> None:
    head = np.zeros((468, 3))  # x right, y down, z towards the camera, in eye distances
    head[33], head[263], head[1] = (-0.5, 0, 0), (0.5, 0, 0), (0, 0.426, 0.484)
    a, b = np.radians(turn), np.radians(nod)
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    points = (head @ (about_y @ about_x).T)[:, :2].astype(np.float32) * 100 + 300
    assert float(yaw(points)) == pytest.approx(turn, abs=0.1)
    assert float(pitch(points)) == pytest.approx(nod, abs=0.1)


def test_opening_is_a_share_of_the_eye_distance() -> None:
    points = np.zeros((2, 468, 2), np.float32)
    points[:, 263] = (80, 0)
    points[1, 14] = (0, 20)
    assert opening(points).tolist() == pytest.approx([0, 0.25])


def test_squares_are_smooth_within_a_run_and_know_nothing_across_a_gap() -> None:
    points = np.zeros((20, 468, 2), np.float32)
    points[:, 33], points[:, 263] = (100, 100), (160, 100)
    points[10:] += 500  # another shot of the same track would be as far
    frames = np.r_[0:10, 40:50].astype(np.int32)
    squares = frame_squares(frames, points, CROP)
    assert np.allclose(squares[:10], (130, 100 + 0.62 * 60, 1.9 * 60, 0))
    assert np.allclose(squares[10:], (630, 600 + 0.62 * 60, 1.9 * 60, 0))


def test_a_square_does_not_follow_the_jaw() -> None:
    points = np.random.default_rng(7).uniform(0, 300, (9, 468, 2)).astype(np.float32)
    open_mouth = points.copy()
    open_mouth[:, [13, 14, 17, 152, 148, 377]] += (0, 40)
    frames = np.arange(9, dtype=np.int32)
    assert (frame_squares(frames, points, CROP) == frame_squares(frames, open_mouth, CROP)).all()


@pytest.mark.parametrize("side", [pytest.param(211.3, id="shrunk"), pytest.param(70.7, id="enlarged")])
def test_a_crop_lies_where_it_was_cut(side: float) -> None:
    y, x = np.mgrid[0:240, 0:320] + 0.5
    picture = np.stack([x, y, 0 * x + 50], axis=2).astype(np.float32)  # every pixel says where it is
    square = np.array([161.27, 119.61, side, 0], np.float32)
    crop = cut(picture, square, 128)
    edge = 161.27 - side / 2
    assert np.allclose(crop[5, :, 0], edge + (np.arange(128) + 0.5) * side / 128, atol=0.03)
    box = covering(square, 320, 240)
    back = enlarge(crop, square, box)
    left, top, width, height = box
    inner = np.s_[6 : height - 6, 6 : width - 6]  # at the crop's own edge there is nothing to interpolate with
    assert np.allclose(back[inner], picture[top : top + height, left : left + width][inner], atol=0.05)


def test_a_whole_crop_comes_back_bit_for_bit_when_no_pixel_is_resampled() -> None:
    picture = np.random.default_rng(7).integers(0, 1024, (200, 200, 3), dtype=np.uint16)
    square = np.array([100, 90, 128, 0], np.float32)
    crop = cut(picture, square, 128)
    assert (crop == picture[26:154, 36:164]).all()
    assert (enlarge(crop, square, covering(square, 200, 200)) == crop).all()


def test_points_go_into_the_crop_and_back() -> None:
    chance = np.random.default_rng(7)
    points, squares = chance.uniform(0, 400, (5, 468, 2)).astype(np.float32), chance.uniform(1, 200, (5, 4))
    squares32 = squares.astype(np.float32)
    assert np.allclose(out_of(into(points, squares32), squares32), points, atol=1e-3)


def test_the_matte_covers_the_mouth_and_is_nothing_outside_its_limits(filmed: Filmed) -> None:
    meshes = filmed.meshes.numpy()
    cover = matte(meshes, CROP, filmed.face.points[WIDE].numpy())
    assert cover.shape == (24, 128, 128) and cover.min() == 0 and cover.max() == 1
    assert not cover[:, : round(128 * CROP.top)].any() and not cover[:, round(128 * CROP.bottom) :].any()
    assert not cover[:, :, : round(128 * CROP.sides)].any()
    lips = np.rint(meshes[:, [61, 291, 0, 17, 13, 14]] * 128).astype(int)
    assert min(cover[t, y, x] for t in range(24) for x, y in lips[t]) > 0.8


def test_the_models_in_the_package_are_the_ones_the_notice_names() -> None:

    lines = [line.split() for line in (WEIGHTS / "NOTICE").read_text().splitlines() if line.endswith(".tflite")]
    for digest, name in (line for line in lines if len(line) == 2):
        assert hashlib.sha256((WEIGHTS / name).read_bytes()).hexdigest() == digest
