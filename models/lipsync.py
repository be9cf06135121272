"""What every lip-sync model promises.

A model draws mouths. It sees crops of one face in one shot and hears one voice; it knows nothing of the film, the
catalog or the orchestrator. `tasks/render.py` cuts the crops and lays them back, so a new model is three short files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, slots=True)
class CropSpec:
    """The picture a model wants: a square around the face, built from points the jaw does not move."""

    size: int  # pixels a side, as the network takes it
    side: float  # side of the square in outer-eye distances (mesh points 33 and 263)
    down: float  # its centre lies this many outer-eye distances below the middle of the eyes
    landmarks: bool  # whether `Face.points` is read
    top: float  # rows above this share of the crop are never changed
    bottom: float = 1.0  # nor rows below this share
    sides: float = 0.0  # nor columns nearer to either side than this share


@dataclass(frozen=True, slots=True)
class SpeechSpec:
    """The sound a model wants."""

    hz: int  # samples a second, mono, −1 … 1
    context: Fraction  # seconds of sound it looks at before the first and after the last frame


@dataclass(frozen=True, slots=True)
class Window:
    """How many frames are drawn in one pass, and how many of them the next pass draws again to blend."""

    frames: int
    overlap: int


REST, WIDE, NARROW, BROAD = range(4)  # of `Face.pictures`


@dataclass(frozen=True, slots=True)
class Face:
    """The face as the whole track knows it; the same for every window of a shot, so windows agree."""

    pictures: Tensor  # (4, 3, S, S) in 0 … 1: mouth closed and not pressed, most open, narrowest (oo), broadest (ee)
    points: Tensor  # (4, 468, 2) meshes of these frames in 0 … 1 of the crop
    median_points: Tensor  # (468, 2) median mesh of the track, each frame measured in its own crop


class LipSync(Protocol):
    """Draws the mouth that says `speech`. Knows one face in one shot, and nothing of the film around it."""

    crop: CropSpec
    hearing: SpeechSpec
    window: Window

    def render(
        self,
        crops: Tensor,
        points: Tensor,
        face: Face,
        speech: Tensor,
        times: Sequence[Fraction],
        *,
        seed: int,
        steps: int,
    ) -> Tensor:
        """T faces for T faces, however long the speech is.

        crops   (T, 3, S, S) in 0 … 1, RGB, S = crop.size
        points  (T, 468, 2) face mesh in 0 … 1 of each crop
        speech  (N,) samples at hearing.hz; sample 0 is heard at second 0
        times   seconds of each frame's first instant on the same clock, exact, so 23.976 fps needs no branch
        steps   denoising steps; 0 takes the model's own default
        returns (T, 3, S, S) in 0 … 1
        """
        ...
