"""How rightly a mouth moves, from measured mouths (models/face/form.py): (n, 43, 2) in outer-eye distances.

Mouths that are compared must have been measured with one median mesh, that of the film, or the origin shifts.
Two openings are used. The inner gap (points 13 and 14) follows speech, but closed lips read as 0 or less, so it cannot
stand under a fraction. The outer height (points 0 and 17, upper rim to lower rim) is never near 0: the target of a
closed mouth, a ratio, reads `height`.
"""

from typing import Final

import numpy as np

from models.face import form
from models.face.form import MOUTH, Floats

TOP: Final = MOUTH.index(0)  # middle of the upper lip's outer rim
BOTTOM: Final = MOUTH.index(17)
LIPS: Final = 40  # points of both rings; the rest is chin
LEAST: Final = 0.1  # share of a film's frames whose mouth counts as its own closed mouth


def correlation(true: Floats, drawn: Floats) -> float:
    """Pearson's of the two inner openings over time, −1 … 1; more is better."""
    return float(np.corrcoef(form.opening(true), form.opening(drawn))[0, 1])


def amplitude(true: Floats, drawn: Floats) -> float:
    """Standard deviation of the drawn inner opening over the true one's; 1 is best."""
    return float(form.opening(drawn).std() / form.opening(true).std())


def distance(true: Floats, drawn: Floats) -> float:
    """Mean distance of the 40 lip points, % of the eye distance; less is better.

    The landmark distance (LMD) of Chen et al., Lip Movements Generation at a Glance, ECCV 2018, over lips alone.
    """
    return _apart(true[:, :LIPS], drawn[:, :LIPS])


def shape_distance(true: Floats, drawn: Floats) -> float:
    """The same after each frame's lips were moved to one centre: the form without the place; less is better."""
    return _apart(*(lips[:, :LIPS] - lips[:, :LIPS].mean(axis=1, keepdims=True) for lips in (true, drawn)))


def leak(true: Floats, silent: Floats) -> float:
    """How much of the mouth that was filmed is left in the one drawn for silence; 0 is best, 1 is all of it.

    Slope of the drawn inner opening on the filmed one = correlation · std(drawn) / std(filmed).
    """
    before, after = form.opening(true), form.opening(silent)
    return float(np.cov(before, after, bias=True)[0, 1] / before.var())


def height(mouths: Floats) -> Floats:
    """(n,) upper lip's rim to lower lip's rim, in eye distances; about 0.2 closed, never near 0."""
    return np.asarray(mouths[:, BOTTOM, 1] - mouths[:, TOP, 1], np.float32)


def closed(openings: Floats) -> float:
    """The face's own closed mouth: the median of the least open tenth of a film's openings (inner or outer)."""
    least = np.sort(openings)[: max(1, round(LEAST * len(openings)))]
    return float(np.median(least))


def still_height(true: Floats, silent: Floats) -> float:
    """Mean outer height drawn for silence over that of the film's own closed mouth; 1 is best, more is open."""
    return float(height(silent).mean() / closed(height(true)))


def still_gap(true: Floats, silent: Floats) -> float:
    """Mean inner opening drawn for silence less that of the film's own closed mouth, in eye distances; 0 is best."""
    return float(form.opening(silent).mean() - closed(form.opening(true)))


def _apart(true: Floats, drawn: Floats) -> float:
    return float(100 * np.linalg.norm(true - drawn, axis=-1).mean())
