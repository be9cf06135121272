"""What the frozen sync expert adds to a training run: does the mouth fit the sound, and does it look filmed?

The expert is our own (models/syncnet). For LPIPS, which the paper uses, its user brings two files; see perceptual.py.
"""

from typing import Final, cast

import numpy as np
import torch
from torch import Tensor

from models.corpus.clips import Clip
from models.diff2lip.train.perceptual import Lpips, distance
from models.diff2lip.train.recipe import FRAMES
from models.face.form import Floats
from models.syncnet.loss import SyncLoss
from models.syncnet.senses import heard, looked_at

OTHERS: Final = 8  # moments of the same clip that the right one is told from
AWAY: Final = (3, 15)  # frames from the right one: nearer ones are no mistake
LAYERS: Final = 6  # of the pixel eye, to a quarter of the height, whose features are compared where LPIPS is not there


class Expert:
    """Frozen; on the device of the run."""

    def __init__(self, loss: SyncLoss, device: torch.device, lpips: Lpips | None = None) -> None:
        self.loss, self.device = loss.to(device), device
        self.lpips = lpips.to(device) if lpips else None
        self.sounds: dict[str, Floats] = {}

    def sync(self, mouths: Tensor, clips: tuple[Clip, ...], starts: tuple[int, ...], *, seed: int) -> Tensor:
        """Cross-entropy of the right sound among OTHERS of the same clip, in nats; log(1 + OTHERS) is chance.

        mouths   (C · FRAMES, 3, h, w) in −1 … 1, drawn for frames starts[i] … of clips[i]
        """
        chance = np.random.default_rng(seed)
        sounds = []
        for clip, start in zip(clips, starts, strict=True):
            if clip.name not in self.sounds:
                self.sounds[clip.name] = heard(clip.speech, len(clip.mouths))
            middle = start + FRAMES // 2
            near, far = AWAY
            others = [i for i in range(len(clip.mouths)) if near <= abs(i - middle) <= far]
            chosen = [middle, *chance.choice(others, OTHERS, replace=len(others) < OTHERS)]
            sounds.append(self.sounds[clip.name][chosen])
        found: Tensor = self.loss(_runs(mouths), torch.from_numpy(np.stack(sounds)).to(self.device))
        return found

    def distance(self, drawn: Tensor, filmed: Tensor) -> Tensor:
        """LPIPS if its files were given, else how different runs of frames look to the pixel eye's first layers."""
        if self.lpips:
            return cast(Tensor, self.lpips(drawn, filmed)).mean()
        return distance(self._features(drawn), self._features(filmed)).mean()

    def _features(self, pictures: Tensor) -> list[Tensor]:
        h = looked_at(_runs(pictures))
        found = []
        for layer in list(self.loss.eye.layers.children())[:LAYERS]:
            h = layer(h)
            found.append(h)
        return found


def _runs(pictures: Tensor) -> Tensor:
    """(C · FRAMES, 3, h, w) in −1 … 1 → (C, FRAMES, 3, h, w) in 0 … 1."""
    return (pictures.reshape(-1, FRAMES, *pictures.shape[1:]) + 1) / 2
