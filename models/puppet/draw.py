"""What a puppet looks like: eight species in four styles, drawn a few times too large and averaged down.

Head frame: x right, y down, face centre (0, 0), chin near y = +1, top of the skull near y = −1. A similarity
transform places it in the picture, so edges move by fractions of a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.puppet.pose import BROW, DX, DY, LID, PITCH, ROLL, SCALE, YAW

SPECIES: Final = ("human", "cat", "bear", "rabbit", "robot", "mug", "fruit", "ghost")
STYLES: Final = ("flat", "outline", "shaded", "grain")
MUZZLED: Final = ("cat", "bear", "rabbit")
SHIFT: Final = 4  # bits below the pixel in OpenCV's drawing calls

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


def oval(cx: float, cy: float, rx: float, ry: float, corners: int = 28) -> Points:
    a = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([cx + rx * np.cos(a), cy + ry * np.sin(a)], 1)


@dataclass
class Canvas:
    """A picture being drawn, in head coordinates."""

    picture: Picture
    place: NDArray[np.float64]  # (2, 3) head → pixels

    @property
    def unit(self) -> float:
        """Pixels a head unit."""
        return float(np.hypot(self.place[0, 0], self.place[1, 0]))

    @property
    def thin(self) -> int:
        return max(1, round(self.unit * 0.035))

    def fixed(self, points: ArrayLike, offset: ArrayLike = 0.0) -> NDArray[np.int32]:
        placed = (np.asarray(points, np.float64) + np.asarray(offset, np.float64)) @ self.place[:, :2].T + self.place[
            :, 2
        ]
        return np.round(placed * (1 << SHIFT)).astype(np.int32)

    def shape(self, points: ArrayLike, colour: Colour, offset: ArrayLike = 0.0, edge: Colour | None = None) -> None:
        corners = self.fixed(points, offset)
        cv2.fillPoly(self.picture, [corners], colour, cv2.LINE_AA, SHIFT)
        if edge is not None:
            cv2.polylines(self.picture, [corners], True, edge, self.thin, cv2.LINE_AA, SHIFT)

    def line(
        self, points: ArrayLike, colour: Colour, offset: ArrayLike = 0.0, width: int = 0, closed: bool = False
    ) -> None:
        corners = self.fixed(points, offset)
        cv2.polylines(self.picture, [corners], closed, colour, width or self.thin, cv2.LINE_AA, SHIFT)


@dataclass
class Puppet:
    """One character. Proportions are in head units, colours in RGB."""

    species: str
    style: str
    skin: Colour
    dark: Colour
    accent: Colour
    ink: Colour
    lip: Colour
    inside: Colour
    tongue: Colour
    teeth: Colour
    head: tuple[float, float, float]  # half width, superellipse power, jaw taper
    eyes: tuple[float, float, float, float, bool]  # x, y, radius, iris share, with a white
    mouth: tuple[float, float, float, float, float, float]  # y, half width, full opening, smile, lip, upper share
    hair: int
    nose: int
    seed: int
    iris: Colour
    cloth: Colour
    _ground: dict[int, tuple[Picture, NDArray[np.float32] | None]] = field(default_factory=dict, repr=False)

    @staticmethod
    def random(rng: np.random.Generator, species: str | None = None, style: str | None = None) -> "Puppet":
        """A new character; the same generator state draws the same one."""
        r = rng.uniform
        species = species or SPECIES[rng.integers(len(SPECIES))]
        style = style or STYLES[rng.integers(len(STYLES))]
        skins = {
            "human": lambda: mix((255, 219, 186), (92, 58, 40), r()) if r() > 0.15 else hsv(r(), 0.45, 0.85),
            "robot": lambda: hsv(r(), r(0, 0.35), r(0.55, 0.9)),
            "ghost": lambda: hsv(r(), r(0.02, 0.25), r(0.85, 1)),
            "fruit": lambda: hsv(r(-0.05, 0.4), r(0.5, 0.9), r(0.65, 1)),
        }
        skin = skins.get(species, lambda: hsv(r(), r(0.15, 0.75), r(0.45, 0.97)))()
        ink = mix(skin, (0, 0, 0), r(0.6, 0.9)) if style != "outline" else (20, 16, 24)
        hue = r(-0.04, 0.06)
        wide = {"human": (0.74, 0.84), "rabbit": (0.76, 0.88), "robot": (0.8, 0.95), "mug": (0.78, 0.9)}
        wide |= {"ghost": (0.75, 0.88), "bear": (0.88, 1.0)}
        power = {"robot": r(4, 9), "mug": r(5, 8), "ghost": 2.6}.get(species, r(2.0, 2.5))
        height = {"cat": 0.50, "bear": 0.56, "rabbit": 0.54, "mug": 0.42, "fruit": 0.40, "ghost": 0.34}
        return Puppet(
            species=species,
            style=style,
            skin=skin,
            dark=mix(skin, (0, 0, 0), r(0.25, 0.5)),
            accent=hsv(r(), r(0.4, 0.9), r(0.5, 0.95)),
            ink=ink,
            lip=hsv(hue, r(0.35, 0.75), r(0.45, 0.85)) if r() < 0.6 else ink,
            inside=hsv(hue, r(0.4, 0.8), r(0.12, 0.32)),
            tongue=hsv(r(-0.03, 0.03), r(0.4, 0.65), r(0.65, 0.9)),
            teeth=mix((255, 255, 255), (235, 220, 180), r()),
            head=(r(*wide.get(species, (0.9, 1.0))), power, r(0.0, 0.22) if species == "human" else 0.0),
            eyes=(r(0.30, 0.42), r(-0.25, -0.08), r(0.12, 0.20), r(0.45, 0.7), r() < 0.75),
            mouth=(
                height.get(species, 0.52) + r(-0.03, 0.05), r(0.26, 0.36), r(0.30, 0.42), r(-0.02, 0.06),
                r(0.02, 0.05), r(0.25, 0.4),
            ),
            hair=int(rng.integers(5)),
            nose=int(rng.integers(3)),
            seed=int(rng.integers(1 << 30)),
            iris=hsv(r(), r(0.4, 0.9), r(0.25, 0.7)),
            cloth=hsv(r(), r(0.3, 0.8), r(0.3, 0.9)),
        )  # fmt: skip

    def render(
        self, poses: NDArray[np.float32], mouths: NDArray[np.float32], size: int = 64, finer: int | None = None
    ) -> Picture:
        """(T, size, size, 3) RGB. poses (T, 8) of pose.py, mouths (T, 4) of law.py; drawn `finer` times larger."""
        finer = finer or (4 if size <= 64 else 3 if size <= 128 else 2)
        frames = [self._frame(q, m, size * finer) for q, m in zip(poses, mouths, strict=True)]
        return np.stack([cv2.resize(f, (size, size), interpolation=cv2.INTER_AREA) for f in frames]).astype(np.uint8)

    def mouth_box(self, poses: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """(T, 3) centre x, y and radius in pixels; covers every mouth shape at that pose."""
        y, half, full, *_ = self.mouth
        boxes = []
        for q in poses:
            place = _place(q, size)
            x, y_ = place @ np.array([q[YAW] * 0.35, y + q[PITCH] * 0.35 + 0.12 * full, 1.0])
            boxes.append([x, y_, np.hypot(place[0, 0], place[1, 0]) * max(half * 1.25, full * 0.75 + 0.12)])
        return np.array(boxes, np.float32)

    # The drawing, from the back to the front ------------------------------------------------------------------------

    def _frame(self, q: NDArray[np.float32], m: NDArray[np.float32], size: int) -> Picture:
        ground, texture = self._background(size)
        canvas = Canvas(ground.copy(), _place(q, size))
        face = np.array([q[YAW] * 0.35, q[PITCH] * 0.35])  # parallax of everything on the face
        edge = self.ink if self.style == "outline" else None
        drop = 0.14 * float(m[0]) * (self.species in ("human", *MUZZLED))  # the chin follows the opening
        self._behind(canvas, face * -0.5, edge)  # what is behind the head moves against it
        outline = self._outline(drop)
        canvas.shape(outline, self.skin, 0.0, edge)
        if texture is not None:
            self._ride(canvas, outline, texture)
        self._on_the_head(canvas, face, edge, drop)
        for side in (-1, 1):
            self._eye(canvas, face, side, q)
        self._nose(canvas, face, edge)
        self._mouth(canvas, face + np.array([0.0, drop * 0.25]), m)
        return canvas.picture

    def _background(self, n: int) -> tuple[Picture, NDArray[np.float32] | None]:
        """The set behind the puppet and the map of its grain or shade, made once for a size."""
        if n not in self._ground:
            rng = np.random.default_rng(self.seed)
            r = rng.uniform
            a, b = (hsv(r(), r(0.1, 0.6), r(0.3, 0.95)) for _ in range(2))
            angle = r(0, 2 * np.pi)
            yy, xx = np.mgrid[0:n, 0:n].astype(np.float32) / n
            ramp = np.clip((xx - 0.5) * np.cos(angle) + (yy - 0.5) * np.sin(angle) + 0.5, 0, 1)[..., None]
            ground = (np.asarray(a) * (1 - ramp) + np.asarray(b) * ramp).astype(np.uint8)
            for _ in range(int(rng.integers(2, 9))):
                colour = mix(a, hsv(r(), 0.5, r(0.2, 1)), r(0.3, 0.9))
                (x0, y0), (x1, y1) = rng.integers(0, n, (2, 2)).tolist()
                kind = rng.integers(3)
                if kind == 0:
                    cv2.rectangle(ground, (x0, y0), (x1, y1), colour, -1)
                elif kind == 1:
                    cv2.circle(ground, (x0, y0), int(rng.integers(n // 20, n // 5)), colour, -1, cv2.LINE_AA)
                else:
                    width = int(rng.integers(1, max(2, n // 24)))
                    cv2.line(ground, (x0, y0), (x1, y1), colour, width, cv2.LINE_AA)
            if self.style == "grain":
                noisy = ground + 14 * _noise(rng, n, max(2, n // 48))[..., None]
                ground = np.clip(noisy, 0, 255).astype(np.uint8)
            self._ground[n] = ground, self._texture(rng, n, xx, yy)
        return self._ground[n]

    def _texture(
        self, rng: np.random.Generator, n: int, xx: NDArray[np.float32], yy: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        if self.style == "grain":
            grain = 0.5 * _noise(rng, n, max(2, n // 64)) + 0.5 * _noise(rng, n, max(3, n // 12))
            return np.asarray(1 + 0.13 * grain, np.float32)
        if self.style == "shaded":
            light = rng.uniform(-np.pi, 0)
            away = np.hypot(xx - 0.5 - 0.2 * np.cos(light), yy - 0.5 - 0.2 * np.sin(light))
            return np.asarray(1.14 - 0.55 * np.clip(away / 0.6, 0, 1) ** 1.6, np.float32)
        return None

    def _ride(self, canvas: Canvas, outline: Points, texture: NDArray[np.float32]) -> None:
        """Lays the texture on the head; it moves with it."""
        n = len(canvas.picture)
        inside = np.zeros((n, n), np.uint8)
        cv2.fillPoly(inside, [canvas.fixed(outline)], 255, cv2.LINE_AA, SHIFT)
        home = np.vstack([_place(np.zeros(8, np.float32), n), [0, 0, 1]])
        moved = cv2.warpAffine(
            texture, canvas.place @ np.linalg.inv(home), (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        gain = 1 + (moved - 1) * (inside.astype(np.float32) / 255)
        canvas.picture[:] = np.clip(canvas.picture * gain[..., None], 0, 255).astype(np.uint8)

    def _outline(self, drop: float) -> Points:
        width, power, taper = self.head
        a = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        c, s = np.cos(a), np.sin(a)
        x = width * np.sign(c) * np.abs(c) ** (2 / power)
        y = np.sign(s) * np.abs(s) ** (2 / power)
        x = x * (1 - taper * np.clip(y, 0, 1) ** 2)
        outline = np.stack([x, y + drop * np.clip(y, 0, 1) ** 2], 1)
        if self.species != "ghost":
            return outline
        across = np.linspace(1.0, -1.0, 25)
        skirt = np.stack([width * across, 1.05 + 0.12 * np.cos(across * 9.4)], 1)
        upper = outline[outline[:, 1] < 0.1]
        return np.concatenate([upper[np.argsort(upper[:, 0])], skirt])

    def _behind(self, c: Canvas, off: Points, edge: Colour | None) -> None:
        kind, half = self.species, self.head[0]
        if kind in ("human", "robot", *MUZZLED):
            c.shape([(-0.55, 0.8), (0.55, 0.8), (1.3, 2.2), (-1.3, 2.2)], self.cloth, 0.0, edge)
        if kind == "human" and self.hair in (0, 3):
            long = 0.25 * (self.hair == 3)
            c.shape(oval(0, -0.05, half * 1.2, 1.12 + long), self.dark if self.hair else self.accent, off, edge)
        if kind == "robot":
            c.line([(0, -0.9), (0, -1.3)], self.dark, off, c.thin * 2)
            c.shape(oval(0, -1.32, 0.12, 0.12), self.accent, off, edge)
        if kind == "mug":
            c.line(oval(half + 0.05, 0.1, 0.36, 0.45), edge or self.dark, 0.0, c.thin * 5, closed=True)
        if kind == "fruit":
            c.line([(0, -0.9), (0.08, -1.25)], (90, 62, 30), 0.0, c.thin * 3)
            c.shape(oval(0.3, -1.2, 0.28, 0.12), (70, 150, 60), 0.0, edge)
        for s in (-1, 1):  # ears
            if kind == "human":
                c.shape(oval(s * half, 0.0, 0.13, 0.2), self.skin, off, edge)
            elif kind == "cat":
                c.shape([(s * 0.2, -0.8), (s * 0.62, -1.45), (s * 0.95, -0.45)], self.skin, off, edge)
                c.shape([(s * 0.38, -0.85), (s * 0.62, -1.22), (s * 0.8, -0.6)], self.dark, off)
            elif kind == "bear":
                c.shape(oval(s * 0.72, -0.78, 0.32, 0.32), self.skin, off, edge)
                c.shape(oval(s * 0.72, -0.78, 0.17, 0.17), self.dark, off)
            elif kind == "rabbit":
                c.shape(oval(s * 0.38, -1.25, 0.2, 0.62), self.skin, off, edge)
                c.shape(oval(s * 0.38, -1.25, 0.1, 0.45), self.dark, off)
            elif kind == "robot":
                x0, x1 = s * half, s * (half + 0.17)
                c.shape([(x0, -0.2), (x1, -0.2), (x1, 0.25), (x0, 0.25)], self.dark, off, edge)

    def _on_the_head(self, c: Canvas, off: Points, edge: Colour | None, drop: float) -> None:
        kind, half = self.species, self.head[0]
        if kind == "mug":
            c.shape(oval(0, -0.97, half * 0.97, 0.16), self.dark, 0.0, edge)
            c.shape(oval(0, -0.95, half * 0.85, 0.11), (70, 42, 26))
        if kind == "human" and self.hair != 4:
            a = np.linspace(np.pi, 2 * np.pi, 22)
            crown = np.stack([half * 1.06 * np.cos(a), -0.30 + 0.82 * np.sin(a)], 1)
            across = np.linspace(-1, 1, 9)
            fringe = -0.52 + 0.10 * np.cos(np.arange(9) * (2.1 + self.hair)) - 0.06 * self.hair * across
            hair = np.concatenate([crown, np.stack([-half * across, fringe], 1)])
            c.shape(hair, self.dark if self.hair else self.accent, off * 0.4, edge)
        if kind in MUZZLED:
            muzzle = oval(0, self.mouth[0] - 0.05 + drop * 0.4, 0.48, 0.40 + drop * 0.4)
            c.shape(muzzle, mix(self.skin, (255, 255, 255), 0.45), off)
        if kind == "robot" and self.nose:
            c.shape([(-0.62, -0.5), (0.62, -0.5), (0.62, 0.14), (-0.62, 0.14)], self.dark, off * 0.8, edge)

    def _eye(self, c: Canvas, off: Points, side: int, q: NDArray[np.float32]) -> None:
        x, y, r, iris, white = self.eyes
        x *= side
        if self.species == "robot" and self.hair % 2:
            c.shape([(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)], (245, 245, 235), off, self.ink)
        elif white:
            c.shape(oval(x, y, r, r * 1.1), (250, 250, 248), off, self.ink)
        look = np.array([x + q[YAW] * 0.1, y + 0.01 + q[PITCH] * 0.05])
        c.shape(oval(look[0], look[1], r * iris, r * iris), self.iris if white else self.ink, off)
        c.shape(oval(look[0] - 0.03, y - 0.03, r * 0.2, r * 0.2, 12), (255, 255, 255), off)
        lid = float(q[LID])
        if lid > 0.05:
            a = np.linspace(np.pi, 2 * np.pi, 14)
            brow = np.stack([x + r * 1.15 * np.cos(a), y + r * 1.25 * np.sin(a)], 1)
            low = y - r * 1.25 + 2.5 * r * lid
            cover = np.concatenate([brow, [(x + r * 1.15, low), (x - r * 1.15, low)]])
            c.shape(cover, mix(self.skin, self.dark, 0.25), off)
        if lid > 0.6:
            c.line([(x - r, y + r * 0.8), (x + r, y + r * 0.8)], self.ink, off)
        if self.species != "ghost":
            high = y - r * 1.75 - 0.09 * float(q[BROW])
            brow_line = [(x - side * r, high + 0.02), (x, high - 0.04), (x + side * r, high + 0.03 - 0.05 * q[BROW])]
            c.line(brow_line, self.ink, off, c.thin * (2 if self.species == "human" else 1))

    def _nose(self, c: Canvas, off: Points, edge: Colour | None) -> None:
        y = self.mouth[0] - (0.30 if self.species in ("human", "robot") else 0.27)
        if self.species == "human":
            if self.nose == 0:
                c.line([(0, y - 0.2), (0.07, y), (-0.04, y + 0.02)], mix(self.ink, self.skin, 0.3), off * 1.4)
            elif self.nose == 1:
                c.shape(oval(0, y - 0.03, 0.10, 0.08), mix(self.skin, (230, 90, 80), 0.3), off * 1.4, edge)
            else:
                c.line([(-0.06, y), (0, y + 0.03), (0.06, y)], mix(self.ink, self.skin, 0.2), off * 1.4)
        elif self.species == "bear":
            c.shape(oval(0, y - 0.02, 0.15, 0.1), self.ink, off * 1.2, edge)
        elif self.species in MUZZLED:
            c.shape([(-0.12, y - 0.07), (0.12, y - 0.07), (0, y + 0.06)], self.ink, off * 1.2, edge)
            for s, k in ((s, k) for s in (-1, 1) for k in (-1, 0, 1)):
                whisker = [(s * 0.38, y + 0.1 + 0.05 * k), (s * 0.95, y + 0.08 + 0.14 * k)]
                c.line(whisker, self.ink, off, max(1, c.thin // 2))

    def _mouth(self, c: Canvas, off: Points, m: NDArray[np.float32]) -> None:
        upper, lower = self._lips(m)
        lip = max(1, round(c.unit * (self.mouth[4] + 0.012)))
        apart = lower[:, 1] - upper[:, 1]
        if apart.max() <= 0.015:
            c.line((upper + lower) / 2, self.lip, off, lip)
            return
        ring = np.concatenate([upper, lower[::-1]])
        c.shape(ring, self.inside, off)
        teeth, tongue = float(m[2]), float(m[3])
        if tongue > 0.05:
            u = np.linspace(-1, 1, 25)
            height = np.minimum(tongue * 0.62 * apart.max() * np.clip(1 - (u / 0.72) ** 2, 0, 1), apart)
            c.shape(np.concatenate([lower - np.stack([0 * u, height], 1), lower[::-1]]), self.tongue, off)
        if teeth > 0.05:
            height = np.minimum((0.05 + 0.10 * teeth) * min(1.0, 4 * teeth), 0.75 * apart)
            row = np.concatenate([upper, (upper + np.stack([0 * height, height], 1))[::-1]])[2:-2]
            c.shape(row, self.teeth, off)
        c.line(ring, self.lip, off, lip, closed=True)

    def _lips(self, m: NDArray[np.float32]) -> tuple[Points, Points]:
        """Upper and lower inner edge of the mouth, 25 points each."""
        y, half, full, smile, _, upper_share = self.mouth
        opening, width = float(m[0]), float(m[1])
        u = np.linspace(-1, 1, 25)
        x = u * half * (0.62 + 0.60 * width) * (1 - 0.12 * opening)
        arc = np.clip((1 - np.abs(u)) * 8, 0, 1) if self.species == "robot" else 1 - np.abs(u) ** 2.2
        middle, height = y - smile * u**2, full * opening * arc
        return (
            np.stack([x, middle - upper_share * height], 1),
            np.stack([x, middle + (1 - upper_share) * height], 1),
        )


def _place(q: Sequence[float] | NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """(2, 3) head → pixels of a picture of that size."""
    scale = 0.36 * size * np.exp(q[SCALE])
    c, s = np.cos(q[ROLL]) * scale, np.sin(q[ROLL]) * scale
    return np.array([[c, -s, size * (0.5 + q[DX])], [s, c, size * (0.5 + q[DY])]], np.float64)


def _noise(rng: np.random.Generator, n: int, cell: int) -> NDArray[np.float32]:
    """(n, n) smooth noise in −1 … 1."""
    coarse = rng.uniform(-1, 1, (max(2, n // cell + 2),) * 2).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (n, n), interpolation=cv2.INTER_CUBIC), np.float32)
