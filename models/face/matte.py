"""How much of a drawn crop may cover the plate: the lower face, soft at its rim, nothing else.

The face is where the mesh says it is, in this frame and with the widest mouth of the track, so that neither the old
chin nor a new one is cut in two. Zero at the crop's border and wherever the model promises not to draw.
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


def matte(points: Floats, spec: CropSpec, wide: Floats | None = None) -> Floats:
    """(T, size, size) 0 … 1 for the meshes (T, 468, 2) of T crops, in 0 … 1 of each.

    wide   (468, 2) mesh of the track's most open mouth (`Face.points[WIDE]`); without it a chin that moves below the
           filmed one is faded
    """
    limits = drawable(spec).astype(np.uint8)
    return np.stack([_one(face, spec.size, limits, wide) for face in points])


def drawable(spec: CropSpec) -> NDArray[np.bool_]:
    """(size, size) where the model may draw, one pixel within the crop's border."""
    limits = np.zeros((spec.size, spec.size), np.bool_)
    top, bottom, side = (round(share * spec.size) for share in (spec.top, spec.bottom, spec.sides))
    side = max(1, side)
    limits[max(1, top) : min(bottom, spec.size - 1), side : spec.size - side] = True
    return limits


def _one(face: Floats, size: int, limits: NDArray[np.uint8], wide: Floats | None) -> Floats:
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
    depth = cv2.distanceTransform(board * limits, cv2.DIST_L2, 5)
    inside = np.clip((depth - 0.5) / (SOFT * size), 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)
