"""Guidance in space and time, against a second computation in float64 NumPy, and what it promises."""

import numpy as np
import pytest
import torch

from models.omnisync.guidance import Guidance, bump, guided

LONG = np.random.default_rng(3)


def by_hand(
    mouths: np.ndarray[tuple[int, ...], np.dtype[np.float64]], height: int, width: int, how: Guidance
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(B, F, H, W) G of eq. 8, place by place; distances in shares of the picture's width."""
    out = np.empty((*mouths.shape[:2], height, width))
    for at in np.ndindex(*out.shape):
        x, y = (at[3] + 0.5) / width, (at[2] + 0.5) / height
        across, down = x - mouths[at[0], at[1], 0], (y - mouths[at[0], at[1], 1]) * height / width
        out[at] = how.base + (how.peak - how.base) * np.exp(-(across**2 + down**2) / (2 * how.width**2))
    return out


@pytest.mark.parametrize(("height", "width"), [(12, 12), (6, 20), (20, 6)])
@pytest.mark.parametrize("twice", [False, True])
def test_the_weight_is_the_definitions(height: int, width: int, twice: bool) -> None:
    how = Guidance(base=1.3, peak=4.5, gamma=1.5, width=0.15, floor=False, twice=twice)
    mouths = LONG.uniform(-0.2, 1.2, (2, 3, 2))
    sigma = np.array([0.92, 0.31])
    weight = how.weight(torch.from_numpy(mouths), torch.from_numpy(sigma), height, width).numpy()
    normal = by_hand(mouths, height, width, how) / how.peak  # Ĝ = G / ω_peak, times ω_peak σ^γ
    wanted = normal * how.peak * sigma[:, None, None, None] ** 1.5 * (how.peak if twice else 1.0)
    assert weight.shape == (2, 1, 3, height, width)
    np.testing.assert_allclose(weight[:, 0], wanted, atol=1e-12)


def test_g_is_the_peak_at_the_mouth_and_the_base_far_away() -> None:
    how = Guidance(base=1.0, peak=6.0, width=0.1)
    mouth = torch.tensor([[[0.5 + 0.5 / 31, 0.25 + 0.5 / 31]]], dtype=torch.float64)  # about the middle of a pixel
    g = bump(mouth, 31, 31, how)[0, 0, 0].numpy()
    assert g.max() == pytest.approx(6.0, abs=0.2)
    row, column = np.unravel_index(g.argmax(), g.shape)
    assert abs((column + 0.5) / 31 - float(mouth[0, 0, 0])) < 0.5 / 31 + 1e-9
    assert abs((row + 0.5) / 31 - float(mouth[0, 0, 1])) < 0.5 / 31 + 1e-9
    assert g[-1, 0] == pytest.approx(1.0, abs=1e-6)
    assert (g >= 1.0).all() and (g <= 6.0).all()


def test_g_follows_the_mouth_of_every_frame() -> None:
    mouths = torch.tensor([[[0.2, 0.3], [0.7, 0.8]]], dtype=torch.float64)
    g = bump(mouths, 20, 20, Guidance())[0, 0]
    for frame, (x, y) in zip(g, mouths[0], strict=True):
        row, column = divmod(int(frame.argmax()), 20)
        assert (
            abs((column + 0.5) / 20 - float(x)) <= 0.5 / 20 + 1e-9
            and abs((row + 0.5) / 20 - float(y)) <= 0.5 / 20 + 1e-9
        )


def test_without_a_centre_every_place_is_guided_as_the_mouth_is() -> None:
    how, sigma = Guidance(peak=4.5, floor=False), torch.tensor([0.92, 0.4], dtype=torch.float64)
    weight = how.weight(None, sigma, 8, 8)
    np.testing.assert_allclose(weight.expand(2, 1, 3, 8, 8).numpy()[:, 0, 0, 0, 0], 4.5 * sigma.numpy() ** 1.5)
    assert weight.expand(2, 1, 3, 8, 8).std(dim=(1, 2, 3, 4)).max() == 0


def test_a_centre_outside_the_picture_reaches_in_from_there() -> None:
    g = bump(torch.tensor([[[1.1, 0.5]]], dtype=torch.float64), 16, 16, Guidance(peak=5.0, width=0.2))[0, 0, 0]
    assert (g.diff(dim=1) > 0).all(), "the nearer, the stronger"
    assert float(g.max()) < 5.0


def test_the_push_falls_with_the_noise_and_never_under_one_unless_asked() -> None:
    mouths = torch.full((1, 1, 2), 0.5, dtype=torch.float64)
    sigmas = torch.linspace(1, 0, 11, dtype=torch.float64)
    for floor in (True, False):
        weights = torch.stack([Guidance(floor=floor).weight(mouths, s.view(1), 9, 9)[0, 0, 0] for s in sigmas])
        steps = weights.diff(dim=0)
        assert (steps <= 1e-12).all() and (steps[:3, 4, 4] < 0).all()
        assert float(weights.min()) == (1.0 if floor else 0.0)


def test_static_guidance_is_one_number_everywhere_and_always() -> None:
    how = Guidance(static=2.5)
    mouths = torch.rand(2, 3, 2, generator=torch.Generator().manual_seed(1))
    for given in (mouths, None):
        weight = how.weight(given, torch.tensor([0.9, 0.1]), 6, 6)
        assert weight.shape[0] == 2 and set(weight.flatten().tolist()) == {2.5}


def test_guidance_one_is_what_the_network_says_with_sound_and_zero_what_it_says_without() -> None:
    heard, unheard = (torch.from_numpy(LONG.standard_normal((2, 3, 4, 6, 6))) for _ in range(2))
    one = Guidance(static=1.0).weight(None, torch.tensor([0.9, 0.1], dtype=torch.float64), 6, 6)
    torch.testing.assert_close(guided(heard, unheard, one), heard)
    torch.testing.assert_close(guided(heard, unheard, 0 * one), unheard)
    torch.testing.assert_close(guided(heard, unheard, 3 * one), unheard + 3 * (heard - unheard))


def test_g_is_one_where_base_and_peak_are_one_so_nothing_is_pushed() -> None:
    how = Guidance(base=1.0, peak=1.0, gamma=0.0, floor=False)
    weight = how.weight(torch.full((1, 2, 2), 0.4), torch.tensor([0.5]), 7, 7)
    torch.testing.assert_close(weight, torch.ones_like(weight))
