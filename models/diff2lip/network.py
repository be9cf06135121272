"""Diff2Lip's denoiser: a U-Net that fills in the lower half of a face, told by sound or by a mouth's form what to draw.

Source: Mukhopadhyay et al., Diff2Lip, WACV 2024, arXiv 2308.09716; its TFGModel is the U-Net of guided-diffusion
(Dhariwal and Nichol, arXiv 2105.05233). Variant `paper` has exactly the 632 tensors of the published checkpoints.
Variant `starter` is the same idea for a CPU: a window of the face in a quarter of the positions, a form for the sound.
Modules only: the diffusion is in diffusion.py, crops and sound in render.py.
"""

from dataclasses import dataclass
from math import log
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.diff2lip.shape import MOUTH


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of one variant."""

    channels: int  # width of the first level
    widths: tuple[int, ...]  # of every level, in `channels`; each level halves the picture
    blocks: int  # residual blocks a level
    attention: tuple[int, ...]  # levels, counted from 0, with self-attention; the middle always has it
    head: int  # channels of one attention head
    groups: int  # of GroupNorm
    pictures: int  # planes of the masked face, the references and the drawn mouth together
    out: int  # 6: noise and its variance (eq. 15 of Nichol and Dhariwal, arXiv 2102.09672)
    #           8: a picture, drawn from two references: where to look in each, how to blend them, what to change
    hears: bool  # a mel window is the condition; else the wanted and the shown mouth (2 × 86 numbers)
    light: bool  # resamples by one convolution, skips once a level, shifts and scales by the condition
    unshuffle: int  # pixels a side that become one position


FAR: Final = 4.0  # pixels a reference may be moved by; the rest of the way it has been pulled already

VARIANTS: Final = {
    "paper": Shape(128, (1, 1, 2, 3, 4), 2, (2, 3, 4), 64, 32, 6, 6, hears=True, light=False, unshuffle=1),
    "starter": Shape(40, (1, 2, 3, 4), 1, (), 40, 8, 12, 8, hears=False, light=True, unshuffle=2),
    "tiny": Shape(8, (1, 2, 3, 5), 1, (), 8, 4, 12, 8, hears=False, light=True, unshuffle=2),
}


class Diff2Lip(nn.Module):
    """Predicts the noise (`paper`) or the clean picture (`starter`, `tiny`) in a face with a masked lower half."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        c, style = shape.channels, 4 * shape.channels
        self.time_embed = nn.Sequential(nn.Linear(c, style), nn.SiLU(), nn.Linear(style, style))
        cells = shape.unshuffle**2
        self.keeps: list[bool] = []  # whether the decoder reads what an input block made
        self.input_blocks = nn.ModuleList()
        kept: list[int] = []

        def add(block: nn.Module, width: int, keep: bool) -> None:
            self.input_blocks.append(block)
            self.keeps.append(keep)
            if keep:
                kept.append(width)

        add(Steps([nn.Conv2d((3 + shape.pictures) * cells, c, 3, padding=1)]), c, keep=not shape.light)
        width = c
        for level, times in enumerate(shape.widths):
            for _ in range(shape.blocks):
                block = Steps([ResBlock(width, times * c, style, shape.groups, scale_shift=shape.light)])
                width = times * c
                if level in shape.attention:
                    block.append(Attention(width, shape.head, shape.groups))
                add(block, width, keep=True)
            if level + 1 < len(shape.widths):
                down: nn.Module = ResBlock(width, width, style, shape.groups, scale=(0.5, 0.5))
                if shape.light:
                    down = nn.Conv2d(width, width, 3, stride=2, padding=1)
                add(Steps([down]), width, keep=not shape.light)
        self.middle_block = Steps(
            [
                ResBlock(width, width, style, shape.groups, scale_shift=shape.light),
                Attention(width, shape.head, shape.groups),
                ResBlock(width, width, style, shape.groups, scale_shift=shape.light),
            ]
        )
        self.output_blocks = nn.ModuleList()
        for level, times in reversed(list(enumerate(shape.widths))):
            count = shape.blocks if shape.light else shape.blocks + 1
            for i in range(count):
                block = Steps([ResBlock(width + kept.pop(), times * c, style, shape.groups, scale_shift=shape.light)])
                width = times * c
                if level in shape.attention:
                    block.append(Attention(width, shape.head, shape.groups))
                if level and i + 1 == count:
                    narrower = shape.widths[level - 1] * c
                    if shape.light:
                        block.append(nn.Sequential(nn.Conv2d(width, narrower, 1), nn.Upsample(scale_factor=2)))
                        width = narrower
                    else:
                        block.append(ResBlock(width, width, style, shape.groups, scale=(2, 2)))
                self.output_blocks.append(block)
        self.out = nn.Sequential(
            _norm(width, shape.groups), nn.SiLU(), _zero(nn.Conv2d(width, shape.out * cells, 3, padding=1))
        )
        if shape.hears:
            self.audio_encoder = AudioEncoder()
            self.audio_encoder_to_style = nn.Sequential(
                _norm(128, 32), nn.SiLU(), nn.AdaptiveAvgPool2d(1), _zero(nn.Conv2d(128, style, 1)), nn.Flatten()
            )
        else:
            numbers = 2 * 2 * len(MOUTH)
            self.mouth_to_style = nn.Sequential(nn.Linear(numbers, style), nn.SiLU(), nn.Linear(style, style))

    def forward(self, x: Tensor, t: Tensor, masked: Tensor, mask: Tensor, shown: Tensor, condition: Tensor) -> Tensor:
        """(B, 6, H, W) noise and variance, or (B, 3, H, W) the picture, for noisy faces x; everything in −1 … 1.

        x          (B, 3, H, W) noisy; only the masked part is read
        t          (B,) step of the full schedule, 0 … 999
        masked     (B, 3, H, W) the face, hidden where mask is 1
        mask       (B, 1, H, W) 1 where there is something to draw
        shown      (B, 3, H, W) a reference face; or (B, 9, H, W) a closed one, an open one, a drawn mouth
        condition  (B, 80, 16) mel window, or (B, 172) the wanted form and the form of the first reference
        """
        cells = self.shape.unshuffle
        h = torch.cat([x * mask + masked * (1 - mask), masked, shown], dim=1)
        h = F.pixel_unshuffle(h, cells) if cells > 1 else h
        emb = self.time_embed(sinusoid(t, self.shape.channels)) + self.style(condition)  # (B, 4 · channels)
        kept = []
        for block, keep in zip(self.input_blocks, self.keeps, strict=True):
            h = block(h, emb)
            if keep:
                kept.append(h)
        h = self.middle_block(h, emb)
        for block in self.output_blocks:
            h = block(torch.cat([h, kept.pop()], dim=1), emb)
        h = self.out(h)
        h = F.pixel_shuffle(h, cells) if cells > 1 else h
        if self.shape.out == 6:
            return h
        change, openness, look_closed, look_wide = h.float().split([3, 1, 2, 2], dim=1)
        closed, wide = moved(shown[:, :3], look_closed), moved(shown[:, 3:6], look_wide)
        picture: Tensor = closed + openness.sigmoid() * (wide - closed) + change
        return picture

    def style(self, condition: Tensor) -> Tensor:
        if self.shape.hears:
            return cast(Tensor, self.audio_encoder_to_style(self.audio_encoder(condition)))
        return cast(Tensor, self.mouth_to_style(condition))


