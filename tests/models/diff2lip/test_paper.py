"""The paper's network in the pipeline: exact time, any sampler, and what is drawn is what the published loop draws."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from models.audio.mel import mel
from models.diff2lip import published
from models.diff2lip.diffusion import Diffusion, ddim_steps
from models.diff2lip.network import Diff2Lip, Shape
from models.diff2lip.paper import Paper, fill, one_noise
from models.lipsync import Sight

TIMES = [Fraction(k, 25) for k in range(3)]


@pytest.fixture
def network() -> Diff2Lip:
    torch.manual_seed(7)
    network = Diff2Lip(Shape(32, (1, 1, 1, 1), 1, ())).eval()
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return network


@pytest.fixture
def crops() -> torch.Tensor:
    return torch.randint(0, 256, (3, 3, 128, 128), generator=torch.Generator().manual_seed(8)) / 255


def speech(seconds: float = 1) -> torch.Tensor:
    return torch.randn(int(seconds * 16000), generator=torch.Generator().manual_seed(9)) * 0.1


def seen(crops: torch.Tensor) -> Sight:
    """Nothing but the crops is read by this model."""
    return Sight(crops, torch.zeros(len(crops), 4), torch.zeros(len(crops), 0, 2), None)


def test_at_25_frames_a_second_it_draws_what_the_published_loop_draws(network: Diff2Lip, crops: torch.Tensor) -> None:
    """All but frame 0, for which the published loop takes the sound of frame 1."""
    ours = Paper(network).render(seen(crops), speech(), TIMES, seed=7, steps=2)
    heard = published.sound_windows(mel(speech().numpy()), len(crops))
    ddim = Diffusion(ddim_steps(2), "noise")
    theirs = (fill(network, crops * 2 - 1, heard, one_noise(published.SEED), ddim.sample) + 1) / 2
    assert torch.allclose(ours[1:, :, 64:], theirs[1:, :, 64:], atol=1e-5)
    assert not torch.allclose(ours[0, :, 64:], theirs[0, :, 64:], atol=1e-5)
    assert torch.equal(ours[:, :, :64], crops[:, :, :64])


def test_a_frame_drawn_by_the_published_loop_is_ours_in_8_bit(network: Diff2Lip, crops: torch.Tensor) -> None:
    """Crops given as whole frames of 128 × 128: nothing is resized, so the bytes are our numbers cut off."""
    frames = [np.asarray(np.rint(crop.permute(1, 2, 0).numpy() * 255), np.uint8) for crop in crops]
    boxes = np.tile([0, 0, 128, 128], (3, 1))
    theirs = np.stack(published.dub(frames, boxes, speech().numpy(), network, steps=2))
    ours = Paper(network).render(seen(crops), speech(), TIMES, seed=7, steps=2)
    cut = (ours.permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)
    assert np.abs(theirs[1:, 64:].astype(int) - cut[1:, 64:]).max() <= 1
    assert (theirs[1:, 64:] == cut[1:, 64:]).mean() > 0.999
    assert len(np.unique(theirs[:, :64].astype(int) - np.stack(frames)[:, :64])) <= 2  # theirs lost a level here


def test_the_end_of_the_sound_costs_no_frame(network: Diff2Lip, crops: torch.Tensor) -> None:
    short = speech(0.03)
    assert len(published.sound_windows(mel(short.numpy()), len(crops))) < len(crops)
    drawn = Paper(network).render(seen(crops), short, TIMES, seed=7, steps=2)
    assert drawn.shape == crops.shape and (drawn[-1] != crops[-1]).any()


def test_a_frame_does_not_know_which_batch_it_is_in(network: Diff2Lip, crops: torch.Tensor) -> None:
    many, times = crops[:1].repeat(18, 1, 1, 1), [Fraction(1, 25)] * 18
    drawn = Paper(network).render(seen(many), speech(), times, seed=7, steps=1)
    assert torch.allclose(drawn[:2], drawn[16:], atol=1e-5)


def test_dpm_solver_draws_another_way_and_always_the_same(network: Diff2Lip, crops: torch.Tensor) -> None:
    model = Paper(network, sampler="dpm")
    first, again = (model.render(seen(crops[:2]), speech(), TIMES[:2], seed=7, steps=3) for _ in range(2))
    ddim = Paper(network).render(seen(crops[:2]), speech(), TIMES[:2], seed=7, steps=2)
    assert torch.equal(first, again)
    assert torch.equal(first[:, :, :64], crops[:2, :, :64])
    assert not torch.allclose(first, ddim, atol=1e-3)


def test_sound_is_heard_once_however_many_steps(
    network: Diff2Lip, crops: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = list[int]()
    listen = network.style

    def counting(sound: torch.Tensor) -> torch.Tensor:
        heard.append(len(sound))
        return listen(sound)

    monkeypatch.setattr(network, "style", counting)
    Paper(network).render(seen(crops), speech(), TIMES, seed=7, steps=5)
    assert heard == [3]


def test_a_cpu_computes_in_float32_unless_asked(network: Diff2Lip) -> None:
    assert Paper(network).network.precision == torch.float32
    assert Paper(network, precision=torch.bfloat16).network.precision == torch.bfloat16
