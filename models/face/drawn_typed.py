"""A mouth that a person pointed at, followed through one shot, whether or not any finder knows it.

    face = follow_from(pictures, x, y, half_width)

Where the finder sees a drawn mouth at the place, the finder's reading is followed. Elsewhere the texture around the
mouth is: corners of it are sought in the next frame (Lucas and Kanade, IJCAI 1981), a similarity is fitted to those
that agree, and the place is then set right against the first frame, so that small errors do not add up. The mouth
itself is left out, for it moves by itself.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Picture
from models.face.drawn import DrawnFace, Sight, measured, sight
from models.face.drawn_look import STILL, SURE, Finder, Found, Scene

GUESS: Final = 0.06  # half width of a mouth over the picture's shorter side, where neither a person nor the finder says
PATCH: Final = 96  # pixels a side of the texture
REACH: Final = 3.4  # half widths from its middle to its edge
CORNERS: Final = 80  # of the texture at most
ENOUGH: Final = 6  # corners that must agree
BACK: Final = 1.0  # pixels of the texture by which a corner may miss itself there and back
AGREE: Final = 1.5  # pixels of the texture
GROWS: Final = 0.2  # by which a face may grow or shrink in a frame, as a logarithm
GIVE_UP: Final = 12  # frames without texture or finder after which it is gone
HERE: Final = 1.0  # half widths between what was pointed at and a mouth that is meant by it

Row = NDArray[np.float64]  # (4,) x, y, half width, roll
Turn = tuple[NDArray[np.float64], NDArray[np.float64]]  # (2, 2) and (2,): a texture's point p shows turn · p + shift


def follow_from(pictures: Iterable[Picture], x: float, y: float, half_width: float | None = None) -> DrawnFace:
    """The face whose mouth lies at (x, y) in the first of a shot's (H, W, 3) RGB pictures; frames count from 0.

    half_width  of the mouth at rest, in pixels; None where nobody measured it
    raises      ValueError if there is no picture, or the place is outside of it, or half_width is not above 0
    """
    left = iter(pictures)
    first = next(left, None)
    if first is None:
        raise ValueError("a shot without a picture has no mouth in it")
    typed = Typed(Finder(), x, y, half_width)
    for number, rgb in enumerate(chain([first], left)):
        typed(number, rgb)
    return typed.face


class Typed:
    """Give it the frames of one shot, once and in order; `face` is what became of the place pointed at."""

    def __init__(self, finder: Finder, x: float, y: float, half_width: float | None = None) -> None:
        """x, y, half_width: of the first frame, in its pixels."""
        if half_width is not None and not half_width > 0:
            raise ValueError(f"a mouth of half width {half_width} cannot be followed")
        self.finder, self.place, self.half = finder, (x, y), half_width
        self.sights: list[Sight] = []
        self.wider = 1.0  # typed half width over the finder's
        self.anchor: tuple[NDArray[np.uint8], Row] | None = None  # the first frame's texture and row
        self.before: Scene | None = None
        self.row = np.zeros(4)
        self.lost = 0

    @property
    def face(self) -> DrawnFace:
        """As far as it was followed."""
        return measured(self.sights)

    def __call__(self, number: int, rgb: Picture) -> None:
        """Look at frame `number`, an (H, W, 3) RGB picture."""
        if self.lost > GIVE_UP:
            return
        scene = Scene(rgb)
        found = self._begin(scene) if self.before is None else self._go_on(scene, self.before)
        self.before = scene
        width, height = scene.size
        if found is None or not (0 <= self.row[0] < width and 0 <= self.row[1] < height):
            self.lost += 1
            return
        self.lost = 0
        self.sights.append(sight(number, scene, found, self.sights))

    def _begin(self, scene: Scene) -> Found:
        width, height = scene.size
        x, y = self.place
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(f"({x:g}, {y:g}) lies outside a picture of {width} × {height}")
        self.row = np.array([x, y, self.half or GUESS * min(width, height), 0.0])
        near = [one for one in self.finder(scene) if _off(one, self.row) < HERE * max(self.row[2], float(one.mouth[2]))]
        found = min(near, key=lambda one: _off(one, self.row), default=None)
        if found is not None:
            self.wider = (self.half or float(found.mouth[2])) / float(found.mouth[2])
            found = self._read(found)
        self.anchor = _texture(scene, _turn(self.row)), self.row.copy()
        return found or Found(self.row.astype(np.float32), 0.0, SURE)

    def _go_on(self, scene: Scene, before: Scene) -> Found | None:
        turn = _turn(self.row)
        here = self.row
        carried = carry(_texture(before, turn), _texture(scene, turn), turn, self.row)
        if carried is not None:
            here = carried
        assert self.anchor is not None
        turn = _turn(here)
        righted = carry(self.anchor[0], _texture(scene, turn), turn, here)
        if righted is not None:
            here = righted
        expected = here / np.array([1, 1, self.wider, 1])
        (found,) = self.finder.closer(scene, [expected])
        if found is not None and found.score >= STILL and _off(found, here) < HERE * here[2]:
            return self._read(found)
        if carried is None and righted is None:
            return None
        self.row = here
        return Found(here.astype(np.float32), 0.0 if found is None else found.opening, STILL)

    def _read(self, found: Found) -> Found:
        """The finder's reading, as wide as the mouth is said to be."""
        mouth = found.mouth * np.array([1, 1, self.wider, 1], np.float32)
        self.row = np.asarray(mouth, np.float64)
        return Found(mouth, found.opening, found.score)


