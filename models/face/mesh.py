"""FaceMesh: 468 points of one face.

Google's landmark network (Kartynnik et al., arXiv 1907.06724), run in OpenCV on a square turned to the eye line. The
square comes from a detection, or from the points of the frame before: then nothing needs to be detected again.
Deliberately not here: smoothing over time; what a point means is said where it is used.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import WEIGHTS, Floats, Hit, Picture

SIDE: Final = 192  # pixels a side of the network's input
MARGIN: Final = 1.5  # side of the square over the longer side of the face's box
RIGHT_EYE: Final = 33  # outer corners, named by the person's side: 33 lies left in the picture
LEFT_EYE: Final = 263
PRESENT: Final = 0.5  # presence under which the points are not a face's


@dataclass(frozen=True, slots=True)
class Roi:
    """A square of the picture, turned."""

    x: float  # centre, picture pixels
    y: float
    side: float
    angle: float  # radians, from picture-right down to the line between the eyes


class Mesh:
    """Finds the points. Not safe to share between threads."""

    def __init__(self) -> None:
        self.net = cv2.dnn.readNetFromTFLite(str(WEIGHTS / "face_landmark.tflite"))

    def __call__(self, rgb: Picture, roi: Roi) -> tuple[Floats, float]:
        """((468, 2) points in picture pixels, presence 0 … 1). Under PRESENT the points mean nothing."""
        scale = roi.side / SIDE
        cos, sin = scale * np.cos(roi.angle), scale * np.sin(roi.angle)
        turn = np.array([[cos, -sin], [sin, cos]])  # input pixels → picture pixels, about the centre
        shift = np.array([roi.x, roi.y]) - turn @ [SIDE / 2, SIDE / 2]
        centred = shift + turn @ [0.5, 0.5] - 0.5  # OpenCV counts from the middle of the first pixel
        square = cv2.warpAffine(
            rgb,
            np.column_stack([turn, centred]),
            (SIDE, SIDE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        self.net.setInput((square / np.float32(255)).transpose(2, 0, 1)[None])
        outputs = {out.size: out for out in self.net.forward(self.net.getUnconnectedOutLayersNames())}
        points = outputs[1404].reshape(468, 3)[:, :2] @ turn.T + shift
        presence = 1 / (1 + np.exp(-float(outputs[1].reshape(()))))
        return points.astype(np.float32), float(presence)


def roi(hit: Hit) -> Roi:
    """Where to look for the points of a detected face."""
    x, y = hit.box[:2] + hit.box[2:] / 2
    return Roi(float(x), float(y), MARGIN * float(hit.box[2:].max()), _angle(hit.keypoints[0], hit.keypoints[1]))


def follow(points: Floats) -> Roi:
    """Where to look in the next frame, from this frame's points."""
    angle = _angle(points[RIGHT_EYE], points[LEFT_EYE])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)  # picture → upright
    upright = points @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = (low + high) / 2 @ turn
    return Roi(float(x), float(y), MARGIN * float((high - low).max()), angle)


def _angle(right: NDArray[np.float32], left: NDArray[np.float32]) -> float:
    return float(np.arctan2(left[1] - right[1], left[0] - right[0]))
