"""Sync as a number: by how many frames a mouth is late, and how sure that is.

Every sound window of a clip is compared with every mouth window; along a diagonal lie the pairs of one lag. Means over
rows and columns are taken away first, or a still picture would seem in sync (it did, in 65 % of clips; centred, 8 %,
which is chance: shared facts starter_training.md §4.3). An offset without its margin says nothing: read them together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from models.face.form import Floats
from models.syncnet.network import Ear, PointsEye
from models.syncnet.senses import heard, on_the_beat, seen

Name = Literal["expert", "judge"]
WEIGHTS: Final = Path(__file__).parent
REACH: Final = 12  # frames looked at to either side
LAYOUT: Final = "syncnet 1"


class Sync(NamedTuple):
    """lag: frames of 25 a second by which the mouth is late. margin: how far that lag's mean stands above the median
    lag's; 0.2 to 0.4 for filmed speech, near 0 where the mouth has nothing to do with the sound."""

    lag: int
    margin: float


def alike(sounds: Floats, mouths: Floats) -> Floats:
    """(N, N) cosines of (N, 128) unit vectors each, centred twice: S − row mean − column mean + mean."""
    s = sounds @ mouths.T
    return np.asarray(s - s.mean(axis=0) - s.mean(axis=1, keepdims=True) + s.mean(), np.float32)


def curve(similarities: Floats, reach: int = REACH) -> Floats:
    """(2 · reach + 1,) mean similarity at every lag from −reach on.

    raises   ValueError if the clip is so short that some lag has no pair
    """
    if len(similarities) <= reach:
        raise ValueError(f"{len(similarities)} windows cannot be shifted by {reach} frames; look at fewer or more")
    return np.array([np.diagonal(similarities, lag).mean() for lag in range(-reach, reach + 1)], np.float32)


def read(similarities: Floats, reach: int = REACH) -> Sync:
    """The lag with the highest mean, and its margin over the median lag."""
    means = curve(similarities, reach)
    return Sync(int(means.argmax()) - reach, float(means.max() - np.median(means)))


@dataclass(frozen=True, eq=False)
class Meter:
    """An ear and an eye for points, frozen. The `expert` may stand in a loss; the `judge` never does."""

    ear: Ear
    eye: PointsEye

    @classmethod
    def open(cls, name: Name) -> Self:
        """The shipped one of this name."""
        meter = cls(Ear(), PointsEye())
        fill(WEIGHTS / f"{name}.safetensors", ear=meter.ear, points=meter.eye)
        return meter

    @torch.no_grad()
    def offset(self, sound: Floats, mouths: Floats, reach: int = REACH) -> Sync:
        """The reading of a clip at 25 frames a second.

        sound    (n, 80, 16) of senses.heard
        mouths   (n, 43, 2) measured (models/face/form.py), of the same n frames
        raises   ValueError if n − 4 ≤ reach
        """
        a, b = self.ear(torch.from_numpy(sound[2:-2])), self.eye(torch.from_numpy(seen(mouths)))
        return read(alike(a.numpy(), b.numpy()), reach)

    def measure(self, speech: Floats, mouths: Floats, times: Sequence[Fraction], reach: int = REACH) -> Sync:
        """The reading of a clip of any rate: the mouths are brought onto 25 frames a second by their exact times.

        speech   (N,) 16 kHz from second 0
        mouths   (n, 43, 2) measured, frame i at times[i] seconds, rising
        """
        steady = on_the_beat(mouths, times)
        return self.offset(heard(speech, len(steady), times[0]), steady, reach)


def save(path: Path, **parts: nn.Module) -> None:
    """Writes weights in half precision as `part.key`; running means and variances stay as exact as they are."""
    tensors = {}
    for part, module in parts.items():
        for key, value in module.state_dict().items():
            exact = "running" in key or not value.is_floating_point()
            tensors[f"{part}.{key}"] = (value if exact else value.half()).contiguous()
    beside = path.with_suffix(".part")
    save_file(tensors, beside, metadata={"layout": LAYOUT})
    beside.rename(path)


def fill(path: Path, **parts: nn.Module) -> None:
    """Puts the weights of `part.key` into each part, in its own precision, and freezes it in eval mode.

    raises   RuntimeError with the keys that differ; nothing in the file is run
    """
    tensors = load_file(path)
    for part, module in parts.items():
        prefix = f"{part}."
        module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        module.eval().requires_grad_(False)
