"""The diffusion of Diff2Lip: how noise is added, and how few steps take it away again.

Symbols (Ho et al., arXiv 2006.11239; Nichol and Dhariwal, arXiv 2102.09672; Song et al., DDIM, arXiv 2010.02502):
    betas β_t, `kept` ᾱ_t the share of the picture's power left at step t, x_t = √ᾱ_t · x_0 + √(1 − ᾱ_t) · ε
A schedule that visits fewer steps keeps the ᾱ of those it visits and derives the β again. All in float64.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

STEPS: Final = 1000  # of the full schedule

Doubles = NDArray[np.float64]


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
    """A schedule over some of the steps, and what a network's output means."""

    def __init__(self, steps: Sequence[int], predicts: Literal["noise", "picture"]) -> None:
        """steps rise; predicts says whether the network gives ε or x_0 in its first three planes."""
        self.steps, self.predicts = list(steps), predicts
        self.kept = np.cumprod(1 - linear())[self.steps]  # ᾱ
        self.kept_before = np.append(1.0, self.kept[:-1])
        self.betas = 1 - self.kept / self.kept_before
        posterior = self.betas * (1 - self.kept_before) / (1 - self.kept)  # β̃
        self.log_posterior = np.log(np.append(posterior[1:2], posterior[1:])) if len(steps) > 1 else np.log(self.betas)

    def noisy(self, clean: Tensor, noise: Tensor, index: Tensor) -> Tensor:
        """x_t for x_0 (B, 3, H, W); index (B,) counts visited steps."""
        kept = torch.from_numpy(self.kept)[index].to(clean).view(-1, 1, 1, 1)
        return kept.sqrt() * clean + (1 - kept).sqrt() * noise

    def log_variance(self, out: Tensor, i: int) -> Tensor:
        """log σ² from planes 3 … 5 in −1 … 1, between β̃ and β (learned range; eq. 15 of Nichol and Dhariwal)."""
        share = (out[:, 3:] + 1) / 2
        return share * float(np.log(self.betas[i])) + (1 - share) * float(self.log_posterior[i])

    def clean(self, out: Tensor, x: Tensor, i: int) -> Tensor:
        """x_0 in −1 … 1 as the network sees it at visited step i."""
        kept = float(self.kept[i])
        picture = out[:, :3] if self.predicts == "picture" else (x - (1 - kept) ** 0.5 * out[:, :3]) / kept**0.5
        return picture.clamp(-1, 1)

    def sample(self, noise: Tensor, network: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """DDIM with η = 0 (eq. 12 of Song et al.): the picture that this noise becomes; nothing else is random.

        network   (x, t) → its output; t (B,) is the step of the full schedule
        """
        x = noise
        for i in reversed(range(len(self.steps))):
            t = torch.full((len(x),), self.steps[i], device=x.device)
            picture = self.clean(network(x, t), x, i)
            kept, before = float(self.kept[i]), float(self.kept_before[i])
            direction = (x - kept**0.5 * picture) / (1 - kept) ** 0.5  # ε of the clamped picture
            x = before**0.5 * picture + (1 - before) ** 0.5 * direction
        return x
