"""Drawn mouths in one picture: looked for in the whole of it, then looked at closely.

The network of drawn_net.py looks twice. The whole picture is shown small, which tells whether and where a drawn mouth
is; then a square around each is shown upright and always at the same size, which tells exactly where it is, as well
for a small head as for one that fills the picture. Once a mouth is known, the close look alone follows it.
Deliberately not here: the next frame (drawn.py), photographed people (detect.py, mesh.py).
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats, Picture
from models.face.drawn_net import COARSE, COS, HEAT, LOG, OPEN, SIN, DrawnNet, X, Y, load, see

SMALL: Final = 144  # pixels of the shorter side of a picture that is looked at as a whole
SMALLEST: Final = 80  # pixels of the shorter side of a picture that is not halved any more
CLOSE: Final = 112  # pixels a side of a close look
NEAR: Final = 10.5  # pixels there to half a mouth
CALIBRATED: Final = (
    0.987  # a close look takes mouths for so much too wide, in the median of 161 lessons not learnt from
)
MAYBE: Final = 0.25  # score in the whole picture above which it is worth a close look
SURE: Final = 0.5  # score of a close look above which it is a drawn mouth
STILL: Final = 0.3  # the same where one was seen a frame ago
SAME: Final = 1.0  # half widths: two centres nearer than this are one mouth
STRAY: Final = 1.6  # half widths: how far from where it was expected a mouth is believed half as much


@dataclass(frozen=True, eq=False)
class Found:
    """One drawn mouth in one picture."""

    mouth: Floats  # (4,) x, y, half width at rest, roll; picture pixels
    opening: float  # 0 shut … 1 wide open
    score: float  # 0 … 1


class Scene:
    """One picture, halved as often as a look needs it. Points are always the picture's own."""

    def __init__(self, rgb: Picture) -> None:
        self.size = (rgb.shape[1], rgb.shape[0])
        self.levels = [rgb]

    def cut(self, turn: NDArray[np.float64], shift: NDArray[np.float64], size: tuple[int, int]) -> Picture:
        """(height, width, 3) of `size` (width, height): its point p shows the picture's point turn · p + shift."""
        step = float(np.sqrt(abs(np.linalg.det(turn))))  # pixels of the picture a pixel of the cut
        level = max(0, int(np.floor(np.log2(max(step, 1e-6)) + 0.4)))
        while len(self.levels) <= level and min(self.levels[-1].shape[:2]) >= SMALLEST:
            h, w = self.levels[-1].shape[:2]
            even = self.levels[-1][: h // 2 * 2, : w // 2 * 2]
            self.levels.append(np.asarray(cv2.resize(even, (w // 2, h // 2), interpolation=cv2.INTER_AREA), np.uint8))
        level = min(level, len(self.levels) - 1)
        turn, shift = turn / 2**level, shift / 2**level
        centred = shift + turn @ [0.5, 0.5] - 0.5  # OpenCV counts from the middle of the first pixel
        matrix = np.column_stack([turn, centred])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(self.levels[level], matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )


class Finder:
    """Holds the network. Not safe to share between threads."""

    def __init__(self, net: DrawnNet | None = None) -> None:
        self.net = net or load()

    def __call__(self, scene: Scene) -> list[Found]:
        """The drawn mouths of a picture, surest first; an empty list is a picture without any."""
        width, height = scene.size
        step = min(width, height) / SMALL
        size = (_rounded(width / step), _rounded(height / step))
        seen = see(self.net, scene.cut(np.eye(2) * step, np.zeros(2), size)[None])[0]
        rows = [np.array([x * step, y * step, half * step, roll]) for x, y, half, roll in peaks(seen)]
        found = self.closer(scene, self._rows(self.closer(scene, rows)))
        sure = [one for one in found if one is not None and one.score >= SURE]
        return apart([one for one in sure if 0 <= one.mouth[0] < width and 0 <= one.mouth[1] < height])

    def closer(self, scene: Scene, rows: list[NDArray[np.float64]]) -> list[Found | None]:
        """What a close look at each of these mouths (4,) shows; None where it shows none at all."""
        if not rows:
            return []
        turns = [_turn(row) for row in rows]
        middle = np.array([CLOSE / 2, CLOSE / 2])
        shifts = [row[:2] - turn @ middle for row, turn in zip(rows, turns, strict=True)]
        shown = [scene.cut(turn, shift, (CLOSE, CLOSE)) for turn, shift in zip(turns, shifts, strict=True)]
        return [
            _best(seen, turn, shift)
            for seen, turn, shift in zip(see(self.net, np.stack(shown)), turns, shifts, strict=True)
        ]

    @staticmethod
    def _rows(found: list[Found | None]) -> list[NDArray[np.float64]]:
        return [np.asarray(one.mouth, np.float64) for one in found if one is not None]


def peaks(seen: Floats) -> list[tuple[float, float, float, float]]:
    """x, y, half width, roll where the map has a peak, highest first; of two that are one mouth the higher."""
    heat = seen[HEAT]
    top = (heat == cv2.dilate(heat, np.ones((3, 3), np.uint8))) & (heat > MAYBE)
    kept: list[tuple[float, float, float, float]] = []
    for y, x in sorted(np.argwhere(top), key=lambda cell: -heat[*cell]):
        there = seen[:, y, x]
        row = (float(there[X]), float(there[Y]), float(there[LOG]), float(np.arctan2(there[SIN], there[COS])))
        if all(np.hypot(row[0] - one[0], row[1] - one[1]) > SAME * one[2] for one in kept):
            kept.append(row)
    return kept[:12]


def apart(found: list[Found]) -> list[Found]:
    """Surest first, and of two that are one mouth only the surer."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.score):
        if all(np.hypot(*(one.mouth[:2] - other.mouth[:2])) > SAME * other.mouth[2] for other in kept):
            kept.append(one)
    return kept


def _best(seen: Floats, turn: NDArray[np.float64], shift: NDArray[np.float64]) -> Found | None:
    """The mouth that is expected in the middle of a close look, in the picture's pixels."""
    away = np.hypot(seen[X] - CLOSE / 2, seen[Y] - CLOSE / 2) / (STRAY * NEAR)
    liking = seen[HEAT] * 2.0 ** -(away**2)
    y, x = np.unravel_index(int(liking.argmax()), liking.shape)
    rows, columns = slice(max(0, y - 1), y + 2), slice(max(0, x - 1), x + 2)
    weight = seen[HEAT, rows, columns] ** 2
    there = (seen[:, rows, columns] * weight).sum(axis=(1, 2)) / max(1e-9, float(weight.sum()))
    if not np.isfinite(there).all() or seen[HEAT, y, x] < 0.02:
        return None
    scale = float(np.hypot(turn[0, 0], turn[1, 0]))
    roll = np.arctan2(there[SIN], there[COS]) + np.arctan2(turn[1, 0], turn[0, 0])
    mouth = np.array(
        [*(turn @ there[[X, Y]] + shift), CALIBRATED * there[LOG] * scale, (roll + np.pi) % (2 * np.pi) - np.pi]
    )
    return Found(mouth.astype(np.float32), float(there[OPEN]), float(seen[HEAT, y, x]))


def _turn(row: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2) a step in the close look → a step in the picture."""
    scale = max(1e-3, float(row[2])) / NEAR
    cos, sin = scale * np.cos(row[3]), scale * np.sin(row[3])
    return np.array([[cos, -sin], [sin, cos]])


def _rounded(pixels: float) -> int:
    """Up to the next size the network takes."""
    return int(np.ceil(round(pixels, 3) / COARSE)) * COARSE
