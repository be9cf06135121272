"""Faces known again: one person near, two persons far, whatever the size; only the network that is known is run."""

from pathlib import Path

import av
import numpy as np
import pytest

from models.face import identity
from models.face.detect import Detector, Picture
from models.face.mesh import Mesh, roi
from models.known import Unusable
from tasks.persons import FILMED
from tests.media import shared

OF_THREE = (
    ("eval/grid_s31_bbai6n.mp4", "eval/grid_s31_bbac2n.mp4"),
    ("eval/grid_s33_bbac2p.mp4", "eval/grid_s33_bbac1s.mp4"),
    ("film/synthetic_episode_grid.mp4",),
)


@pytest.fixture(scope="module")
def network() -> identity.Identity:
    found = identity.find()
    if found is None:
        pytest.skip("dlib's network is not here; `make setup` installs requirements-data.txt")
    return found


def face(path: str, height: int) -> Picture:
    with av.open(str(shared(f"media/{path}"))) as file:
        frame = next(file.decode(video=0))
    picture = np.asarray(
        frame.to_ndarray(format="rgb24", width=frame.width * height // frame.height, height=height), np.uint8
    )
    (hit, *_) = Detector()(picture, small=True)
    return identity.chip(picture, Mesh()(picture, roi(hit))[0])


def test_clips_of_one_are_near_and_of_two_are_far_at_any_size(network: identity.Identity) -> None:
    pictures = [
        (who, face(path, height)) for who, clips in enumerate(OF_THREE) for path in clips for height in (100, 900)
    ]
    people = np.array([who for who, _ in pictures])
    seen = network([chip for _, chip in pictures])
    away = np.linalg.norm(seen[:, None] - seen, axis=2)
    same = people[:, None] == people
    assert away[same].max() < FILMED < away[~same].min()


def test_a_face_stands_upright_in_its_picture_however_large_and_turned(network: identity.Identity) -> None:
    picture = face("eval/grid_s31_bbai6n.mp4", 288)
    assert picture.shape == (identity.SIDE, identity.SIDE, 3)
    again = face("eval/grid_s31_bbai6n.mp4", 1152)  # four times as large, made smaller before it is cut out
    assert np.abs(picture.astype(int) - again).mean() < 8


def test_another_file_is_not_run(tmp_path: Path) -> None:
    wrong = tmp_path / identity.FILE.name
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(b"not dlib's")
    with pytest.raises(Unusable, match="has sha256"):
        identity.find(tmp_path)
