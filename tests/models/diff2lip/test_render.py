"""T faces for T faces: only the mouth changes, the same seed draws the same, and silence closes it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from models import registry
from models.diff2lip.network import PAPER, Diff2Lip
from models.diff2lip.paper import Paper
from models.diff2lip.render import WEIGHTS
from models.diff2lip.voice import activity
from models.diff2lip.window import CROP
from models.face.crop import covering, enlarge
from models.face.mesh import Mesh, Roi
from models.face.pose import opening
from models.lipsync import Face, LipSync, Sight
from tests.models.conftest import Filmed

needs_starter = pytest.mark.skipif(not WEIGHTS.exists(), reason=f"{WEIGHTS.name} is not trained yet")


def sight_of(chance: torch.Generator, size: int, count: int) -> Sight:
    """Noise with a plausible mesh: enough for shapes and seeds."""
    crops = torch.rand(count, 3, size, size, generator=chance)
    mesh = torch.rand(468, 2, generator=chance) * 0.6 + 0.2
    mesh[33], mesh[263] = torch.tensor([0.24, 0.17]), torch.tensor([0.76, 0.17])
    meshes = mesh + torch.rand(count, 1, 2, generator=chance) * 0.01
    face = Face(crops[[0, -1, 0, -1]], meshes[[0, -1, 0, -1]], mesh)
    return Sight(crops, torch.tensor([0.5, 0.7, 0.15, 0.0]).expand(count, -1), meshes, face)


@pytest.fixture(scope="module")
def tiny() -> LipSync:
    return registry.renderer("diff2lip", "tiny")


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)])
@pytest.mark.parametrize("count", [1, 2, 37])
def test_as_many_faces_out_as_in(tiny: LipSync, rate: Fraction, count: int) -> None:
    sight = sight_of(torch.Generator().manual_seed(7), 128, count)
    speech = torch.randn(4000, generator=torch.Generator().manual_seed(8)) * 0.1  # shorter than the picture
    out = tiny.render(sight, speech, [n / rate for n in range(count)], seed=7, steps=0)
    assert out.shape == sight.crops.shape and out.dtype == sight.crops.dtype
    assert out.min() >= 0 and out.max() <= 1
    assert not torch.equal(out, sight.crops)


def test_outside_the_mask_every_number_is_the_inputs(tiny: LipSync) -> None:
    sight = sight_of(torch.Generator().manual_seed(7), 128, 3)
    out = tiny.render(sight, torch.zeros(100), [Fraction(n, 25) for n in range(3)], seed=7, steps=2)
    changed = (out != sight.crops).any(dim=1).any(dim=0)
    rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
    assert rows.min() >= CROP.top * 128 and rows.max() < CROP.bottom * 128
    assert columns.min() >= CROP.sides * 128 and columns.max() < 128 - CROP.sides * 128


def test_no_sound_at_all_is_silence(tiny: LipSync) -> None:
    sight = sight_of(torch.Generator().manual_seed(7), 128, 2)
    times = [Fraction(0), Fraction(1, 24)]
    nothing = tiny.render(sight, torch.zeros(0), times, seed=7, steps=0)
    assert torch.equal(nothing, tiny.render(sight, torch.zeros(8000), times, seed=7, steps=0))


def test_the_voice_is_active_where_it_speaks() -> None:
    speech = np.zeros(32000, np.float32)
    speech[8000:16000] = np.random.default_rng(7).normal(0, 0.05, 8000)
    active = activity(speech, [Fraction(n, 25) for n in range(60)])
    assert (active[:10] == 0).all() and (active[13:24] == 1).all() and (active[27:] == 0).all()


def test_paper_draws_only_the_lower_half_and_frame_by_frame() -> None:
    torch.manual_seed(7)
    model = Paper(Diff2Lip(replace(PAPER, channels=32, widths=(1, 2), blocks=1, attention=(), head=32)))
    sight = sight_of(torch.Generator().manual_seed(7), 128, 2)
    speech = torch.randn(16000, generator=torch.Generator().manual_seed(8)) * 0.1
    times = [Fraction(n, 25) for n in range(2)]
    both = model.render(sight, speech, times, seed=7, steps=2)
    assert torch.equal(both[:, :, :64], sight.crops[:, :, :64])
    assert not torch.allclose(both[:, :, 64:], sight.crops[:, :, 64:])
    later = Sight(sight.crops[1:], sight.mouths[1:], sight.points[1:], sight.face)
    second = model.render(later, speech, times[1:], seed=7, steps=2)
    assert torch.allclose(second, both[1:], atol=1e-4)  # all frames start from one noise


@needs_starter
def test_the_same_seed_draws_the_same_pixels(filmed: Filmed) -> None:
    first, again = (drawn(filmed, filmed.speech) for _ in range(2))
    assert torch.equal(first, again)


@needs_starter
def test_windows_of_one_shot_agree(filmed: Filmed) -> None:
    whole = drawn(filmed, filmed.speech)
    times = [Fraction(n, 25) for n in range(10, 24)]
    part = registry.renderer("diff2lip").render(filmed.sight(10), filmed.speech, times, seed=7, steps=0)
    assert (part - whole[10:]).abs().max() < 0.02


@needs_starter
def test_silence_closes_the_mouth_and_speech_opens_it(filmed: Filmed) -> None:
    spoken = openings(filmed, drawn(filmed, filmed.speech))
    silent = openings(filmed, drawn(filmed, torch.zeros(16000)))
    own = opening(filmed.points)
    assert np.percentile(silent, 90) < np.percentile(own, 20) + 0.02
    assert spoken.max() > silent.max() + 0.03
    assert np.corrcoef(spoken, own)[0, 1] > 0.5


@needs_starter
def test_a_room_alone_keeps_the_mouth_as_silence_does(filmed: Filmed) -> None:
    hum = torch.randn(16000, generator=torch.Generator().manual_seed(8)) * 0.005  # −46 dBFS
    assert torch.equal(drawn(filmed, hum), drawn(filmed, torch.zeros(16000)))


def drawn(filmed: Filmed, speech: Tensor) -> Tensor:
    times = [Fraction(n, 25) for n in range(len(filmed.frames))]
    model = registry.renderer("diff2lip")
    return model.render(filmed.sight(), speech, times, seed=7, steps=0)


def openings(filmed: Filmed, crops: Tensor) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Read from the mesh of the crops laid back into their frames."""
    mesh, found = Mesh(), []
    for frame, crop, square in zip(filmed.frames, crops, filmed.squares, strict=True):
        x, y, width, height = box = covering(square, frame.shape[1], frame.shape[0])
        done = frame.copy()
        patch = np.asarray(crop.permute(1, 2, 0).numpy() * 255, np.float32)
        done[y : y + height, x : x + width] = np.clip(np.rint(enlarge(patch, square, box)), 0, 255)
        found.append(mesh(done, Roi(float(square[0]), float(square[1]), 1.45 * float(square[2]), 0.0))[0])
    return np.asarray(opening(np.stack(found)))
