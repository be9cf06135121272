"""Films of a puppet: the whole picture, or only the square that a lip-sync model would see of it.

Drawn `finer` times too large and averaged down, so edges move by fractions of a pixel. Where things are is told in
0 … 1 of the whole picture.
"""

import zlib
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.puppets.canvas import Canvas, Picture, Points, mix
from models.puppets.character import BLACK, Character, random_character
from models.puppets.face import draw_eye, draw_glasses, draw_nose, nose_height
from models.puppets.grounds import EVEN, GRAIN, REACH, TEXTURE, grain, ground, texture
from models.puppets.hand import draw_hand
from models.puppets.heads import draw_behind, draw_on_head, draw_screen, dropped, outline
from models.puppets.kinds import EDGED, JAWED
from models.puppets.mouth import REST, breadth, draw_mouth
from models.puppets.pose import DX, DY, HAND, PITCH, ROLL, SCALE, YAW

HALF_HEIGHT: Final = 0.36  # of the picture, of a head whose log scale is 0
PARALLAX: Final = 0.35  # head units that a face slides for a yaw or pitch of 1
JAW: Final = 0.14  # head units that the chin drops at open = 1
SMALL_GROUND: Final = 256  # pixels a side of what lies behind, enough for pictures up to that size
LARGE_GROUND: Final = 1024
RED: Final = (255, 0, 0)
GREEN: Final = (0, 255, 0)
BLUE: Final = (0, 0, 255)
WHITE: Final = (255, 255, 255)

Floats = NDArray[np.float32]
Place = NDArray[np.float64]  # (2, 3)