def carry(before: NDArray[np.uint8], after: NDArray[np.uint8], turn: Turn, row: Row) -> Row | None:
    """Where a mouth at `row` has gone, by two textures (PATCH, PATCH) seen in that turn; None if too little agrees."""
    corners = cv2.goodFeaturesToTrack(before, CORNERS, 0.01, 4, mask=AROUND)
    if corners is None or len(corners) < ENOUGH:
        return None
    start = np.asarray(corners, np.float32)
    there, known = _flow(before, after, start)
    again, known_again = _flow(after, before, there)
    good = known & known_again & (np.linalg.norm(again - start, axis=2).ravel() < BACK)
    if good.sum() < ENOUGH:
        return None
    moved, agree = cv2.estimateAffinePartial2D(start[good], there[good], method=cv2.RANSAC, ransacReprojThreshold=AGREE)
    if moved is None or int(np.sum(agree)) < max(ENOUGH, 0.4 * good.sum()):
        return None
    matrix = np.asarray(moved, np.float64)
    grown = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if abs(np.log(grown)) > GROWS:
        return None
    middle = matrix @ [PATCH / 2 - 0.5, PATCH / 2 - 0.5, 1] + 0.5  # OpenCV counts from the middle of the first pixel
    x, y = turn[0] @ middle + turn[1]
    return np.array([x, y, row[2] * grown, row[3] + np.arctan2(matrix[1, 0], matrix[0, 0])])


def _flow(
    before: NDArray[np.uint8], after: NDArray[np.uint8], corners: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where (k, 1, 2) corners are in the other texture, and which of them were found (k,)."""
    there, known, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, corners.copy(), winSize=(15, 15), maxLevel=3)
    return np.asarray(there, np.float32), np.asarray(known).ravel() > 0


def _texture(scene: Scene, turn: Turn) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(scene.cut(*turn, (PATCH, PATCH)), cv2.COLOR_RGB2GRAY), np.uint8)


def _turn(row: Row) -> Turn:
    step = 2 * REACH * row[2] / PATCH
    turn = step * np.array([[np.cos(row[3]), -np.sin(row[3])], [np.sin(row[3]), np.cos(row[3])]])
    return turn, row[:2] - turn @ np.array([PATCH / 2, PATCH / 2])


def _off(found: Found, row: Row) -> float:
    return float(np.hypot(*(found.mouth[:2] - row[:2])))


def _around() -> NDArray[np.uint8]:
    """(PATCH, PATCH) 255 where the head is likely to be, without the mouth."""
    mask = np.zeros((PATCH, PATCH), np.uint8)
    half = PATCH / 2 / REACH
    middle = (PATCH // 2, PATCH // 2)
    cv2.ellipse(
        mask, (middle[0], round(middle[1] - 0.5 * half)), (round(2.6 * half), round(2.9 * half)), 0, 0, 360, 255, -1
    )
    cv2.ellipse(mask, middle, (round(1.2 * half), round(1.2 * half)), 0, 0, 360, 0, -1)
    return mask


AROUND: Final = _around()
