"""How a face is turned and how far its mouth is open, read from its mesh.

Enough to tell a profile from a front view and an open mouth from a closed one. A person's own nose shifts the angles by
some degrees, so compare a face with itself, or with wide limits.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats

RIGHT_EYE: Final = 33
LEFT_EYE: Final = 263
NOSE_TIP: Final = 1
UPPER_LIP: Final = 13  # inner edge
LOWER_LIP: Final = 14
# MediaPipe's canonical face (canonical_face_model.obj), vertices 1, 33 and 263, in outer-eye distances:
NOSE_AHEAD: Final = 0.484  # the nose tip lies this far in front of the eye corners
NOSE_BELOW: Final = 0.426  # and this far below their line


def yaw(points: Floats) -> NDArray[np.float32]:
    """Degrees for (…, 468, 2) points; 0 faces the camera, positive looks to the picture's right.

    Turned by θ, the eye line shrinks to cos θ and the nose tip moves NOSE_AHEAD · sin θ along it.
    """
    along, _ = _nose(points)
    return np.asarray(np.degrees(np.arctan(along / NOSE_AHEAD)), np.float32)


def pitch(points: Floats) -> NDArray[np.float32]:
    """Degrees for (…, 468, 2) points; positive looks up.

    Nodded by θ, the nose tip lies NOSE_BELOW · cos θ − NOSE_AHEAD · sin θ below the eyes = R · cos(θ + φ).
    """
    along, below = _nose(points)
    below = below * np.cos(np.arctan(along / NOSE_AHEAD))  # the yardstick shrank with the yaw
    reach = np.hypot(NOSE_BELOW, NOSE_AHEAD)
    angle = np.arccos(np.clip(below / reach, -1, 1)) - np.arctan2(NOSE_AHEAD, NOSE_BELOW)
    return np.asarray(np.degrees(angle), np.float32)


def opening(points: Floats) -> NDArray[np.float32]:
    """Inner lips apart over outer-eye distance, for (…, 468, 2) points; about 0 closed, 0.1 speaking, 0.3 shouting."""
    lips = np.linalg.norm(points[..., UPPER_LIP, :] - points[..., LOWER_LIP, :], axis=-1)
    return np.asarray(lips / _eyes(points), np.float32)


def _eyes(points: Floats) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(points[..., LEFT_EYE, :] - points[..., RIGHT_EYE, :], axis=-1) + 1e-6, np.float32)


def _nose(points: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The nose tip along and below the eye line, from its middle, in eye distances."""
    eyes = _eyes(points)
    line = (points[..., LEFT_EYE, :] - points[..., RIGHT_EYE, :]) / eyes[..., None]
    nose = points[..., NOSE_TIP, :] - (points[..., LEFT_EYE, :] + points[..., RIGHT_EYE, :]) / 2
    along = (nose * line).sum(axis=-1) / eyes
    below = (nose[..., 1] * line[..., 0] - nose[..., 0] * line[..., 1]) / eyes
    return np.asarray(along, np.float32), np.asarray(below, np.float32)
