"""The head of each species: its outline, what is behind it and what is on it."""

import numpy as np

from models.puppets.canvas import CIRCLE, Canvas, Points, mix, oval
from models.puppets.character import BLACK, WHITE, Character
from models.puppets.kinds import MUZZLED

ROUND = np.linspace(0, 2 * np.pi, 64, endpoint=False)
CHIN = 0.3  # head units below the middle where the jaw begins to give way
FOX = ((0, -0.78), (0.45, -0.8), (0.86, -0.35), (1.04, 0.2), (0.72, 0.55), (0.46, 0.92), (0.2, 1.06))
CAR = ((0.62, -0.95), (0.78, -0.28), (1.0, -0.1), (1.04, 0.4), (1.02, 0.86), (0.5, 0.94))


def outline(who: Character) -> Points:
    """(n, 2) the edge of the head with the mouth shut."""
    half, power, taper = who.head
    c, s = np.cos(ROUND), np.sin(ROUND)
    x = half * np.sign(c) * np.abs(c) ** (2 / power)
    y = np.sign(s) * np.abs(s) ** (2 / power)
    smooth = np.stack([x * (1 - taper * np.clip(y, 0, 1) ** 2), y], 1)
    match who.species:
        case "ghost":
            across = np.linspace(1.0, -1.0, 25)
            skirt = np.stack([half * across, 1.05 + 0.12 * np.cos(across * 9.4)], 1)
            upper = smooth[smooth[:, 1] < 0.1]
            return np.concatenate([upper[np.argsort(upper[:, 0])], skirt])
        case "fox":
            return _rounded(_both_sides(FOX) * (half, 1.0), 2)
        case "car":
            return _rounded(_both_sides(CAR) * (half, 1.0), 2)
        case "cloud":
            bumps = 0.86 + 0.2 * np.abs(np.sin(3.5 * ROUND + np.pi * who.nose / 3))
            return np.stack([half * bumps * c, 0.95 * bumps * s], 1)
        case "television":
            return smooth * (1.0, 0.95)
        case _:
            return smooth


def dropped(edge: Points, drop: float) -> Points:
    """The outline with the chin lowered by `drop` head units."""
    return edge + np.stack([0 * edge[:, 0], drop * np.clip((edge[:, 1] - CHIN) / (1 - CHIN), 0, 1) ** 2], 1)


def draw_behind(c: Canvas, who: Character, off: Points) -> None:
    """What the head covers; it moves against the face."""
    half = who.head[0]
    match who.species:
        case "human" | "robot" | "cat" | "bear" | "rabbit" | "fox":
            c.part([(-0.55, 0.8), (0.55, 0.8), (1.3, 2.2), (1.3, 3.4), (-1.3, 3.4), (-1.3, 2.2)], who.cloth)
        case "mug":
            c.line(oval(half + 0.05, 0.1, 0.36, 0.45), who.dark, 0.0, 0.17, closed=True)
        case "fruit":
            c.line([(0, -0.9), (0.08, -1.25)], (90, 62, 30), 0.0, 0.1)
            c.part(oval(0.3, -1.2, 0.28, 0.12), (70, 150, 60))
        case "television":
            for s in (-1, 1):
                c.line([(s * 0.1, -0.8), (s * 0.55, -1.4)], who.dark, off, 0.06)
                c.part([(s * 0.5, 0.85), (s * 0.75, 0.85), (s * 0.85, 1.2), (s * 0.7, 1.2)], who.dark)
        case "car":
            for s in (-1, 1):
                c.part(oval(s * 0.78, 0.88, 0.2, 0.26), (40, 38, 42))
                c.part(oval(s * (half + 0.02), -0.1, 0.16, 0.1), who.dark)
    if who.species == "human" and who.hair in (0, 3):
        c.part(oval(0, -0.05 + 0.12 * (who.hair == 3), half * 1.18, 1.1), who.hair_colour, off)
    if who.species == "robot":
        c.line([(0, -0.9), (0, -1.3)], who.dark, off, 0.07)
        c.part(oval(0, -1.32, 0.12, 0.12), who.accent, off)
    for s in (-1, 1):
        _ear(c, who, off, s)


def _ear(c: Canvas, who: Character, off: Points, s: int) -> None:
    half = who.head[0]
    match who.species:
        case "human":
            c.part(oval(s * half, 0.0, 0.13, 0.2), who.skin, off)
        case "cat":
            c.part([(s * 0.2, -0.8), (s * 0.62, -1.45), (s * 0.95, -0.35)], who.skin, off)
            c.shape([(s * 0.38, -0.85), (s * 0.62, -1.22), (s * 0.8, -0.6)], who.dark, off)
        case "fox":
            c.part([(s * 0.12, -0.7), (s * 0.78, -1.5), (s * 0.9, -0.2)], who.skin, off)
            c.shape([(s * 0.56, -1.02), (s * 0.78, -1.5), (s * 0.83, -0.88)], who.ink, off)
        case "bear":
            c.part(oval(s * 0.72, -0.76, 0.32, 0.32), who.skin, off)
            c.shape(oval(s * 0.72, -0.76, 0.17, 0.17), who.dark, off)
        case "rabbit":
            c.part(oval(s * 0.38, -1.22, 0.2, 0.62), who.skin, off)
            c.shape(oval(s * 0.38, -1.22, 0.1, 0.45), who.dark, off)
        case "robot":
            x0, x1 = s * (half - 0.1), s * (half + 0.17)
            c.part([(x0, -0.2), (x1, -0.2), (x1, 0.25), (x0, 0.25)], who.dark, off)


