"""CAM++: from a stretch of speech to 192 numbers that say whose voice it is.

A densely connected time-delay network whose layers are masked by their context (Wang et al., "CAM++: A Fast and
Efficient Network for Speaker Verification", Interspeech 2023, arXiv 2303.00332). Parameter names are those of
3D-Speaker's public checkpoint `campplus_cn_en_common.pt` (Apache-2.0), which loads strictly.

Deliberately not here: training, and the other sizes of the family.
"""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MELS: Final = 80
VOICE: Final = 192  # numbers a voice
GROWTH: Final = 32  # channels each dense layer adds
BLOCKS: Final = ((12, 1), (24, 2), (16, 2))  # layers and dilation of the three dense blocks
CONTEXT: Final = 100  # columns a segment of context: 2 s, for the columns come at 50 Hz after the first stride


class Residual(nn.Module):
    """Two 3 × 3 convolutions and a way round them. The stride is over frequency; time keeps its length."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, (stride, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut.extend([nn.Conv2d(channels, channels, 1, (stride, 1), bias=False), nn.BatchNorm2d(channels)])

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + self.shortcut(x))


class Front(nn.Module):
    """Makes 320 channels of 80 mel bands, so that a voice may be a little higher or lower than in training."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(Residual(channels, 2), Residual(channels, 1))
        self.layer2 = nn.Sequential(Residual(channels, 2), Residual(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, (2, 1), 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, mel: Tensor) -> Tensor:
        h = F.relu(self.bn1(self.conv1(mel[:, None])))  # (B, 32, 80, T)
        h = self.layer2(self.layer1(h))  # (B, 32, 20, T)
        h = F.relu(self.bn2(self.conv2(h)))  # (B, 32, 10, T)
        return h.flatten(1, 2)  # (B, 320, T)


def normed(channels: int, affine: bool = True, relu: bool = True) -> nn.Sequential:
    steps = nn.Sequential()
    steps.add_module("batchnorm", nn.BatchNorm1d(channels, affine=affine))
    if relu:
        steps.add_module("relu", nn.ReLU())
    return steps


class Masked(nn.Module):
    """A convolution, each of whose columns is turned down by what the whole and its own segment sound like."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(channels, GROWTH, 3, 1, dilation, dilation, bias=False)
        self.linear1 = nn.Conv1d(channels, channels // 2, 1)
        self.linear2 = nn.Conv1d(channels // 2, GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        segment = F.avg_pool1d(x, CONTEXT, CONTEXT, ceil_mode=True)  # (B, C, T / 100)
        segment = segment.repeat_interleave(CONTEXT, dim=-1)[..., : x.shape[-1]]  # (B, C, T)
        context = x.mean(-1, keepdim=True) + segment
        mask = torch.sigmoid(self.linear2(F.relu(self.linear1(context))))
        out: Tensor = self.linear_local(x) * mask  # (B, 32, T)
        return out


class Dense(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = normed(channels)
        self.linear1 = nn.Conv1d(channels, 4 * GROWTH, 1, bias=False)
        self.nonlinear2 = normed(4 * GROWTH)
        self.cam_layer = Masked(4 * GROWTH, dilation)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))], dim=1)


class Delay(nn.Module):
    """Five columns into one, and every second column only."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out, 5, 2, 2, bias=False)
        self.nonlinear = normed(out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.nonlinear(self.linear(x))
        return out


class Transit(nn.Module):
    """Halves the channels that a dense block has heaped up."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = normed(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear(self.nonlinear(x))
        return out


class Pool(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(-1), x.std(-1)], dim=-1)  # (B, 2 C)


class Out(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, VOICE, 1, bias=False)
        self.nonlinear = normed(VOICE, affine=False, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.nonlinear(self.linear(x[..., None])[..., 0])
        return out


class CamPlusPlus(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = Front()
        self.xvector = nn.Sequential()
        channels = 128
        self.xvector.add_module("tdnn", Delay(320, channels))
        for number, (layers, dilation) in enumerate(BLOCKS, start=1):
            block = nn.Sequential()
            for layer in range(layers):
                block.add_module(f"tdnnd{layer + 1}", Dense(channels + layer * GROWTH, dilation))
            channels += layers * GROWTH
            self.xvector.add_module(f"block{number}", block)
            self.xvector.add_module(f"transit{number}", Transit(channels))
            channels //= 2
        self.xvector.add_module("out_nonlinear", normed(channels))
        self.xvector.add_module("stats", Pool())
        self.xvector.add_module("dense", Out(2 * channels))

    def forward(self, mel: Tensor) -> Tensor:
        """The voice, (B, 192), to be compared by angle.

        mel  (B, T, 80) Kaldi filter banks at 100 Hz, less their mean over time
        """
        out: Tensor = self.xvector(self.head(mel.transpose(1, 2)))
        return out
