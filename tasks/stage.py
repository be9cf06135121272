"""One face set up for a model: which part of the film it sees in each frame, and how its answer is laid back.

Promises: the patch of every frame of a take has the same size and lies inside the film on whole chroma samples; where
the model changed nothing the patch is the plate, code value for code value; the matte is 0 outside the square the model
saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.face.crop import cut, frame_squares, into, mouth_into
from models.face.form import breadth, kinds, measure
from models.face.grain import Grain
from models.face.grain import measure as measure_grain
from models.face.matte import matte
from models.face.paste import changed
from models.lipsync import WIDE, CropSpec, Face, Sight
from storage.film.colour import patched, to_rgb, under
from storage.film.planes import Planes, pixel_format
from storage.film.probe import Film
from storage.film.read import Frame, frames
from tasks.geometry import Geometry

PAIRS: Final = 6  # of frames that follow each other, between which the grain is measured
ABOUT: Final = 240  # pixels a side about the face, at least, in which it is measured
FRONTAL: Final = 25.0  # degrees: the reference frames should look at the camera if any does

Pixels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Plate:
    """What the model is shown of one frame, and where its answer will lie."""

    index: int
    x: int  # top left pixel of the patch in the film
    y: int
    planes: Planes  # of the film under the patch, in its own pixel format
    square: Pixels  # (4,) the model's square in pixels of the patch
    crop: Pixels  # (S, S, 3) what the model sees, 0 … 1
    points: Pixels  # (468, 2) the mesh in 0 … 1 of the crop; (0, 2) where the face has none
    mouth: Pixels  # (4,) the mouth in 0 … 1 of the crop (models.face.crop.mouth_into)


class Stage:
    """One track of one film, seen through one model's crop. A crop around the eyes wants a track with a mesh."""

    def __init__(self, film: Film, geometry: Geometry, spec: CropSpec) -> None:
        self.film, self.geometry, self.spec = film, geometry, spec
        places = geometry.points if spec.around == "eyes" else geometry.mouth
        self.squares = frame_squares(geometry.frames, places, spec)
        self.row = {int(frame): n for n, frame in enumerate(geometry.frames)}
        layout = pixel_format(film.pix_fmt)
        self.across, self.down = layout.across, layout.down
        roll = self.squares[:, 3]
        reach = self.squares[:, 2] * (np.abs(np.cos(roll)) + np.abs(np.sin(roll)))  # of a square that leans
        side = int(np.ceil(reach.max())) + 2 * max(self.across, self.down)
        self.width = min(_up(side, self.across), film.width)
        self.height = min(_up(side, self.down), film.height)
        self.face = self._face() if spec.landmarks else None
        self.grain = self._grain()

    def plate(self, frame: Frame) -> Plate:
        """raises KeyError if the track has no face in this frame"""
        n = self.row[frame.index]
        square = self.squares[n]
        x = _corner(square[0], self.width, self.film.width, self.across)
        y = _corner(square[1], self.height, self.film.height, self.down)
        rgb = to_rgb(frame.planes, self.film, x, y, self.width, self.height)
        here = np.asarray(square - [x, y, 0, 0], np.float32)
        crop = np.asarray(cut(rgb, here, self.spec.size), np.float32)
        points, mouth = into(self.geometry.points[n], square), mouth_into(self.geometry.mouth[n], square)
        planes = under(frame.planes, self.film, x, y, self.width, self.height)
        return Plate(frame.index, x, y, planes, here, np.clip(crop, 0, 1), points, mouth)

    def sight(self, plates: Sequence[Plate]) -> Sight:
        """What the model is shown of these frames."""
        return Sight(
            torch.from_numpy(np.stack([plate.crop for plate in plates]).transpose(0, 3, 1, 2).copy()),
            torch.from_numpy(np.stack([plate.mouth for plate in plates])),
            torch.from_numpy(np.stack([plate.points for plate in plates])),
            self.face,
        )

    def _face(self) -> Face:
        """The face as the whole track knows it: shut, open, narrow, broad, and on average."""
        g = self.geometry
        frontal = np.abs(g.yaw) <= max(FRONTAL, float(np.quantile(np.abs(g.yaw), 0.25)))
        sharp = g.sharpness >= 0.5 * np.median(g.sharpness)
        good = np.flatnonzero(frontal & sharp) if (frontal & sharp).any() else np.arange(len(g.frames))
        mouths = measure(g.points[good], np.median(g.points[good], axis=0).astype(np.float32))
        shown = [self._shown(int(good[n])) for n in kinds(g.opening[good], breadth(mouths))]
        median = np.median(into(g.points, self.squares), axis=0)
        return Face(
            torch.from_numpy(np.stack([plate.crop for plate in shown]).transpose(0, 3, 1, 2).copy()),
            torch.from_numpy(np.stack([plate.points for plate in shown])),
            torch.from_numpy(median.astype(np.float32)),
        )

    def patch(self, plate: Plate, result: Pixels, share: float, seed: int) -> tuple[Planes, NDArray[np.uint8]]:
        """The patch in the film's pixel format and its matte, 0 … 255.

        result  (S, S, 3) what the model drew, 0 … 1
        share   0 … 1 how much of it is shown: the fade at the ends of a route
        seed    of the grain where the plate's is missing
        """
        if self.face is None:
            cover = matte(plate.mouth[None], self.spec)[0]
        else:
            cover = matte(plate.points[None], self.spec, self.face.points[WIDE].numpy())[0]
        box = (0, 0, self.width, self.height)
        added, kept, shown = changed(plate.crop, result, cover, plate.points, plate.square, box, self.spec)
        chance = np.random.default_rng([seed % 2**63, plate.index, plate.x, plate.y])
        full = np.float32(2**self.film.bits - 1)

        def grain(number: int, values: Pixels) -> Pixels:
            known = self.grain[number]
            return full * known.drawn(values / full, chance) if known is not None else np.zeros_like(values)

        patch = patched(plate.planes, self.film, added, kept, grain if any(self.grain) else None)
        return patch, np.rint(255 * share * shown).astype(np.uint8)

    def _grain(self) -> list[Grain | None]:
        """The film's grain about this face, plane by plane, from a run of frames in the middle of the track."""
        layout = pixel_format(self.film.pix_fmt)
        n = max(0, len(self.geometry.frames) // 2 - PAIRS // 2)
        start, last = (int(self.geometry.frames[min(row, len(self.row) - 1)]) for row in (n, n + PAIRS))
        width = min(max(self.width, _up(ABOUT, self.across)), self.film.width)
        height = min(max(self.height, _up(ABOUT, self.down)), self.film.height)
        x = _corner(self.squares[n, 0], width, self.film.width, self.across)
        y = _corner(self.squares[n, 1], height, self.film.height, self.down)
        full = np.float32(2**layout.bits - 1)
        seen = [
            [np.asarray(plane / full, np.float32) for plane in under(frame.planes, self.film, x, y, width, height)]
            for frame in frames(self.film, start, min(start + PAIRS, last) + 1)
        ]
        return [
            measure_grain([(before[k], after[k]) for before, after in pairwise(seen)]) if kind != "a" else None
            for k, kind in enumerate(layout.kinds)
        ]

    def _shown(self, n: int) -> Plate:
        frame = int(self.geometry.frames[n])
        return self.plate(next(frames(self.film, frame, frame + 1)))


def _up(value: int, step: int) -> int:
    return -(-value // step) * step


def _corner(centre: float, length: int, limit: int, step: int) -> int:
    """Where a patch of that length begins so that it lies around `centre`, inside the film, on a chroma sample."""
    return int(np.clip(round((centre - length / 2) / step) * step, 0, (limit - length) // step * step))
