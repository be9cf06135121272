"""The sync experts' parts: one ear, and two eyes that look at lip points or at pixels. Unit vectors of 128 come out.

A sound and a mouth that belong together point the same way; how far apart in time they are is read in meter.py.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SPAN: Final = 5  # frames of one mouth window, as long as a sound window
POINTS: Final = 43  # of the lips and the chin (models/face/form.py)
EMBEDDING: Final = 128
# Wav2Lip's colour SyncNet, face side: (output over the width, kernel, stride, padding), and how many residuals follow.
LAYOUT: Final = (
    ((1, 7, (1, 1), 3), 0),
    ((2, 5, (1, 2), 1), 2),
    ((4, 3, (2, 2), 1), 3),
    ((8, 3, (2, 2), 1), 2),
    ((16, 3, (2, 2), 1), 2),
    ((16, 3, (2, 2), 1), 0),
    ((16, 3, (1, 1), 0), 0),
    ((16, 1, (1, 1), 0), 0),
)


class Ear(nn.Module):
    """(B, 80, 16) mel windows, divided by 4 → (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (1, 12, 12, 24, 48, 72), ((1, 1), (2, 1), (2, 2), (2, 2), (2, 2))
        layers: list[nn.Module] = []
        for a, b, stride in zip(widths, widths[1:], strides, strict=False):
            layers += [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(), Residual(b)]
        self.layers = nn.Sequential(*layers)  # (B, 72, 5, 2)
        self.out = nn.Linear(72 * 5 * 2, EMBEDDING)

    def forward(self, sound: Tensor) -> Tensor:
        return F.normalize(self.out(self.layers(sound[:, None]).flatten(1)), dim=1)


class PointsEye(nn.Module):
    """(B, 5 · 86) mouths of five frames (senses.seen) → (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(SPAN * 2 * POINTS, 256), nn.LayerNorm(256), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.15), nn.Linear(256, EMBEDDING),
        )  # fmt: skip

    def forward(self, mouths: Tensor) -> Tensor:
        return F.normalize(self.layers(mouths), dim=1)


class PixelEye(nn.Module):
    """(B, 15, 48, 96) five RGB faces in 0 … 1, frame by frame on the channels (senses.looked_at) → (B, 128).

    The face side of Wav2Lip's colour SyncNet (Prajwal et al., arXiv 2008.10010, models/syncnet.py), whose width is 32;
    what is ours is the linear layer at the end, so that a cosine can be negative, and the narrower default: at 8 a
    window costs 0.09 G multiplications, which a loss can pay on a CPU.
    """

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = SPAN * 3
        for (times, kernel, stride, padding), residuals in LAYOUT:
            outputs = times * width
            layers.append(Convolution(inputs, outputs, kernel, stride, padding))
            layers += [Convolution(outputs, outputs, 3, (1, 1), 1, residual=True) for _ in range(residuals)]
            inputs = outputs
        self.layers = nn.Sequential(*layers)  # (B, 16 · width, 1, 1)
        self.out = nn.Linear(inputs, EMBEDDING)
        self.heat = nn.Parameter(torch.tensor(2.5))  # log of 1 / temperature, for those who compare with many sounds

    def features(self, faces: Tensor) -> Tensor:
        """(B, 16 · width) what is seen, before it is compared with a sound."""
        seen: Tensor = self.layers(faces)
        return seen.flatten(1)

    def forward(self, faces: Tensor) -> Tensor:
        return F.normalize(self.out(self.features(faces)), dim=1)


class Convolution(nn.Module):
    """Convolution, BatchNorm, ReLU; as a residual the input is added before the ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: tuple[int, int], padding: int, *, residual: bool = False
    ) -> None:
        super().__init__()
        self.residual = residual
        self.conv_block = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs)
        )  # named as the published checkpoint names it

    def forward(self, h: Tensor) -> Tensor:
        return F.relu(self.conv_block(h) + h if self.residual else self.conv_block(h))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, h: Tensor) -> Tensor:
        return F.relu(h + self.layers(h))
