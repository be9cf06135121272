"""DPM-Solver++ ends where DDIM ends, sooner."""

import pytest
import torch
from torch import Tensor

from models.diff2lip.diffusion import Diffusion, Predicts, trailing_steps
from models.diff2lip.solver import dpm

EVERY = Diffusion(range(1000), "picture").kept  # ᾱ


def begin() -> Tensor:
    return torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("predicts", ["noise", "picture"])
@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_a_network_that_knows_the_picture_gets_it_back(predicts: Predicts, count: int) -> None:
    picture = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(8)) * 1.8 - 0.9
    asked = []

    def network(x: Tensor, t: Tensor) -> Tensor:
        asked.append(t.tolist())
        share = float(EVERY[int(t[0])])
        return picture if predicts == "picture" else (x - share**0.5 * picture) / (1 - share) ** 0.5

    found = dpm(begin(), network, count, predicts)
    assert torch.allclose(found, picture, atol=1e-4)
    assert len(asked) == count and asked[0] == [999, 999]


def test_a_shout_is_heard_as_one() -> None:
    assert torch.equal(dpm(begin(), lambda x, t: torch.full_like(x, 3.0), 5, "picture"), torch.ones(2, 3, 4, 4))


@pytest.mark.parametrize("predicts", ["noise", "picture"])
def test_ten_steps_come_nearer_to_a_thousand_than_ten_of_ddim(predicts: Predicts) -> None:
    """Pictures of normal distribution with mean 0.2 and deviation 0.1, whose best denoiser is a line."""

    def network(x: Tensor, t: Tensor) -> Tensor:
        kept = float(EVERY[int(t[0])])
        picture: Tensor = 0.2 + kept**0.5 * 0.01 / (kept * 0.01 + 1 - kept) * (x - kept**0.5 * 0.2)
        noise: Tensor = (x - kept**0.5 * picture) / (1 - kept) ** 0.5
        return picture if predicts == "picture" else noise

    truth = Diffusion(range(1000), predicts).sample(begin(), network)
    ddim = Diffusion(trailing_steps(10), predicts).sample(begin(), network)
    found = dpm(begin(), network, 10, predicts)
    assert truth.std() > 0.05
    assert (found - truth).abs().max() < 0.1 * (ddim - truth).abs().max()
