"""The diffusion of Diff2Lip: how noise is added, and how few steps take it away again.

Symbols (Ho et al., arXiv 2006.11239; Nichol and Dhariwal, arXiv 2102.09672; Song et al., DDIM, arXiv 2010.02502):
    betas β_t, `kept` ᾱ_t the share of the picture's power left at step t, x_t = √ᾱ_t · x_0 + √(1 − ᾱ_t) · ε
A schedule that visits fewer steps keeps the ᾱ of those it visits and derives the β again. All in float64.
Deliberately not here: the solver that needs fewer steps (solver.py).
"""

from collections.abc import Callable, Sequence
from math import log, pi
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

STEPS: Final = 1000  # of the full schedule

Doubles = NDArray[np.float64]
Predicts = Literal["noise", "picture"]
Network = Callable[[Tensor, Tensor], Tensor]  # (x (B, 3, H, W), t (B,)) → its output; t is a step of the full schedule


def linear() -> Doubles:
    """(1000,) β_t rising from 1e-4 to 0.02."""
    return np.linspace(1e-4, 0.02, STEPS, dtype=np.float64)


def ddim_steps(count: int) -> list[int]:
    """`ddimN` of guided-diffusion: 0, s, 2s, … for the first stride s that gives exactly N steps."""
    for stride in range(1, STEPS + 1):
        if len(range(0, STEPS, stride)) == count:
            return list(range(0, STEPS, stride))
    raise ValueError(f"no whole stride visits {count} of {STEPS} steps; 25, 50 and 100 work")


def section_steps(counts: Sequence[int]) -> list[int]:
    """The other respacing of guided-diffusion: `counts[i]` steps spread over the i-th of equally long sections."""
    size, longer = divmod(STEPS, len(counts))
    start, steps = 0, []
    for i, count in enumerate(counts):
        length = size + (i < longer)
        if length < count:
            raise ValueError(f"section {i} has {length} steps, {count} are asked for")
        stride = 1.0 if count <= 1 else (length - 1) / (count - 1)
        at = 0.0
        for _ in range(count):
            steps.append(start + round(at))
            at += stride
        start += length
    return sorted(set(steps))


def trailing_steps(count: int) -> list[int]:
    """Steps that begin at pure noise, for networks that predict the picture: 1 → 999; 3 → 332, 666, 999.

    source   Lin et al., Common diffusion noise schedules and sample steps are flawed, arXiv 2305.08891, table 2
    """
    return sorted(round(STEPS - i * STEPS / count) - 1 for i in range(count))


