"""Flow matching: how film becomes noise in training, and noise becomes film in drawing.

One convention everywhere: σ = 1 is noise, σ = 0 the film; x_σ = (1 − σ) z + σ ε, velocity v = ε − z, t = 1000 σ.
Source: OmniSync (arXiv 2505.21448v2) §3; Lipman et al., Flow Matching, arXiv 2210.02747. In the paper's eq. 2 time runs
the other way; its thresholds (t > 850, t/T) count noise, as here.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

TAU: Final = 0.92  # noise of the start; higher, and the pose drifts; lower, and the source's lips leak (paper, §3.2)
STEPS: Final = 50  # of the paper
PAIRED: Final = 0.85  # σ above which the paper trains on pose-exact pairs only (t > 850 of 1000)

Velocity = Callable[[Tensor, Tensor], Tensor]


def noised(film: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """x_σ = (1 − σ) z + σ ε; sigma (B,) for tensors (B, …)."""
    s = sigma.view(-1, *[1] * (film.ndim - 1))
    return (1 - s) * film + s * noise


def velocity(film: Tensor, noise: Tensor) -> Tensor:
    """v = ε − z, what the network is taught to say of x_σ."""
    return noise - film


def loss(said: Tensor, film: Tensor, noise: Tensor) -> Tensor:
    """Conditional flow matching: mean |v̂ − (ε − z)|² (paper, eq. 3)."""
    return (said - velocity(film, noise)).square().mean()


def grid(steps: int = STEPS, tau: float = TAU, *, shift: float = 1.0, tail: bool = False) -> Tensor:
    """(n + 1,) falling noise levels from exactly τ to 0, float64.

    tail    False: `steps` steps are spread over τ … 0, the reading of "then 50 steps". True: the grid has `steps` steps
            over 1 … 0, and of it the part at or under τ is walked, 46 of 50 at τ = 0.92
    shift   s of σ' = s σ / (1 + (s − 1) σ), which spends more steps at high noise; 1 is the paper's, Wan has 3 to 5.
            A shifted grid is walked from τ on, as with `tail`
    raises  ValueError if τ is not in (0, 1], or there is no step
    """
    if not 0 < tau <= 1 or steps < 1 or shift <= 0:
        raise ValueError(f"a grid of {steps} steps from σ = {tau} with shift {shift} cannot be walked")
    even = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    if not tail and shift == 1:
        return tau * even
    shifted = shift * even / (1 + (shift - 1) * even)
    return torch.cat([torch.tensor([tau], dtype=torch.float64), shifted[shifted < tau - 1e-9]])


def begin(source: Tensor, noise: Tensor, tau: float = TAU) -> Tensor:
    """Progressive noise initialisation x = (1 − τ) z_src + τ ε (paper, eq. 7): the pose is there from the start."""
    return (1 - tau) * source + tau * noise


def walk(
    start: Tensor, sigmas: Tensor, say: Velocity, lock: Callable[[Tensor, Tensor], Tensor] | None = None
) -> Tensor:
    """Euler from sigmas[0] to sigmas[-1]: x ← x + (σ' − σ) v.

    say   (x, σ (B,)) → velocity like x
    lock  (x, σ (1,)) → x with what must not change put back, after every step
    """
    x = start
    for now, after in pairwise(sigmas):
        x = x + (after - now).to(x) * say(x, now.to(x).expand(len(x)))
        if lock is not None:
            x = lock(x, after.to(x).view(1))
    return x


def locked(mask: Tensor, source: Tensor, noise: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Region lock x ← M x + (1 − M) [(1 − σ) z_src + σ ε] with the noise of the start: layout and pose stay the film's.

    mask   1 where the model draws, 0 where the source stays; broadcast over (B, C, F, H, W)
    """

    def lock(x: Tensor, sigma: Tensor) -> Tensor:
        return mask * x + (1 - mask) * noised(source, noise, sigma.expand(len(source)))

    return lock
