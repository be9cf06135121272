"""What a track is known again by in other shots, and what a person is shown of it.

Of every face some good pictures are kept while its shot is looked at: frontal, sharp, apart from each other. They give
its descriptors (where dlib is installed), its colours, and the one picture that stands for it. What LR-ASD's eye saw
of its talking is kept beside them, where there is one. All of it is one `likeness` artifact (npz) a track.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face import drawn, identity, pose, track
from models.face.detect import Floats, Picture
from models.known import Unusable
from storage import artifacts
from storage.catalog import Track
from storage.errors import Missing
from storage.settings import settings
from tasks.faces import Face

T = TypeVar("T")

EVERY: Final = 12  # frames between two pictures of a face
KEPT: Final = 3  # pictures of a face
HEAD: Final = 8.0  # half widths of a mouth in a picture of its head
ABOVE: Final = 2.0  # half widths from the mouth up to the picture's middle
NEAR: Final = 1.0  # half widths of a mouth within which a picture and a track are one face
BINS: Final = (4, 8, 8)  # of lightness and of the two colours (CIE L*a*b*)
CORNERS: Final = (61, 291)  # of the mouth, in the mesh


@dataclass(frozen=True, eq=False)
class Likeness:
    """Of one track."""

    faces: Floats  # (k, 128) of models/face/identity.py; k = 0 without a mesh, or without dlib
    colours: Floats  # (256,) shares of the head's middle, by BINS; all 0 if no picture was taken
    picture: NDArray[np.uint8]  # the head as a JPEG, 150 × 150; empty if no picture was taken
    eye: NDArray[np.float16]  # (n, 128) of models/lr_asd/watch.py for the track's n frames; n = 0 without its weights

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What goes into the artifact; `Likeness(**arrays)` is the way back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, eq=False)
class Portrait:
    """One picture of one face."""

    frame: int
    mouth: Floats  # (2,) the middle of it, in pixels of the picture that was looked at
    head: Picture  # (150, 150, 3) as the head lies around its mouth
    chip: Picture | None  # (150, 150, 3) as the network wants a face; None without a mesh
    worth: float  # more is better


@dataclass(eq=False)
class Gallery:
    """The portraits of one shot. Give it every frame after the followers have seen it."""

    kept: dict[int, list[Portrait]] = field(default_factory=dict)  # by the followed face's id: the best, best first
    taken: dict[int, int] = field(default_factory=dict)  # frame of the last

    def __call__(
        self, number: int, rgb: Picture, meshes: Sequence[track.Followed], mouths: Sequence[drawn.Followed]
    ) -> None:
        for each in meshes:
            if self._due(each, number):
                self._add(each, _filmed(number, rgb, each.sights[-1].points, each.sights[-1].close.sharpness))
        for one in mouths:
            if self._due(one, number):
                self._add(one, _drawn(number, rgb, one.sights[-1]))

    def of(self, face: Face, scale: float) -> list[Portrait]:
        """Those of a track, best first. `scale`: by how much the pictures were smaller than the film."""
        seen = face.geometry
        found = []
        for portrait in (each for kept in self.kept.values() for each in kept):
            here = np.searchsorted(seen.frames, portrait.frame)
            if here < len(seen.frames) and seen.frames[here] == portrait.frame:
                x, y, half = seen.mouth[here, :3] / scale
                if np.hypot(*(portrait.mouth - (x, y))) <= NEAR * half:
                    found.append(portrait)
        return sorted(found, key=lambda portrait: -portrait.worth)

    def _due(self, face: Any, number: int) -> bool:
        return face.sights[-1].frame == number and number - self.taken.get(id(face), -EVERY) >= EVERY

    def _add(self, face: Any, portrait: Portrait) -> None:
        self.taken[id(face)] = portrait.frame
        best = sorted([*self.kept.get(id(face), []), portrait], key=lambda each: -each.worth)
        self.kept[id(face)] = best[:KEPT]


def of_tracks(tracks: Sequence[Track]) -> list[Likeness | None]:
    """What was kept of each; None of a track that an older Dubline has looked at."""
    return [Likeness(**artifacts.arrays(each.likeness)) if each.likeness else None for each in tracks]


def network(find: Callable[[Path | None], T | None]) -> T | None:
    """A network for faces, identity's or LR-ASD's, if this machine has it. raises Missing if it is not what is known"""
    try:
        return find(settings().weights)
    except Unusable as unusable:
        raise Missing(f"A network for faces cannot be used: {unusable}.") from None


def likeness_of(
    face: Face, portraits: Sequence[Portrait], known: identity.Identity | None, eye: NDArray[np.float16]
) -> Likeness:
    """portraits  of this face, best first"""
    chips = [each.chip for each in portraits if each.chip is not None][:KEPT]
    faces = np.zeros((0, 128), np.float32)
    if face.geometry.points.size and known is not None and chips:
        faces = known(chips)
    if not portraits:
        return Likeness(faces, np.zeros(256, np.float32), np.zeros(0, np.uint8), eye)
    picture = cv2.imencode(".jpg", portraits[0].head[..., ::-1])[1].reshape(-1)
    return Likeness(faces, np.mean([colours(each.head) for each in portraits], axis=0), picture, eye)


def colours(chip: Picture) -> Floats:
    """(256,) shares of each colour in the middle of a picture; they add up to 1."""
    lab = cv2.cvtColor(chip, cv2.COLOR_RGB2LAB)
    low = (cv2.resize(lab, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float32) + 0.5) / 256
    offset = np.linspace(-1, 1, 48) ** 2
    weights = np.exp(-2 * (offset[:, None] + offset))
    found, _ = np.histogramdd(low.reshape(-1, 3), bins=BINS, range=[(0, 1)] * 3, weights=weights.reshape(-1))
    return np.asarray(found.reshape(-1) / weights.sum(), np.float32)


def _filmed(number: int, rgb: Picture, points: Floats, sharpness: float) -> Portrait:
    """Worth more than any drawn one, and the more the straighter it looks and the sharper it is."""
    frontal = float(np.cos(np.radians(pose.yaw(points)))) ** 2
    corners = points[list(CORNERS)]
    mouth, half = corners.mean(axis=0), float(np.linalg.norm(corners[1] - corners[0])) / 2
    worth = 1 + frontal * float(np.log1p(sharpness))
    return Portrait(number, mouth, _head(rgb, mouth, half), identity.chip(rgb, points), worth)


def _drawn(number: int, rgb: Picture, sight: drawn.Sight) -> Portrait:
    mouth, half = sight.found.mouth[:2], float(sight.found.mouth[2])
    return Portrait(number, mouth, _head(rgb, mouth, half), None, sight.found.score)


def _head(rgb: Picture, mouth: Floats, half: float) -> Picture:
    step = HEAD * half / identity.SIDE
    corner = mouth - (0, ABOVE * half) - step * identity.SIDE / 2
    turn = np.array([[step, 0, corner[0]], [0, step, corner[1]]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    chip = cv2.warpAffine(rgb, turn, (identity.SIDE, identity.SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(chip, np.uint8)