class Diffusion:
    """A schedule over some of the steps, and what a network's output means.

    An index (B,) counts visited steps: index i is step `steps[i]` of the full schedule.
    """

    def __init__(self, steps: Sequence[int], predicts: Predicts) -> None:
        """steps rise; predicts says whether the network gives ε or x_0 in its first three planes."""
        self.steps, self.predicts = list(steps), predicts
        self.kept = np.cumprod(1 - linear())[self.steps]  # ᾱ
        self.kept_before = np.append(1.0, self.kept[:-1])
        self.betas = 1 - self.kept / self.kept_before
        posterior = self.betas * (1 - self.kept_before) / (1 - self.kept)  # β̃
        self.log_posterior = np.log(np.append(posterior[1:2], posterior[1:])) if len(steps) > 1 else np.log(self.betas)

    def noisy(self, clean: Tensor, noise: Tensor, index: Tensor) -> Tensor:
        """x_t for x_0 (B, 3, H, W)."""
        return _at(np.sqrt(self.kept), index, clean) * clean + _at(np.sqrt(1 - self.kept), index, clean) * noise

    def guess(self, out: Tensor, x: Tensor, index: Tensor) -> Tensor:
        """x̂_0, the picture that the network's output says x is made of. Not clamped; gradients pass."""
        if self.predicts == "picture":
            return out[:, :3]
        noise = _at(np.sqrt(1 / self.kept - 1), index, x) * out[:, :3]
        return _at(np.sqrt(1 / self.kept), index, x) * x - noise

    def clean(self, out: Tensor, x: Tensor, i: int) -> Tensor:
        """x_0 in −1 … 1 as the network sees it at visited step i."""
        return self.guess(out, x, torch.full((len(x),), i, device=x.device)).clamp(-1, 1)

    def log_variance(self, out: Tensor, index: Tensor) -> Tensor:
        """log σ² from planes 3 … 5 in −1 … 1, between β̃ and β (learned range; eq. 15 of Nichol and Dhariwal)."""
        share = (out[:, 3:] + 1) / 2
        return share * _at(np.log(self.betas), index, out) + (1 - share) * _at(self.log_posterior, index, out)

    def posterior_mean(self, clean: Tensor, x: Tensor, index: Tensor) -> Tensor:
        """Mean of q(x_{t−1} | x_t, x_0) (eq. 7 of Ho et al.)."""
        of_clean = self.betas * np.sqrt(self.kept_before) / (1 - self.kept)
        of_x = (1 - self.kept_before) * np.sqrt(1 - self.betas) / (1 - self.kept)
        return _at(of_clean, index, x) * clean + _at(of_x, index, x) * x

    def vb(self, out: Tensor, clean: Tensor, x: Tensor, index: Tensor, mask: Tensor) -> Tensor:
        """(B,) bits a value by which the learned variance misses: the term L_vlb beside L_simple.

        The KL divergence to the true posterior; at the first step the negative log-likelihood of the picture in 256
        steps of brightness. Only the variance learns from it: the mean is taken as given (Nichol and Dhariwal, §3.2).
        As published, what mask (B, 1, H, W) hides counts as zero, and the mean is over all values.
        out   (B, 6, H, W) of a network that saw x = noisy(clean, …, index); scale by len(steps) / 1000 as they do
        """
        mean = self.posterior_mean(self.guess(out.detach(), x, index), x, index)
        log_variance = self.log_variance(out, index)
        true_mean = self.posterior_mean(clean, x, index)
        true_log_variance = _at(self.log_posterior, index, x)
        ratio = torch.exp(true_log_variance - log_variance) + (true_mean - mean) ** 2 * torch.exp(-log_variance)
        divergence = 0.5 * (ratio - 1 + log_variance - true_log_variance)
        surprise = -_log_likelihood(clean, mean, 0.5 * log_variance)
        term = torch.where(index.view(-1, 1, 1, 1) == 0, surprise, divergence)
        return (term * mask).flatten(1).mean(dim=1) / log(2)

    def sample(self, noise: Tensor, network: Network) -> Tensor:
        """DDIM with η = 0 (eq. 12 of Song et al.): the picture that this noise becomes; nothing else is random."""
        x = noise
        for i in reversed(range(len(self.steps))):
            t = torch.full((len(x),), self.steps[i], device=x.device)
            picture = self.clean(network(x, t), x, i)
            kept, before = float(self.kept[i]), float(self.kept_before[i])
            direction = (x - kept**0.5 * picture) / (1 - kept) ** 0.5  # ε of the clamped picture
            x = before**0.5 * picture + (1 - before) ** 0.5 * direction
        return x


def _at(values: Doubles, index: Tensor, like: Tensor) -> Tensor:
    """(B, 1, 1, 1) values[index] on the device and in the precision of `like`."""
    return torch.from_numpy(values).to(like.device)[index].to(like.dtype).view(-1, 1, 1, 1)


def _log_likelihood(picture: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """log of the share of a normal distribution that lies in each value's step of 2/255; the ends are open.

    source   Ho et al., eq. 13; guided-diffusion's tanh for the normal distribution function is kept
    """

    def below(x: Tensor) -> Tensor:
        return 0.5 * (1 + torch.tanh((2 / pi) ** 0.5 * (x + 0.044715 * x**3)))

    away, sharp = picture - mean, torch.exp(-log_deviation)
    upper, lower = below(sharp * (away + 1 / 255)), below(sharp * (away - 1 / 255))
    inner = torch.where(picture > 0.999, 1 - lower, upper - lower)
    return torch.where(picture < -0.999, upper, inner).clamp(min=1e-12).log()
