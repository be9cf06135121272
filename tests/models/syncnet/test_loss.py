"""The loss knows which sound goes with drawn frames, teaches the frames, and never the expert."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from models.corpus import prepare
from models.diff2lip.window import CROP
from models.face.crop import cut as cut_out
from models.face.crop import frame_squares
from models.face.detect import Detector
from models.face.mesh import Mesh
from models.syncnet.loss import SyncLoss
from models.syncnet.network import SPAN
from models.syncnet.senses import HEIGHT, LEFT, TOP, WIDTH, heard
from tests.media import shared

OTHERS = (-9, -6, -3, 3, 6, 9)  # frames away


@pytest.fixture(scope="module")
def loss() -> SyncLoss:
    return SyncLoss.open()


@pytest.fixture(scope="module")
def filmed() -> tuple[Tensor, Tensor]:
    """Windows of one unseen speaker, every second frame of his: (C, 5, 3, 64, 80), (C, 7, 80, 16)."""
    path = shared("media/eval/grid_s31_bbai7s.mp4")
    frames = prepare.pictures(path)
    points = prepare.track(frames, Detector(), Mesh())
    assert points is not None
    squares = frame_squares(np.arange(len(frames), dtype=np.int32), points, CROP)
    crops = np.stack([cut_out(frame, square, CROP.size) for frame, square in zip(frames, squares, strict=True)])
    window = crops[:, TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH].transpose(0, 3, 1, 2).astype(np.float32) / 255
    sound = heard(prepare.sound(path), len(frames))
    middles = range(14, len(frames) - 14, 2)
    faces = np.stack([window[n - SPAN // 2 : n + SPAN // 2 + 1] for n in middles])
    sounds = np.stack([sound[[n, *(n + other for other in OTHERS)]] for n in middles])
    return torch.from_numpy(faces), torch.from_numpy(sounds)


def test_it_is_lower_where_the_faces_say_what_is_heard(loss: SyncLoss, filmed: tuple[Tensor, Tensor]) -> None:
    faces, sounds = filmed
    right = float(loss(faces, sounds))
    for wrong in range(1, len(OTHERS) + 1):
        order = [wrong, *(k for k in range(len(OTHERS) + 1) if k != wrong)]
        assert float(loss(faces, sounds[:, order])) > right + 0.2
    still = faces[:1, :1].expand_as(faces)
    assert right < math.log(1 + len(OTHERS)) and float(loss(still, sounds)) > right + 0.2


def test_its_gradient_reaches_every_drawn_frame_and_not_the_expert(loss: SyncLoss) -> None:
    torch.manual_seed(7)
    before = {key: value.clone() for key, value in loss.state_dict().items()}
    loss.train()  # as a training loop would set all it holds
    faces, sounds = torch.rand(2, 5, 3, 64, 80, requires_grad=True), torch.rand(2, 4, 80, 16)
    torch.autograd.backward(loss(faces, sounds))
    assert faces.grad is not None
    assert (faces.grad.abs().flatten(2).sum(dim=2) > 0).all() and faces.grad.isfinite().all()
    assert not any(p.requires_grad or p.grad is not None for p in loss.parameters())
    assert not any(module.training for module in loss.modules())
    assert all(torch.equal(before[key], value) for key, value in loss.state_dict().items())


def test_following_it_brings_drawn_frames_into_sync(loss: SyncLoss) -> None:
    torch.manual_seed(7)
    faces, sounds = torch.full((1, 5, 3, 64, 80), 0.5, requires_grad=True), torch.rand(1, 4, 80, 16) - 0.5
    painter = torch.optim.Adam([faces], 0.02)
    values = []
    for _ in range(8):
        value = loss(faces, sounds)
        values.append(float(value.detach()))
        painter.zero_grad()
        torch.autograd.backward(value)
        painter.step()
    assert values[-1] < values[0] - 0.3


def test_half_precision_about_it_changes_little(loss: SyncLoss, filmed: tuple[Tensor, Tensor]) -> None:
    faces, sounds = filmed[0][:4], filmed[1][:4]
    exact = float(loss(faces, sounds))
    with torch.autocast("cpu", torch.bfloat16):
        assert abs(float(loss(faces.bfloat16(), sounds)) - exact) < 0.15


def test_faces_and_sounds_of_different_number_are_refused(loss: SyncLoss) -> None:
    with pytest.raises(ValueError, match="not C"):
        loss(torch.rand(2, 5, 3, 64, 80), torch.rand(3, 4, 80, 16))
