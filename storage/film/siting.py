"""Where the chroma samples of a film lie among its pixels, and the way there and back.

H.264, HEVC and MPEG-2 put a 4:2:0 sample on every second pixel of a row, between two rows (`left`); JPEG and MPEG-1
between four pixels (`center`); DV and BT.2020 on a pixel (`topleft`). In 4:2:2 it lies on every second pixel, in JPEG
between two. Half a pixel of error is a coloured rim on every lip.

Promises: a colour keeps its place both ways, whatever the siting; a chroma sample stands for the area of one block
about its place, so it is untouched if no pixel of that area is. Sources: ITU-T H.273 (2021), figures 1 and 2.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from storage.film.planes import PixelFormat, Plane, pixel_format
from storage.film.probe import Film

# Where in its block a sample lies, rightwards and downwards: 0 on the first pixel, 1 on the last, by ffmpeg's name.
PLACES: Final = {
    "left": (0.0, 0.5),
    "center": (0.5, 0.5),
    "topleft": (0.0, 0.0),
    "top": (0.5, 0.0),
    "bottomleft": (0.0, 1.0),
    "bottom": (0.5, 1.0),
}

Values = NDArray[np.float32]  # (h, w) one value a pixel, or one a chroma sample


@dataclass(frozen=True, slots=True)
class Axis:
    """The chroma samples along the rows, or down the columns, of a picture."""

    step: int  # pixels from one sample to the next
    first: float  # of pixels: where the first sample lies, 0 on the middle of the first pixel


@dataclass(frozen=True, slots=True)
class Siting:
    """The grid of a film's chroma samples."""

    right: Axis
    below: Axis

    @property
    def dense(self) -> bool:
        """Every pixel has a sample of its own."""
        return self.right.step == self.below.step == 1


def siting(film: Film) -> Siting:
    """Where a film's chroma samples lie; untagged on the left as video has them, full-range `yuvj` in the middle."""
    layout = pixel_format(film.pix_fmt)
    usual = "center" if film.pix_fmt.startswith("yuvj") else "left"
    return sited(layout, PLACES.get(film.colour.siting or usual, PLACES[usual]))


def sited(layout: PixelFormat, place: tuple[float, float]) -> Siting:
    """The grid of a pixel format whose samples lie there in their blocks."""
    right, below = place
    return Siting(Axis(layout.across, right * (layout.across - 1)), Axis(layout.down, below * (layout.down - 1)))


def spread(samples: Plane, grid: Siting, x: int, y: int, w: int, h: int) -> Values:
    """(h, w) what a chroma plane says at each pixel of a rectangle, linear between samples.

    samples  the whole picture's plane
    x, y     the rectangle's top left pixel
    """
    top, under, down = _between(grid.below, y, h, samples.shape[0])
    left, after, along = _between(grid.right, x, w, samples.shape[1])
    first, column = int(top[0]), int(left[0])
    part = samples[first : int(under[-1]) + 1, column : int(after[-1]) + 1].astype(np.float32)
    if grid.right.step > 1:
        part = part[:, left - column] * (1 - along) + part[:, after - column] * along
    if grid.below.step > 1:
        part = part[top - first] * (1 - down[:, None]) + part[under - first] * down[:, None]
    return np.asarray(part, np.float32)


def gathered(values: NDArray[Any], grid: Siting) -> Values:
    """(⌈h / step⌉, ⌈w / step⌉) means over one block's area about each chroma sample of a rectangle on whole blocks.

    values  (h, w); beyond the rectangle its edge goes on
    """
    rows = _means(np.asarray(values, np.float32), grid.right)
    return np.ascontiguousarray(_means(rows.T, grid.below).T)


def _between(axis: Axis, start: int, count: int, samples: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Values]:
    """For `count` pixels from `start` on: the samples before and after each, and how far it is towards the latter."""
    at = np.clip((np.arange(start, start + count) - axis.first) / axis.step, 0, samples - 1)
    before = np.floor(at).astype(np.intp)
    after = np.minimum(before + (axis.step > 1), samples - 1)
    return before, after, (at - before).astype(np.float32)


def _means(values: Values, axis: Axis) -> Values:
    """Of every row; a pixel that the area covers in part counts in part."""
    step = axis.step
    if step == 1:
        return values
    taps = range(int(np.ceil(axis.first - step / 2 - 0.5)), int(np.floor(axis.first + step / 2 + 0.5)) + 1)
    shares = {tap: _overlap(tap, axis) / step for tap in taps}
    count = -(-values.shape[1] // step)
    before = max(0, -taps[0])
    after = max(0, (count - 1) * step + taps[-1] + 1 - values.shape[1])
    whole = np.pad(values, ((0, 0), (before, after)), mode="edge")
    out = np.zeros((values.shape[0], count), np.float32)
    for tap, share in shares.items():
        if share > 0:
            out += np.float32(share) * whole[:, before + tap :: step][:, :count]
    return out


def _overlap(tap: int, axis: Axis) -> float:
    """How much of a pixel lies within half a block of the first sample."""
    low, high = axis.first - axis.step / 2, axis.first + axis.step / 2
    return max(0.0, min(tap + 0.5, high) - max(tap - 0.5, low))
