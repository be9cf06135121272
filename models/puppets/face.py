"""Eyes, brows, glasses, noses and whiskers."""

import numpy as np
from numpy.typing import NDArray

from models.puppets.canvas import DOT, Canvas, Points, mix, oval
from models.puppets.character import Character
from models.puppets.kinds import MUZZLED
from models.puppets.pose import BROW, LID, PITCH, YAW


def nose_height(who: Character) -> float:
    return who.mouth.y - (0.30 if who.species in ("human", "robot") else 0.27)


def draw_eye(c: Canvas, who: Character, off: Points, side: int, q: NDArray[np.float32]) -> None:
    e = who.eyes
    x, y, r = e.x * side, e.y, e.radius
    if who.species == "car":
        y -= 0.22
    if who.species == "robot" and who.hair % 2:
        c.shape([(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)], (245, 245, 235), off)
        c.line([(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)], who.ink, off, 0.025, closed=True)
    elif e.white:
        white = oval(x, y, r, r * 1.1)
        c.shape(white, (250, 250, 248), off)
        c.line(white, who.ink, off, 0.025, closed=True)
    ball = oval(x + q[YAW] * 0.1, y + 0.01 + q[PITCH] * 0.05, r * e.iris, r * e.iris)
    c.shape(ball, who.iris if e.white else who.ink, off)
    c.shape(oval(x + q[YAW] * 0.1 - 0.03, y - 0.03, r * 0.2, r * 0.2, DOT), (255, 255, 255), off)
    lid = float(q[LID])
    if lid > 0.05:
        a = np.linspace(np.pi, 2 * np.pi, 14)
        brow = np.stack([x + r * 1.15 * np.cos(a), y + r * 1.25 * np.sin(a)], 1)
        low = y - r * 1.25 + 2.5 * r * lid
        cover = np.concatenate([brow, [(x + r * 1.15, low), (x - r * 1.15, low)]])
        c.shape(cover, mix(who.skin, who.dark, 0.25), off)
    if lid > 0.6:
        c.line([(x - r, y + r * 0.8), (x + r, y + r * 0.8)], who.ink, off)
    if who.species not in ("ghost", "cloud"):
        high = y - r * 1.75 - 0.09 * float(q[BROW])
        brow_line = [(x - side * r, high + 0.02), (x, high - 0.04), (x + side * r, high + 0.03 - 0.05 * q[BROW])]
        c.line(brow_line, who.ink, off, 0.07 if who.species == "human" else 0.035)


def draw_glasses(c: Canvas, who: Character, off: Points) -> None:
    e, half = who.eyes, who.head[0]
    r = min(e.radius * 1.35, e.x * 0.92)
    for s in (-1, 1):
        c.line(oval(s * e.x, e.y, r, r), who.ink, off, 0.045, closed=True)
        hinge = np.array([s * (e.x + r), e.y]) + off
        c.line(np.stack([hinge, np.array([s * half, e.y - 0.03])]), who.ink, 0.0, 0.04)
    c.line([(r - e.x, e.y), (e.x - r, e.y)], who.ink, off, 0.04)


def draw_nose(c: Canvas, who: Character, off: Points) -> None:
    y = nose_height(who)
    if who.species == "human":
        if who.nose == 0:
            c.line([(0, y - 0.2), (0.07, y), (-0.04, y + 0.02)], mix(who.ink, who.skin, 0.3), off * 1.4)
        elif who.nose == 1:
            c.part(oval(0, y - 0.03, 0.10, 0.08), mix(who.skin, (230, 90, 80), 0.3), off * 1.4)
        else:
            c.line([(-0.06, y), (0, y + 0.03), (0.06, y)], mix(who.ink, who.skin, 0.2), off * 1.4)
    elif who.species == "bear":
        c.shape(oval(0, y - 0.02, 0.15, 0.1), who.ink, off * 1.2)
    elif who.species in MUZZLED:
        c.shape([(-0.12, y - 0.07), (0.12, y - 0.07), (0, y + 0.06)], who.ink, off * 1.2)
        for s, k in ((s, k) for s in (-1, 1) for k in (-1, 0, 1)):
            c.line([(s * 0.38, y + 0.1 + 0.05 * k), (s * 0.95, y + 0.08 + 0.14 * k)], who.ink, off, 0.018)
