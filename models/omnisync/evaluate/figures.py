"""What drawn mouths of a drawn character are worth, in numbers: read from crops, before any composite flatters them.

`wanted` is the law of the dub, `said` that of the voice the film was drawn to, as models/puppets/law.py has them.
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.crop import into
from models.face.form import Floats
from models.omnisync.evaluate.scene import HIGH, Scene, whole
from models.omnisync.evaluate.shot import Frames, View, through
from models.puppets.draw import HALF_HEIGHT
from models.puppets.pose import SCALE
from models.puppets.read import LIPS, OPEN, TONGUE, TOOTH, WIDTH, energy, windows

EVERY: Final = 2  # frames from one reading to the next; the law hardly moves between them
LAGS: Final = 5  # frames to each side among which the best is looked for
AGREE: Final = 2  # code values by which source and truth may differ where neither mouth nor chin is
APART: Final = 0.15  # of the opening: teeth and tongue are compared where both mouths are open so far …
FEW: Final = 5  # … in at least so many readings
VARIED: Final = 0.05  # deviation of the law under which no correlation is told
PATCH: Final = 5  # pixels to each side of a keypoint that are found again
ASTRAY: Final = 4  # pixels to each side where they are looked for
PLAIN: Final = 4.0  # code values a patch must deviate by, or there is nothing in it to be found again
FACIAL: Final = 3  # keypoints inside the face; along its outline nothing can be told apart
EXACT: Final = 99.0  # dB, where not a bit differs


def figures(scene: Scene, view: View, drawn: Frames) -> dict[str, float]:
    """What (T, S, S, 3) crops are worth against the law of the dub."""
    reading, truth = scene.read(drawn, view, EVERY), through(scene.truth, view.squares, view.spec.size)
    shown = reading.shown if reading.shown.sum() >= FEW else np.ones_like(reading.shown)
    frames = np.arange(0, len(drawn), EVERY)[shown]
    says, wanted, said = reading.mouths[shown], scene.wanted[frames], scene.said[frames]
    slope, leak = shares(says[:, OPEN], wanted[:, OPEN], said[:, OPEN])
    found = {
        "shown": float(reading.shown.mean()),
        "correlation": alike(says[:, OPEN], wanted[:, OPEN]),
        "lag": lag(says[:, OPEN], scene.wanted[:, OPEN], frames),
        "slope": slope,
        "leak": leak,
        "width": alike(says[:, WIDTH], wanted[:, WIDTH]),
        "open": float(says[:, OPEN].mean()),
        "unlike": float(reading.unlike[shown].mean()),
        "outside": decibels(drawn, view.crops, beyond(scene, view, truth)),
        "keypoints": strayed(scene, view, drawn),
    }
    both = (says[:, OPEN] > APART) & (wanted[:, OPEN] > APART)
    for name, column in (("teeth", TOOTH), ("tongue", TONGUE)) if both.sum() >= FEW else ():
        found |= {name: float(says[both, column].mean()), f"{name} wanted": float(wanted[both, column].mean())}
        if wanted[both, column].std() > VARIED:
            found[f"{name} correlation"] = alike(says[both, column], wanted[both, column])
    places = windows(scene.puppet, scene.poses, whole(view.squares), view.spec.size, LIPS)
    mine, theirs = energy(drawn, places), energy(truth, places)
    wide = scene.wanted[:, OPEN] >= np.quantile(scene.wanted[:, OPEN], 0.75)
    return found | {
        "sharpness": float(mine.sum() / theirs.sum()),
        "sharpness open": float(mine[wide].sum() / theirs[wide].sum()),
    }


def alike(one: Floats, other: Floats) -> float:
    """Pearson's correlation; 0 where one of the two never moves, or there are too few to tell."""
    if len(one) < 3 or one.std() < 1e-4 or other.std() < 1e-4:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def lag(drawn: Floats, wanted: Floats, frames: NDArray[np.int64]) -> int:
    """Frames by which the drawn opening comes late, where the two correlate best; below 0 it is early.

    drawn    (n,) what was read in the frames of these numbers; wanted (T,) in all of them
    """
    found = {}
    for late in sorted(range(-LAGS, LAGS + 1), key=abs):  # of equals the smallest
        known = (frames - late >= 0) & (frames - late < len(wanted))
        found[late] = alike(drawn[known], wanted[frames[known] - late])
    return max(found, key=lambda late: found[late])


