"""Tells drawn runs of five frames from filmed ones, patch by patch: what flickers or is blurred is found out.

Source: the sequential PatchGAN of Diff2Lip (arXiv 2308.09716, §3.3), trained jointly. Its layers were not published;
these are pix2pix's three strided ones (Isola et al., arXiv 1611.07004) with spectral norm (Miyato et al., arXiv
1802.05957) and the hinge loss, which kept the balance on little data.
"""

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from models.diff2lip.train.recipe import FRAMES

WIDTHS: Final = (48, 96, 128)


class Critic(nn.Module):
    """Pictures of a run stacked on channels, and what the drawer was told beside them."""

    def __init__(self, told: int) -> None:
        """told   planes a frame that say what was asked for; 0 if nothing"""
        super().__init__()
        widths = ((3 + told) * FRAMES, *WIDTHS)
        self.layers = nn.ModuleList(
            [spectral_norm(nn.Conv2d(a, b, 4, stride=2 if i < 2 else 1, padding=1))
             for i, (a, b) in enumerate(pairwise(widths))]
        )  # fmt: skip
        self.last = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, pictures: Tensor, told: Tensor) -> list[Tensor]:
        """Features of every layer, the verdict (C, 1, h, w) last; pictures (C · FRAMES, 3, H, W)."""
        both = torch.cat([pictures, told], dim=1)
        h = both.reshape(-1, FRAMES * both.shape[1], *both.shape[2:])
        features = []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return [*features, self.last(h)]


def find_out(filmed: Tensor, drawn: Tensor, weight: Tensor) -> Tensor:
    """What the critic learns by: hinge loss of both verdicts (C, 1, h, w); 2 is chance."""
    return _mean(F.relu(1 - filmed) + F.relu(1 + drawn), weight)


def fool(drawn: Tensor, weight: Tensor) -> Tensor:
    """What the drawer learns by."""
    return -_mean(drawn, weight)


def match(drawn: list[Tensor], filmed: list[Tensor]) -> Tensor:
    """Mean L1 of the critic's features (pix2pixHD, arXiv 1711.11585, eq. 4)."""
    return torch.stack([F.l1_loss(a, b.detach()) for a, b in zip(drawn[:-1], filmed[:-1], strict=True)]).mean()


def _mean(verdict: Tensor, weight: Tensor) -> Tensor:
    """weight (C · FRAMES, 1, H, W): what an audience looks at counts more."""
    looked_at = weight.reshape(-1, FRAMES, *weight.shape[1:]).mean(dim=1)
    shares = F.adaptive_avg_pool2d(looked_at, (verdict.shape[2], verdict.shape[3]))
    return (verdict * shares).sum() / shares.sum()
