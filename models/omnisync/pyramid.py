"""Convolutions around the starter's transformer: from pixels to its few tokens and back, with the finer levels beside.

A patch of eight by eight pixels is too much for a narrow token; a bare transformer of this size learns to blur (shared
facts, §4). Between the convolutions every channel is scaled and shifted by what is heard and by the noise (Perez et
al., FiLM, arXiv 1709.07871).
"""

from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.omnisync.palette import Palette

PARTS: Final = ("kept", "moved", "lip", "inside", "teeth", "tongue")  # kept: the source's; moved: skin and chin, anew
MOUTH: Final = PARTS[2:]
KEPT: Final = 4.0  # logit of what is kept before anything is learnt


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
    """Features and sides → which part of a mouth each pixel is, what colour each part has, and so the picture.

    A sum of many channels is never quite the source and never quite one colour; a choice between the two is. So what
    does not move stays the source's, and a mouth is as crisp as the choice.
    """

    def __init__(self, colours: int, widths: tuple[int, ...], told: int) -> None:
        super().__init__()
        self.colours = colours
        self.decided = 1.0  # how often its logits are taken; more than once, and a choice is one, not a mixture
        self.first = Conv(widths[-1], widths[-1], told)
        down = widths[::-1]
        self.narrow = nn.ModuleList(nn.Conv2d(coarse + fine, fine, 1) for coarse, fine in pairwise(down))
        self.levels = nn.ModuleList(Conv(fine, fine, told) for fine in down[1:])
        self.last = nn.Conv2d(widths[0], 4 * (len(PARTS) + colours), 3, padding=1)
        self.palette = Palette(colours, widths[-1], widths[0])
        nn.init.zeros_(self.last.weight)
        bias = torch.zeros(len(PARTS) + colours)
        bias[0] = KEPT
        self.last.bias = nn.Parameter(bias.repeat_interleave(4))

    def forward(self, h: Tensor, sides: list[Tensor], vector: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, W, F, H/8, W/8), source (B, C, F, H, W) → the picture like it, and (B, 6, F, H, W) logits of PARTS."""
        batch = len(h)
        vector = vector.flatten(0, 1)
        film = source.transpose(1, 2).flatten(0, 1)  # (N, C, H, W), N = B · F
        x = self.first(h.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last), vector)
        coarse = x
        for narrow, conv, side in zip(self.narrow, self.levels, reversed(sides), strict=True):
            wide = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = conv(narrow(torch.cat([wide, side], dim=1)), vector)
        each = F.pixel_shuffle(self.last(x), 2).float()
        logits, detail = each[:, : len(PARTS)], each[:, len(PARTS) :]
        share = (self.decided * logits).softmax(dim=1)  # (N, 6, H, W)
        kept, moved = share[:, :1] * film, share[:, 1:2] * (self.palette.skin(film, x) + detail)
        mouth = torch.einsum("nkhw,nkc->nchw", share[:, 2:], self.palette.parts(film, x, coarse, batch))
        picture = kept + moved + mouth + share[:, 2:].sum(dim=1, keepdim=True) * detail
        return _apart(picture, batch), _apart(logits, batch)


def _apart(frames: Tensor, batch: int) -> Tensor:
    """(B · F, C, H, W) → (B, C, F, H, W)."""
    return frames.view(batch, -1, *frames.shape[1:]).transpose(1, 2)
