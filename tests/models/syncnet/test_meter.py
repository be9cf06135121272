"""The meter finds known shifts, claims nothing of a still mouth, and the judge is not the expert."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.corpus import prepare
from models.face.detect import Detector
from models.face.form import Floats, measure
from models.face.mesh import Mesh
from models.syncnet import meter
from models.syncnet.measure import shipped
from models.syncnet.meter import Meter, alike, curve, read
from models.syncnet.senses import heard, seen
from tests.media import shared


class Spoken(NamedTuple):
    mouths: Floats
    speech: Floats


@pytest.fixture(scope="module")
def spoken() -> list[Spoken]:
    """Two people whom neither expert was taught on."""
    found = []
    for name in ("grid_s31_bbai7s", "grid_s33_bbai4n"):
        path = shared(f"media/eval/{name}.mp4")
        points = prepare.track(prepare.pictures(path), Detector(), Mesh())
        assert points is not None
        found.append(Spoken(measure(points, np.median(points, axis=0).astype(np.float32)), prepare.sound(path)))
    return found


@pytest.fixture(scope="module")
def judge() -> Meter:
    return Meter.open("judge")


@pytest.mark.parametrize("shift", [-3, 0, 3])
def test_a_sound_moved_by_whole_frames_is_found_to_the_frame(spoken: list[Spoken], judge: Meter, shift: int) -> None:
    for clip in spoken:
        count = len(clip.mouths)
        here = judge.offset(heard(clip.speech, count), clip.mouths)
        assert abs(here.lag) <= 1 and here.margin > 0.1
        led = np.concatenate([np.zeros(3 * 640, np.float32), clip.speech])  # three frames late
        moved = judge.offset(heard(led[(3 + shift) * 640 :], count), clip.mouths)
        assert moved.lag == here.lag + shift


def test_a_still_mouth_has_no_offset_though_a_plain_mean_would_claim_one(spoken: list[Spoken], judge: Meter) -> None:
    for clip in spoken:
        count = len(clip.mouths)
        still = clip.mouths[:1].repeat(count, axis=0)
        sound = heard(clip.speech, count)
        assert judge.offset(sound, still).margin < 1e-4 < 0.1 < judge.offset(sound, clip.mouths).margin
        with torch.no_grad():
            a, b = judge.ear(torch.from_numpy(sound[2:-2])).numpy(), judge.eye(torch.from_numpy(seen(still))).numpy()
        plain = curve(a @ b.T)
        assert plain.max() - np.median(plain) > 100 * read(alike(a, b)).margin


def test_any_frame_rate_reads_like_25(spoken: list[Spoken], judge: Meter) -> None:
    clip = spoken[0]
    count = len(clip.mouths)
    times = [Fraction(n, 25) for n in range(count)]
    ntsc = [Fraction(1001 * n, 24000) for n in range(count * 24 // 25 - 1)]
    flat = clip.mouths.reshape(count, -1)
    refilmed = np.stack([np.interp([float(t) for t in ntsc], np.arange(count) / 25, column) for column in flat.T], 1)
    film = judge.measure(clip.speech, refilmed.reshape(-1, 43, 2).astype(np.float32), ntsc)
    ours = judge.measure(clip.speech, clip.mouths, times)
    assert ours == judge.offset(heard(clip.speech, count), clip.mouths)
    assert film.lag == ours.lag and film.margin > 0.7 * ours.margin


def test_lags_count_how_late_the_mouth_is() -> None:
    sounds = np.linalg.qr(np.random.default_rng(7).normal(size=(64, 64)))[0].astype(np.float32)
    late = np.roll(sounds, 4, axis=0)  # mouth n + 4 goes with sound n
    found = read(alike(sounds[:40], late[:40]))
    assert found.lag == 4 and found.margin > 0.9


def test_a_clip_too_short_for_its_lags_is_refused() -> None:
    with pytest.raises(ValueError, match="12 windows cannot be shifted by 12"):
        curve(np.zeros((12, 12), np.float32))


def test_the_judge_is_not_the_expert() -> None:
    expert, judge = (load_file(meter.WEIGHTS / f"{name}.safetensors") for name in ("expert", "judge"))
    shared_keys = {key for key in judge if key.endswith("weight") and judge[key].ndim > 1}
    assert shared_keys <= expert.keys()
    assert not any(torch.allclose(judge[key], expert[key], atol=1e-2) for key in shared_keys)
    assert not any(key.startswith("pixels") for key in judge)


def test_what_is_shipped_is_small_and_complete() -> None:
    size = sum((meter.WEIGHTS / f"{name}.safetensors").stat().st_size for name in ("expert", "judge"))
    assert size < 5_000_000
    assert set(shipped()) == {"expert points", "expert pixels", "judge points"}
