"""The mouth as numbers: 40 lip and 3 chin points, freed from how the head is turned, and put back onto a turned head.

A track has one median mesh. An affine map, fitted to points the jaw does not move, takes the median face onto each
frame: its inverse measures a mouth as if the head had held still, and the map itself sets a wanted mouth down on the
head as it is in that frame. Measured mouths are in outer-eye distances from the nose bridge, x along the eye line.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

OUTER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
CHIN: Final = (148, 152, 377)
MOUTH: Final = OUTER + INNER + CHIN  # 43 points of the mesh; both rings run under the mouth and back over it
BRIDGE: Final = (168, 6, 197, 195)
RIGID: Final = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 10, 151, 9, 8, 67, 297, 103, 332, 127, 356, 116, 345)
LIPS_REACH: Final = 3.0  # pixels of the window about a lip point that follow it: as far as the rings' points are apart
CHIN_REACH: Final = 9.0  # the chin moves as one
STAY: Final = 0.05  # weight of not moving
UPPER_LIP: Final = MOUTH.index(13)  # inner edges
LOWER_LIP: Final = MOUTH.index(14)
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


def centred(mouths: Floats) -> Floats:
    """(T, 86) the form alone: points from the middle of the lips, ten to an eye distance."""
    return np.asarray((mouths - mouths[:, :40].mean(axis=1, keepdims=True)).reshape(len(mouths), -1) * 10, np.float32)


def draw(mouth: Floats, width: int, height: int) -> NDArray[np.uint8]:
    """(3, height, width) planes of one mouth (43, 2) in pixels: lips, space between the lips, chin line."""
    planes = np.zeros((3, height, width), np.uint8)
    fixed = np.rint((mouth - 0.5) * 16).astype(np.int32)  # OpenCV: sixteenths, from the middle of the first pixel
    cv2.fillPoly(planes[0], [fixed[:20]], 255, cv2.LINE_AA, 4)
    cv2.fillPoly(planes[1], [fixed[20:40]], 255, cv2.LINE_AA, 4)
    cv2.polylines(planes[2], [fixed[40:]], False, 255, 2, cv2.LINE_AA, 4)
    return planes


def look_up(pose: Floats, shown: Floats, wanted: Floats, width: int, height: int) -> Floats:
    """(2, height, width) where each pixel of a window is found in a reference, so that its mouth is the wanted one.

    pose     (2, 3) affine map of the reference's picture into the window
    shown    (43, 2) the reference's mouth in the window, before; wanted (43, 2) after
    returns  x, y in the reference's pixels as OpenCV's `remap` counts them, from the middle of the first

    Each pixel moves by the mean of the points' moves, weighted by nearness (Nadaraya and Watson); far from all, not at
    all. Unlike a spline it cannot overshoot where closed lips lie on one another.
    """
    x, y = np.meshgrid(np.arange(1, width, 2, dtype=np.float32), np.arange(1, height, 2, dtype=np.float32))
    reach = np.full(len(MOUTH), LIPS_REACH, np.float32)
    reach[40:] = CHIN_REACH
    apart = (x[..., None] - wanted[:, 0]) ** 2 + (y[..., None] - wanted[:, 1]) ** 2
    near = np.exp(-apart / (2 * reach**2))  # (height / 2, width / 2, 43)
    move = near @ (shown - wanted) / (near.sum(axis=2, keepdims=True) + STAY)
    at = np.asarray(cv2.resize(move, (width, height), interpolation=cv2.INTER_LINEAR))
    at[..., 0] += np.arange(width, dtype=np.float32) + 0.5
    at[..., 1] += np.arange(height, dtype=np.float32)[:, None] + 0.5
    back = np.linalg.inv(pose[:, :2].astype(np.float64)).astype(np.float32)
    return np.ascontiguousarray(((at - pose[:, 2]) @ back.T - 0.5).transpose(2, 0, 1), np.float32)


def _head(median: Floats) -> tuple[Floats, Floats]:
    """Origin (2,) and axes (2, 2), one a row, of the head's own frame in the unit of the mesh."""
    along = median[263] - median[33]
    return median[list(BRIDGE)].mean(axis=0), np.array([along, [-along[1], along[0]]], np.float32)
