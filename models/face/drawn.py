"""Drawn faces followed through one shot: where each mouth is, how far it is open, how much it moves.

    faces = follow(pictures)      list[DrawnFace], from left to right; none is an empty list

A mouth is looked for in the whole picture now and then, and just after one was lost; once known, a close look follows
it from frame to frame, and back to where it appeared. Frames stream through: of each only what was measured is kept.
A few frames without the mouth (a hand before it) are bridged; in a longer gap nothing is guessed.
Deliberately not here: photographed people (track.py), and things in which no mouth is found (drawn_typed.py).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from models.face.closeup import SIDE, SMALL, motion_between, reduced
from models.face.detect import Floats, Picture
from models.face.drawn_look import SAME, STILL, Finder, Found, Scene
from models.face.mouth import steady

LOOK_EVERY: Final = 4  # frames between two looks at the whole picture
JUST_LOST: Final = 7  # frames for which a lost mouth is looked for at once
AWAY: Final = 25  # frames a mouth may be away and still be the same face's
BRIDGED: Final = 6  # frames without the mouth that are filled in
FLICKER: Final = 5  # a face seen in fewer frames is none
BELIEVED: Final = 0.65  # median score of a face under which it is none
BRIEF: Final = 25  # frames; a face that was seen in fewer …
SURELY: Final = 0.69  # … needs this score
SHUT: Final = 0.12  # opening at which a mouth says a third as much about its width at rest as a shut one
SHUT_LEAST: Final = 0.01  # and the least any says
NEARBY: Final = 12.0  # frames: sigma of the mean of widths at rest; heads grow and shrink more slowly
BACK: Final = 2.0  # half widths: where a mouth that was away may come back
AROUND: Final = 6.86  # half widths a side of the square in which movement is measured
STEADY: Final = 8  # sights whose median size and roll that square has
SHIFTED: Final = 4.0  # pixels of 48 by which it may still miss the head
BELOW: Final = 0.25  # of that square: the mouth lies so far below its middle
WINDOW: Final = cv2.createHanningWindow((SMALL, SMALL), cv2.CV_32F)


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """n frames of one drawn face, in picture pixels."""

    frames: NDArray[np.int32]  # (n,) rising
    mouths: Floats  # (n, 4) x, y, half width at rest, roll; smooth
    opening: Floats  # (n,) 0 shut … 1 wide open
    score: Floats  # (n,) 0 … 1; 0 where a short gap was bridged
    motion: Floats  # (n,) as closeup.mouth_motion; 0 after a gap
    sharpness: Floats  # (n,) as Closeup.sharpness


@dataclass(frozen=True, eq=False)
class Sight:
    """One drawn face in one frame."""

    frame: int
    found: Found
    sharpness: float
    small: NDArray[np.int8]  # (48, 48) as Closeup.small, the mouth always in one place


@dataclass(eq=False)
class Followed:
    """One drawn face through the shot, in rising frames."""

    sights: list[Sight] = field(default_factory=list)


def follow(pictures: Iterable[Picture]) -> list[DrawnFace]:
    """The drawn faces of one shot, given its (H, W, 3) RGB frames in order; frame numbers count from 0."""
    follower = Follower(Finder())
    for number, rgb in enumerate(pictures):
        follower(number, rgb)
    return follower.faces


class Follower:
    """Give it the frames of one shot, once and in order. A new shot needs a new one: nothing is followed over a cut."""

    def __init__(self, finder: Finder, every: int = LOOK_EVERY) -> None:
        """every: frames between two looks at the whole picture."""
        self.finder, self.every = finder, every
        self.known: list[Followed] = []
        self.past: deque[tuple[int, Scene]] = deque(maxlen=LOOK_EVERY - 1)
        self.looked: int | None = None

    @property
    def faces(self) -> list[DrawnFace]:
        """Those seen so far, from left to right where each begins; flickers are left out."""
        sure = [face for face in self.known if len(face.sights) >= FLICKER and _score(face) >= _enough(face)]
        return sorted((measured(face.sights) for face in sure), key=lambda face: (face.mouths[0, 0], face.frames[0]))

    def __call__(self, number: int, rgb: Picture) -> None:
        """Look at frame `number`, an (H, W, 3) RGB picture."""
        scene = Scene(rgb)
        here = self._go_on(number, scene)
        lost = any(number - JUST_LOST <= face.sights[-1].frame < number for face in self.known)
        if lost or self.looked is None or number - self.looked >= self.every:
            self._look(number, scene, here)
        self.past.append((number, scene))

    def _go_on(self, number: int, scene: Scene) -> list[Followed]:
        """Those who were there a frame ago and still are."""
        before = [face for face in self.known if face.sights[-1].frame == number - 1]
        seen = self.finder.closer(scene, [_row(face.sights[-1]) for face in before])
        here: list[Followed] = []
        order = sorted(zip(before, seen, strict=True), key=lambda pair: -len(pair[0].sights))
        for face, found in order:  # of two that have slid onto one mouth, the one known longer keeps it
            if found is None or not _goes_on(face.sights[-1].found, found):
                continue
            if all(not _same(found, one.sights[-1].found) for one in here):
                face.sights.append(sight(number, scene, found, face.sights))
                here.append(face)
        return here

    def _look(self, number: int, scene: Scene, here: list[Followed]) -> None:
        self.looked = number
        for found in self.finder(scene):
            if any(_same(found, face.sights[-1].found) for face in here):
                continue
            face = self._missed(found, number)
            new = sight(number, scene, found)
            since = face.sights[-1].frame if face.sights else -1
            face.sights += [*self._back(new, since, here), new]
            here.append(face)
            if not any(face is one for one in self.known):
                self.known.append(face)

    def _missed(self, found: Found, number: int) -> Followed:
        """The face that was last seen here, or a new one."""
        away = [face for face in self.known if 1 < number - face.sights[-1].frame <= AWAY + 1 or _just(face, number)]
        near = [face for face in away if _distance(face.sights[-1].found, found) < BACK]
        alike = [face for face in near if abs(np.log(face.sights[-1].found.mouth[2] / found.mouth[2])) < 0.5]
        return min(alike, key=lambda face: _distance(face.sights[-1].found, found), default=Followed())

    def _back(self, new: Sight, since: int, here: list[Followed]) -> list[Sight]:
        """The same face in the frames before, as far as it is there and nobody else is followed there."""
        taken = {(s.frame, id(face)): s.found for face in here for s in face.sights[-LOOK_EVERY:]}
        earlier: list[Sight] = []
        last = new
        for number, scene in reversed(self.past):
            if number <= since or number != last.frame - 1:
                break
            (found,) = self.finder.closer(scene, [_row(last)])
            if found is None or not _goes_on(last.found, found):
                break
            if any(frame == number and _same(found, other) for (frame, _), other in taken.items()):
                break
            last = sight(number, scene, found, [new, *earlier])
            earlier.append(last)
        return earlier[::-1]


def sight(number: int, scene: Scene, found: Found, beside: Sequence[Sight] = ()) -> Sight:
    """What the pixels around a mouth tell. `beside` are the face's sights in the frames next to it: they steady the
    square that is looked at, so that its own trembling is not taken for movement."""
    near = [one.found.mouth for one in beside[-STEADY:]] + [found.mouth]
    x, y = (float(value) for value in found.mouth[:2])
    half, roll = (float(value) for value in np.median(near, axis=0)[2:])
    step = AROUND * half / SIDE
    turn = step * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    shift = np.array([x, y]) - turn @ np.array([SIDE / 2, SIDE * (0.5 + BELOW)])
    grey = np.asarray(cv2.cvtColor(scene.cut(turn, shift, (SIDE, SIDE)), cv2.COLOR_RGB2GRAY), np.uint8)
    small = cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA).astype(np.float32)
    return Sight(number, found, float(cv2.Laplacian(grey, cv2.CV_32F).var()), reduced(small))


def moved(before: Sight, after: Sight) -> float:
    """How much more the mouth has changed than the upper face, once one lies on the other; 0 after a gap."""
    if after.frame != before.frame + 1:
        return 0.0
    a, b = before.small.astype(np.float32), after.small.astype(np.float32)
    (dx, dy), _ = cv2.phaseCorrelate(a, b.copy(), WINDOW)  # it lays the window over its own arguments
    if max(abs(dx), abs(dy)) < SHIFTED:
        back = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        b = np.asarray(cv2.warpAffine(b, back, (SMALL, SMALL), flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32)
    return motion_between(before.small, np.rint(b).astype(np.int8))


def measured(sights: list[Sight]) -> DrawnFace:
    """A face's sights as arrays: short gaps bridged, the mouth's place smoothed."""
    seen = np.array([one.frame for one in sights])
    gaps = [np.arange(a + 1, b) for a, b in pairwise(seen) if 1 < b - a <= BRIDGED + 1]
    frames = np.sort(np.concatenate([seen, *gaps])).astype(np.int32)
    rows = np.stack([one.found.mouth for one in sights]).astype(np.float64)
    opening = np.array([one.found.opening for one in sights])
    rows[:, 2], rows[:, 3] = at_rest(np.log(rows[:, 2]), opening, seen), np.unwrap(rows[:, 3])
    filled = np.stack([np.interp(frames, seen, column) for column in rows.T], axis=1)
    filled[:, 2] = np.exp(filled[:, 2])
    motion = [moved(a, b) for a, b in pairwise(sights)]
    there = np.isin(frames, seen)
    score, change = np.zeros(len(frames), np.float32), np.zeros(len(frames), np.float32)
    score[there] = [one.found.score for one in sights]
    change[there] = [0.0, *motion]
    return DrawnFace(
        frames=frames,
        mouths=steady(filled.astype(np.float32), frames),
        opening=np.interp(frames, seen, opening).astype(np.float32),
        score=score,
        motion=change,
        sharpness=np.interp(frames, seen, [one.sharpness for one in sights]).astype(np.float32),
    )


def at_rest(sizes: NDArray[np.float64], opening: NDArray[np.float64], frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) logs of half widths as the shut mouths nearby tell them: an open one is read a fifth too narrow.

    A mean of the frames about each, by nearness and by how far the mouth is shut. Where none is shut, of what there is.
    """
    here = frames - frames[0]
    shut, told = np.zeros((2, here[-1] + 1))
    shut[here] = SHUT_LEAST + np.exp(-np.square(opening / SHUT))
    told[here] = shut[here] * sizes
    shut, told = (gaussian_filter1d(each, NEARBY, mode="constant") for each in (shut, told))
    return np.asarray(told[here] / shut[here], np.float64)


def _row(one: Sight) -> NDArray[np.float64]:
    return np.asarray(one.found.mouth, np.float64)


def _distance(a: Found, b: Found) -> float:
    """Between two centres, in half widths of the first."""
    return float(np.hypot(*(a.mouth[:2] - b.mouth[:2]))) / max(1e-6, float(a.mouth[2]))


def _same(a: Found, b: Found) -> bool:
    return min(_distance(a, b), _distance(b, a)) < SAME


def _goes_on(before: Found, after: Found) -> bool:
    """Whether this may be the same mouth a frame later."""
    grown = abs(float(np.log(after.mouth[2] / before.mouth[2])))
    return after.score >= STILL and _distance(before, after) < 2 * BACK and grown < 0.6


def _score(face: Followed) -> float:
    return float(np.median([one.found.score for one in face.sights]))


def _enough(face: Followed) -> float:
    """The score it needs."""
    return BELIEVED if len(face.sights) >= BRIEF else SURELY


def _just(face: Followed, number: int) -> bool:
    """Whether it was there a frame ago and was lost now."""
    return face.sights[-1].frame == number - 1
