"""Pictures the finder of drawn mouths learns from, and where the mouths are in them.

A lesson is a small window of an invented frame: a set (a photograph, a cartoonised speaker, a puppet's own set, a
doodle), before it none to three puppets of any size, then what cameras, graders and codecs do to a picture. Only the
learnt species in the learnt styles are drawn (models/puppets/kinds.py), so that the others can judge. Photographed
people are there to be passed over; the same people through an edge-preserving filter are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats, Picture
from models.puppets.character import Character, random_character
from models.puppets.draw import Puppet
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES
from models.puppets.pose import DX, random_pose

SIDE: Final = 112  # pixels a side of a lesson
DRAWN: Final = 160  # pixels a side of a puppet's picture
HALVES: Final = (2.6, 30.0)  # pixels: half widths of mouths that are taught
CLOSE: Final = (7.0, 13.0)  # the same where the picture is looked at closely
TOO_SMALL: Final = 2.6  # a smaller mouth is neither taught nor held against anybody
SEEN: Final = 0.6  # of the mouth's neighbourhood; a mouth more covered is not taught either
PUPPETS: Final = (0.17, 0.48, 0.25, 0.10)  # how often none, one, two, three stand before the set
SHUT: Final = 0.3  # share of puppets with a shut mouth
NOSES: Final = 0.15  # share of puppets with a blot above the mouth
HATCHED: Final = 0.3  # share of puppets, and of sets, that a pen has shaded
GONE: Final = 9.0  # of pose.DX: a head so far aside leaves its set empty


@dataclass(frozen=True, eq=False)
class Figure:
    """Somebody drawn, with how far each pixel belongs to them."""

    picture: NDArray[np.uint8]  # (n, n, 4) RGB and the matte
    mouth: Floats  # (4,) x, y, half width, roll in its pixels
    opening: float  # 0 … 1


@dataclass(frozen=True, eq=False)
class Speaker:
    """A cartoonised picture of a person who speaks."""

    picture: Picture
    mouth: Floats  # (4,) x, y, half width, roll in its pixels
    opening: float  # 0 … 1


@dataclass(frozen=True, eq=False)
class Lesson:
    picture: Picture  # (SIDE, SIDE, 3)
    mouths: Floats  # (k, 5) x, y, half width, roll, opening; pixels of the picture
    unasked: Floats  # (j, 3) x, y, radius of places about which nothing is asked


def figures(rng: np.random.Generator, count: int = 4) -> tuple[list[Figure], Picture]:
    """A new puppet in some poses, and its empty set."""
    puppet = Puppet(odd(rng, random_character(rng, str(rng.choice(LEARNT_SPECIES)), str(rng.choice(LEARNT_STYLES)))))
    poses = random_pose(rng, 200)[rng.choice(200, count, replace=False)]
    mouths = rng.uniform(0, 1, (count, 4)).astype(np.float32)
    mouths[:, 0] = np.where(rng.uniform(size=count) < SHUT, 0, rng.beta(1.2, 1.6, count))
    mouths[:, 1] = np.where(mouths[:, 0] == 0, 0.5, np.clip(0.5 + rng.normal(0, 0.22, count), 0, 1))
    away = poses[:1].copy()
    away[:, DX] = GONE
    drawn = puppet.render(np.concatenate([poses, away]), np.concatenate([mouths, mouths[:1]]), DRAWN, 2)
    rows = puppet.mouth_at(poses) * np.array([DRAWN, DRAWN, DRAWN, 1], np.float32)
    return [
        Figure(np.dstack([picture, matte(picture, drawn[-1])]), row, float(mouth[0]))
        for picture, row, mouth in zip(drawn[:-1], rows, mouths, strict=True)
    ], drawn[-1]


def odd(rng: np.random.Generator, who: Character) -> Character:
    """Half of the characters get eyes and a mouth of a size and in a place that their kind does not have."""
    if rng.uniform() < 0.5:
        return who
    r = rng.uniform
    eyes, mouth = who.eyes, who.mouth
    return replace(
        who,
        eyes=replace(eyes, x=eyes.x * r(0.65, 1.2), y=eyes.y + r(-0.2, 0.12), radius=eyes.radius * r(0.6, 1.6),
                     iris=r(0.35, 0.95), white=bool(r() < 0.5)),
        mouth=replace(mouth, y=mouth.y + r(-0.12, 0.12), half=mouth.half * r(0.7, 1.4),
                      smile=mouth.smile + r(-0.06, 0.06)),
        nose=int(rng.integers(3)),
    )  # fmt: skip


def matte(picture: Picture, ground: Picture) -> NDArray[np.uint8]:
    """(n, n) 0 … 255 where a puppet stands before its set."""
    change = np.abs(picture.astype(np.int16) - ground).max(axis=2)
    outlines, _ = cv2.findContours(
        cv2.morphologyEx((change > 24).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)),
        cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE,
    )  # fmt: skip
    inside = np.zeros(change.shape, np.uint8)
    cv2.drawContours(inside, [outline for outline in outlines if cv2.contourArea(outline) > 30], -1, 255, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(inside, (3, 3), 0), np.uint8)


def cartoon(rng: np.random.Generator, rgb: Picture) -> Picture:
    """A photograph as if it were painted: edges stay, what lies between them becomes flat, sometimes with lines."""
    kind = rng.integers(4)
    if kind == 0:
        out = cv2.edgePreservingFilter(
            rgb, flags=1, sigma_s=float(rng.uniform(40, 80)), sigma_r=float(rng.uniform(0.3, 0.5))
        )
    elif kind == 1:
        out = cv2.pyrMeanShiftFiltering(rgb, float(rng.uniform(8, 14)), float(rng.uniform(24, 40)))
    else:
        out = rgb
        for _ in range(4):
            out = cv2.bilateralFilter(out, 7, float(rng.uniform(30, 60)), 5)
    if kind != 1 or rng.uniform() < 0.4:
        step = int(rng.integers(16, 40))
        out = np.asarray(out, np.uint8) // step * step + step // 2
    if rng.uniform() < 0.5:
        grey = cv2.medianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 5)
        lines = cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, float(rng.uniform(3, 6))
        )
        out = np.where(lines[..., None] == 0, np.uint8(rng.integers(0, 50)), out)
    out = np.asarray(out, np.float32)
    grey_ = out.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(grey_ + (out - grey_) * rng.uniform(0.9, 2.0), 0, 255), np.uint8)


class Lessons:
    """Draws lessons by lot. `drawn` grows old: give it new puppets now and then."""

    def __init__(self, others: Sequence[Picture], speakers: Sequence[Speaker]) -> None:
        """others: pictures with no drawn mouth in them, photographed people among them."""
        self.others, self.speakers = others, speakers
        self.drawn: list[Figure] = []
        self.sets: list[Picture] = []

    def __call__(self, rng: np.random.Generator) -> Lesson:
        board, mouths, unasked = self._set(rng)
        if rng.uniform() < HATCHED:
            board = hatch(rng, board)
        count = int(rng.choice(len(PUPPETS), p=PUPPETS)) if not len(mouths) else int(rng.uniform() < 0.2)
        close = rng.uniform() < 0.4
        for n in range(count):
            low, high = CLOSE if close and n == 0 else HALVES
            half = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            figure = self.drawn[rng.integers(len(self.drawn))]
            spread = 0.16 if close and n == 0 else 0.5
            where = SIDE * np.clip(0.5 + rng.uniform(-spread, spread, 2), -0.2, 1.2)
            board, covered, row = stand(rng, board, figure, half, where)
            hidden = [_share(covered, x, y, r) > 1 - SEEN for x, y, r, *_ in mouths]
            unasked += [(x, y, 1.5 * r) for (x, y, r, *_), gone in zip(mouths, hidden, strict=True) if gone]
            mouths = [kept for kept, gone in zip(mouths, hidden, strict=True) if not gone]
            mouths.append(row)
        asked = [row for row in mouths if row[2] >= TOO_SMALL]
        unasked += [(x, y, 3 * r + 4) for x, y, r, *_ in mouths if r < TOO_SMALL]
        asked = [row for row in asked if 0 <= row[0] < SIDE and 0 <= row[1] < SIDE]
        found = np.array(asked, np.float32).reshape(-1, 5)
        picture = wear(rng, board)
        if rng.uniform() < 0.5:
            picture = np.ascontiguousarray(picture[:, ::-1])
            found = found * np.array([-1, 1, 1, -1, 1], np.float32) + np.array([SIDE, 0, 0, 0, 0], np.float32)
            unasked = [(SIDE - x, y, r) for x, y, r in unasked]
        return Lesson(picture, found, np.array(unasked, np.float32).reshape(-1, 3))

    def _set(self, rng: np.random.Generator) -> tuple[Picture, list[tuple[float, ...]], list[tuple[float, ...]]]:
        kind = rng.uniform()
        if kind < 0.40:
            return _part(rng, self.others[int(rng.integers(len(self.others)))]), [], []
        if kind < 0.57:
            return _speaker(rng, self.speakers[int(rng.integers(len(self.speakers)))])
        if kind < 0.78:
            return _part(rng, self.sets[rng.integers(len(self.sets))]), [], []
        return doodle(rng), [], []


def stand(
    rng: np.random.Generator, board: Picture, figure: Figure, half: float, where: NDArray[np.float64]
) -> tuple[Picture, NDArray[np.uint8], tuple[float, ...]]:
    """A figure before the board, its mouth there and that wide: the picture, what it covers (0 … 255), the mouth."""
    x, y, own, roll = (float(value) for value in figure.mouth)
    turn = float(rng.normal(0, 0.12) if rng.uniform() < 0.8 else rng.uniform(-0.4, 0.4))
    wide = float(np.exp(rng.normal(0, 0.12)))
    scale = half / own
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.diag([scale * wide, scale / wide])
    if rng.uniform() < 0.3:
        matrix = matrix @ np.array([[1, rng.normal(0, 0.1)], [0, 1]])
    layer = _warped(figure.picture, matrix, where - matrix @ [x, y])
    cover = layer[..., 3]
    left, top, w, h = cv2.boundingRect(cover)
    part = np.s_[top : top + h, left : left + w]
    share = cover[part][..., None].astype(np.int32)
    worn = paint(rng, layer[part][..., :3])
    if rng.uniform() < NOSES:
        nose(rng, worn, where - [left, top], matrix @ [0, -own], half)
    if rng.uniform() < HATCHED:
        worn = hatch(rng, worn)
    out = board.copy()
    out[part] += ((worn - out[part].astype(np.int32)) * share // 255).astype(np.uint8)
    corner = matrix @ [own * np.cos(roll), own * np.sin(roll)]
    row = (*where, float(np.hypot(*corner)), float(np.arctan2(corner[1], corner[0])), figure.opening)
    return out, cover, row


def paint(rng: np.random.Generator, rgb: Picture) -> Picture:
    """The same figure in other colours."""
    if rng.uniform() < 0.4:
        rgb = rgb[..., rng.permutation(3)]
    if rng.uniform() < 0.5:
        gain, lift = rng.uniform(0.5, 1.3, 3), rng.uniform(-20, 50)
        table = np.clip(np.arange(256)[:, None] * gain + lift, 0, 255).astype(np.uint8)  # (256, 3)
        rgb = np.asarray(cv2.LUT(np.ascontiguousarray(rgb), table[None]), np.uint8)
    if rng.uniform() < 0.06:
        rgb = 255 - rgb
    return np.ascontiguousarray(rgb)


def nose(
    rng: np.random.Generator, rgb: Picture, mouth: NDArray[np.float64], up: NDArray[np.float64], half: float
) -> None:
    """A blot above the mouth, in place, as dark as a mouth may be: what is not one must be told from it."""
    x, y = mouth + up * rng.uniform(0.8, 1.9) + rng.normal(0, 0.08, 2) * half
    wide = half * float(rng.uniform(0.15, 0.6))
    tall = wide * float(rng.uniform(0.4, 1.0))
    colour = tuple(int(c) for c in (rng.integers(0, 60, 3) if rng.uniform() < 0.7 else rng.integers(0, 256, 3)))
    if rng.uniform() < 0.5:
        axes = (max(1, round(wide)), max(1, round(tall)))
        cv2.ellipse(rgb, (round(x), round(y)), axes, 0, 0, 360, colour, cv2.FILLED, cv2.LINE_AA)
    else:
        corners = np.array([[x - wide, y - tall], [x + wide, y - tall], [x, y + tall]])
        cv2.fillPoly(rgb, [corners.round().astype(np.int32)], colour, cv2.LINE_AA)


def hatch(rng: np.random.Generator, rgb: Picture) -> Picture:
    """Shaded with strokes of a pen, once or crosswise, thicker where a slow shade is darker; sometimes in grey."""
    h, w = rgb.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    angle, gap = rng.uniform(0, np.pi), float(rng.uniform(2.2, 9))
    slow = float(rng.uniform(20, 120))
    way = rng.uniform(0, 2 * np.pi)
    shade = 0.5 + 0.5 * np.sin((x * np.cos(way) + y * np.sin(way)) / slow + rng.uniform(0, 6))
    darkest, thickest = float(rng.uniform(0.15, 0.8)), float(rng.uniform(0.15, 0.5))
    out = rgb.astype(np.float32)
    if rng.uniform() < 0.4:
        grey = out.mean(axis=2, keepdims=True)
        out = grey + (out - grey) * float(rng.uniform(0, 0.5))
    for crossed in range(1 + int(rng.uniform() < 0.35)):
        turn = angle + crossed * rng.uniform(0.8, 1.6)
        saw = np.abs(((x * np.cos(turn) + y * np.sin(turn)) / gap) % 1 - 0.5)  # 0 in the middle of a stroke
        stroke = np.clip((shade * thickest - saw) * gap + 0.5, 0, 1)
        out *= 1 - darkest * stroke[..., None]
    return np.ascontiguousarray(np.clip(out, 0, 255), np.uint8)


def wear(rng: np.random.Generator, rgb: Picture) -> Picture:
    """What happens to a picture between the artist and the file."""
    out = rgb
    if rng.uniform() < 0.15:
        out = out[..., rng.permutation(3)]
    if rng.uniform() < 0.08:
        out = np.repeat(out.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    if rng.uniform() < 0.4:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.1))), np.uint8)
    if rng.uniform() < 0.5:
        curve = (np.arange(256) / 255) ** rng.uniform(0.6, 1.6) * rng.uniform(0.6, 1.15) * 255 + rng.uniform(-15, 25)
        table = np.clip(curve, 0, 255).astype(np.uint8)
        out = np.asarray(cv2.LUT(np.ascontiguousarray(out), table), np.uint8)
    if rng.uniform() < 0.35:
        size = (*out.shape[:2], 3 if rng.uniform() < 0.5 else 1)
        noise = np.float32(rng.uniform(1, 9)) * rng.standard_normal(size, np.float32)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.uniform() < 0.35:
        _, jpeg = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))])
        out = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(out, np.uint8)


def doodle(rng: np.random.Generator) -> Picture:
    """A set that nobody stands in: ovals, boxes, lines and letters on a ramp; some look like parts of faces."""
    a, b = rng.integers(0, 256, (2, 3))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    ramp = np.clip(x * np.cos(angle) + y * np.sin(angle) + 0.5, 0, 1)[..., None] * rng.uniform(0, 1)
    board = np.ascontiguousarray(a * (1 - ramp) + b * ramp, np.uint8)
    for _ in range(int(rng.integers(0, 14))):
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        at = tuple(int(c) for c in rng.integers(0, SIDE, 2))
        size = float(np.exp(rng.uniform(np.log(2), np.log(50))))
        axes = (max(1, round(size)), max(1, round(size * rng.uniform(0.2, 1))))
        width = -1 if rng.uniform() < 0.6 else int(rng.integers(1, 5))
        kind = rng.integers(5)
        if kind < 2:
            cv2.ellipse(board, at, axes, float(rng.uniform(0, 180)), 0, 360, colour, width, cv2.LINE_AA)
        elif kind == 2:
            cv2.rectangle(board, at, (at[0] + axes[0], at[1] + axes[1]), colour, width)
        elif kind == 3:
            to = tuple(int(c) for c in rng.integers(0, SIDE, 2))
            cv2.line(board, at, to, colour, int(rng.integers(1, 7)), cv2.LINE_AA)
        else:
            letters = "".join(chr(c) for c in rng.integers(48, 123, int(rng.integers(1, 8))))
            cv2.putText(board, letters, at, int(rng.integers(0, 8)), size / 25, colour, max(1, width), cv2.LINE_AA)
    return board


def _part(rng: np.random.Generator, picture: Picture) -> Picture:
    """A window of the picture at some size."""
    h, w = picture.shape[:2]
    scale = max(SIDE / h, SIDE / w) * float(np.exp(rng.uniform(0, 1.2)))
    left, top = (float(rng.uniform(0, max(1e-6, n * scale - SIDE))) for n in (w, h))
    matrix = np.array([[scale, 0.0], [0.0, scale]])
    return _warped(picture, matrix, np.array([-left, -top]))


def _warped(picture: NDArray[np.uint8], matrix: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(SIDE, SIDE, …) the picture with its point p at matrix · p + shift; shrunk first where it would alias."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix))))
    while scale < 0.6 and min(picture.shape[:2]) > 8:
        h, w = picture.shape[:2]
        picture = np.asarray(
            cv2.resize(picture[: h // 2 * 2, : w // 2 * 2], (w // 2, h // 2), interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix, scale = matrix * 2, scale * 2
    centred = shift + matrix @ [0.5, 0.5] - 0.5  # OpenCV counts from the middle of the first pixel
    how = cv2.BORDER_CONSTANT if picture.shape[2] == 4 else cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(
            picture, np.column_stack([matrix, centred]), (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=how
        ),
        np.uint8,
    )


def _speaker(
    rng: np.random.Generator, speaker: Speaker
) -> tuple[Picture, list[tuple[float, ...]], list[tuple[float, ...]]]:
    """A cartoonised speaker whose mouth lies in the window."""
    x, y, own, roll = (float(value) for value in speaker.mouth)
    half = float(np.exp(rng.uniform(np.log(5.0), np.log(20.0))))
    scale, turn = half / own, float(rng.normal(0, 0.12))
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]])
    where = SIDE * rng.uniform(0.2, 0.8, 2)
    board = _warped(speaker.picture, matrix, where - matrix @ [x, y])
    return board, [(*where, half, roll + turn, speaker.opening)], []


def _share(covered: NDArray[np.uint8], x: float, y: float, radius: float) -> float:
    """How much of the neighbourhood of a mouth is covered."""
    left, top = int(max(0, x - radius)), int(max(0, y - radius))
    part = covered[top : int(max(0, y + radius)) + 1, left : int(max(0, x + radius)) + 1]
    return float(part.mean()) / 255 if part.size else 0.0
