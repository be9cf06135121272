"""The mouth as the law wants it: dark inside, the upper teeth, the tongue, the lips."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.puppets.canvas import Canvas, Points, mix
from models.puppets.character import Character, Mouth

SHUT: Final = 0.015  # head units between the lips that are still a line
REST: Final = 0.92  # half width at rest (law's width 0.5) over Mouth.half
ACROSS: Final = np.linspace(-1, 1, 25)


def breadth(width: float) -> float:
    """Half width of the mouth over Mouth.half, for the law's width 0 … 1."""
    return 0.62 + 0.60 * width


def lips(mouth: Mouth, m: NDArray[np.float32]) -> tuple[Points, Points]:
    """Upper and lower inner edge of the mouth that says the law's four numbers, 25 points each."""
    opening, width = float(m[0]), float(m[1])
    x = ACROSS * mouth.half * breadth(width) * (1 - 0.12 * opening)
    middle = mouth.y - mouth.smile * ACROSS**2
    height = mouth.full * opening * (1 - np.abs(ACROSS) ** mouth.square)
    upper, lower = middle - mouth.upper * height, middle + (1 - mouth.upper) * height
    return np.stack([x, upper], 1), np.stack([x, lower], 1)


def draw_mouth(c: Canvas, who: Character, off: Points, m: NDArray[np.float32]) -> None:
    upper, lower = lips(who.mouth, m)
    thick = who.mouth.lip + 0.012
    apart = lower[:, 1] - upper[:, 1]
    if apart.max() <= SHUT:
        c.line((upper + lower) / 2, who.lip, off, thick)
        return
    ring = np.concatenate([upper, lower[::-1]])
    c.shape(ring, who.inside, off)
    teeth, tongue = float(m[2]), float(m[3])
    if tongue > 0.05:
        height = np.minimum(tongue * 0.62 * apart.max() * np.clip(1 - (ACROSS / 0.72) ** 2, 0, 1), apart)
        c.shape(np.concatenate([_higher(lower, height), lower[::-1]]), who.tongue, off)
    if teeth > 0.05:
        tall = who.mouth.full * (0.14 + 0.28 * teeth) * min(1.0, 4 * teeth)
        row = _higher(upper, -np.minimum(tall, 0.75 * apart))
        c.shape(np.concatenate([upper, row[::-1]])[2:-2], who.teeth, off)
        if who.species == "robot":
            for k in range(4, 24, 4):
                c.line([upper[k], row[k]], mix(who.teeth, who.inside, 0.7), off, 0.012)
    c.line(ring, who.lip, off, thick, closed=True)


def _higher(edge: Points, by: NDArray[np.float64]) -> Points:
    return np.stack([edge[:, 0], edge[:, 1] - by], 1)
