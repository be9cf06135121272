"""Lessons from photographed people: the filmed mouth is the target, another mouth of the same person the source's.

Three sources of lips, all in exactly the target's pose: another moment of the same fixed-camera clip, laid onto this
frame's head; the clip as Diff2Lip dubbed it (pairs.py); both also cartoonised. The paper has MEAD for it (§3.3), which
is not free. Promises: source and target are equal outside the lower face; the sound is the target's own.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.corpus.cartoon import LOOKS, cartoon
from models.corpus.clips import Clip
from models.face.crop import cut
from models.face.matte import LOWER_FACE, RIGID
from models.omnisync.pyramid import PARTS
from models.omnisync.train.lesson import Lesson, filmed, mirrored, seen, tensor, weights
from models.omnisync.train.voices import Voice, voice
from models.omnisync.window import SIZE

RATE: Final = Fraction(25)  # of GRID
CORNERS: Final = (61, 291)  # of the mouth
INNER: Final = (13, 14)  # middle of the upper and the lower lip
SOFT: Final = 4.0  # pixels of the prepared crop over which another mouth is laid in
MOVED: Final = 10  # of 255: pixels that differ by more are lips that moved
AWAY: Final = 3  # frames
CARTOON: Final = 0.5  # of the lessons are drawn over
DUBBED: Final = 0.5  # of the lessons of a clip that Diff2Lip has dubbed have its lips for a source

Pictures = NDArray[np.uint8]
Floats = NDArray[np.float32]


def one(
    clip: Clip, rows: Floats, sound: Voice, dubbed: Pictures | None, rng: np.random.Generator, frames: int, sigma: float
) -> Lesson:
    """A lesson of one person.

    clip     prepared; rows its `mouths`, sound its own
    dubbed   (n, 144, 144, 3) the clip with other lips, or None: other moments of it are laid in
    """
    most = len(clip.crops) - frames
    start = int(rng.integers(most + 1))
    here = slice(start, start + frames)
    target = clip.crops[here]
    if dubbed is not None:
        source = dubbed[here]
    else:
        other = [n for n in range(most + 1) if abs(n - start) >= AWAY] or [start]
        there = int(rng.choice(other))
        source = np.stack([laid(clip, there + n, start + n) for n in range(frames)])
    if rng.random() < CARTOON:
        look = LOOKS[rng.integers(len(LOOKS))]
        target, source = (np.stack([cartoon(picture, look) for picture in film]) for film in (target, source))
    squares = seen(rows[here], rng)
    both = np.stack([[cut(picture, square, SIZE) for picture, square in zip(film, squares, strict=True)]
                     for film in (target, source)])  # fmt: skip
    changed = np.abs(both[0].astype(np.int16) - both[1]).max(axis=-1) > MOVED
    weight = weights(changed)
    target, source = filmed(both, rng)
    moments = [(n + Fraction(1, 2)) / RATE for n in range(start, start + frames)]
    lesson = Lesson(
        tensor(source), tensor(target), torch.from_numpy(weight)[None, None],
        torch.from_numpy(sound.windows(moments))[None], torch.from_numpy(sound.mouths(moments))[None],
        torch.zeros(1, len(PARTS), frames, SIZE, SIZE), torch.tensor([0]), torch.tensor([sigma], dtype=torch.float32),
    )  # fmt: skip
    return mirrored(lesson) if rng.random() < 0.5 else lesson


def mouths(clip: Clip) -> Floats:
    """(n, 4) mouth rows in pixels of the prepared crop: the median mouth, carried by what the jaw does not move."""
    median = clip.median
    middle = median[list(INNER)].mean(axis=0)
    half = float(np.linalg.norm(median[CORNERS[0]] - median[CORNERS[1]])) / 2
    found = []
    for points in clip.points:
        turn = _similarity(median, points)
        scale = float(np.hypot(turn[0, 0], turn[1, 0]))
        x, y = turn @ np.append(middle, 1.0)
        found.append([x, y, half * scale, np.arctan2(turn[1, 0], turn[0, 0])])
    return np.array(found, np.float32)


def laid(clip: Clip, there: int, here: int) -> Pictures:
    """Frame `here` with the lower face of frame `there`, carried by what the jaw does not move."""
    turn = _similarity(clip.points[there], clip.points[here])
    size = (clip.crops.shape[2], clip.crops.shape[1])
    other = cv2.warpAffine(clip.crops[there], turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    board = np.zeros(size[::-1], np.uint8)
    outline = clip.points[there][list(LOWER_FACE)] @ turn[:, :2].T + turn[:, 2]
    for shape in (outline, clip.points[here][list(LOWER_FACE)]):
        cv2.fillPoly(board, [np.rint(shape).astype(np.int32)], 255)
    share = cv2.GaussianBlur(board, (0, 0), SOFT)[..., None].astype(np.float32) / 255
    return np.asarray(np.clip(np.rint(share * other + (1 - share) * clip.crops[here]), 0, 255), np.uint8)


def _similarity(points: Floats, onto: Floats) -> NDArray[np.float64]:
    """(2, 3) that carries the rigid points of one mesh onto another's (least squares, Umeyama 1991)."""
    a, b = points[list(RIGID)].astype(np.float64), onto[list(RIGID)].astype(np.float64)
    ca, cb = a.mean(axis=0), b.mean(axis=0)
    x, y = (a - ca).T
    u, v = (b - cb).T
    norm = (x * x + y * y).sum()
    c, s = (x * u + y * v).sum() / norm, (x * v - y * u).sum() / norm
    matrix = np.array([[c, -s], [s, c]])
    return np.column_stack([matrix, cb - matrix @ ca])


class People:
    """Photographed people, each speaker as likely as any other."""

    def __init__(self, clips: Sequence[Clip], dubbed: Mapping[str, Pictures]) -> None:
        """dubbed: by the clip's name, (n, 144, 144, 3) the clip with other lips, for as many clips as there are."""
        self.by_speaker: dict[str, list[tuple[Clip, Floats, Voice]]] = {}
        for clip in clips:
            known = (clip, mouths(clip), voice(clip.speech))
            self.by_speaker.setdefault(clip.speaker, []).append(known)
        self.dubbed = dubbed

    def draw(self, rng: np.random.Generator, frames: int, sigma: float) -> Lesson:
        his = self.by_speaker[sorted(self.by_speaker)[rng.integers(len(self.by_speaker))]]
        clip, rows, sound = his[rng.integers(len(his))]
        other = self.dubbed.get(clip.name) if rng.random() < DUBBED else None
        return one(clip, rows, sound, other, rng, frames, sigma)
