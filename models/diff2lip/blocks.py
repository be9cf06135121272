"""The blocks of guided-diffusion's U-Net, which Diff2Lip's two networks are built of.

Source: Dhariwal and Nichol, arXiv 2105.05233. Names are those of its checkpoints.
"""

from math import log
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
        self.in_layers = nn.Sequential(norm(width, groups), nn.SiLU(), nn.Conv2d(width, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(style, 2 * out if scale_shift else out))
        self.out_layers = nn.Sequential(
            norm(out, groups), nn.SiLU(), nn.Dropout(0.0), zero(nn.Conv2d(out, out, 3, padding=1))
        )
        self.skip_connection = nn.Identity() if width == out else nn.Conv2d(width, out, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        norm, act, conv = self.in_layers
        h = act(norm(x))
        if self.scale:
            h, x = self.resample(h), self.resample(x)
        h = conv(h)
        told = self.emb_layers(emb).to(h.dtype)[:, :, None, None]
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
        self.norm = norm(width, groups)
        self.qkv = nn.Conv1d(width, 3 * width, 1)
        self.proj_out = zero(nn.Conv1d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)  # (B, C, N)
        q, k, v = (
            self.qkv(self.norm(flat)).unflatten(1, (self.heads, 3, -1)).transpose(3, 4).unbind(2)
        )  # (B, heads, N, D)
        share = q.shape[3] ** -0.25  # on q and on k, so that their product stays within a half's range
        h = F.scaled_dot_product_attention(q * share, k * share, v, scale=1.0)  # softmax in float32, whatever comes in
        return cast(Tensor, x + self.proj_out(h.transpose(2, 3).reshape(flat.shape)).view_as(x))


class Norm(nn.GroupNorm):
    """Group normalisation in float32, whatever comes in."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.float()).to(x.dtype)


def sinusoid(t: Tensor, width: int) -> Tensor:
    """(B, width) cosines then sines of t at frequencies 1 … 1/10000."""
    half = width // 2
    turns = t[:, None].float() * torch.exp(-log(10_000) * torch.arange(half, device=t.device) / half)
    return torch.cat([turns.cos(), turns.sin()], dim=1)


def norm(width: int, groups: int) -> Norm:
    return Norm(groups, width)


def zero(module: nn.Module) -> nn.Module:
    """Starts as if it were not there, so a new block first learns from where the others stand."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
