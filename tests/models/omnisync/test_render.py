"""The starter draws T for T, says what it hears, leaves alone what no matte shows, refuses what it does not know."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from models import registry
from models.audio.logmel import HZ
from models.diff2lip.render import WEIGHTS
from models.lipsync import Sight
from models.omnisync.actor import Actor
from models.omnisync.network import TINY
from models.omnisync.render import Starter, middles


@pytest.fixture(scope="module")
def model() -> Starter:
    torch.manual_seed(3)
    actor = Actor(TINY)
    for parameter in actor.parameters():  # what begins at zero says something
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    bias = actor.network.head.last.bias
    assert bias is not None
    with torch.no_grad():
        bias[:4] = 0  # and the source is not preferred
    return Starter(actor)


def sight(frames: int, mesh: bool = False) -> Sight:
    g = torch.Generator().manual_seed(1)
    mouths = torch.tensor([[0.5, 0.5, 1 / 6, 0.0]]).expand(frames, 4)
    return Sight(torch.rand(frames, 3, 96, 96, generator=g), mouths, torch.zeros(frames, 468 * mesh, 2), None)


def voice(seconds: float = 3.0) -> Tensor:
    loud = (torch.sin(torch.arange(int(seconds * HZ)) / 1500) > 0).float()
    return 0.2 * loud * torch.sin(torch.arange(int(seconds * HZ)) * 0.2)


def moments(frames: int, rate: Fraction = Fraction(25)) -> list[Fraction]:
    return [1 + n / rate for n in range(frames)]


@pytest.mark.parametrize("frames", [1, 2, 5, 8])
def test_it_draws_as_many_frames_as_it_is_shown(model: Starter, frames: int) -> None:
    seen = sight(frames)
    drawn = model.render(seen, voice(), moments(frames), seed=7, steps=2)
    assert drawn.shape == seen.crops.shape and bool(((drawn >= 0) & (drawn <= 1)).all())
    assert not torch.equal(drawn, seen.crops)


def test_the_same_seed_draws_the_same_pixels_and_another_others(model: Starter) -> None:
    one, again, other = (model.render(sight(3), voice(), moments(3), seed=seed, steps=2) for seed in (7, 7, 8))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_another_sound_or_prompt_draws_another_mouth(model: Starter) -> None:
    def drawn(speech: Tensor, prompt: str = "") -> Tensor:
        return model.render(sight(3), speech, moments(3), seed=7, steps=2, prompt=prompt)

    said = drawn(voice())
    assert not torch.allclose(said, drawn(torch.zeros(3 * HZ))) and not torch.allclose(said, drawn(voice(), "calm"))


@pytest.mark.parametrize("speech", [torch.zeros(0), torch.zeros(HZ)], ids=["no sound", "silence"])
def test_without_sound_it_draws_silence(model: Starter, speech: Tensor) -> None:
    drawn = model.render(sight(2), speech, moments(2), seed=7, steps=1)
    assert bool(drawn.isfinite().all())
    assert torch.equal(drawn, model.render(sight(2), torch.zeros(5 * HZ), moments(2), seed=7, steps=1))


def test_where_the_face_has_a_mesh_what_no_matte_shows_is_locked_to_the_film(model: Starter) -> None:
    locked, free = (model.render(sight(2, mesh), voice(), moments(2), seed=7, steps=3) for mesh in (True, False))
    crops = sight(2).crops
    assert torch.allclose(locked[..., :6, :], crops[..., :6, :], atol=1e-5)
    assert not torch.allclose(locked[..., 40:56, 40:56], crops[..., 40:56, 40:56], atol=1e-2)
    assert not torch.allclose(free[..., :6, :], crops[..., :6, :], atol=1e-5)


@pytest.mark.parametrize(
    ("rate", "first"), [(Fraction(24000, 1001), Fraction(1001, 48000)), (Fraction(50), Fraction(1, 100))]
)
def test_a_frame_is_heard_at_its_middle(rate: Fraction, first: Fraction) -> None:
    assert middles([n / rate for n in range(3)])[0] == first
    assert middles([Fraction(0)]) == [Fraction(1, 50)]


def test_a_prompt_nobody_taught_is_refused_by_name(model: Starter) -> None:
    with pytest.raises(ValueError, match="no prompt 'angry'"):
        model.render(sight(1), voice(), moments(1), seed=7, steps=1, prompt="angry")


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(registry.BadCheckpoint, match="tensors that differ"):
        registry.load("omnisync", WEIGHTS, "starter")