def draw_on_head(c: Canvas, who: Character, off: Points, drop: float) -> None:
    """Hair, muzzle, screen: all that lies on the head and under eyes and mouth."""
    half, y = who.head[0], who.mouth.y
    if who.species in MUZZLED:
        muzzle = oval(0, y - 0.05 + drop * 0.4, 0.48, 0.40 + drop * 0.4)
        if who.species == "fox":
            muzzle = np.concatenate([_fox_cheeks(), [(0.3, 0.98 + drop), (0, 1.04 + drop), (-0.3, 0.98 + drop)]])
        c.shape(muzzle, who.around, off * (0.5 if who.species == "fox" else 1.0))
    match who.species:
        case "mug":
            c.part(oval(0, -0.97, half * 0.97, 0.16), who.dark)
            c.shape(oval(0, -0.95, half * 0.85, 0.11), (70, 42, 26))
        case "robot" if who.nose:
            visor = np.array([(-0.62, -0.5), (0.62, -0.5), (0.62, 0.14), (-0.62, 0.14)]) * (half / 0.9, 1)
            c.part(visor, who.dark, off * 0.8)
        case "television":
            for k in range(3):
                c.shape(oval(half - 0.12, -0.3 + 0.28 * k, 0.05, 0.05), who.accent)
        case "car":
            glass = mix(who.accent, WHITE, 0.75)
            c.part([(-0.52, -0.84), (0.52, -0.84), (0.7, -0.02), (-0.7, -0.02)], glass, off * 0.8)
            for s in (-1, 1):
                c.part(oval(s * 0.82 * half, 0.3, 0.13, 0.12), (255, 250, 210), off * 0.5)
        case "human":
            _human(c, who, off, drop)


def draw_screen(c: Canvas, who: Character) -> None:
    """A television is a casing first; its skin is the screen."""
    half = who.head[0]
    corners = np.stack([_soft_box(np.cos(ROUND)) * (half - 0.24) - 0.07, _soft_box(np.sin(ROUND)) * 0.82], 1)
    c.part(corners, who.skin)


def _human(c: Canvas, who: Character, off: Points, drop: float) -> None:
    half, y = who.head[0], who.mouth.y
    below = dropped(outline(who), drop)
    if "beard" in who.worn:
        low = below[below[:, 1] > 0.12]
        low = low[np.argsort(low[:, 0])]
        upper = [(0.45 * half, y - 0.16), (0, y - 0.13), (-0.45 * half, y - 0.16)]
        c.shape(np.concatenate([low, upper]), who.hair_colour)
    if "freckles" in who.worn:
        for k in range(8):
            s = 1 if k % 2 else -1
            spot = oval(s * (0.3 + 0.06 * (k // 2)), 0.12 + 0.05 * ((k * 3) % 4), 0.022, 0.022, CIRCLE[::4])
            c.shape(spot, mix(who.skin, (120, 60, 30), 0.45), off)
    if who.hair != 4:
        a = np.linspace(np.pi, 2 * np.pi, 22)
        crown = np.stack([half * 1.06 * np.cos(a), -0.30 + 0.82 * np.sin(a)], 1)
        across = np.linspace(-1, 1, 9)
        fringe = -0.52 + 0.10 * np.cos(np.arange(9) * (2.1 + who.hair)) - 0.06 * who.hair * across
        c.part(np.concatenate([crown, np.stack([-half * across, fringe], 1)])[:-1], who.hair_colour, off * 0.4)
    if "cap" in who.worn:
        a = np.linspace(np.pi, 2 * np.pi, 22)
        c.part(np.stack([half * 1.1 * np.cos(a), -0.42 + 0.75 * np.sin(a)], 1), who.accent, off * 0.4)
        c.part(oval(0, -0.44, half * 0.95, 0.1), mix(who.accent, BLACK, 0.35), off * 0.8)
    elif "hat" in who.worn:
        h = half * 0.8
        c.part([(-h, -0.5), (-h * 1.05, -1.35), (h * 1.05, -1.35), (h, -0.5)], who.accent, off * 0.3)
        c.part(oval(0, -0.52, half * 1.35, 0.12), mix(who.accent, BLACK, 0.3), off * 0.4)
    if "moustache" in who.worn:
        top = y - 0.19
        hair = [(0, top), (0.17, top - 0.02), (0.36, top + 0.12), (0.15, top + 0.1), (0, top + 0.06)]
        c.shape(hair + [(-x, z) for x, z in hair[-2:0:-1]], who.hair_colour, off * 1.1)


def _fox_cheeks() -> Points:
    return np.array([(-0.95, 0.26), (-0.5, 0.12), (-0.16, 0.2), (0, 0.05), (0.16, 0.2), (0.5, 0.12), (0.95, 0.26)])


def _both_sides(right: tuple[tuple[float, float], ...]) -> Points:
    half = np.array(right, np.float64)
    return np.concatenate([half, (half * (-1, 1))[::-1]])


def _rounded(corners: Points, times: int) -> Points:
    """Corners cut twice (Chaikin, An algorithm for high-speed curve generation, 1974)."""
    for _ in range(times):
        after = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * after, 0.25 * corners + 0.75 * after], 1).reshape(-1, 2)
    return corners


def _soft_box(x: Points) -> Points:
    return np.asarray(np.sign(x) * np.abs(x) ** 0.3)
