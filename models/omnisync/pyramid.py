"""Convolutions around the starter's transformer: from pixels to its few tokens and back, with the finer levels beside.

A patch of eight by eight pixels is too much for a narrow token; a bare transformer of this size learns to blur (shared
facts, §4). Between the convolutions every channel is scaled and shifted by what is heard and by the noise (Perez et
al., FiLM, arXiv 1709.07871).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.omnisync.palette import Palette

PARTS: Final = ("kept", "moved", "lip", "inside", "teeth", "tongue")  # kept: the source's; moved: skin and chin, anew
MOUTH: Final = PARTS[2:]
DECIDED: Final = 2.5  # times its logits are taken to show: a mixture of parts between which it hesitates is blur
KEPT: Final = 1.6  # logit of what is kept before anything is learnt
PUSHED: Final = 3  # numbers of each pixel: how far it was pushed, across and down, and how sure that is
FARTHEST: Final = 12.0  # pixels that a chin may drop


@dataclass(frozen=True, eq=False)
class Painted:
    """What the head comes to."""

    picture: Tensor  # (B, C, F, H, W)
    parts: Tensor  # (B, 6, F, H, W) logits of PARTS
    colours: Tensor  # (B, 4, C) of MOUTH, one for all frames of a window


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
    does not move stays the source's, a chin is the source's pushed down, and a mouth is as crisp as the choice.
    """

    def __init__(self, colours: int, widths: tuple[int, ...], told: int) -> None:
        super().__init__()
        self.colours = colours
        self.first = Conv(widths[-1], widths[-1], told)
        down = widths[::-1]
        self.narrow = nn.ModuleList(nn.Conv2d(coarse + fine, fine, 1) for coarse, fine in pairwise(down))
        self.levels = nn.ModuleList(Conv(fine, fine, told) for fine in down[1:])
        self.last = nn.Conv2d(widths[0], 4 * (len(PARTS) + colours + PUSHED), 3, padding=1)
        self.palette = Palette(colours, widths[-1], widths[0])
        nn.init.zeros_(self.last.weight)
        bias = torch.zeros(len(PARTS) + colours + PUSHED)
        bias[0] = KEPT
        self.last.bias = nn.Parameter(bias.repeat_interleave(4))

    def forward(self, h: Tensor, sides: list[Tensor], vector: Tensor, source: Tensor) -> Painted:
        """h (B, W, F, H/8, W/8), source (B, C, F, H, W), vector (B, F, told)."""
        batch = len(h)
        vector = vector.flatten(0, 1)
        film = source.transpose(1, 2).flatten(0, 1)  # (N, C, H, W), N = B · F
        x = self.first(h.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last), vector)
        coarse = x
        for narrow, conv, side in zip(self.narrow, self.levels, reversed(sides), strict=True):
            wide = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = conv(narrow(torch.cat([wide, side], dim=1)), vector)
        each = F.pixel_shuffle(self.last(x), 2).float()
        logits, detail, away, whole = torch.split(each, [len(PARTS), self.colours, 2, 1], dim=1)
        share = (DECIDED * logits).softmax(dim=1)  # (N, 6, H, W)
        anew = self.palette.skin(film, x) + detail
        moved = anew + torch.sigmoid(DECIDED * whole) * (pushed(film, away) - anew)
        colours = self.palette.parts(film, x, coarse, batch)
        mouth = torch.einsum("nkhw,nkc->nchw", share[:, 2:], colours.repeat_interleave(len(film) // batch, dim=0))
        picture = share[:, :1] * film + share[:, 1:2] * moved + mouth
        picture = picture + share[:, 2:].sum(dim=1, keepdim=True) * detail
        return Painted(_apart(picture, batch), _apart(logits, batch), colours)


def pushed(film: Tensor, away: Tensor) -> Tensor:
    """(N, C, H, W) the film with each pixel taken from `away` (N, 2, H, W) pixels right of it and below, or less far.

    So a chin drops with its outline and all that is drawn on it (Jaderberg et al., arXiv 1506.02025). Beyond the
    picture's edge the edge is repeated.
    """
    height, width = film.shape[-2:]
    size = torch.tensor([width, height], dtype=torch.float32, device=film.device)
    x, y = torch.arange(width, device=film.device), torch.arange(height, device=film.device)
    here = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1) + 0.5
    there = here + FARTHEST * torch.tanh(away.permute(0, 2, 3, 1).float() / FARTHEST)
    return F.grid_sample(film.float(), 2 * there / size - 1, padding_mode="border", align_corners=False)


def _apart(frames: Tensor, batch: int) -> Tensor:
    """(B · F, C, H, W) → (B, C, F, H, W)."""
    return frames.view(batch, -1, *frames.shape[1:]).transpose(1, 2)
