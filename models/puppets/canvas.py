"""Colours, and drawing in head coordinates.

Head frame: x right, y down, face centre (0, 0), chin near y = +1, top of the skull near y = −1. A similarity places it
in the picture, with edges at sixteenths of a pixel.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

SHIFT: Final = 4  # bits below the pixel in OpenCV's drawing calls
CAST: Final = np.array([0.05, 0.06])  # head units a cut-out's shadow lies away

Colour = tuple[int, int, int]
Points = NDArray[np.float64]
Picture = NDArray[np.uint8]


def hsv(h: float, s: float, v: float) -> Colour:
    one = np.array([[[int(h * 179) % 180, round(np.clip(s, 0, 1) * 255), round(np.clip(v, 0, 1) * 255)]]], np.uint8)
    r, g, b = cv2.cvtColor(one, cv2.COLOR_HSV2RGB)[0, 0]
    return int(r), int(g), int(b)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    r, g, b_ = (round(x * (1 - share) + y * share) for x, y in zip(a, b, strict=True))
    return r, g, b_


def luminance(colour: Colour) -> float:
    """0 … 255, the luma of ITU-R BT.601."""
    r, g, b = colour
    return 0.299 * r + 0.587 * g + 0.114 * b


def _circle(corners: int) -> Points:
    a = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(a), np.sin(a)], 1)


CIRCLE: Final = _circle(28)
DOT: Final = _circle(10)


def oval(cx: float, cy: float, rx: float, ry: float, circle: Points = CIRCLE) -> Points:
    return circle * (rx, ry) + (cx, cy)


@dataclass(slots=True)
class Canvas:
    """A picture being drawn, in head coordinates."""

    picture: Picture
    place: NDArray[np.float64]  # (2, 3) head → pixels, the middle of the first pixel is (0, 0)
    edge: Colour | None = None  # the line round every part
    shadow: Colour | None = None  # what a cut-out part throws on what is below it

    @property
    def unit(self) -> float:
        """Pixels a head unit."""
        return float(np.hypot(self.place[0, 0], self.place[1, 0]))

    def width(self, units: float) -> int:
        """What OpenCV must be told for a line of that width: told 1, 2, 4, 6 it draws 1.4, 3.4, 5.4, 7.4 pixels."""
        return max(1, 2 * round((self.unit * units - 1.4) / 2))

    def fixed(self, points: ArrayLike, offset: ArrayLike = 0.0) -> NDArray[np.int32]:
        placed = (np.asarray(points, np.float64) + np.asarray(offset)) @ self.place[:, :2].T + self.place[:, 2]
        return np.asarray(np.rint(placed * (1 << SHIFT)), np.int32)

    def shape(self, points: ArrayLike, colour: Colour, offset: ArrayLike = 0.0) -> None:
        """A filled polygon."""
        cv2.fillPoly(self.picture, [self.fixed(points, offset)], colour, cv2.LINE_AA, SHIFT)

    def part(self, points: ArrayLike, colour: Colour, offset: ArrayLike = 0.0) -> None:
        """A polygon with the line or the shadow of the style."""
        if self.shadow is not None:
            self.shape(points, self.shadow, CAST + np.asarray(offset))
        corners = self.fixed(points, offset)
        cv2.fillPoly(self.picture, [corners], colour, cv2.LINE_AA, SHIFT)
        if self.edge is not None:
            cv2.polylines(self.picture, [corners], True, self.edge, self.width(0.035), cv2.LINE_AA, SHIFT)

    def line(
        self, points: ArrayLike, colour: Colour, offset: ArrayLike = 0.0, width: float = 0.035, closed: bool = False
    ) -> None:
        """A polyline, `width` in head units."""
        corners = self.fixed(points, offset)
        cv2.polylines(self.picture, [corners], closed, colour, self.width(width), cv2.LINE_AA, SHIFT)
