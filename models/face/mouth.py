"""Where a mouth is while it rests: centre, half width and roll, frame by frame.

A mouth row is x, y of the middle between the lips at rest, the half width at rest, and the roll in radians (0 upright,
positive clockwise on the screen), in pixels of the picture. The square that a face is redrawn in is built on it, so it
must neither follow the jaw nor jitter. `of_mesh` reads it off a mesh; drawn faces get theirs from drawn.py.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from models.face import pose
from models.face.detect import Floats
from models.face.form import onto
from models.face.mesh import LEFT_EYE, RIGHT_EYE

SHUT: Final = 0.25  # share of the frames that show the mouth at rest: those in which it is least open
INNER_LIPS: Final = (13, 14)
CORNERS: Final = (61, 291)
MEDIAN: Final = 5  # frames; outliers no longer than two frames vanish
CENTRE: Final = 1.5  # sigma in frames of the smoothing of the centre
TURN: Final = 2.5  # of the roll
SIZE: Final = 8.0  # of the half width, which changes slowly in life


def of_mesh(points: Floats, frames: NDArray[np.int32] | None = None) -> Floats:
    """(n, 4) mouth rows of one face's meshes, in their unit; smooth, and at rest however far the jaw opens.

    points  (n, 468, 2) of one face through one shot
    frames  (n,) rising numbers; smoothing starts afresh where they skip. Without them no frame is missing

    The middle of the lips is taken from the frames in which they are least apart, in the face's own frame, and carried
    to every other by points that the jaw does not move. The half width there is a constant share of the eye distance.
    """
    if not len(points):
        return np.zeros((0, 4), np.float32)
    opening = pose.opening(points)
    shut = opening <= np.quantile(opening, SHUT)
    median = np.median(points, axis=0).astype(np.float32)
    maps = onto(median, points)  # (n, 2, 3) median face → frame
    lips = points[:, list(INNER_LIPS)].mean(axis=1)[shut]
    home = np.einsum("tij,tj->ti", np.linalg.inv(maps[shut][:, :, :2]), lips - maps[shut][:, :, 2])
    centre = maps[:, :, :2] @ np.median(home, axis=0) + maps[:, :, 2]
    across = points[:, LEFT_EYE] - points[:, RIGHT_EYE]
    eyes = np.linalg.norm(across, axis=1)
    corners = points[:, CORNERS[1]] - points[:, CORNERS[0]]
    share = np.median((np.linalg.norm(corners, axis=1) / (2 * eyes))[shut])
    rows = np.column_stack([centre, share * eyes, np.arctan2(across[:, 1], across[:, 0])])
    return steady(rows.astype(np.float32), frames)


def steady(rows: Floats, frames: NDArray[np.int32] | None = None) -> Floats:
    """(n, 4) the same mouth rows without jitter: a median of five frames, then a Gaussian, neither with any delay."""
    numbers = np.arange(len(rows)) if frames is None else frames
    out = np.empty_like(rows)
    for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(numbers) != 1) + 1):
        if not len(run):
            continue
        part = rows[run].astype(np.float64)
        part[:, 2] = np.log(part[:, 2])
        part[:, 3] = np.unwrap(part[:, 3])
        part = median_filter(part, size=(MEDIAN, 1), mode="nearest")
        for column, sigma in ((0, CENTRE), (1, CENTRE), (2, SIZE), (3, TURN)):
            part[:, column] = gaussian_filter1d(part[:, column], sigma, mode="nearest")
        part[:, 2] = np.exp(part[:, 2])
        out[run] = part
    return out