def shares(drawn: Floats, wanted: Floats, said: Floats) -> tuple[float, float]:
    """(slope, leak): least squares of the drawn opening on [wanted, said, 1]; 1 and 0 are best."""
    told = np.column_stack([wanted, said, np.ones(len(wanted))]).astype(np.float64)
    slope, leak, _ = np.linalg.lstsq(told, drawn.astype(np.float64), rcond=None)[0]
    return float(slope), float(leak)


def share_of(silent: Floats, said: Floats) -> float:
    """Slope of the opening drawn for silence on the opening that was filmed; 0 is best, 1 is all of it."""
    return float(np.cov(said, silent, bias=True)[0, 1] / max(float(said.var()), 1e-9))


def beyond(scene: Scene, view: View, truth: Frames) -> NDArray[np.bool_]:
    """(T, S, S) the pixels more than a mouth's radius from the mouth in which source and truth agree."""
    size = view.spec.size
    boxes = scene.puppet.mouth_box(scene.poses, HIGH)
    x, y = (into(boxes[:, None, :2], view.squares)[:, 0] * size).T[:, :, None, None]
    radius = (boxes[:, 2] / view.squares[:, 2] * size)[:, None, None]
    rows, columns = np.mgrid[:size, :size] + 0.5
    moved = (np.abs(truth.astype(np.int16) - view.crops).max(axis=-1) > AGREE).astype(np.uint8)
    still = np.stack([cv2.dilate(one, np.ones((3, 3), np.uint8)) for one in moved]) == 0
    return np.asarray(still & (np.hypot(columns - x, rows - y) > radius))


def decibels(one: Frames, other: Frames, where: NDArray[np.bool_]) -> float:
    """Peak signal to noise (peak 255) of two films in the places (T, H, W) marked; more is better, EXACT is equal."""
    apart = np.square(one[where].astype(np.float64) - other[where])
    error = float(apart.mean()) if apart.size else 0.0
    return EXACT if error == 0 else min(EXACT, float(10 * np.log10(255**2 / error)))


def strayed(scene: Scene, view: View, drawn: Frames) -> float:
    """Mean distance of eyes and nose from where they were filmed, % of the head's height: each is looked for again.

    The patch about a keypoint of the source's crop is found in the drawn one by its smallest squared difference, with a
    parabola between pixels; patches with nothing in them, and those cut by the crop's edge, are left out.
    """
    size = view.spec.size
    points = into(scene.puppet.keypoints(scene.poses)[:, :FACIAL] * np.float32(HIGH), view.squares) * size
    heads = 2 * HALF_HEIGHT * np.exp(scene.poses[:, SCALE]) * HIGH / view.squares[:, 2] * size
    found = []
    for n, (before, after) in enumerate(zip(view.crops, drawn, strict=True)):
        for x, y in np.rint(points[n] - 0.5).astype(int):
            reach = PATCH + ASTRAY
            if min(x, y) < reach or max(x, y) >= size - reach:
                continue
            patch = before[y - PATCH : y + PATCH + 1, x - PATCH : x + PATCH + 1]
            if patch.std(axis=(0, 1)).max() < PLAIN:
                continue
            about = after[y - reach : y + reach + 1, x - reach : x + reach + 1]
            found.append(float(np.hypot(*_where(about, patch))) / heads[n])
    return float(100 * np.mean(found)) if found else float("nan")


def _where(about: NDArray[np.uint8], patch: NDArray[np.uint8]) -> tuple[float, float]:
    """How far (x, y) from the middle of `about` the patch lies, in pixels."""
    error = cv2.matchTemplate(about, patch, cv2.TM_SQDIFF)
    row, column = np.unravel_index(int(error.argmin()), error.shape)
    return _between(error[row], int(column)) - ASTRAY, _between(error[:, column], int(row)) - ASTRAY


def _between(errors: NDArray[Any], lowest: int) -> float:
    if not 0 < lowest < len(errors) - 1:
        return float(lowest)
    before, here, after = (float(error) for error in errors[lowest - 1 : lowest + 2])
    bowl = before - 2 * here + after
    return lowest + (0.5 * (before - after) / bowl if bowl > 0 else 0.0)
