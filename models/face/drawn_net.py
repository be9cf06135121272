"""The network that finds drawn mouths: a map of where mouths are, and beside each place what the mouth there is like.

Fully convolutional in the manner of CenterNet (Zhou et al., Objects as Points, arXiv 1904.07850): pictures of any size
go in, one column of eight numbers comes out for every 4 × 4 pixels. Half a million weights, trained on drawn puppets
and cartoonised speakers (drawn_train.py); DRAWN.md is its card.
Deliberately not here: what is looked at, at which size (drawn.py).
"""

import copy
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.face.detect import WEIGHTS, Floats

STRIDE: Final = 4  # pixels of the input a cell
COARSE: Final = 16  # height and width of an input must be multiples of this
HALF: Final = 8.0  # pixels of input: the half width that reads 0
WIDTHS: Final = (24, 48, 80, 112)  # channels at strides 2, 4, 8, 16
DEPTHS: Final = (0, 2, 2, 4)  # blocks at each
# Channels of the answer. HEAT and OPEN before the sigmoid; X, Y the mouth's centre in cells from the cell's middle; LOG
# the logarithm of the half width at rest over HALF; roll = atan2(SIN, COS).
HEAT, X, Y, LOG, COS, SIN, OPEN = range(7)


class Block(nn.Module):
    """What a place sees around it (5 × 5, each channel alone), then what it makes of it; added to what it was."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(width)
        self.wide = nn.Conv2d(width, 2 * width, 1)
        self.back = nn.Conv2d(2 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.back(torch.relu(self.wide(self.norm(self.around(x)))))  # type: ignore[no-any-return]


class DrawnNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        before = (3, *WIDTHS[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in zip(before, WIDTHS, strict=True)
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Block(b) for _ in range(n))) for b, n in zip(WIDTHS, DEPTHS, strict=True)
        )
        self.up = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in ((WIDTHS[3], WIDTHS[2]), (WIDTHS[2], WIDTHS[1])))
        self.join = nn.ModuleList((Block(WIDTHS[2]), Block(WIDTHS[1])))
        self.head = nn.Sequential(nn.Conv2d(WIDTHS[1], 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 7, 1))
        last = self.head[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.constant_(last.bias, 0.0)
        nn.init.constant_(last.bias[HEAT : HEAT + 1], -4.0)  # mouths are rare

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 7, H/4, W/4) from (B, 3, H, W) RGB in −1 … 1; H and W multiples of 16."""
        levels = []
        x = pictures
        for down, blocks in zip(self.down, self.blocks, strict=True):
            x = blocks(down(x))
            levels.append(x)
        for up, join, finer in zip(self.up, self.join, (levels[2], levels[1]), strict=True):
            x = join(finer + nn.functional.interpolate(up(x), scale_factor=2, mode="nearest"))
        return self.head(x)  # type: ignore[no-any-return]

    def fused(self) -> "DrawnNet":
        """The same network for looking only: its norms are folded into the convolutions before them."""
        fuse = nn.utils.fusion.fuse_conv_bn_eval
        self.eval()
        for stage in self.down:
            assert isinstance(stage, nn.Sequential) and isinstance(stage[1], nn.BatchNorm2d)
            if isinstance(stage[0], nn.Conv2d):
                stage[0], stage[1] = fuse(stage[0], stage[1]), nn.Identity()
        for block in self.modules():
            if isinstance(block, Block) and isinstance(block.norm, nn.BatchNorm2d):
                block.around, block.norm = fuse(block.around, block.norm), nn.Identity()
        return self.requires_grad_(False)


def save(net: DrawnNet, path: Path) -> None:
    """As it looks, in half precision; `net` can be trained on."""
    weights = copy.deepcopy(net).fused().state_dict()
    part = path.with_suffix(".part")
    save_file({name: value.half().contiguous() for name, value in weights.items()}, part)
    part.chmod(0o644)
    part.rename(path)


def load(path: Path = WEIGHTS / "drawn.safetensors") -> DrawnNet:
    """The trained network, ready to look."""
    net = DrawnNet().fused()
    net.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return net


@torch.inference_mode()
def see(net: DrawnNet, pictures: NDArray[np.uint8]) -> Floats:
    """(B, 7, H/4, W/4): HEAT and OPEN in 0 … 1, X and Y in pixels of the picture, LOG as the half width in pixels.

    pictures  (B, H, W, 3) RGB, H and W multiples of 16
    """
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1
    out = net(x.contiguous(memory_format=torch.channels_last))
    out[:, [HEAT, OPEN]] = torch.sigmoid(out[:, [HEAT, OPEN]])
    out[:, LOG] = HALF * torch.exp(out[:, LOG].clamp(-3, 3))
    height, width = out.shape[2:]
    out[:, X] = STRIDE * (out[:, X] + torch.arange(width) + 0.5)
    out[:, Y] = STRIDE * (out[:, Y] + (torch.arange(height) + 0.5)[:, None])
    return np.asarray(out.numpy(), np.float32)