class AudioEncoder(nn.Module):
    """A mel window (B, 80, 16) → (B, 128, 8, 8). Its residual blocks get one constant embedding, that of step 0."""

    def __init__(self) -> None:
        super().__init__()
        self.time_embed = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 32))
        self.input_block = nn.Sequential(nn.Conv1d(80, 64, 3, padding=1), _norm(64, 32), nn.SiLU())
        self.encoder_blocks = nn.ModuleList([Steps([nn.Conv2d(1, 32, 3, padding=1)])])
        width = 32
        for times, shrink in ((1, (0.5, 1)), (2, (0.5, 1)), (3, (0.5, 0.5)), (4, None)):
            for _ in range(2):
                self.encoder_blocks.append(Steps([ResBlock(width, 32 * times, 32, 32)]))
                width = 32 * times
            if shrink:
                self.encoder_blocks.append(Steps([ResBlock(width, width, 32, 32, scale=shrink)]))
        self.middle_block = Steps([ResBlock(width, width, 32, 32)])

    def forward(self, sound: Tensor) -> Tensor:
        emb = self.time_embed(sinusoid(torch.zeros(len(sound), device=sound.device), 32))
        h = self.input_block(sound)[:, None]  # (B, 1, 64, 16)
        for block in self.encoder_blocks:
            h = block(h, emb)
        return cast(Tensor, self.middle_block(h, emb))


