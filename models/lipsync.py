"""What every lip-sync model promises.

A model draws mouths. It sees crops of one face in one shot and hears one voice; it knows nothing of the film, the
catalog or the orchestrator. `tasks/render.py` cuts the crops and lays them back, so a new model is three short files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from torch import Tensor


@dataclass(frozen=True, slots=True)
class CropSpec:
    """The picture a model wants: a square that does not move with the jaw.

    Around the eyes it is measured in outer-eye distances (mesh points 33 and 263), so only a face with a mesh has one.
    Around the mouth it is measured in half widths of the mouth at rest, which every face that is followed has.
    """

    size: int  # pixels a side, as the network takes it
    around: Literal["eyes", "mouth"]
    side: float  # of the square, in these units
    down: float  # its centre lies this many of them below the middle of the eyes or of the mouth
    top: float = 0.0  # rows above this share of the crop are never changed
    bottom: float = 1.0  # nor rows below this share
    sides: float = 0.0  # nor columns nearer to either side than this share

    @property
    def landmarks(self) -> bool:
        """Whether a face without a mesh cannot be shown to this model."""
        return self.around == "eyes"


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


@dataclass(frozen=True, eq=False, slots=True)
class Sight:
    """What a model is shown of T frames, at least one; at the end of a range fewer than its window has."""

    crops: Tensor  # (T, 3, S, S) in 0 … 1, RGB, S = crop.size
    mouths: Tensor  # (T, 4) middle of the mouth at rest x, y, its half width, in 0 … 1 of each crop; roll in radians
    points: Tensor  # (T, 468, 2) mesh in 0 … 1 of each crop; (T, 0, 2) where the face has none
    face: Face | None  # None for crops around the mouth


class LipSync(Protocol):
    """Draws the mouth that says `speech`. Knows one face in one shot, and nothing of the film around it."""

    crop: CropSpec
    hearing: SpeechSpec
    window: Window
    prompts: tuple[str, ...]  # what it can be told in words about how the mouth shall move; empty: nothing

    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        """T faces for T faces, however long the speech is.

        speech  (N,) samples at hearing.hz; sample 0 is heard at second 0
        times   seconds of each frame's first instant on the same clock, exact, so 23.976 fps needs no branch
        steps   denoising steps; 0 takes the model's own default
        prompt  one of `prompts`, or nothing
        returns (T, 3, S, S) in 0 … 1
        """
        ...
