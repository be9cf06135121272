"""Which mouth goes with which sound: a small expert on lip points, not pixels.

Its ear, frozen, is what the voice (voice.py) hears with; a second one of another seed judges the result. Points
generalise to new faces where pixels do not, and a minute teaches it (measured, shared facts starter_training.md §4).
Input mouths are measured ones (shape.py) minus the clip's median; time is 25 frames a second, as in GRID.
"""

from fractions import Fraction
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio.mel import mel, windows
from models.diff2lip.lessons import Clip, Floats
from models.diff2lip.shape import MOUTH

RATE: Final = Fraction(25)
BEFORE: Final = Fraction(2, 25)  # a sound window begins this long before its middle frame
SPAN: Final = 5  # frames of one mouth window, as long as a sound window
RUN: Final = 24  # consecutive windows that are told apart in one lesson
CLIPS: Final = 6  # a step
UNIT: Final = 12.0  # points are scaled by this: differences from the median become about 1


class Ear(nn.Module):
    """(B, 80, 16) mel windows, divided by 4 → (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (1, 12, 12, 24, 48, 72), ((1, 1), (2, 1), (2, 2), (2, 2), (2, 2))
        layers: list[nn.Module] = []
        for a, b, stride in zip(widths, widths[1:], strides, strict=False):
            layers += [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(), Residual(b)]
        self.layers = nn.Sequential(*layers)  # (B, 72, 5, 2)
        self.out = nn.Linear(72 * 5 * 2, 128)

    def forward(self, sound: Tensor) -> Tensor:
        return F.normalize(self.out(self.layers(sound[:, None]).flatten(1)), dim=1)


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


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, h: Tensor) -> Tensor:
        return F.relu(h + self.layers(h))


def level(speech: Floats) -> Floats:
    """The voice brought to GRID's loudness: 95 % of its 10 ms stretches are softer than −20 dBFS (RMS).

    At most 20 dB louder, so that a shot in which nobody speaks is not made to speak.
    """
    loud = loudness(speech)
    top = float(np.percentile(loud, 95)) if len(loud) else -120.0
    gain = 10 ** (min(20.0, -20.0 - top) / 20) if top > -70 else 0.0
    return np.asarray(speech * gain, np.float32)


def loudness(speech: Floats) -> NDArray[np.float64]:
    """(N // 160,) RMS of every 10 ms in dBFS, −120 at least."""
    power = np.square(speech[: len(speech) // 160 * 160].astype(np.float64)).reshape(-1, 160).mean(axis=1)
    return np.asarray(10 * np.log10(power + 1e-12))


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
