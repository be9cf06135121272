"""Which mouth goes with which sound: a small expert on lip points, not pixels.

Its ear, frozen, is what the voice (voice.py) hears with; a second one of another seed judges the result. Points
generalise to new faces where pixels do not, and a minute teaches it (measured, shared facts starter_training.md §4).
Input mouths are measured ones (models/face/form.py) minus the clip's median; time is 25 frames a second, as in GRID.
"""

from fractions import Fraction
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio.loudness import level
from models.audio.mel import mel, windows
from models.corpus.clips import Clip
from models.diff2lip.voice import BEFORE, Ear
from models.face.form import MOUTH, Floats

RATE: Final = Fraction(25)
SPAN: Final = 5  # frames of one mouth window, as long as a sound window
RUN: Final = 24  # consecutive windows that are told apart in one lesson
CLIPS: Final = 6  # a step
UNIT: Final = 12.0  # points are scaled by this: differences from the median become about 1


class Eye(nn.Module):
    """(B, 5 · 86) mouths of five frames → (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(SPAN * 2 * len(MOUTH), 256), nn.LayerNorm(256), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.15), nn.Linear(256, 128),
        )  # fmt: skip

    def forward(self, mouths: Tensor) -> Tensor:
        return F.normalize(self.layers(mouths), dim=1)


def heard(speech: Floats, count: int) -> Floats:
    """(count, 80, 16) the sound windows of a clip's frames, divided by 4."""
    times = [n / RATE for n in range(count)]
    return windows(mel(level(speech)), times, BEFORE) / np.float32(4)


def seen(mouths: Floats) -> Floats:
    """(n − 4, 430) windows of five mouths, the first about frame 2."""
    flat = ((mouths - np.median(mouths, axis=0)) * UNIT).reshape(len(mouths), -1).astype(np.float32)
    return (
        np.lib.stride_tricks.sliding_window_view(flat, SPAN, axis=0)
        .transpose(0, 2, 1)
        .reshape(len(flat) - 4, -1)
        .copy()
    )


def learn(clips: list[Clip], *, steps: int, seed: int) -> tuple[Ear, Eye]:
    """Contrast over windows of one clip, both ways, neighbours left out; a second of one core teaches ten steps."""
    torch.manual_seed(seed)  # of this process, which trains and does nothing else
    chance = np.random.default_rng(seed)
    ear, eye = Ear(), Eye()
    heat = nn.Parameter(torch.tensor(2.5))  # log of 1 / temperature
    learner = torch.optim.AdamW([*ear.parameters(), *eye.parameters(), heat], 1.5e-3, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(learner, steps)
    sounds, mouths = [heard(clip.speech, len(clip.mouths)) for clip in clips], [seen(clip.mouths) for clip in clips]
    by_speaker: dict[str, list[int]] = {}
    for i, clip in enumerate(clips):
        by_speaker.setdefault(clip.speaker, []).append(i)
    groups = list(by_speaker.values())
    share = np.sqrt([len(group) for group in groups])
    near = torch.ones(RUN, RUN).triu(-1).tril(1) - torch.eye(RUN)  # ±1 is no mistake worth a lesson
    for _ in range(steps):
        chosen = [int(chance.choice(groups[chance.choice(len(groups), p=share / share.sum())])) for _ in range(CLIPS)]
        pairs = []
        for i in chosen:
            start = int(chance.integers(len(mouths[i]) - RUN + 1))
            sound = sounds[i][start + 2 : start + 2 + RUN] + chance.uniform(-0.15, 0.15)
            sound = np.roll(sound, chance.integers(-2, 3), axis=1)  # another throat
            if chance.random() < 0.3:
                at = chance.integers(0, 70)
                sound[:, at : at + 10] = -1
            points = mouths[i][start : start + RUN] * chance.uniform(0.7, 1.3)
            points = points + chance.normal(0, 0.15, (1, points.shape[1])) + chance.normal(0, 0.05, points.shape)
            pairs.append((sound.astype(np.float32), points.astype(np.float32)))
        a = ear(torch.from_numpy(np.concatenate([pair[0] for pair in pairs]))).unflatten(0, (CLIPS, RUN))
        b = eye(torch.from_numpy(np.concatenate([pair[1] for pair in pairs]))).unflatten(0, (CLIPS, RUN))
        alike = (a @ b.transpose(1, 2)) * heat.exp() - 1e4 * near  # (CLIPS, RUN, RUN)
        right = torch.arange(RUN).expand(CLIPS, -1)
        loss = F.cross_entropy(alike.transpose(1, 2), right) + F.cross_entropy(alike, right)
        learner.zero_grad()
        torch.autograd.backward(loss)
        learner.step()
        rate.step()
    return ear.eval().requires_grad_(False), eye.eval().requires_grad_(False)


@torch.no_grad()
def offset(ear: Ear, eye: Eye, sound: Floats, mouths: Floats, reach: int = 12) -> tuple[int, float]:
    """(frames by which the mouth is late, margin of that lag over the median one).

    sound (n, 80, 16), mouths (n, 43, 2). The similarities are centred twice, or a still picture would score 0.
    """
    a, b = ear(torch.from_numpy(sound[2:-2])).numpy(), eye(torch.from_numpy(seen(mouths))).numpy()
    alike = a @ b.T
    alike = alike - alike.mean(axis=0) - alike.mean(axis=1, keepdims=True) + alike.mean()
    lags = range(-reach, reach + 1)
    curve = np.array([np.diagonal(alike, lag).mean() for lag in lags])
    return lags[int(curve.argmax())], float(curve.max() - np.median(curve))
