"""Schedules are those of guided-diffusion, computed here a second time from the definitions."""

import math

import numpy as np
import pytest
import torch

from models.diff2lip.diffusion import Diffusion, ddim_steps, section_steps, trailing_steps


def kept(t: int) -> float:
    """ᾱ_t as a plain product."""
    return math.prod(1 - (1e-4 + (0.02 - 1e-4) * i / 999) for i in range(t + 1))


@pytest.mark.parametrize(("count", "stride"), [(25, 40), (50, 20), (100, 10), (1000, 1), (2, 500)])
def test_ddim_steps_are_the_first_stride_that_fits(count: int, stride: int) -> None:
    assert ddim_steps(count) == list(range(0, 1000, stride))


def test_a_count_that_no_stride_gives_is_refused() -> None:
    with pytest.raises(ValueError, match="600"):
        ddim_steps(600)


def test_sections_are_rounded_as_in_guided_diffusion() -> None:
    assert section_steps([25])[:8] == [0, 42, 83, 125, 166, 208, 250, 291]
    assert section_steps([25])[-2:] == [957, 999]
    steps = section_steps([10, 15, 20])
    assert steps[:3] == [0, 37, 74] and steps[9:14] == [333, 334, 358, 381, 405]
    assert steps[24:29] == [666, 667, 684, 702, 719] and steps[-1] == 999


def test_trailing_steps_begin_at_pure_noise() -> None:
    assert trailing_steps(1) == [999]
    assert trailing_steps(3) == [332, 666, 999]


@pytest.mark.parametrize("i", [0, 1, 12, 24])
def test_respaced_numbers_are_the_definitions(i: int) -> None:
    diffusion = Diffusion(ddim_steps(25), "noise")
    before = kept(40 * (i - 1)) if i else 1.0
    beta = 1 - kept(40 * i) / before
    assert diffusion.kept[i] == pytest.approx(kept(40 * i), rel=1e-12)
    assert diffusion.betas[i] == pytest.approx(beta, rel=1e-12)
    j = max(i, 1)  # the first posterior variance is zero and is replaced by the second
    posterior = (1 - kept(40 * j) / kept(40 * (j - 1))) * (1 - kept(40 * (j - 1))) / (1 - kept(40 * j))
    assert diffusion.log_posterior[i] == pytest.approx(math.log(posterior), rel=1e-9)


def test_the_learned_variance_lies_between_the_two() -> None:
    diffusion = Diffusion(ddim_steps(25), "noise")
    out = torch.cat([torch.zeros(1, 3, 1, 2), torch.tensor([[-1.0, 1.0]]).expand(1, 3, 1, 2)], dim=1)
    low, high = diffusion.log_variance(out, 5)[0, 0, 0].tolist()
    assert low == pytest.approx(diffusion.log_posterior[5], abs=1e-6)
    assert high == pytest.approx(np.log(diffusion.betas[5]), abs=1e-6)


@pytest.mark.parametrize("predicts", ["noise", "picture"])
@pytest.mark.parametrize("steps", [[999], [332, 666, 999], list(range(0, 1000, 40))])
def test_a_network_that_knows_the_picture_gets_it_back(predicts: str, steps: list[int]) -> None:
    picture = torch.rand(2, 3, 4, 4, dtype=torch.float64) * 1.8 - 0.9
    diffusion = Diffusion(steps, "noise" if predicts == "noise" else "picture")

    def network(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        share = kept(int(t[0]))
        return picture if predicts == "picture" else (x - share**0.5 * picture) / (1 - share) ** 0.5

    noise = torch.randn(2, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    assert torch.allclose(diffusion.sample(noise, network), picture, atol=1e-6)


def test_the_picture_is_clamped_and_the_noise_follows() -> None:
    """Two steps by hand: a network that shouts 3 is heard as 1, and ε is derived again from that 1."""
    diffusion = Diffusion([400, 900], "picture")
    x = torch.full((1, 3, 1, 1), 0.5, dtype=torch.float64)
    out = diffusion.sample(x, lambda x, t: torch.full_like(x, 3.0) if t[0] == 900 else x)
    late, early = kept(900), kept(400)
    noise = (0.5 - late**0.5) / (1 - late) ** 0.5
    assert out.flatten()[0].item() == pytest.approx(min(1.0, early**0.5 + (1 - early) ** 0.5 * noise), abs=1e-9)


def test_noise_is_added_by_the_schedule() -> None:
    diffusion = Diffusion(range(1000), "picture")
    clean, noise = torch.ones(2, 3, 1, 1), torch.full((2, 3, 1, 1), 2.0)
    found = diffusion.noisy(clean, noise, torch.tensor([0, 700]))
    assert found[1, 0, 0, 0].item() == pytest.approx(kept(700) ** 0.5 + 2 * (1 - kept(700)) ** 0.5, abs=1e-6)