class Puppet:
    """One character who can be drawn in any pose with any mouth."""

    def __init__(self, who: Character) -> None:
        self.who = who
        self.species, self.style = who.species, who.style
        self._outline = outline(who)
        self._texture = texture(who.seed, who.style)
        self._grounds: dict[int, Picture] = {}
        self._grain = grain(who.film) if who.film else None

    @staticmethod
    def random(rng: np.random.Generator, species: str | None = None, style: str | None = None) -> "Puppet":
        """A new character; the same generator state draws the same one."""
        return Puppet(random_character(rng, species, style))

    def render(
        self, poses: Floats, mouths: Floats, size: int = 64, finer: int | None = None, view: Floats | None = None
    ) -> Picture:
        """(T, size, size, 3) RGB.

        poses   (T, 12) of pose.py
        mouths  (T, 4) of law.py
        finer   how many times larger it is drawn before it is averaged down
        view    (T, 4) x, y, side in 0 … 1 of the whole picture and roll in radians: the square that is drawn, as
                models/face/crop.py would cut it; beyond the picture's edge the edge is repeated. Film grain is that of
                the drawing's own pixels.
        """
        finer = finer or (4 if size <= 64 else 3 if size <= 128 else 2)
        if view is None:
            view = np.tile(np.array([0.5, 0.5, 1, 0], np.float32), (len(poses), 1))
        frames = [self._seen(q, m, v, size, finer) for q, m, v in zip(poses, mouths, view, strict=True)]
        return np.stack(frames).astype(np.uint8) if frames else np.zeros((0, size, size, 3), np.uint8)

    def parts(self, poses: Floats, mouths: Floats, size: int, finer: int, view: Floats) -> Floats:
        """(T, 4, size, size) how much of each pixel is lip, inside, teeth, tongue, 0 … 1; arguments as of `render`.

        A hand before the mouth covers it.
        """
        return np.stack([self._told(q, m, v, size, finer) for q, m, v in zip(poses, mouths, view, strict=True)])

    def mouth_at(self, poses: Floats) -> Floats:
        """(T, 4) the mouth at rest: x, y and half width in 0 … 1 of the picture, roll in radians, clockwise."""
        mouth = self.who.mouth
        rows = []
        for q in poses:
            place = _place(q)
            x, y = _on(place, self._slide(q) + np.array([0, mouth.y]))
            rows.append([x, y, _unit(place) * mouth.half * REST, q[ROLL]])
        return np.array(rows, np.float32).reshape(-1, 4)

    def mouth_box(self, poses: Floats, size: int) -> Floats:
        """(T, 3) centre x, y and radius in pixels of a picture of that size; covers every mouth shape at that pose."""
        mouth = self.who.mouth
        low = (0.5 - mouth.upper) * mouth.full + 0.0125  # half way between the highest upper and the lowest lower lip
        radius = max(mouth.half * breadth(1.0) + mouth.lip, mouth.full * 0.5 + 0.035 + mouth.lip)
        boxes = []
        for q in poses:
            place = _place(q) * size
            boxes.append([*_on(place, self._slide(q) + np.array([0, mouth.y + low])), _unit(place) * radius])
        return np.array(boxes, np.float32).reshape(-1, 3)

    def keypoints(self, poses: Floats) -> Floats:
        """(T, 6, 2) in 0 … 1 of the picture: both eyes, the nose, the head's sides and top; speech moves none."""
        e, half = self.who.eyes, self.who.head[0]
        on_face = np.array([(-e.x, e.y), (e.x, e.y), (0, nose_height(self.who))])
        on_head = np.array([(-half, 0), (half, 0), (0, -1.0)])
        rows = []
        for q in poses:
            points = np.concatenate([on_face + self._slide(q), on_head])
            rows.append(points @ _place(q)[:, :2].T + _place(q)[:, 2])
        return np.array(rows, np.float32).reshape(-1, 6, 2)

    # The drawing, from the back to the front ------------------------------------------------------------------------

    def _seen(self, q: Floats, m: Floats, view: Floats, size: int, finer: int) -> Picture:
        lens = _lens(view, size * finer)  # 0 … 1 of the whole picture → pixels drawn
        drawn = self._frame(q, m, lens, size * finer)
        picture = _repeated(_u8(cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA)), view)
        if self._grain is not None and size <= GRAIN:
            chance = zlib.crc32(np.ascontiguousarray(q).tobytes())  # the same in every drawing of this pose
            y, x = chance % (GRAIN - size + 1), (chance >> 16) % (GRAIN - size + 1)
            picture = _u8(cv2.addWeighted(picture, 1, self._grain[y : y + size, x : x + size], 1, -EVEN))
        return picture

    def _frame(self, q: Floats, m: Floats, lens: Place, size: int) -> Picture:
        who = self.who
        behind = self._ground(_unit(lens))
        shrink = 1 / len(behind)
        to_pixels = lens @ np.array([[shrink, 0, 0.5 * shrink], [0, shrink, 0.5 * shrink], [0, 0, 1]])
        picture = cv2.warpAffine(
            behind, to_pixels, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        place = lens @ np.vstack([_place(q), [0, 0, 1]])
        c = Canvas(_u8(picture), place)
        if who.style in EDGED:
            c.edge = who.ink
        elif who.style == "paper":
            c.shadow = mix(who.skin, BLACK, 0.55)
        face = self._slide(q)
        drop = JAW * float(m[0]) * (who.species in JAWED)
        edge = dropped(self._outline, drop)
        draw_behind(c, who, face * -0.5)
        c.part(edge, mix(who.accent, BLACK, 0.3) if who.species == "television" else who.skin)
        if who.species == "television":
            draw_screen(c, who)
        draw_on_head(c, who, face, drop)
        if self._texture is not None:
            self._lay(c, edge, self._texture)
        for side in (-1, 1):
            draw_eye(c, who, face, side, q)
        if "glasses" in who.worn:
            draw_glasses(c, who, face)
        draw_nose(c, who, face)
        draw_mouth(c, who, face + np.array([0.0, drop * 0.25]), m)
        if q[HAND] > 0:
            draw_hand(c, who, q)
        return c.picture

    def _told(self, q: Floats, m: Floats, view: Floats, size: int, finer: int) -> Floats:
        who = self.who
        unseen = replace(who, skin=BLACK, dark=BLACK, ink=BLACK, cloth=BLACK)
        told = []
        for lip, inside, teeth, tongue in ((RED, GREEN, BLUE, BLACK), (WHITE, WHITE, WHITE, WHITE)):
            alike = replace(unseen, lip=lip, inside=inside, teeth=teeth, tongue=tongue)
            place = _lens(view, size * finer) @ np.vstack([_place(q), [0, 0, 1]])
            c = Canvas(np.zeros((size * finer, size * finer, 3), np.uint8), place)
            drop = JAW * float(m[0]) * (who.species in JAWED)
            draw_mouth(c, alike, self._slide(q) + np.array([0.0, drop * 0.25]), m)
            if q[HAND] > 0:
                draw_hand(c, alike, q)
            told.append(cv2.resize(c.picture, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255)
        tongue_alone = np.clip(told[1][..., :1] - told[0].sum(axis=-1, keepdims=True), 0, 1)
        return np.asarray(np.concatenate([told[0], tongue_alone], axis=-1).transpose(2, 0, 1), np.float32)

    def _lay(self, c: Canvas, edge: Points, gain: Picture) -> None:
        """The texture on the head; it moves with it."""
        corners = c.fixed(edge)
        size = len(c.picture)
        x0, y0 = np.clip(corners.min(0) >> 4, 0, size)
        x1, y1 = np.clip((corners.max(0) >> 4) + 2, 0, size)
        if x0 >= x1 or y0 >= y1:
            return
        inside = np.zeros((size, size), np.uint8)
        cv2.fillPoly(inside, [corners], 255, cv2.LINE_8, 4)
        step = 2 * REACH / TEXTURE
        home = np.array([[step, 0, step / 2 - REACH], [0, step, step / 2 - REACH], [0, 0, 1]])  # pixel → head
        move = c.place @ home - np.array([[0, 0, x0], [0, 0, y0]])
        lain = cv2.warpAffine(
            gain, move, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        part = c.picture[y0:y1, x0:x1]
        lit = cv2.multiply(part, cv2.cvtColor(lain, cv2.COLOR_GRAY2RGB), scale=1 / EVEN)
        cv2.copyTo(lit, inside[y0:y1, x0:x1], part)

    def _ground(self, pixels: float) -> Picture:
        """What lies behind, large enough for a whole picture of so many pixels."""
        size = SMALL_GROUND if pixels < 2 * SMALL_GROUND else LARGE_GROUND
        if size not in self._grounds:
            self._grounds[size] = ground(self.who.seed, self.style, size)
        return self._grounds[size]

    def _slide(self, q: Floats) -> Points:
        """How far the face has slid over the head; it never leaves it."""
        mouth = self.who.mouth
        room = max(
            0.06, 0.9 * self.who.head[0] - max(mouth.half * breadth(1.0), self.who.eyes.x + self.who.eyes.radius)
        )
        down = max(0.05, 0.95 - mouth.y - (1 - mouth.upper) * mouth.full)
        x, y = PARALLAX * float(q[YAW]), PARALLAX * float(q[PITCH])
        return np.array([room * np.tanh(x / room), down * np.tanh(y / down) if y > 0 else y])


def _place(q: Floats) -> Place:
    """Head → 0 … 1 of the whole picture."""
    scale = HALF_HEIGHT * np.exp(q[SCALE])
    c, s = np.cos(q[ROLL]) * scale, np.sin(q[ROLL]) * scale
    return np.array([[c, -s, 0.5 + q[DX]], [s, c, 0.5 + q[DY]]], np.float64)


def _lens(view: Floats, size: int) -> Place:
    """0 … 1 of the whole picture → pixels of a drawing of the view; the middle of the first pixel is (0, 0)."""
    x, y, side, roll = (float(v) for v in view)
    c, s = np.cos(roll) * size / side, np.sin(roll) * size / side
    turn = np.array([[c, s], [-s, c]])
    return np.concatenate([turn, (size / 2 - 0.5 - turn @ (x, y))[:, None]], 1)


def _on(place: Place, point: Points) -> Points:
    return np.asarray(place[:, :2] @ point + place[:, 2])


def _unit(place: Place) -> float:
    return float(np.hypot(place[0, 0], place[1, 0]))


def _u8(picture: NDArray[Any]) -> Picture:
    return np.asarray(picture, np.uint8)


def _repeated(picture: Picture, view: Floats) -> Picture:
    """The drawing of the view; what it shows beyond the whole picture becomes what is at its edge."""
    x, y, side, roll = (float(v) for v in view)
    reach = side / 2 * (abs(np.cos(roll)) + abs(np.sin(roll)))
    if min(x, y) - reach >= -1e-6 and max(x, y) + reach <= 1 + 1e-6:
        return picture
    size = len(picture)
    at = (np.arange(size, dtype=np.float32) + 0.5) / size * side - side / 2
    c, s = np.float32(np.cos(roll)), np.float32(np.sin(roll))
    half = 0.5 / size * side
    right = np.clip(x + c * at[None] - s * at[:, None], half, 1 - half) - x
    below = np.clip(y + s * at[None] + c * at[:, None], half, 1 - half) - y
    across = ((c * right + s * below) / side + 0.5) * size - 0.5
    down = ((c * below - s * right) / side + 0.5) * size - 0.5
    return _u8(cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
