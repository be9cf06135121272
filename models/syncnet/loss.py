"""The frozen pixel expert as a loss: drawn faces should go with their own sound rather than with another moment's.

Other moments of the same clip share voice, room and loudness with the right one, so only the timing of the mouth can
tell them apart. A generator can please this expert without moving its mouth as far as a real one does (shared facts
starter_training.md §4.3): its value is no measure of sync; meter.py's judge, and the opening's amplitude, are.
"""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.syncnet.meter import WEIGHTS, fill
from models.syncnet.network import Ear, PixelEye
from models.syncnet.senses import looked_at


class SyncLoss(nn.Module):
    """Cross-entropy over K sounds (InfoNCE, van den Oord et al., arXiv 1807.03748) at the expert's own temperature.

    The expert gets no gradient and stays in eval mode whatever its surroundings are set to.
    """

    def __init__(self, ear: Ear, eye: PixelEye) -> None:
        super().__init__()
        self.ear, self.eye = ear, eye
        self.requires_grad_(False).eval()

    @classmethod
    def open(cls, folder: Path = WEIGHTS) -> Self:
        """The shipped expert, or that of a folder in which one was trained."""
        ear, eye = Ear(), PixelEye()
        fill(folder / "expert.safetensors", ear=ear, pixels=eye)
        return cls(ear, eye)

    def forward(self, faces: Tensor, sounds: Tensor) -> Tensor:
        """The mean over C, in nats; log K is chance.

        faces    (C, 5, 3, h, w) five drawn frames of one face each, 0 … 1, of the window in senses.looked_at
        sounds   (C, K, 80, 16) of senses.heard: first the one about the middle frame, then others of the same clip,
                 two frames away or more, for one frame's difference is no mistake
        """
        if faces.ndim != 5 or sounds.ndim != 4 or len(faces) != len(sounds):
            raise ValueError(f"faces {tuple(faces.shape)} and sounds {tuple(sounds.shape)} are not C × 5 and C × K")
        seen = F.normalize(self.eye(looked_at(faces)).float(), dim=1)  # (C, 128)
        with torch.no_grad():
            heard = F.normalize(self.ear(sounds.flatten(0, 1)).float(), dim=1).reshape(*sounds.shape[:2], -1)
        alike = (seen[:, None] * heard).sum(dim=2) * self.eye.heat.exp()  # (C, K)
        return F.cross_entropy(alike, torch.zeros(len(alike), dtype=torch.long, device=alike.device))

    def train(self, mode: bool = True) -> Self:
        """Stays in eval mode: its BatchNorms must not follow what a generator draws."""
        return super().train(False)
