"""Training the experts can be repeated, leaves the judge apart, and needs neither PyAV nor diffusers."""

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import nn

from models.corpus.clips import SIZE, Clip, read
from models.syncnet.meter import fill
from models.syncnet.network import Ear, PixelEye, PointsEye
from models.syncnet.train import contrast, cut, disguised, learn_pixels, learn_points, teach

Learnt = TypeVar("Learnt")


def learnt(lesson: Generator[tuple[int, str], None, Learnt]) -> Learnt:
    """What a training makes, its log unread."""
    while True:
        try:
            next(lesson)
        except StopIteration as done:
            value: Learnt = done.value
            return value


def same(a: nn.Module, b: nn.Module) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(value, theirs[key]) for key, value in a.state_dict().items())


def test_a_seed_makes_the_same_experts_again_and_another_seed_others(clips: list[Clip]) -> None:
    first, again, other = (learnt(learn_points(clips, steps=3, seed=seed)) for seed in (7, 7, 8))
    assert same(first[0], again[0]) and same(first[1], again[1])
    assert not same(first[0], other[0])
    one, two = (learnt(learn_pixels(clips, *first, steps=3, seed=7, width=2)) for _ in range(2))
    assert same(one, two)


def test_the_teachers_are_left_as_they_were(clips: list[Clip]) -> None:
    ear, eye = learnt(learn_points(clips, steps=1, seed=7))
    before = [value.clone() for value in (*ear.state_dict().values(), *eye.state_dict().values())]
    pixels = learnt(learn_pixels(clips, ear, eye, steps=2, seed=7, width=2))
    after = [*ear.state_dict().values(), *eye.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not pixels.training and not any(p.requires_grad for p in pixels.parameters())


def test_contrast_is_least_where_sound_and_mouth_belong_together() -> None:
    torch.manual_seed(7)
    a = nn.functional.normalize(torch.randn(2, 12, 128), dim=2)
    heat = torch.tensor(2.5)
    assert contrast(a, a, heat) < 0.1 < contrast(a, a.roll(3, dims=1), heat)


def test_what_the_pixel_eye_learns_from_is_its_own_window_of_the_crop(clips: list[Clip]) -> None:
    clip = clips[0]
    window = cut(clip, room=0)
    assert window.shape == (30, 3, 64, 80)
    assert (window[0].transpose(1, 2, 0) == clip.crops[0, 64:128, 32:112]).all()  # 8 pixels of margin in 144
    assert (cut(clip)[:, :, 8:-8, 8:-8] == window).all()


def test_a_disguise_holds_still_over_a_run_of_frames() -> None:
    one = torch.from_numpy(np.random.default_rng(7).integers(60, 180, (1, 3, 80, 96), dtype=np.uint8))
    for seed in range(4):
        shown = disguised(one.repeat(6, 1, 1, 1), bool(seed % 2), np.random.default_rng(seed))
        assert shown.min() >= 0 and shown.max() <= 1
        assert (shown - shown.mean(0)).std() < 0.04  # noise alone differs
        assert shown.shape[2] in range(60, 69) and shown.shape[3] in range(75, 86)


def test_an_expert_that_would_be_its_own_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="both have seed 7"):
        next(teach([], tmp_path, seed=7, judge_seed=7))


def test_teaching_writes_an_expert_with_three_parts_and_a_judge_with_two(clips: list[Clip], tmp_path: Path) -> None:
    paths = [tmp_path / f"grid_{clip.speaker}_one.npz" for clip in clips]
    for path, clip in zip(paths, clips, strict=True):
        np.savez(path, crops=clip.crops, points=clip.points / SIZE, squares=clip.squares, speech=clip.speech)
    lines = list(teach(paths, tmp_path, points_steps=1, pixels_steps=1))
    assert lines == [(0, 3, "judge, seed 1008"), (1, 3, "expert, seed 7")]
    ear, points, pixels = Ear(), PointsEye(), PixelEye()
    fill(tmp_path / "expert.safetensors", ear=ear, points=points, pixels=pixels)
    fill(tmp_path / "judge.safetensors", ear=Ear(), points=PointsEye())
    with pytest.raises(RuntimeError, match="Missing"):
        fill(tmp_path / "judge.safetensors", pixels=PixelEye())
    again = learnt(learn_points([read(path) for path in paths], steps=1, seed=7))
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(ear.parameters(), again[0].parameters(), strict=True))


def test_training_needs_neither_pyav_nor_diffusers() -> None:
    code = (
        "import sys; sys.modules['av'] = sys.modules['diffusers'] = None\n"
        "import models.syncnet.train, models.syncnet.loss, models.syncnet.measure, models.corpus.clips"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
