"""One photographed clip that was made to look drawn: the one kind of stylised film whose mouths a mesh can still read.

The voice is another person's, late; the mouth it is held against is the one that was filmed saying it. The mesh looks
at every frame in the place it has in the photographed clip, for truth and results alike. `reads` says how well it reads
the drawing at all: where that is low, no other figure of the clip means much.
"""

from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from models.corpus.cartoon import LOOKS, cartoon
from models.corpus.cartoon import Look as Style
from models.corpus.clips import SIZE, Clip
from models.corpus.prepare import pictures
from models.diff2lip.evaluate.scene import DELAY, LOOK, delayed
from models.face import form
from models.face.crop import frame_squares, out_of
from models.face.form import Floats
from models.face.mesh import Mesh, Roi
from models.face.mouth import of_mesh
from models.lipsync import CropSpec
from models.omnisync.evaluate.shot import Frames, Look, Shot

AROUND: Final = CropSpec(SIZE, "eyes", 1.9, 0.62)  # where the mesh looks, LOOK times as wide


def style_of(number: int) -> Style:
    """Clip by clip another look."""
    return LOOKS[number % len(LOOKS)]


class DrawnOver(Shot):
    """A clip drawn over, its own mouth and the one of the other voice."""

    def __init__(self, clip: Clip, other: Clip, media: Path, drawn: Style, look: Look, mesh: Mesh) -> None:
        """raises FileNotFoundError if no film of that name lies below `media`"""
        path = next(iter(media.rglob(f"{clip.name}.mp4")), None)
        if path is None:
            raise FileNotFoundError(f"{clip.name}.mp4 is not below {media}: give the films these clips are of")
        self.clip, self.mesh = clip, mesh
        film = np.stack([cartoon(frame, drawn) for frame in pictures(path)])
        super().__init__(film, look(film))
        squares = np.pad(clip.squares, ((0, 0), (0, 4 - clip.squares.shape[1])))
        self.points = out_of(clip.points / np.float32(SIZE), squares)  # of the photographed film
        self.dub = delayed(other.speech)
        said = form.opening(other.mouths)
        self.wanted = np.concatenate([np.full(DELAY, said[0]), said])[: len(film)]
        self.said = form.opening(clip.mouths)[: len(film)]

    @property
    def heard(self) -> slice:
        """The frames in which the other voice's mouth is known."""
        return slice(DELAY, min(len(self.film), len(self.wanted)))

    @cached_property
    def places(self) -> Floats:
        """(T, 4) where the mouth is in the photographed film."""
        return of_mesh(self.points)

    def opening(self, film: Frames) -> Floats:
        """(T,) inner lips apart in eye distances, as the mesh reads them from any film of this face."""
        squares = frame_squares(np.arange(len(film), dtype=np.int32), self.points, AROUND)
        rois = (Roi(float(x), float(y), LOOK * float(side), 0.0) for x, y, side, _ in squares)
        points = np.stack([self.mesh(frame, roi)[0] for frame, roi in zip(film, rois, strict=True)])
        return form.opening(form.measure(points, np.median(points, axis=0).astype(np.float32)))
