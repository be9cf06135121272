"""Dynamic spatiotemporal guidance: strong at the mouth and early, weak elsewhere and late (OmniSync, eq. 8 to 10).

As printed, ω_peak stands twice in the product, in G and in ω(t). Here G is divided by it, so the mouth is guided with
ω_peak · (t/T)^γ; `twice` is the printed product. ADR 14 has the figures of both.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Guidance:
    """How far the drawing is pushed from what the network says without sound to what it says with it."""

    base: float = 1.0  # ω far from the mouth; 1 is no push
    peak: float = 4.5  # ω at the mouth
    gamma: float = 1.5  # of (t/T)^γ, the paper's
    width: float = 0.15  # σ of the Gaussian, share of the crop's width
    floor: bool = True  # never under 1: as printed the last steps would not hear at all
    twice: bool = False  # ω_peak twice, as printed
    static: float | None = None  # one strength everywhere and always, to compare with

    def weight(self, mouths: Tensor | None, sigma: Tensor, height: int, width: int) -> Tensor:
        """(B, 1, F, H, W) the push at noise σ (B,), broadcastable; H × W of the latents.

        mouths   (B, F, 2) centres in 0 … 1 of the crop; None is no centre: the same push everywhere
        """
        if self.static is not None:
            return torch.full((len(sigma), 1, 1, 1, 1), self.static, device=sigma.device, dtype=sigma.dtype)
        fall = sigma.view(-1, 1, 1, 1, 1) ** self.gamma
        if mouths is None:
            push = self.peak * fall  # G ≡ 1
        else:
            push = bump(mouths, height, width, self) * (self.peak if self.twice else 1.0) * fall
        return push.clamp(min=1.0) if self.floor else push


def bump(mouths: Tensor, height: int, width: int, how: Guidance) -> Tensor:
    """(B, 1, F, H, W) G = ω_base + (ω_peak − ω_base) exp(−d²/2σ²) around each frame's mouth (eq. 8).

    A centre outside the picture is meant as it stands: its Gaussian reaches in from there.
    """
    y = (torch.arange(height, device=mouths.device, dtype=mouths.dtype) + 0.5) / height
    x = (torch.arange(width, device=mouths.device, dtype=mouths.dtype) + 0.5) / width
    across = x.view(1, 1, 1, -1) - mouths[..., 0, None, None]
    down = (y.view(1, 1, -1, 1) - mouths[..., 1, None, None]) * (height / width)
    near = torch.exp(-(across.square() + down.square()) / (2 * how.width**2))
    return (how.base + (how.peak - how.base) * near).unsqueeze(1)


def guided(heard: Tensor, unheard: Tensor, weight: Tensor) -> Tensor:
    """v = v(∅) + w · (v(c) − v(∅)); weight 1 is what the network says with sound."""
    return unheard + weight * (heard - unheard)
