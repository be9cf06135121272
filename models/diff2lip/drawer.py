"""The starter's network: Diff2Lip for a CPU, told by a mouth's form what to draw.

A window of the face in a quarter of the positions; it predicts the picture instead of the noise, and makes it of the
face's own mouths in four other frames: how much of each, where to look in it, what to change. Modules only.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.diff2lip.blocks import Attention, ResBlock, Steps, norm, sinusoid, zero
from models.face.form import MOUTH


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of one variant."""

    channels: int  # width of the first level
    widths: tuple[int, ...]  # of every level, in `channels`; each level halves the picture
    head: int  # channels of one attention head
    groups: int  # of GroupNorm


STARTER: Final = Shape(40, (1, 2, 3, 4), 40, 8)
TINY: Final = Shape(8, (1, 2, 3, 5), 8, 4)
REFERENCES: Final = 4  # at rest, wide open, narrow, broad: models/lipsync.py `Face`
PLANES: Final = 3 + 3 + 3 * REFERENCES + 3  # the noisy and the masked face, the references, the drawn mouth
OUT: Final = 3 + REFERENCES + 2 * REFERENCES  # what to change, how much of each reference, where to look in it
CELL: Final = 2  # pixels a side that become one position
FAR: Final = 4.0  # pixels a reference may be moved by; the rest of the way it has been pulled already


class Drawer(nn.Module):
    """Predicts the clean picture of a window with a masked mouth."""

    decided = 1.0  # how firmly one reference is chosen over the others; render.py sets both and says why
    smooth = 0.0  # pixels, sigma: how far neighbours agree on what to change, which reference to show and where to look

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        c, style, groups = shape.channels, 4 * shape.channels, shape.groups
        self.time_embed = nn.Sequential(nn.Linear(c, style), nn.SiLU(), nn.Linear(style, style))
        self.input_blocks = nn.ModuleList([Steps([nn.Conv2d(PLANES * CELL**2, c, 3, padding=1)])])
        kept, width = [], c
        for level, times in enumerate(shape.widths):
            self.input_blocks.append(Steps([ResBlock(width, times * c, style, groups, scale_shift=True)]))
            width = times * c
            kept.append(width)
            if level + 1 < len(shape.widths):
                self.input_blocks.append(Steps([nn.Conv2d(width, width, 3, stride=2, padding=1)]))
        self.middle_block = Steps(
            [
                ResBlock(width, width, style, groups, scale_shift=True),
                Attention(width, shape.head, groups),
                ResBlock(width, width, style, groups, scale_shift=True),
            ]
        )
        self.output_blocks = nn.ModuleList()
        for level, times in reversed(list(enumerate(shape.widths))):
            block = Steps([ResBlock(width + kept.pop(), times * c, style, groups, scale_shift=True)])
            width = times * c
            if level:
                narrower = shape.widths[level - 1] * c
                block.append(nn.Sequential(nn.Conv2d(width, narrower, 1), nn.Upsample(scale_factor=2)))
                width = narrower
            self.output_blocks.append(block)
        self.out = nn.Sequential(norm(width, groups), nn.SiLU(), zero(nn.Conv2d(width, OUT * CELL**2, 3, padding=1)))
        numbers = 2 * 2 * len(MOUTH)
        self.mouth_to_style = nn.Sequential(nn.Linear(numbers, style), nn.SiLU(), nn.Linear(style, style))

    def forward(self, x: Tensor, t: Tensor, masked: Tensor, mask: Tensor, shown: Tensor, form: Tensor) -> Tensor:
        """(B, 3, H, W) the picture, for noisy windows x; all pictures in −1 … 1.

        x       (B, 3, H, W) noisy; only the masked part is read
        t       (B,) step of the full schedule, 0 … 999
        masked  (B, 3, H, W) the window, hidden where mask is 1
        mask    (B, 1, H, W) 1 where there is something to draw
        shown   (B, 15, H, W) the references, pulled to the wanted form, and the form drawn
        form    (B, 172) the wanted form and the form of the first reference
        """
        h = torch.cat([x * mask + masked * (1 - mask), masked, shown], dim=1)
        h = F.pixel_unshuffle(h, CELL)
        emb = self.time_embed(sinusoid(t, self.shape.channels)) + self.mouth_to_style(form)  # (B, 4 · channels)
        kept = []
        for i, block in enumerate(self.input_blocks):
            h = block(h, emb)
            if i % 2:  # a residual block; the others halve
                kept.append(h)
        h = self.middle_block(h, emb)
        for block in self.output_blocks:
            h = block(torch.cat([h, kept.pop()], dim=1), emb)
        h = blurred(F.pixel_shuffle(self.out(h), CELL).float(), self.smooth)
        change, choice, look = torch.split(h, [3, REFERENCES, 2 * REFERENCES], dim=1)
        height, width = shown.shape[2:]
        pictures = shown[:, :-3].reshape(-1, 3, height, width)  # (B · REFERENCES, 3, H, W)
        found = moved(pictures, look.reshape(-1, 2, height, width)).view(-1, REFERENCES, 3, height, width)
        shares = (self.decided * choice).softmax(dim=1)
        picture: Tensor = (shares[:, :, None] * found).sum(dim=1) + change
        return picture


def blurred(planes: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W) through a Gaussian of `sigma` pixels; edges are repeated."""
    if not sigma:
        return planes
    reach = round(3 * sigma)
    away = torch.arange(-reach, reach + 1, device=planes.device)
    kernel = torch.exp(-((away / sigma) ** 2) / 2)
    kernel = (kernel / kernel.sum()).expand(planes.shape[1], 1, 1, -1)
    planes = F.pad(planes, (reach, reach, reach, reach), mode="replicate")
    planes = F.conv2d(planes, kernel, groups=len(kernel))
    return F.conv2d(planes, kernel.transpose(2, 3), groups=len(kernel))


def moved(picture: Tensor, look: Tensor) -> Tensor:
    """Each pixel looked up elsewhere: `look` (B, 2, H, W) right and down, up to FAR pixels; 0 is the picture itself."""
    height, width = picture.shape[2:]
    x = (torch.arange(width, device=look.device) + 0.5 + FAR * torch.tanh(look[:, 0])) * 2 / width - 1
    y = (torch.arange(height, device=look.device)[:, None] + 0.5 + FAR * torch.tanh(look[:, 1])) * 2 / height - 1
    at = torch.stack([x, y], dim=3)  # (B, H, W, 2) in −1 … 1
    return F.grid_sample(picture.float(), at, mode="bilinear", padding_mode="border", align_corners=False)
