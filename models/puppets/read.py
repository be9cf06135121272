"""What a drawn mouth says, read back from the picture: the same puppet is drawn with other mouths until one fits.

Analysis by synthesis: puppet and pose are known, so its opening, width, teeth and tongue are searched one after another
for the smallest squared difference about the mouth, with a parabola between the drawings tried. It measures what no
landmark network can: mouths of drawn cats and mugs. A blurred mouth is read kindly: look at `energy` beside it.
Deliberately not here: the law a mouth should follow (law.py).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.face.crop import into, out_of
from models.puppets.canvas import Picture
from models.puppets.draw import Puppet
from models.puppets.pose import HAND

REACH: Final = 1.9  # half widths of the mouth at rest to each side of its centre: what is compared
LIPS: Final = 1.3  # half widths to each side in which sharpness is measured
SHOWN: Final = 0.7  # share of a mouth that must be free to be read
FINER: Final = 2  # drawings are this much larger before they are averaged down
OPENINGS: Final = (0.0, 0.1, 0.24, 0.42, 0.64, 0.9)
BEGIN: Final = ((0.3, 0.1), (0.3, 0.7), (0.7, 0.1), (0.7, 0.7))  # widths and teeth with which all of them are tried
WIDTHS: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
TEETH: Final = (0.0, 0.12, 0.3, 0.6, 1.0)
TONGUES: Final = (0.0, 0.35, 0.7, 1.0)
NEAR: Final = (-0.09, -0.04, 0.0, 0.04, 0.09)  # openings about the best one
WIDER: Final = 0.12  # opening of a mouth whose teeth and tongue can be read

Floats = NDArray[np.float32]
OPEN, WIDTH, TOOTH, TONGUE = range(4)  # columns of a mouth, as law.py has them


@dataclass(frozen=True, eq=False)
class Reading:
    """T mouths as read."""

    mouths: Floats  # (T, 4) open, width, teeth, tongue in 0 … 1; the last two are 0 in a mouth open less than WIDER
    unlike: Floats  # (T,) root mean square difference to the best drawing, 0 … 255
    shown: NDArray[np.bool_]  # (T,) whether the mouth can be seen at all: a hand may be before it


def read(puppet: Puppet, poses: Floats, pictures: Picture, views: Floats) -> Reading:
    """The mouths of T pictures of a known puppet.

    poses     (T, 8) of pose.py
    pictures  (T, S, S, 3) RGB, the part `views` of the whole picture
    views     (T, 4) squares x, y, side, roll in 0 … 1 of the whole picture, as `Puppet.render` takes them
    """
    places = windows(puppet, poses, views, pictures.shape[1], REACH)
    seen = _cut(pictures, places).astype(np.float32)
    glass = _Glass(puppet, poses, seen, _narrowed(views, places, pictures.shape[1]))
    mouths = glass.begin()
    glass.fit(mouths, WIDTH, np.tile(WIDTHS, (len(poses), 1)))
    for column, values in ((TOOTH, TEETH), (TONGUE, TONGUES)):
        glass.fit(mouths, column, np.tile(values, (len(poses), 1)), mouths[:, OPEN] > WIDER)
    error = glass.fit(mouths, OPEN, np.clip(mouths[:, OPEN, None] + NEAR, 0, 1))
    mouths[mouths[:, OPEN] <= WIDER, TOOTH:] = 0
    return Reading(mouths, np.sqrt(error), glass.shown())


def windows(puppet: Puppet, poses: Floats, views: Floats, size: int, reach: float) -> NDArray[np.int64]:
    """(T, 3) left, top, side in whole pixels of squares about the mouth, inside crops of that size."""
    rows = puppet.mouth_at(poses)
    middle = into(rows[:, None, :2], views)[:, 0] * size
    side = min(size, int(np.ceil(2 * reach * float((rows[:, 2] / views[:, 2]).max()) * size)))
    corner = np.clip(np.rint(middle - side / 2), 0, size - side).astype(np.int64)
    return np.column_stack([corner, np.full(len(poses), side)])


def energy(pictures: Picture, places: NDArray[np.int64]) -> Floats:
    """(T,) mean squared difference of neighbouring pixels' grey in each window, both directions, grey levels²."""
    grey = _cut(pictures, places).astype(np.float32).mean(axis=-1)
    return np.asarray(
        np.square(np.diff(grey, axis=1)).mean(axis=(1, 2)) + np.square(np.diff(grey, axis=2)).mean(axis=(1, 2))
    )


