"""The mouth as numbers: 40 lip and 3 chin points, freed from how the head is turned, and put back onto a turned head.

A track has one median mesh. An affine map, fitted to points the jaw does not move, takes the median face onto each
frame: its inverse measures a mouth as if the head had held still, and the map itself sets a wanted mouth down on the
head as it is in that frame. Measured mouths are in outer-eye distances from the nose bridge, x along the eye line.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

OUTER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
CHIN: Final = (148, 152, 377)
MOUTH: Final = OUTER + INNER + CHIN  # 43 points of the mesh; both rings run under the mouth and back over it
BRIDGE: Final = (168, 6, 197, 195)
RIGID: Final = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 10, 151, 9, 8, 67, 297, 103, 332, 127, 356, 116, 345)
UPPER_LIP: Final = MOUTH.index(13)  # inner edges
LOWER_LIP: Final = MOUTH.index(14)
LEFT_CORNER: Final = MOUTH.index(61)  # in the picture
RIGHT_CORNER: Final = MOUTH.index(291)
AT_REST: Final = 0.07  # share of the frames with a mouth more closed: at the very least open, lips are pressed
# Where each of the 43 goes when the picture is mirrored:
_FLIP: Final = tuple((10 - i) % 20 for i in range(20))  # one ring, counted from its left corner
MIRRORED: Final = (*_FLIP, *(20 + i for i in _FLIP), 42, 41, 40)

Floats = NDArray[np.float32]


def onto(median: Floats, points: Floats) -> Floats:
    """(T, 2, 3) affine maps that take the median mesh (468, 2) onto each of T meshes (T, 468, 2), by least squares."""
    rigid = np.column_stack([median[list(RIGID)], np.ones(len(RIGID))])
    return np.asarray((np.linalg.pinv(rigid) @ points[:, list(RIGID)]).transpose(0, 2, 1), np.float32)


def measure(points: Floats, median: Floats) -> Floats:
    """(T, 43, 2) mouths of (T, 468, 2) meshes, in eye distances, as if the head had stayed where the median is."""
    maps = onto(median, points)
    still = np.einsum("tij,tkj->tki", np.linalg.inv(maps[:, :, :2]), points[:, list(MOUTH)] - maps[:, None, :, 2])
    origin, axes = _head(median)
    return np.asarray((still - origin) @ np.linalg.inv(axes), np.float32)


def set_down(mouths: Floats, median: Floats, points: Floats) -> Floats:
    """The way back: (T, 43, 2) measured mouths onto the heads of (T, 468, 2) meshes, in the meshes' own unit."""
    maps = onto(median, points)
    origin, axes = _head(median)
    still = mouths @ axes + origin
    return np.asarray(np.einsum("tij,tkj->tki", maps[:, :, :2], still) + maps[:, None, :, 2], np.float32)


def opening(mouths: Floats) -> Floats:
    """(T,) inner lips apart, in eye distances; below 0 they are pressed together."""
    return np.asarray(mouths[..., LOWER_LIP, 1] - mouths[..., UPPER_LIP, 1], np.float32)


def breadth(mouths: Floats) -> Floats:
    """(T,) corners of the mouth apart, in eye distances: small for oo, large for ee."""
    return np.asarray(mouths[..., RIGHT_CORNER, 0] - mouths[..., LEFT_CORNER, 0], np.float32)


def kinds(openings: Floats, breadths: Floats) -> tuple[int, int, int, int]:
    """Which of T frames show the mouth at rest, wide open, narrow and broad: the order of models/lipsync.py `Face`."""
    by_opening, by_breadth = (np.argsort(values, kind="stable") for values in (openings, breadths))
    rest = by_opening[round(AT_REST * (len(openings) - 1))]
    return int(rest), int(by_opening[-1]), int(by_breadth[0]), int(by_breadth[-1])


def centred(mouths: Floats) -> Floats:
    """(T, 86) the form alone: points from the middle of the lips, ten to an eye distance."""
    return np.asarray((mouths - mouths[:, :40].mean(axis=1, keepdims=True)).reshape(len(mouths), -1) * 10, np.float32)


def _head(median: Floats) -> tuple[Floats, Floats]:
    """Origin (2,) and axes (2, 2), one a row, of the head's own frame in the unit of the mesh."""
    along = median[263] - median[33]
    return median[list(BRIDGE)].mean(axis=0), np.array([along, [-along[1], along[0]]], np.float32)
