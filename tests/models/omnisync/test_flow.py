"""The walk from noise to film, against a second computation in float64 NumPy that shares no line with the first."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.omnisync import flow
from models.omnisync.guidance import Guidance, guided

Doubles = NDArray[np.float64]
SHAPE = (2, 3, 4, 8, 8)  # B, C, F, H, W


def drawn(*names: str) -> list[Doubles]:
    """Pictures and noises in float64, each from its own name."""
    return [np.random.default_rng([7, *name.encode()]).standard_normal(SHAPE) for name in names]


def tensors(*arrays: Doubles) -> list[Tensor]:
    return [torch.from_numpy(array.copy()) for array in arrays]


def begun(source: Doubles, noise: Doubles, tau: float) -> Tensor:
    z, e = tensors(source, noise)
    return flow.begin(z, e, tau)


def stand_in(x: Doubles, sigma: float, source: Doubles, heard: float) -> Doubles:
    """A network of a line: what it says depends on everything it is told."""
    return np.tanh(x) * (0.3 + sigma) - 0.7 * source + heard * np.cos(3 * x)


def grid_by_hand(steps: int, tau: float, shift: float, tail: bool) -> list[float]:
    """Facts' definition: τ · linspace, or σ' = sσ / (1 + (s − 1)σ) with what is over τ left out and τ put first."""
    if not tail and shift == 1:
        return [tau * (steps - i) / steps for i in range(steps + 1)]
    even = [(steps - i) / steps for i in range(steps + 1)]
    shifted = [shift * s / (1 + (shift - 1) * s) for s in even]
    return [tau] + [s for s in shifted if s < tau and not math.isclose(s, tau)]


@pytest.mark.parametrize(
    ("steps", "tau", "shift", "tail", "walked"),
    [
        pytest.param(50, 0.92, 1.0, False, 50, id="then-50-steps"),
        pytest.param(50, 0.92, 1.0, True, 46, id="the-tail-of-50"),
        pytest.param(10, 0.92, 1.0, False, 10, id="ten"),
        pytest.param(10, 0.92, 1.0, True, 10, id="tail-of-ten-keeps-all-but-the-first"),
        pytest.param(10, 1.0, 1.0, True, 10, id="from-pure-noise-both-readings-are-one"),
        pytest.param(50, 0.92, 3.0, False, 40, id="shifted-3"),
        pytest.param(50, 0.92, 5.0, True, 35, id="shifted-5"),
        pytest.param(1, 0.92, 1.0, False, 1, id="one"),
    ],
)
def test_the_schedule_is_the_definitions(steps: int, tau: float, shift: float, tail: bool, walked: int) -> None:
    sigmas = flow.grid(steps, tau, shift=shift, tail=tail)
    assert sigmas.dtype == torch.float64
    assert sigmas.tolist() == pytest.approx(grid_by_hand(steps, tau, shift, tail), abs=1e-15)
    assert len(sigmas) == walked + 1
    assert sigmas[0] == tau and sigmas[-1] == 0
    assert (sigmas.diff() < 0).all(), "noise falls at every step"


@pytest.mark.parametrize(("steps", "tau", "shift"), [(0, 0.92, 1.0), (10, 0.0, 1.0), (10, 1.1, 1.0), (10, 0.9, 0.0)])
def test_a_grid_that_cannot_be_walked_is_refused_in_words(steps: int, tau: float, shift: float) -> None:
    with pytest.raises(ValueError, match="cannot be walked"):
        flow.grid(steps, tau, shift=shift)


def test_film_under_noise_is_the_definitions_and_so_is_what_is_taught() -> None:
    film, noise = drawn("film", "noise")
    sigma = np.array([0.3, 0.95])
    by_hand = np.stack([(1 - s) * z + s * e for s, z, e in zip(sigma, film, noise, strict=True)])
    z, e, s = torch.from_numpy(film), torch.from_numpy(noise), torch.from_numpy(sigma)
    np.testing.assert_allclose(flow.noised(z, e, s).numpy(), by_hand, atol=1e-14)
    np.testing.assert_allclose(flow.velocity(z, e).numpy(), noise - film, atol=1e-14)
    said = torch.from_numpy(drawn("said")[0])
    assert float(flow.loss(said, z, e)) == pytest.approx(float(np.mean((said.numpy() - (noise - film)) ** 2)))


def test_the_velocity_is_the_slope_of_film_under_noise() -> None:
    film, noise = tensors(*drawn("film", "noise"))
    near, far = (flow.noised(film, noise, torch.full((2,), s, dtype=torch.float64)) for s in (0.4, 0.4 + 1e-6))
    np.testing.assert_allclose(((far - near) / 1e-6).numpy(), flow.velocity(film, noise).numpy(), atol=1e-8)


def test_the_start_is_the_source_under_as_much_noise_as_tau() -> None:
    source, noise = drawn("source", "noise")
    for tau in (0.92, 0.5, 1.0):
        np.testing.assert_allclose(begun(source, noise, tau).numpy(), (1 - tau) * source + tau * noise, atol=1e-14)


def test_tau_to_zero_returns_the_source() -> None:
    """Whatever the network says: there is next to no way left for it to go."""
    source, noise = drawn("source", "noise")
    apart = []
    for tau in (1e-2, 1e-4, 1e-6):
        start = begun(source, noise, tau)
        out = flow.walk(
            start,
            flow.grid(5, tau),
            lambda x, s: torch.from_numpy(stand_in(x.numpy(), float(s[0]), source, 1.0)),
        )
        apart.append(float(np.abs(out.numpy() - source).max()))
    assert apart[0] < 0.2 and apart[1] < apart[0] / 50 and apart[2] < 2e-5


def test_one_guided_euler_step_is_the_definitions() -> None:
    """x += (σ' − σ) · (v_u + w (v_c − v_u)), w = Ĝ ω_peak σ^1.5 about a mouth of its own in every frame."""
    source, noise = drawn("source", "noise")
    mouths = np.random.default_rng(5).uniform(0.2, 0.8, (2, 4, 2))
    how = Guidance(base=1.0, peak=4.5, gamma=1.5, width=0.15, floor=False)
    now, after = 0.92, 0.7
    x = (1 - now) * source + now * noise
    by_hand = np.empty_like(x)
    unheard, heard = (stand_in(x, now, source, told) for told in (0.0, 1.0))
    for b in range(SHAPE[0]):
        for f in range(SHAPE[2]):
            for i in range(SHAPE[3]):
                for j in range(SHAPE[4]):
                    away = math.hypot((j + 0.5) / 8 - mouths[b, f, 0], (i + 0.5) / 8 - mouths[b, f, 1])
                    bump = (1.0 + 3.5 * math.exp(-(away**2) / (2 * 0.15**2))) / 4.5
                    w = bump * 4.5 * now**1.5
                    v = unheard[b, :, f, i, j] + w * (heard[b, :, f, i, j] - unheard[b, :, f, i, j])
                    by_hand[b, :, f, i, j] = x[b, :, f, i, j] + (after - now) * v

    def say(x: Tensor, sigma: Tensor) -> Tensor:
        both = [torch.from_numpy(stand_in(x.numpy(), float(sigma[0]), source, told)) for told in (0.0, 1.0)]
        return guided(both[1], both[0], how.weight(torch.from_numpy(mouths), sigma, 8, 8))

    out = flow.walk(torch.from_numpy(x), torch.tensor([now, after], dtype=torch.float64), say)
    np.testing.assert_allclose(out.numpy(), by_hand, atol=1e-12)


def test_a_whole_walk_is_the_definitions_step_by_step() -> None:
    source, noise = drawn("source", "noise")
    sigmas = grid_by_hand(7, 0.92, 1.0, True)
    x = (1 - sigmas[0]) * source + sigmas[0] * noise
    for now, after in pairwise(sigmas):
        x = x + (after - now) * stand_in(x, now, source, 1.0)
    out = flow.walk(
        begun(source, noise, 0.92),
        flow.grid(7, 0.92, tail=True),
        lambda x, s: torch.from_numpy(stand_in(x.numpy(), float(s[0]), source, 1.0)),
    )
    np.testing.assert_allclose(out.numpy(), x, atol=1e-12)


def test_a_network_that_knows_the_film_is_walked_to_the_film_in_any_number_of_steps() -> None:
    source, film, noise = tensors(*drawn("source", "film", "noise"))
    for steps in (1, 5, 50):
        out = flow.walk(flow.begin(source, noise), flow.grid(steps), lambda x, s: (x - film) / s.view(-1, 1, 1, 1, 1))
        np.testing.assert_allclose(out.numpy(), film.numpy(), atol=1e-9)


def test_the_region_lock_puts_back_the_source_under_the_same_noise_after_every_step() -> None:
    source, noise = drawn("source", "noise")
    mask = np.zeros((1, 1, 1, 8, 8))
    mask[..., 3:, 2:6] = 1.0
    mask[..., 4, 4] = 0.25  # soft
    sigmas = [0.92, 0.6, 0.3, 0.0]
    x = (1 - 0.92) * source + 0.92 * noise
    for now, after in pairwise(sigmas):
        x = x + (after - now) * stand_in(x, now, source, 1.0)
        x = mask * x + (1 - mask) * ((1 - after) * source + after * noise)
    z, e = tensors(source, noise)
    out = flow.walk(
        flow.begin(z, e),
        torch.tensor(sigmas, dtype=torch.float64),
        lambda x, s: torch.from_numpy(stand_in(x.numpy(), float(s[0]), source, 1.0)),
        flow.locked(torch.from_numpy(mask), z, e),
    ).numpy()
    np.testing.assert_allclose(out, x, atol=1e-12)
    outside = np.broadcast_to(mask == 0, SHAPE)
    np.testing.assert_array_equal(out[outside], source[outside])
    assert np.abs(out - source)[np.broadcast_to(mask == 1, SHAPE)].mean() > 0.1


def test_windows_agree_where_the_network_looks_at_one_frame_at_a_time() -> None:
    """With one noise for the whole shot, walking it in windows is walking it whole."""
    source, noise = tensors(*drawn("source", "noise"))

    def walked(part: slice) -> Tensor:
        z = source[:, :, part]
        return flow.walk(flow.begin(z, noise[:, :, part]), flow.grid(5), lambda x, s: torch.tanh(x) - 0.5 * z)

    whole = walked(slice(None))
    joined = torch.cat([walked(slice(0, 2)), walked(slice(2, 4))], dim=2)
    torch.testing.assert_close(joined, whole, rtol=0, atol=0)
