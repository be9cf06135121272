"""The pixel eye is Wav2Lip's, narrower; the window it looks at is the one that the starter draws."""

import json
from fractions import Fraction

import numpy as np
import torch

from models.audio.mel import mel, windows
from models.diff2lip import window
from models.syncnet import senses
from models.syncnet.network import Ear, PixelEye, PointsEye
from models.syncnet.senses import heard, looked_at, on_the_beat
from tests.media import shared


def test_at_wav2lips_width_the_pixel_eye_has_wav2lips_tensors_in_their_order() -> None:
    keys = json.loads(shared("facts/models/keys/wav2lip_syncnet_color.json").read_text("utf-8"))["keys"]
    theirs = {
        key.removeprefix("face_encoder."): tuple(shape) for key, shape in keys.items() if key.startswith("face_encoder")
    }
    with torch.device("meta"):
        ours = PixelEye(32).layers.state_dict()
    assert len(theirs) == 17 * 7
    assert {key: tuple(value.shape) for key, value in ours.items()} == theirs


def test_every_part_gives_unit_vectors_of_128() -> None:
    torch.manual_seed(7)
    parts = (
        (Ear(), torch.randn(2, 80, 16)),
        (PointsEye(), torch.randn(2, 430)),
        (PixelEye(), torch.rand(2, 15, 48, 96)),
    )
    for part, shown in parts:
        out = part.eval()(shown)
        assert out.shape == (2, 128) and torch.allclose(out.norm(dim=1), torch.ones(2), atol=1e-5)


def test_the_pixel_eye_looks_at_what_the_starter_draws() -> None:
    ours = (senses.SIZE, senses.TOP, senses.LEFT, senses.HEIGHT, senses.WIDTH)
    assert ours == (window.SIZE, window.TOP, window.LEFT, window.HEIGHT, window.WIDTH)
    assert (window.CROP.side, window.CROP.down) == (1.9, 0.62)


def test_five_frames_are_stacked_one_after_the_other_and_the_gradient_finds_its_way_back() -> None:
    faces = torch.zeros(2, 5, 3, 64, 80)
    faces[0, 3, 1] = 1  # green of the fourth frame
    faces.requires_grad_()
    small = looked_at(faces)
    assert small.shape == (2, 15, 48, 96)
    assert (small[0, 3 * 3 + 1] == 1).all() and small.sum() == 48 * 96
    torch.autograd.backward(small[1, 7].sum())  # green of the third
    assert faces.grad is not None and faces.grad[1, 2, 1].sum() > 0
    assert faces.grad[0].abs().sum() == 0 and faces.grad[1, 3].abs().sum() == 0


def test_a_frame_hears_what_is_said_about_its_time_wherever_the_clip_begins() -> None:
    speech = np.random.default_rng(7).normal(0, 0.1, 32_000).astype(np.float32)
    whole, later = heard(speech, 50), heard(speech, 20, start=Fraction(10, 25))
    assert whole.shape == (50, 80, 16) and (whole[10:30] == later).all()
    assert np.abs(whole).max() <= 1
    assert windows(mel(speech), [Fraction(1)], senses.BEFORE).shape == (1, 80, 16)


def test_mouths_of_any_rate_are_brought_onto_25_frames_a_second_by_their_times() -> None:
    ntsc = [Fraction(1001 * n, 24000) + 2 for n in range(49)]  # 2.002 s from second 2
    mouths = np.zeros((49, 43, 2), np.float32)
    mouths[:, 5, 1] = [float(time) for time in ntsc]  # a point that goes down one a second
    steady = on_the_beat(mouths, ntsc)
    assert len(steady) == 51
    assert np.allclose(steady[:, 5, 1], 2 + np.arange(51) / 25, atol=1e-5)
    at_25 = [Fraction(n, 25) for n in range(49)]
    assert np.allclose(on_the_beat(mouths, at_25), mouths)
