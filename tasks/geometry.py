"""The measures of one track, frame by frame: what `look` finds and cast, route and render read.

Kept as one `geometry` artifact (npz). Only frames in which the face was found have a row; a gap is no face. A drawn
face that was found by its mouth has no mesh: `points` is (n, 0, 2), yaw and pitch are 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Geometry:
    """n frames of one face. Pixels are the film's own, x to the right, y down, 0 at the picture's edge."""

    frames: NDArray[np.int32]  # (n,) frame numbers of the film, rising
    box: NDArray[np.float32]  # (n, 4) around the points: x, y, width, height; without a mesh three half widths of the
    # mouth to each side of it
    points: NDArray[np.float32]  # (n, 468, 2) MediaPipe face mesh; (n, 0, 2) for a face that has none
    mouth: NDArray[np.float32]  # (n, 4) x, y of the middle between the lips at rest, half width of the mouth at rest,
    # roll in radians (0 upright, positive clockwise on the screen); smooth, so a square built on it neither jitters nor
    # follows the jaw
    score: NDArray[np.float32]  # (n,) face presence after the mesh, 0 … 1; without a mesh the finder's, 0 where a gap
    # of a few frames was bridged
    opening: NDArray[np.float32]  # (n,) inner lips apart (mesh 13 and 14) over outer-eye distance (33 and 263); of a
    # drawn mouth the finder's opening in about the same unit
    motion: NDArray[np.float32]  # (n,) how much more the mouth's pixels changed since the frame before than the upper
    # face's, in standard deviations of the face's grey; 0 after a gap, and for a mesh whose opening is the finder's
    yaw: NDArray[np.float32]  # (n,) degrees, 0 faces the camera, positive to the picture's right
    pitch: NDArray[np.float32]  # (n,) degrees, positive looks up
    sharpness: NDArray[np.float32]  # (n,) variance of the Laplacian of the grey face at 96 px a side, 0 … 255 grey

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What goes into the artifact; `Geometry(**arrays)` is the way back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