class Steps(nn.ModuleList):
    """Blocks in a row; those that want the embedding get it."""

    def forward(self, h: Tensor, emb: Tensor) -> Tensor:
        for block in self:
            h = block(h, emb) if isinstance(block, ResBlock) else block(h)
        return h


class ResBlock(nn.Module):
    """Two convolutions about an embedding, added to the input; `scale` (height, width) resamples both branches."""

    def __init__(
        self, width: int, out: int, style: int, groups: int, *, scale: tuple[float, float] | None = None,
        scale_shift: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.scale, self.scale_shift = scale, scale_shift
        self.in_layers = nn.Sequential(_norm(width, groups), nn.SiLU(), nn.Conv2d(width, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(style, 2 * out if scale_shift else out))
        self.out_layers = nn.Sequential(
            _norm(out, groups), nn.SiLU(), nn.Dropout(0.0), _zero(nn.Conv2d(out, out, 3, padding=1))
        )
        self.skip_connection = nn.Identity() if width == out else nn.Conv2d(width, out, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        norm, act, conv = self.in_layers
        h = act(norm(x))
        if self.scale:
            h, x = self.resample(h), self.resample(x)
        h = conv(h)
        told = self.emb_layers(emb)[:, :, None, None]
        if self.scale_shift:
            gain, shift = told.chunk(2, dim=1)
            h = self.out_layers[1:](self.out_layers[0](h) * (1 + gain) + shift)
        else:
            h = self.out_layers(h + told)
        return cast(Tensor, self.skip_connection(x) + h)

    def resample(self, h: Tensor) -> Tensor:
        """Nearest neighbour up, means down."""
        assert self.scale
        if self.scale[0] > 1:
            return F.interpolate(h, scale_factor=self.scale[0], mode="nearest")
        kernel = (round(1 / self.scale[0]), round(1 / self.scale[1]))
        return F.avg_pool2d(h, kernel)


class Attention(nn.Module):
    """Self-attention over all positions; each head's q, k, v lie side by side in `qkv`, as in guided-diffusion."""

    def __init__(self, width: int, head: int, groups: int) -> None:
        super().__init__()
        self.heads = max(1, width // head)
        self.norm = _norm(width, groups)
        self.qkv = nn.Conv1d(width, 3 * width, 1)
        self.proj_out = _zero(nn.Conv1d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)  # (B, C, N)
        q, k, v = self.qkv(self.norm(flat)).unflatten(1, (self.heads, 3, -1)).unbind(2)  # each (B, heads, C / heads, N)
        h = F.scaled_dot_product_attention(q.transpose(2, 3), k.transpose(2, 3), v.transpose(2, 3))
        return cast(Tensor, x + self.proj_out(h.transpose(2, 3).reshape(flat.shape)).view_as(x))


def moved(picture: Tensor, look: Tensor) -> Tensor:
    """Each pixel looked up elsewhere: `look` (B, 2, H, W) right and down, up to FAR pixels; 0 is the picture itself."""
    height, width = picture.shape[2:]
    x = (torch.arange(width, device=look.device) + 0.5 + FAR * torch.tanh(look[:, 0])) * 2 / width - 1
    y = (torch.arange(height, device=look.device)[:, None] + 0.5 + FAR * torch.tanh(look[:, 1])) * 2 / height - 1
    at = torch.stack([x, y], dim=3)  # (B, H, W, 2) in −1 … 1
    return F.grid_sample(picture.float(), at, mode="bilinear", padding_mode="border", align_corners=False)


def sinusoid(t: Tensor, width: int) -> Tensor:
    """(B, width) cosines then sines of t at frequencies 1 … 1/10000."""
    half = width // 2
    turns = t[:, None].float() * torch.exp(torch.arange(half, device=t.device) * (-log(10_000) / half))
    return torch.cat([turns.cos(), turns.sin()], dim=1)


def _norm(width: int, groups: int) -> nn.GroupNorm:
    return nn.GroupNorm(groups, width)


def _zero(module: nn.Module) -> nn.Module:
    """Starts as if it were not there, so a new block first learns from where the others stand."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