@dataclass(frozen=True, eq=False)
class _Glass:
    """Holds drawings beside what is seen."""

    puppet: Puppet
    poses: Floats
    seen: Floats  # (T, w, w, 3)
    views: Floats  # (T, 4) of the windows

    def begin(self) -> Floats:
        """(n, 4) the best of all coarse openings in mouths of each sort: from there it goes downhill."""
        tried, errors = [], []
        for width, teeth in BEGIN:
            mouths = np.tile(np.array([0, width, teeth, 0.1], np.float32), (len(self.seen), 1))
            errors.append(self.fit(mouths, OPEN, np.tile(OPENINGS, (len(mouths), 1))))
            tried.append(mouths)
        return np.asarray(np.stack(tried)[np.argmin(errors, axis=0), np.arange(len(self.seen))])

    def fit(
        self, mouths: Floats, column: int, values: NDArray[np.floating[Any]], which: NDArray[np.bool_] | None = None
    ) -> Floats:
        """Sets one number of each mouth to the best of its row of (T, K) values; of all mouths, or of those marked.

        returns  (n,) the least mean squared difference of each
        """
        rows = np.arange(len(mouths)) if which is None else np.flatnonzero(which)
        if not len(rows):
            return np.zeros(0, np.float32)
        tried = np.repeat(mouths[rows, None], values.shape[1], axis=1)
        tried[..., column] = values[rows]
        errors = np.stack([self._error(tried[:, k], rows) for k in range(values.shape[1])], axis=1)
        mouths[rows, column] = _lowest(errors, tried[..., column])
        return np.asarray(errors.min(axis=1), np.float32)

    def _error(self, mouths: Floats, rows: NDArray[np.int64]) -> Floats:
        return np.asarray(np.square(self._draw(self.poses, mouths, rows) - self.seen[rows]).mean(axis=(1, 2, 3)))

    def shown(self) -> NDArray[np.bool_]:
        """(T,) whether an open mouth changes at least SHOWN of what it would change were there no hand."""
        rows = np.flatnonzero(self.poses[:, HAND])
        bare = self.poses.copy()
        bare[:, HAND] = 0
        shut, wide = (np.tile(np.array([o, 0.5, 0, 0], np.float32), (len(rows), 1)) for o in (0.0, 0.8))
        free, whole = (
            np.abs(self._draw(poses, wide, rows) - self._draw(poses, shut, rows)).mean(axis=(1, 2, 3))
            for poses in (self.poses, bare)
        )
        shown = np.ones(len(self.poses), np.bool_)
        shown[rows] = free > SHOWN * whole
        return shown

    def _draw(self, poses: Floats, mouths: Floats, rows: NDArray[np.int64]) -> Floats:
        size = self.seen.shape[1]
        return np.asarray(self.puppet.render(poses[rows], mouths, size, FINER, self.views[rows]), np.float32)


def _lowest(errors: Floats, at: Floats) -> Floats:
    """(T,) where the parabola through the lowest of (T, K) errors and its neighbours is lowest; at an end, the end."""
    best = errors.argmin(axis=1)
    row = np.arange(len(errors))
    middle = np.clip(best, 1, errors.shape[1] - 2)
    (x0, x1, x2), (y0, y1, y2) = (
        [whole[row, middle + k].astype(np.float64) for k in (-1, 0, 1)] for whole in (at, errors)
    )
    down = (x1 - x0) * (y1 - y2) - (x1 - x2) * (y1 - y0)
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = x1 - 0.5 * ((x1 - x0) ** 2 * (y1 - y2) - (x1 - x2) ** 2 * (y1 - y0)) / down
    bowl = (best == middle) & (np.abs(down) > 1e-9) & np.isfinite(turn)
    return np.asarray(np.where(bowl, np.clip(turn, x0, x2), at[row, best]), np.float32)


def _cut(pictures: Picture, places: NDArray[np.int64]) -> Picture:
    return np.stack([picture[y : y + w, x : x + w] for picture, (x, y, w) in zip(pictures, places, strict=True)])


def _narrowed(views: Floats, places: NDArray[np.int64], size: int) -> Floats:
    """(T, 4) the windows as squares of the whole picture."""
    middle = (places[:, :2] + places[:, 2:] / 2) / size
    centre = out_of(middle[:, None].astype(np.float32), views)[:, 0]
    side = views[:, 2:3] * (places[:, 2:] / size)
    return np.concatenate([centre, side, views[:, 3:]], axis=1).astype(np.float32)
