"""How sharp a mouth is: gradient energy in the box of the true lips, and how white it is between open ones.

An unsharp mask buys gradient energy and no teeth, so look at open mouths beside the figure. A real mouth that went
through the same small crop and back is the fair comparison: no model can be sharper than its crop but by invention.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats
from models.face.form import INNER, OUTER

ROUND: Final = 3  # pixels about the lips' box
WIDEST: Final = 0.25  # share of frames that count as open
WHITEST: Final = 90  # percentile

Frames = Sequence[NDArray[np.uint8]]


def energy(frames: Frames, points: Floats, chosen: NDArray[np.int64] | None = None) -> float:
    """Mean squared difference of neighbouring pixels' grey, both directions, grey levels²; ratios of it are reported.

    frames   n pictures (H, W, 3); points (n, 468, 2) the TRUE mesh in picture pixels, whatever is measured
    chosen   frame numbers; all if not given
    """
    total, which = 0.0, range(len(frames)) if chosen is None else chosen
    for n in which:
        left, top, right, below = lip_box(points[n], frames[n].shape)
        grey = frames[n][top:below, left:right].astype(np.float32).mean(axis=2)
        total += float(np.square(np.diff(grey, axis=0)).mean() + np.square(np.diff(grey, axis=1)).mean())
    return total / len(which)


def white(frames: Frames, points: Floats, chosen: NDArray[np.int64]) -> float:
    """90th percentile of min(R, G, B) inside the inner lips, 0 … 255: teeth are white, a dark mouth and lips are not.

    points   (n, 468, 2) the mesh of these very pictures; chosen: the open frames. NaN if no pixel is inside.
    """
    found = []
    for n in chosen:
        board = np.zeros(frames[n].shape[:2], np.uint8)
        cv2.fillPoly(board, [np.rint((points[n][list(INNER)] - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        found.append(frames[n][board > 0].min(axis=1))
    inside = np.concatenate(found)
    return float(np.percentile(inside, WHITEST)) if inside.size else float("nan")


def open_frames(opening: Floats) -> NDArray[np.int64]:
    """The quarter of frames with the widest opening, in order of time."""
    count = max(1, round(WIDEST * len(opening)))
    return np.sort(np.argsort(opening, kind="stable")[-count:])


def lip_box(face: Floats, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """left, top, right, below of the lips of one mesh (468, 2) with ROUND pixels about them, inside the picture."""
    lips = face[list(OUTER)]
    left, top = np.maximum(np.floor(lips.min(axis=0) - ROUND).astype(int), 0)
    right, below = np.ceil(lips.max(axis=0) + ROUND).astype(int)
    return int(left), int(top), int(min(right, shape[1])), int(min(below, shape[0]))
