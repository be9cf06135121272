"""Diff2Lip's denoiser: a U-Net that fills in the lower half of a face, told by sound what to draw.

Source: Mukhopadhyay et al., Diff2Lip, WACV 2024, arXiv 2308.09716; its TFGModel is the U-Net of guided-diffusion
(Dhariwal and Nichol, arXiv 2105.05233). Variant `paper` has exactly the 632 tensors of the published checkpoints.
Modules only: the diffusion is in diffusion.py, crops and sound in render.py, the starter's network in drawer.py.
"""

from dataclasses import dataclass
from typing import Final, Self, cast

import torch
from torch import Tensor, nn

from models.diff2lip.blocks import Attention, ResBlock, Steps, norm, sinusoid, zero


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of one variant."""

    channels: int  # width of the first level
    widths: tuple[int, ...]  # of every level, in `channels`; each level halves the picture
    blocks: int  # residual blocks a level
    attention: tuple[int, ...]  # levels, counted from 0, with self-attention; the middle always has it
    head: int = 64  # channels of one attention head


PAPER: Final = Shape(128, (1, 1, 2, 3, 4), 2, (2, 3, 4))
GROUPS: Final = 32  # of GroupNorm
PLANES: Final = 9  # the noisy, the masked and the reference face


class Diff2Lip(nn.Module):
    """Predicts the noise in a face with a masked lower half, and how sure it is."""

    def __init__(self, shape: Shape = PAPER) -> None:
        super().__init__()
        self.shape = shape
        self.precision = torch.float32  # of the convolutions between the first and the last
        c, style = shape.channels, 4 * shape.channels
        self.time_embed = nn.Sequential(nn.Linear(c, style), nn.SiLU(), nn.Linear(style, style))
        self.input_blocks = nn.ModuleList([Steps([nn.Conv2d(PLANES, c, 3, padding=1)])])
        kept, width = [c], c
        for level, times in enumerate(shape.widths):
            for _ in range(shape.blocks):
                block = Steps([ResBlock(width, times * c, style, GROUPS)])
                width = times * c
                if level in shape.attention:
                    block.append(Attention(width, shape.head, GROUPS))
                self.input_blocks.append(block)
                kept.append(width)
            if level + 1 < len(shape.widths):
                self.input_blocks.append(Steps([ResBlock(width, width, style, GROUPS, scale=(0.5, 0.5))]))
                kept.append(width)
        self.middle_block = Steps(
            [
                ResBlock(width, width, style, GROUPS),
                Attention(width, shape.head, GROUPS),
                ResBlock(width, width, style, GROUPS),
            ]
        )
        self.output_blocks = nn.ModuleList()
        for level, times in reversed(list(enumerate(shape.widths))):
            for i in range(shape.blocks + 1):
                block = Steps([ResBlock(width + kept.pop(), times * c, style, GROUPS)])
                width = times * c
                if level in shape.attention:
                    block.append(Attention(width, shape.head, GROUPS))
                if level and i == shape.blocks:
                    block.append(ResBlock(width, width, style, GROUPS, scale=(2, 2)))
                self.output_blocks.append(block)
        self.out = nn.Sequential(norm(width, GROUPS), nn.SiLU(), zero(nn.Conv2d(width, 6, 3, padding=1)))
        self.audio_encoder = AudioEncoder()
        self.audio_encoder_to_style = nn.Sequential(
            norm(128, GROUPS), nn.SiLU(), nn.AdaptiveAvgPool2d(1), zero(nn.Conv2d(128, style, 1)), nn.Flatten()
        )

    def forward(self, x: Tensor, t: Tensor, masked: Tensor, mask: Tensor, reference: Tensor, mel: Tensor) -> Tensor:
        """(B, 6, H, W) the noise and where its variance lies between its bounds, for noisy faces x.

        x          (B, 3, H, W) noisy, in −1 … 1 and beyond; only the masked part is read
        t          (B,) step of the full schedule, 0 … 999
        masked     (B, 3, H, W) the face in −1 … 1, hidden where mask is 1
        mask       (B, 1, H, W) 1 where there is something to draw
        reference  (B, 3, H, W) a face of the same person in −1 … 1
        mel        (B, 80, 16) what is heard about this frame, −4 … 4
        """
        return self.denoise(x, t, masked, mask, reference, self.style(mel))

    def denoise(self, x: Tensor, t: Tensor, masked: Tensor, mask: Tensor, reference: Tensor, style: Tensor) -> Tensor:
        """`forward` for sound that `style` has heard already: it is the same at every step of one frame."""
        h = torch.cat([x * mask + masked * (1 - mask), masked, reference], dim=1).to(self.precision)
        emb = self.time_embed(sinusoid(t, self.shape.channels)) + style  # (B, 4 · channels)
        kept = []
        for block in self.input_blocks:
            h = block(h, emb)
            kept.append(h)
        h = self.middle_block(h, emb)
        for block in self.output_blocks:
            h = block(torch.cat([h, kept.pop()], dim=1), emb)
        return cast(Tensor, self.out(h.float()))

    def style(self, mel: Tensor) -> Tensor:
        """(B, 4 · channels) in float32: what the sound asks of every block."""
        return cast(Tensor, self.audio_encoder_to_style(self.audio_encoder(mel.to(self.precision)))).float()

    def in_precision(self, precision: torch.dtype) -> Self:
        """Itself, computing in float32, bfloat16 or float16.

        As published, only convolutions change: those of the U-Net's blocks and of the audio encoder. Linear layers,
        normalisation, `time_embed` and `out` stay in float32. Weights are loaded before this.
        """
        self.precision = precision
        for part in (
            self.input_blocks,
            self.middle_block,
            self.output_blocks,
            self.audio_encoder,
            self.audio_encoder_to_style,
        ):
            for module in part.modules():
                if isinstance(module, nn.Conv1d | nn.Conv2d):
                    module.to(precision)
        return self


class AudioEncoder(nn.Module):
    """A mel window (B, 80, 16) → (B, 128, 8, 8). Its residual blocks get one constant embedding, that of step 0."""

    def __init__(self) -> None:
        super().__init__()
        self.time_embed = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 32))
        self.input_block = nn.Sequential(nn.Conv1d(80, 64, 3, padding=1), norm(64, 32), nn.SiLU())
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
