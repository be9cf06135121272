"""The faces of one shot, each once: meshes, drawn mouths and what a person pointed at, laid side by side.

A drawn mouth on a photographed face is a mistake of the finder, and so is a mouth far too small for the face it is on.
On a drawn face one of the two is kept: the mesh if its mouth lies where the drawn one does and it is there nearly as
long, else the drawn mouth. What a person pointed at takes the place of all that was found there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.face import pose
from models.face.closeup import SMALL, mouth_motion, style
from models.face.drawn import DrawnFace
from models.face.mouth import of_mesh
from models.face.track import Followed
from tasks.geometry import Geometry

STYLED: Final = 24  # frames of a track, spread over it, that say how it is drawn
FOREHEAD, CHIN = 10, 152  # of the mesh
HEAD: Final = 7.0  # half widths of a drawn mouth from the top of a head to its chin
REACH: Final = 3.0  # half widths from a drawn mouth to the edge of its box
WIDE_OPEN: Final = 0.35  # eye distances between the lips of a drawn mouth that is fully open
AGREE: Final = 0.5  # half widths within which a mesh's mouth is where the drawn one is
AS_LONG: Final = 0.8  # share of a drawn face's frames in which a mesh must be there to be kept
ALIKE: Final = 0.5  # share of the width of a mesh's mouth that a drawn one must have to be the same
TOGETHER: Final = 0.5  # share of the frames that two tracks have in common in which they must lie on each other
POINTED_AT: Final = 1.0  # half widths from the place pointed at to a mouth that is meant


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a shot, in the film's own pixels."""

    geometry: Geometry
    style: str  # photoreal, stylised or uncertain
    height: float  # median, pixels from forehead to chin
    small: NDArray[np.int8]  # (n, 48, 48) the upright face of each frame (models/face/closeup.py); (0, 48, 48) unmeshed


def faces_of(
    meshes: Sequence[Followed], drawn: Sequence[DrawnFace], typed: DrawnFace | None, scale: float
) -> list[Face]:
    """Each face once, from left to right where each begins.

    meshes, drawn  followed in pictures that are smaller than the film by `scale`
    typed          what became of a mouth that a person pointed at, if one did
    """
    with_mesh = [_of_mesh(face, scale) for face in meshes]
    without = [_of_drawn(face, scale) for face in drawn]
    for face in list(with_mesh):
        on = [one for one in without if lies_on(one.geometry, face.geometry)]
        if not on:
            continue
        best = max(on, key=lambda one: len(one.geometry.frames) * half(one.geometry))
        wrong = face.style != "photoreal" and half(best.geometry) > ALIKE * half(face.geometry)
        same = [one for one in on if agree(one.geometry, face.geometry)]
        if wrong and not same:
            with_mesh = [one for one in with_mesh if one is not face]
            on = [one for one in on if one is not best]
        elif same and face.style != "photoreal":
            with_mesh[with_mesh.index(face)] = with_lips_of(face, max(same, key=lambda one: len(one.geometry.frames)))
        without = [one for one in without if all(one is not other for other in on)]
    found = [*with_mesh, *without]
    if typed is not None and len(typed.frames):
        meant = _of_drawn(typed, scale)
        found = [meant, *(one for one in found if not at_one_place(meant.geometry, one.geometry))]
    return sorted(found, key=lambda face: (face.geometry.box[0, 0], face.geometry.frames[0]))


def with_lips_of(face: Face, drawn: Face) -> Face:
    """A drawn face's mesh with the drawn mouth's opening: a mesh of filmed faces finds it, and hardly sees it move."""
    seen = drawn.geometry
    opening = np.interp(face.geometry.frames, seen.frames, seen.opening).astype(np.float32)
    return replace(face, geometry=replace(face.geometry, opening=opening, motion=np.zeros_like(opening)))


def half(geometry: Geometry) -> float:
    """Median half width of the mouth."""
    return float(np.median(geometry.mouth[:, 2]))


def lies_on(drawn: Geometry, mesh: Geometry) -> bool:
    """Whether the drawn mouth lies within the mesh's box, made larger by a quarter to each side."""
    a, b = _common(drawn.frames, mesh.frames)
    if not len(a):
        return False
    corner, size = mesh.box[b, :2], mesh.box[b, 2:]
    away = np.abs(drawn.mouth[a, :2] - corner - size / 2) / size
    return bool((away < 0.75).all(axis=1).mean() > TOGETHER)


def agree(drawn: Geometry, mesh: Geometry) -> bool:
    """Whether the mesh's mouth is where the drawn one is, for nearly as long."""
    a, b = _common(drawn.frames, mesh.frames)
    if len(a) < AS_LONG * len(drawn.frames):
        return False
    away = np.linalg.norm(drawn.mouth[a, :2] - mesh.mouth[b, :2], axis=1) / drawn.mouth[a, 2]
    return float(np.median(away)) <= AGREE


def at_one_place(typed: Geometry, other: Geometry) -> bool:
    """Whether the mouths of two tracks lie on each other while both are there."""
    a, b = _common(typed.frames, other.frames)
    if not len(a):
        return False
    larger = np.maximum(typed.mouth[a, 2], other.mouth[b, 2])
    return float(np.median(np.linalg.norm(typed.mouth[a, :2] - other.mouth[b, :2], axis=1) / larger)) <= POINTED_AT


def _common(a: NDArray[np.int32], b: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where in each the frames stand that both have."""
    _, in_a, in_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    return in_a, in_b


def _of_mesh(face: Followed, scale: float) -> Face:
    sights = face.sights
    frames = np.array([sight.frame for sight in sights], np.int32)
    points = np.stack([sight.points for sight in sights]).astype(np.float32) * np.float32(scale)  # (n, 468, 2)
    motion = [
        mouth_motion(before.close, after.close) if after.frame == before.frame + 1 else 0.0
        for before, after in pairwise(sights)
    ]
    geometry = Geometry(
        frames=frames,
        box=np.stack([sight.box for sight in sights]).astype(np.float32) * np.float32(scale),
        points=points,
        mouth=of_mesh(points, frames),
        score=np.array([sight.presence for sight in sights], np.float32),
        opening=pose.opening(points),
        motion=np.array([0.0, *motion], np.float32),
        yaw=pose.yaw(points),
        pitch=pose.pitch(points),
        sharpness=np.array([sight.close.sharpness for sight in sights], np.float32),
    )
    height = np.linalg.norm(points[:, FOREHEAD] - points[:, CHIN], axis=1)
    spread = np.linspace(0, len(sights) - 1, min(STYLED, len(sights))).astype(int)
    small = np.stack([sight.close.small for sight in sights])
    return Face(geometry, style([sights[n].close for n in spread]), float(np.median(height)), small)


def _of_drawn(face: DrawnFace, scale: float) -> Face:
    mouth = face.mouths * np.array([scale, scale, scale, 1], np.float32)
    wide = mouth[:, 2:3]
    nothing = np.zeros(len(face.frames), np.float32)
    geometry = Geometry(
        frames=face.frames,
        box=np.concatenate([mouth[:, :2] - REACH * wide, np.repeat(2 * REACH * wide, 2, axis=1)], axis=1),
        points=np.zeros((len(face.frames), 0, 2), np.float32),
        mouth=mouth,
        score=face.score,
        opening=face.opening * np.float32(WIDE_OPEN),
        motion=face.motion,
        yaw=nothing,
        pitch=nothing,
        sharpness=face.sharpness,
    )
    return Face(geometry, "stylised", HEAD * half(geometry), np.zeros((0, SMALL, SMALL), np.int8))
