"""LR-ASD's network, with the keys of its public checkpoints: 837,156 parameters.

Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", IJCV 2025. Two encoders whose blocks
look along one axis and then along time, a gate on both together, two GRUs that read in both directions, a gate again.
It says whether a mouth moves as in speech while there is some; that they belong together in time it does not notice.
"""

from typing import Final

import torch
from torch import Tensor, nn

WIDTHS: Final = ((1, 16, 32), (32, 32, 64), (64, 64, 128))  # in, middle and out of each block
EMBEDDING: Final = 128
GREY: Final = (0.4161, 0.1688)  # mean and deviation of faces, 0 … 1
CLASSES: Final = 2  # silent, speaking
ROWS: Final = 4  # of sound, for a frame

Size = tuple[int, ...]


class Block(nn.Module):
    """Four convolutions, 5 and 3 wide over the picture (or the coefficients), then 5 and 3 over time.

    first  what the first two are called: s for a picture, m for a sound
    """

    def __init__(
        self, first: str, widths: Size, over: tuple[Size, Size], time: tuple[Size, Size], stride: Size
    ) -> None:
        super().__init__()
        conv, norm = (nn.Conv3d, nn.BatchNorm3d) if len(stride) == 3 else (nn.Conv2d, nn.BatchNorm2d)
        taken, middle, given = widths
        plan = (
            (f"{first}_1", taken, middle, over[0], stride), (f"{first}_2", middle, given, over[1], (1,) * len(stride)),
            ("t_1", given, given, time[0], (1,) * len(stride)), ("t_2", given, given, time[1], (1,) * len(stride)),
        )  # fmt: skip
        self.steps: list[tuple[str, str]] = []
        for name, a, b, kernel, step in plan:
            kind, number = name.split("_")
            self.steps.append((name, f"{kind}_norm_{number}"))
            padding = tuple(each // 2 for each in kernel)
            self.add_module(name, conv(a, b, kernel, step, padding, bias=False))  # type: ignore[arg-type]
            self.add_module(self.steps[-1][1], norm(b, eps=1e-3, momentum=0.01))

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in self.steps:
            x = torch.relu(self.get_submodule(norm)(self.get_submodule(conv)(x)))
        return x


class Eye(nn.Module):
    """(B, 1, T, 112, 112) normalised grey faces → (B, T, 128)."""

    def __init__(self) -> None:
        super().__init__()
        over, time = ((1, 5, 5), (1, 3, 3)), ((5, 1, 1), (3, 1, 1))
        self.block1 = Block("s", WIDTHS[0], over, time, (1, 2, 2))
        self.block2 = Block("s", WIDTHS[1], over, time, (1, 1, 1))
        self.block3 = Block("s", WIDTHS[2], over, time, (1, 1, 1))
        self.pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))

    def forward(self, faces: Tensor) -> Tensor:
        seen: Tensor = self.block3(self.pool(self.block2(self.pool(self.block1(faces)))))
        return seen.amax(dim=(3, 4)).transpose(1, 2)


class Ear(nn.Module):
    """(B, 1, 13, 4T) MFCC → (B, T, 128)."""

    def __init__(self) -> None:
        super().__init__()
        over, time = ((5, 1), (3, 1)), ((1, 5), (1, 3))
        self.block1, self.block2, self.block3 = (Block("m", widths, over, time, (1, 1)) for widths in WIDTHS)
        self.pool = nn.MaxPool2d((1, 3), (1, 2), (0, 1))

    def forward(self, sound: Tensor) -> Tensor:
        heard: Tensor = self.block3(self.pool(self.block2(self.pool(self.block1(sound)))))
        return heard.mean(dim=2).transpose(1, 2)


class Gate(nn.Module):
    """(B, T, C / 2) twice → (B, T, C), each channel weighed by a look at all of its frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Conv1d(width, width, 1, bias=False)
        self.bn = nn.BatchNorm1d(width, eps=1e-3, momentum=0.01)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        both = torch.cat((one, other), dim=2).transpose(1, 2)
        return (both * torch.sigmoid(self.bn(self.attention(both)))).transpose(1, 2)


class Detector(nn.Module):
    """(B, T, 256) → (B, T, 128): read forwards and backwards."""

    def __init__(self) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(2 * EMBEDDING, EMBEDDING // 2, batch_first=True)
        self.gru_backward = nn.GRU(2 * EMBEDDING, EMBEDDING // 2, batch_first=True)
        self.attention = Gate(EMBEDDING)

    def forward(self, both: Tensor) -> Tensor:
        onwards, _ = self.gru_forward(both)
        back, _ = self.gru_backward(both.flip(1))
        gated: Tensor = self.attention(onwards, back.flip(1))
        return gated


class _Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.FC = nn.Linear(EMBEDDING, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.FC(x)
        return logits


class _Body(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.visualEncoder = Eye()
        self.audioEncoder = Ear()
        self.fusion = Gate(2 * EMBEDDING)
        self.detector = Detector()


class LrAsd(nn.Module):
    """Faces and their sound in, logits out: [..., 1] above 0 means speaking."""

    def __init__(self) -> None:
        super().__init__()
        self.model = _Body()
        self.lossAV = _Head()
        self.lossV = _Head()  # of the eye alone: for teaching

    def forward(self, sound: Tensor, faces: Tensor) -> Tensor:
        """sound (B, 4T, 13) MFCC of 16-bit samples, faces (B, T, 112, 112) grey 0 … 255 → (B, T, 2)"""
        mean, deviation = GREY
        seen = self.model.visualEncoder(((faces / 255 - mean) / deviation)[:, None])
        heard = self.model.audioEncoder(sound.transpose(1, 2)[:, None])
        logits: Tensor = self.lossAV(self.model.detector(self.model.fusion(heard, seen)))
        return logits
