"""Convolutions around the starter's transformer: from pixels to its few tokens and back, with the finer levels beside.

A patch of eight by eight pixels is too much for a narrow token; a bare transformer of this size learns to blur (shared
facts, §4). Between the convolutions every channel is scaled and shifted by what is heard and by the noise (Perez et
al., FiLM, arXiv 1709.07871).
"""

from itertools import pairwise
from typing import Final, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OPEN: Final = 2.5  # of the gate before it has learnt anything: its sigmoid is 0.92


class Conv(nn.Module):
    """Convolution, normalisation, told of sound and noise, and a bend."""

    def __init__(self, inputs: int, outputs: int, told: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.norm = nn.GroupNorm(4, outputs)
        self.tell = nn.Linear(told, 2 * outputs)
        nn.init.zeros_(self.tell.weight)
        nn.init.zeros_(self.tell.bias)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """x (N, C, H, W), vector (N, told)."""
        grow, move = self.tell(vector)[:, :, None, None].chunk(2, dim=1)
        return F.silu(self.norm(self.conv(x)) * (1 + grow) + move)


class Stem(nn.Module):
    """Two films of pixels → features of an eighth of their height; each level's on the side."""

    def __init__(self, colours: int, widths: tuple[int, ...], told: int) -> None:
        super().__init__()
        self.first = Conv(8 * colours, widths[0], told)
        self.levels = nn.ModuleList(Conv(fine, coarse, told, stride=2) for fine, coarse in pairwise(widths))
        self.more = nn.ModuleList(Conv(width, width, told) for width in widths[1:])

    def forward(self, films: Tensor, vector: Tensor) -> tuple[Tensor, list[Tensor]]:
        """films (B, 2C, F, H, W), vector (B, F, told) → (B, W, F, H/8, W/8) and the sides, finest first."""
        batch, _, frames = films.shape[:3]
        x = F.pixel_unshuffle(films.transpose(1, 2).flatten(0, 1), 2).contiguous(memory_format=torch.channels_last)
        vector = vector.flatten(0, 1)
        sides = [self.first(x, vector)]
        for shrink, more in zip(self.levels, self.more, strict=True):
            sides.append(more(shrink(sides[-1], vector), vector))
        return sides[-1].unflatten(0, (batch, frames)).transpose(1, 2), sides[:-1]


class Head(nn.Module):
    """Features and sides → what changes of the source's pixels, and how much of it is let through; nothing at first.

    A sum of many channels is never quite nothing; the gate can be, so what does not move stays the source's.
    """

    def __init__(self, colours: int, widths: tuple[int, ...], told: int) -> None:
        super().__init__()
        self.first = Conv(widths[-1], widths[-1], told)
        down = widths[::-1]
        self.narrow = nn.ModuleList(nn.Conv2d(coarse + fine, fine, 1) for coarse, fine in pairwise(down))
        self.levels = nn.ModuleList(Conv(fine, fine, told) for fine in down[1:])
        self.last = nn.Conv2d(widths[0], 4 * colours, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(cast(Tensor, self.last.bias))
        self.gate = nn.Conv2d(widths[0], 4, 3, padding=1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(cast(Tensor, self.gate.bias), OPEN)

    def forward(self, h: Tensor, sides: list[Tensor], vector: Tensor) -> Tensor:
        """h (B, W, F, H/8, W/8) → (B, C, F, H, W)."""
        batch, frames = h.shape[0], h.shape[2]
        vector = vector.flatten(0, 1)
        x = self.first(h.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last), vector)
        for narrow, conv, side in zip(self.narrow, self.levels, reversed(sides), strict=True):
            wide = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = conv(narrow(torch.cat([wide, side], dim=1)), vector)
        changed = F.pixel_shuffle(self.last(x), 2) * torch.sigmoid(F.pixel_shuffle(self.gate(x), 2))
        return changed.view(batch, frames, *changed.shape[1:]).transpose(1, 2)
