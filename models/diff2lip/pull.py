"""How the starter shows its network a wanted mouth: drawn, and as a reference whose lips have been pulled to it."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.crop import Pixel
from models.face.form import MOUTH, Floats

LIPS_REACH: Final = 3.0  # pixels of the window about a lip point that follow it: as far as the rings' points are apart
CHIN_REACH: Final = 9.0  # the chin moves as one
STAY: Final = 0.05  # weight of not moving


def draw(mouth: Floats, width: int, height: int) -> NDArray[np.uint8]:
    """(3, height, width) planes of one mouth (43, 2) in pixels: lips, space between the lips, chin line."""
    planes = np.zeros((3, height, width), np.uint8)
    fixed = np.rint((mouth - 0.5) * 16).astype(np.int32)  # OpenCV: sixteenths, from the middle of the first pixel
    cv2.fillPoly(planes[0], [fixed[:20]], 255, cv2.LINE_AA, 4)
    cv2.fillPoly(planes[1], [fixed[20:40]], 255, cv2.LINE_AA, 4)
    cv2.polylines(planes[2], [fixed[40:]], False, 255, 2, cv2.LINE_AA, 4)
    return planes


def pulled(
    picture: NDArray[Pixel], points: Floats, pose: Floats, wanted: Floats, width: int, height: int
) -> NDArray[Pixel]:
    """(height, width, 3) a reference (H, W, 3) laid into a window by its pose, lips and chin drawn to the wanted ones.

    points   (468, 2) the reference's mesh in its own pixels; the rest as in `look_up`
    """
    shown = np.asarray(points[list(MOUTH)] @ pose[:, :2].T + pose[:, 2], np.float32)
    x, y = look_up(pose, shown, wanted, width, height)
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), picture.dtype)


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
