"""How much of a drawn crop may cover the plate: the lower face, soft at its rim, nothing else.

In crops around the eyes the face is where the mesh says it is, in this frame and with the widest mouth of the track, so
that neither the old chin nor a new one is cut in two. In crops around the mouth it is a box around the mouth: nobody
knows where a drawn chin ends, and a model that chooses keeps the film's own pixels wherever nothing moves. Zero at the
crop's border and wherever the model promises not to draw.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats
from models.lipsync import CropSpec

JAW: Final = (361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132)  # left to right ear
UPPER: Final = (205, 98, 2, 327, 425)  # right cheek, under the nose, left cheek
LOWER_FACE: Final = JAW + UPPER
RIGID: Final = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1)  # the jaw does not move these
SOFT: Final = 0.035  # width of the soft rim, share of the crop
BELOW: Final = 0.05  # room under the filmed chin, so that none of its edge stays when the jaw rises; share of the crop
UP: Final = 2.0  # how far the box reaches above the middle of the mouth, in half widths of the mouth: not to the eyes
DOWN: Final = 2.95  # and below it: chins drop
SIDEWAYS: Final = 2.95  # and to either side
RIM: Final = 0.4  # width of its soft rim, half widths of the mouth


def matte(places: Floats, spec: CropSpec, wide: Floats | None = None) -> Floats:
    """(T, size, size) 0 … 1 for T crops.

    places  in 0 … 1 of each crop: (T, 468, 2) meshes where it is around the eyes, (T, 4) mouths where around the mouth
    wide    (468, 2) mesh of the track's most open mouth (`Face.points[WIDE]`); without it a chin that moves below the
            filmed one is faded
    """
    limits = drawable(spec).astype(np.uint8)
    if spec.around == "mouth":
        return np.stack([_around(mouth, spec.size, limits) for mouth in places])
    return np.stack([_below_eyes(face, spec.size, limits, wide) for face in places])


def drawable(spec: CropSpec) -> NDArray[np.bool_]:
    """(size, size) where the model may draw, one pixel within the crop's border."""
    limits = np.zeros((spec.size, spec.size), np.bool_)
    top, bottom, side = (round(share * spec.size) for share in (spec.top, spec.bottom, spec.sides))
    side = max(1, side)
    limits[max(1, top) : min(bottom, spec.size - 1), side : spec.size - side] = True
    return limits


def _below_eyes(face: Floats, size: int, limits: NDArray[np.uint8], wide: Floats | None) -> Floats:
    outlines = [face[list(LOWER_FACE)]]
    if wide is not None:
        anchors = np.column_stack([wide[list(RIGID)], np.ones(len(RIGID))])
        onto = np.linalg.pinv(anchors) @ face[list(RIGID)]  # (3, 2) affine: that head onto this one
        outlines.append(np.column_stack([wide[list(LOWER_FACE)], np.ones(len(LOWER_FACE))]) @ onto)
    for outline in outlines:
        outline[: len(JAW), 1] += BELOW
    board = np.zeros((size, size), np.uint8)
    for outline in outlines:
        cv2.fillPoly(board, [np.rint((outline * size - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return _soft(_depth(board * limits) / (SOFT * size))


def _around(mouth: Floats, size: int, limits: NDArray[np.uint8]) -> Floats:
    x, y, half, roll = (float(value) for value in mouth)
    middles = (np.arange(size, dtype=np.float32) + 0.5) / size
    right, below = np.meshgrid((middles - x) / half, (middles - y) / half)
    across, down = np.cos(roll) * right + np.sin(roll) * below, np.cos(roll) * below - np.sin(roll) * right
    within = [SIDEWAYS - np.abs(across), UP + down, DOWN - down, _depth(limits) / (half * size)]
    return _soft(np.minimum.reduce(within) / RIM)


def _depth(board: NDArray[np.uint8]) -> Floats:
    """Pixels from the middle of each to the edge of what is marked."""
    return np.asarray(cv2.distanceTransform(board, cv2.DIST_L2, 5) - 0.5, np.float32)


def _soft(way: Floats) -> Floats:
    """0 outside, 1 from the inner end of the rim on, smooth at both."""
    inside = np.clip(way, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)
