"""What the pixels of one face tell beside its points: how sharp it is, whether it moves its mouth, whether it is drawn.

Photoreal or drawn is told by three plain numbers at 96 pixels a side. A drawing has flat skin, or lines across it, or
edges that are hard beside how calm the rest is. Lines are looked for on cheeks, nose and chin alone: glasses, a beard's
rim and a bright window behind the head are hard edges on photographs too. `python -m tests.bench styles` prints how
often this is right. CG people will pass for photographed, and so will a drawing under heavy grain.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats, Picture
from models.face.mesh import LEFT_EYE, RIGHT_EYE

SIDE: Final = 96
SMALL: Final = 48
GREY: Final = 32  # steps of `small` a standard deviation of its grey: contrast and light drop out
MOUTH: Final = np.s_[26:46, 10:38]  # of the small upright face
UPPER: Final = np.s_[0:24, 6:42]
OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIPS: Final = (61, 291, 0, 17)  # corners, top, bottom
BELOW_EYES: Final = 0.22  # eye distances below the eyes: under the rim of glasses
LEVEL: Final = 0.5  # grey levels a pixel: a smaller gradient is none
DRAWN_LINES, PHOTO_LINES = 30.0, 24.0  # `lines` above which a face is drawn, below which it may be photographed
DRAWN_FLAT, PHOTO_FLAT = 0.2, 0.1  # the same for `flat`
CALM, LIVELY = 0.085, 0.1  # `liveliness` below which it is drawn, above which it may be photographed


@dataclass(frozen=True, eq=False)
class Closeup:
    """One face in one frame."""

    sharpness: float  # variance of the Laplacian, grey 0 … 255, at 96 px a side
    lines: float  # the hardest twentieth of the gradients on the skin, grey levels a pixel
    flat: float  # share of the skin without any gradient
    liveliness: float  # median gradient over the hardest twentieth, of the whole crop
    small: NDArray[np.int8]  # (48, 48) upright grey face, the eyes always in one place; mean 0, one deviation = GREY


def closeup(rgb: Picture, points: Floats) -> Closeup:
    """rgb (H, W, 3), points (468, 2) in its pixels."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(8, round(float((high - low).max()) * 1.15))
    x, y = ((low + high) / 2 - side / 2).round().astype(int)
    height, width = rgb.shape[:2]
    columns = np.clip(np.arange(x, x + side), 0, width - 1)  # beyond the picture its edge is repeated
    rows = np.clip(np.arange(y, y + side), 0, height - 1)
    inside = x >= 0 and y >= 0 and x + side <= width and y + side <= height
    face = rgb[y : y + side, x : x + side] if inside else rgb[np.ix_(rows, columns)]
    face = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA if side >= SIDE else cv2.INTER_LINEAR)
    grey = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), np.uint8)
    gradient = np.hypot(cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1)) / 32
    middle, hard = np.percentile(gradient, (50, 95))
    placed = (points - np.array([x, y], np.float32)) * (SIDE / side)
    on_skin = gradient[skin(placed)]
    return Closeup(
        sharpness=float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        lines=float(np.percentile(on_skin, 95)) if on_skin.size else 0.0,
        flat=float((on_skin < LEVEL).mean()) if on_skin.size else 0.0,
        liveliness=float(middle / (hard + 1e-3)),
        small=upright(grey, placed),
    )


def skin(points: Floats) -> NDArray[np.bool_]:
    """(SIDE, SIDE) cheeks, nose and chin of a face whose points (468, 2) are given in that square."""
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(inside, [points[list(OVAL)].round().astype(np.int32)], 1)
    inside = cv2.erode(inside, np.ones((5, 5), np.uint8)).astype(np.uint8)
    eyes = points[[RIGHT_EYE, LEFT_EYE]]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    inside[: max(0, int(eyes[:, 1].mean() + BELOW_EYES * apart))] = 0
    lips = points[list(LIPS)]
    left, top = np.maximum(lips.min(axis=0) - 0.06 * apart, 0).astype(int)
    right, bottom = (lips.max(axis=0) + 0.06 * apart).astype(int) + 1
    inside[top : max(0, bottom), left : max(0, right)] = 0
    return inside > 0


def upright(grey: NDArray[np.uint8], points: Floats) -> NDArray[np.int8]:
    """The face turned and scaled so that the outer eye corners lie 24 pixels apart, 14 below the upper edge."""
    right, left = points[RIGHT_EYE], points[LEFT_EYE]
    across = (left - right) / (SMALL / 2)  # one pixel of the small face to the right
    down = np.array([-across[1], across[0]])
    corner = (left + right) / 2 - across * SMALL / 2 - down * 14
    turn = np.column_stack([across, down, corner]).astype(np.float32)
    small = cv2.warpAffine(
        grey, turn, (SMALL, SMALL), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    return reduced(small)


def reduced(small: Floats) -> NDArray[np.int8]:
    """Grey freed from light and contrast: mean 0, one standard deviation = GREY."""
    steps = np.rint((small - small.mean()) * (GREY / (small.std() + 1)))
    return np.asarray(np.clip(steps, -127, 127), np.int8)


def mouth_motion(before: Closeup, after: Closeup) -> float:
    """How much more the mouth has changed than the upper face, in deviations of grey; 0 for a still mouth that nods."""
    return motion_between(before.small, after.small)


def motion_between(before: NDArray[np.int8], after: NDArray[np.int8]) -> float:
    """The same, of two small upright faces (48, 48)."""
    change = np.abs(after.astype(np.int16) - before)
    return float(change[MOUTH].mean() - change[UPPER].mean()) / GREY


def style(faces: list[Closeup]) -> str:
    """photoreal, stylised or uncertain, from the frames of one track."""
    lines, flat, liveliness = np.median([(face.lines, face.flat, face.liveliness) for face in faces], axis=0)
    if lines > DRAWN_LINES or flat > DRAWN_FLAT or liveliness < CALM:
        return "stylised"
    return "photoreal" if lines < PHOTO_LINES and flat < PHOTO_FLAT and liveliness > LIVELY else "uncertain"
