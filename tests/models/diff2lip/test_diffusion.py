"""Schedules are those of guided-diffusion, computed here a second time from the definitions."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

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
    low, high = diffusion.log_variance(out, torch.tensor([5]))[0, 0, 0].tolist()
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


def drawn(count: int, planes: int, seed: int) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.rand(count, planes, 4, 6, dtype=torch.float64, generator=chance) * 1.6 - 0.8


@pytest.mark.parametrize("predicts", ["noise", "picture"])
def test_the_guess_undoes_the_noise_is_not_clamped_and_lets_gradients_pass(predicts: str) -> None:
    diffusion = Diffusion(range(1000), "noise" if predicts == "noise" else "picture")
    index = torch.tensor([0, 321, 999])
    clean, noise = 3 * drawn(3, 3, 1), drawn(3, 3, 2)
    out = (noise if predicts == "noise" else clean).clone().requires_grad_()
    found = diffusion.guess(out, diffusion.noisy(clean, noise, index), index)
    assert torch.allclose(found, clean, atol=1e-9) and found.abs().max() > 1
    (slope,) = torch.autograd.grad(found.sum(), out)
    assert slope.abs().min() > 0


@pytest.mark.parametrize("i", [1, 5, 24])
def test_the_posterior_is_what_bayes_gives(i: int) -> None:
    """q(x_{t−1} | x_t, x_0) as the product of two normal distributions of x_{t−1}."""
    diffusion = Diffusion(ddim_steps(25), "noise")
    now, before = kept(40 * i), kept(40 * (i - 1))
    alpha = now / before
    forward, backward = 1 / (1 - before), alpha / (1 - alpha)  # how sharp: from x_0, from x_t
    clean, x = drawn(1, 3, 1), drawn(1, 3, 2)
    wanted = (forward * before**0.5 * clean + backward * x / alpha**0.5) / (forward + backward)
    assert torch.allclose(diffusion.posterior_mean(clean, x, torch.tensor([i])), wanted, atol=1e-12)
    assert diffusion.log_posterior[i] == pytest.approx(-math.log(forward + backward), abs=1e-9)


def test_vb_is_the_divergence_from_the_posterior_in_bits() -> None:
    diffusion = Diffusion(range(1000), "noise")
    index = torch.tensor([1, 40, 700])
    clean, noise, out = drawn(3, 3, 1), drawn(3, 3, 2), drawn(3, 6, 3)
    x = diffusion.noisy(clean, noise, index)
    mask = torch.zeros(3, 1, 4, 6, dtype=torch.float64)
    mask[..., 2:, :] = 1
    found = diffusion.vb(out, clean, x, index, mask)
    for b, t in enumerate(index.tolist()):
        now, before = kept(t), kept(t - 1)
        beta = 1 - now / before
        small = max(beta * (1 - before) / (1 - now), (1 - kept(1) / kept(0)) * (1 - kept(0)) / (1 - kept(1)))
        share = (out[b, 3:] + 1) / 2
        guess = (x[b] - (1 - now) ** 0.5 * out[b, :3]) / now**0.5
        means = [(before**0.5 * beta * one + (now / before) ** 0.5 * (1 - before) * x[b]) / (1 - now)
                 for one in (clean[b], guess)]  # fmt: skip
        deviation = (share * math.log(beta) + (1 - share) * math.log(small)).div(2).exp()
        true = Normal(means[0], torch.full_like(means[0], small**0.5))
        wanted = (kl_divergence(true, Normal(means[1], deviation)) * mask[b]).mean() / math.log(2)
        assert found[b].item() == pytest.approx(wanted.item(), rel=1e-6)


def test_vb_of_the_first_step_is_the_pictures_surprise() -> None:
    """In bits for 256 steps of brightness with open ends, by the true normal distribution; theirs is 0.02 % off."""
    diffusion = Diffusion(range(1000), "noise")
    index = torch.tensor([0])
    levels = torch.tensor([0, 1, 100, 128, 254, 255], dtype=torch.float64)
    clean = (levels / 127.5 - 1).expand(1, 3, 4, 6)
    noise, out = drawn(1, 3, 2), drawn(1, 6, 3) + 1.5
    x = diffusion.noisy(clean, noise, index)
    guess = (x - (1 - kept(0)) ** 0.5 * out[:, :3]) / kept(0) ** 0.5  # at the first step the mean is x̂_0 itself
    deviation = diffusion.log_variance(out, index).div(2).exp()
    upper = torch.where(clean == 1, 1, torch.special.ndtr((clean + 1 / 255 - guess) / deviation))
    lower = torch.where(clean == -1, 0, torch.special.ndtr((clean - 1 / 255 - guess) / deviation))
    wanted = -(upper - lower).log2().mean()
    ones = torch.ones(1, 1, 4, 6, dtype=torch.float64)
    assert diffusion.vb(out, clean, x, index, ones).item() == pytest.approx(wanted.item(), rel=2e-3)


def test_only_the_variance_learns_from_vb_and_only_under_the_mask() -> None:
    diffusion = Diffusion(range(1000), "noise")
    index = torch.tensor([0, 500])
    clean, noise = drawn(2, 3, 1), drawn(2, 3, 2)
    out = drawn(2, 6, 3).requires_grad_()
    mask = torch.zeros(2, 1, 4, 6, dtype=torch.float64)
    mask[..., 2:, :] = 1
    bits = diffusion.vb(out, clean, diffusion.noisy(clean, noise, index), index, mask)
    (slope,) = torch.autograd.grad(bits.sum(), out)
    assert not slope[:, :3].any() and not slope[:, 3:, :2].any()
    assert slope[:, 3:, 2:].abs().min() > 0
