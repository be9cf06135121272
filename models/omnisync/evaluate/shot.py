"""A film in memory and where its mouth is: seen through a model's crop, drawn anew, laid back as the product does it.

tasks/stage.py does the same for a file in its own bit depth; here pictures are 8-bit RGB, as figures are counted in.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.diff2lip.evaluate.scene import light
from models.face.crop import covering, cut, frame_squares, mouth_into
from models.face.drawn import follow
from models.face.form import Floats
from models.face.matte import matte
from models.face.paste import lay, over
from models.lipsync import CropSpec, LipSync, Sight
from models.syncnet.senses import RATE

SEED: Final = 7  # of the noise

Frames = NDArray[np.uint8]  # (T, H, W, 3)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to draw: a model and what it is asked with."""

    model: LipSync
    steps: int = 0  # 0 is the model's own
    prompt: str = ""


@dataclass(frozen=True, eq=False)
class Seen:
    """What perception says of a film: in which frames there is a mouth, and where."""

    frames: NDArray[np.int32]  # (n,) rising
    mouths: Floats  # (n, 4) x, y, half width at rest, roll; film pixels, radians


Look = Callable[[Frames], Seen | None]  # None: no mouth at all
Dubbed = Callable[[Floats], Frames]  # sound → pictures that say it
Force = Callable[[Frames], Dubbed | None]  # a film → how it is dubbed; None: no face is found in it


@dataclass(frozen=True, eq=False)
class View:
    """The film through one model's crop."""

    spec: CropSpec
    squares: Floats  # (T, 4)
    mouths: Floats  # (T, 4) in 0 … 1 of each crop
    crops: Frames  # (T, S, S, 3)


class Shot:
    """A film and its one mouth."""

    def __init__(self, film: Frames, seen: Seen | None) -> None:
        self.film, self.seen = film, seen

    def view(self, spec: CropSpec, elsewhere: Floats) -> View:
        """The film through a crop around the mouth.

        elsewhere   (T, 4) mouths for the frames in which none was seen: nothing is drawn there, but it is measured
        """
        rows = elsewhere.copy()
        if self.seen is not None:
            rows[self.seen.frames] = self.seen.mouths
        squares = frame_squares(np.arange(len(rows), dtype=np.int32), rows, spec)
        return View(spec, squares, mouth_into(rows, squares), through(self.film, squares, spec.size))

    def drawn(self, way: Way, speech: Floats, view: View, most: int = sys.maxsize) -> Frames:
        """(T, S, S, 3) crops with mouths that say `speech`; those not seen, or after the first `most`, as they were."""
        out = view.crops.copy()
        frames = self.seen.frames[self.seen.frames < most] if self.seen is not None else np.zeros(0, np.int32)
        for run in runs(frames):
            sight = Sight(
                torch.from_numpy(light(view.crops[run])).permute(0, 3, 1, 2).contiguous(),
                torch.from_numpy(view.mouths[run]), torch.empty(len(run), 0, 2), None,
            )  # fmt: skip
            out[run] = codes(windowed(way, sight, speech, [int(n) / RATE for n in run]))
        return out

    def laid(self, view: View, drawn: Frames) -> tuple[Frames, Floats]:
        """The film with drawn crops laid back, and (T, H, W) how much of them is shown."""
        film, shown = self.film.copy(), np.zeros(self.film.shape[:3], np.float32)
        height, width = film.shape[1:3]
        no_mesh = np.empty((0, 2), np.float32)
        for n in self.seen.frames if self.seen is not None else []:
            box = covering(view.squares[n], width, height)
            here = np.s_[n, box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
            cover = matte(view.mouths[n : n + 1], view.spec)[0]
            plate, crop, result = (light(picture) for picture in (self.film[here], view.crops[n], drawn[n]))
            rgb, shown[here] = lay(plate, crop, result, cover, no_mesh, view.squares[n], box, view.spec)
            film[here] = codes(over(plate, rgb, shown[here]))
        return film, shown


def windowed(way: Way, sight: Sight, speech: Floats, times: Sequence[Fraction]) -> Floats:
    """(T, S, S, 3) a run of frames drawn window by window and blended where they overlap, as tasks/render.py does."""
    count, window = len(times), way.model.window
    drawn = np.zeros((*sight.crops.permute(0, 2, 3, 1).shape,), np.float32)
    start, known = 0, 0  # frames from `start` to `known` were drawn by the window before
    while known < count:
        part = slice(start, min(start + window.frames, count))
        here = Sight(sight.crops[part], sight.mouths[part], sight.points[part], sight.face)
        said = way.model.render(
            here, torch.from_numpy(speech), times[part], seed=SEED, steps=way.steps, prompt=way.prompt
        )
        fresh = said.permute(0, 2, 3, 1).numpy()
        for n in range(known - start):
            share = (n + 1) / (known - start + 1)
            fresh[n] = (1 - share) * drawn[start + n] + share * fresh[n]
        drawn[part] = fresh
        start, known = start + window.frames - window.overlap, part.stop
    return drawn


def look(film: Frames) -> Seen | None:
    """The mouth of a drawn film, as the product finds it: of several the one seen longest."""
    faces = follow(film)
    if not faces:
        return None
    longest = max(faces, key=lambda face: len(face.frames))
    return Seen(longest.frames, longest.mouths)


def through(film: Frames, squares: Floats, size: int) -> Frames:
    """(T, size, size, 3) what lies in the squares."""
    return np.stack([cut(frame, square, size) for frame, square in zip(film, squares, strict=True)])


def runs(frames: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    """Frame numbers, parted where one is missing."""
    if not len(frames):
        return []
    return np.split(frames, np.flatnonzero(np.diff(frames) != 1) + 1)


def codes(picture: Floats) -> NDArray[np.uint8]:
    """0 … 1 as code values."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
