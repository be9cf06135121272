"""What a training run needs to know of the network it trains."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from models.corpus.clips import Clip


@dataclass(frozen=True, eq=False)
class Drawn:
    """One lesson's answer: B rows, the frames of one clip together; pictures in −1 … 1."""

    picture: Tensor  # (B, 3, H, W) drawn where weight is above 0, filmed elsewhere
    target: Tensor  # (B, 3, H, W) filmed
    weight: Tensor  # (B, 1, H, W) how much an audience looks at each pixel
    told: Tensor  # (B, P, H, W) what the critic is told beside the pictures; P may be 0
    losses: dict[str, Tensor]  # of the network's own kind, by their names in training.toml, without weights
    clips: tuple[Clip, ...]  # one for each run of frames
    starts: tuple[int, ...]  # the first frame of each run in its clip


def noises(seed: int, step: int) -> torch.Generator:
    """The noise of a step, from nothing but the run's seed and the step's number (ADR 13)."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


class Subject(Protocol):
    """The starter (forms.py) or the paper's network (faces.py)."""

    told: int  # planes of `Drawn.told`

    def network(self) -> nn.Module:
        """With the weights training begins from."""
        ...

    def draw(self, network: Callable[..., Tensor], step: int, clips: int, frames: int) -> Drawn:
        """The lesson of this step and what the network makes of it; follows from seed and step alone."""
        ...

    def mouth(self, pictures: Tensor) -> Tensor:
        """The part of (B, 3, H, W) pictures that the sync expert looks at."""
        ...

    def sheet(self, network: Callable[..., Tensor], clips: list[Clip]) -> Tensor:
        """(3, H, W) in −1 … 1: a row of filmed and a row of drawn mouths for each clip."""
        ...
