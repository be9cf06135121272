"""Faces followed through one shot.

A face is detected once and then followed by its own mesh, which is cheaper and steadier than detecting it again. Every
twelfth frame, and just after a face was lost, the whole picture is looked at anew; a face found then is followed back
through the frames since the last look, so it begins where it appears and not where it was noticed.
A frame in which a face is not found is a gap: nothing is guessed.
Deliberately not here: who a face is. A face that stays away for more than half a second comes back as another one.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from models.face.closeup import Closeup, closeup
from models.face.detect import Detector, Floats, Hit, Picture, overlap
from models.face.mesh import PRESENT, Mesh, Roi, follow, roi

LOOK_EVERY: Final = 12  # frames between two looks at the whole picture
MISSED: Final = 12  # frames a face may be away and still be the same one
JUST_LOST: Final = 3  # frames for which a lost face is looked for at once
SAME: Final = 0.25  # overlap above which a detection and a followed face are one; their boxes differ in shape
STEADY: Final = 0.4  # overlap with the frame before under which the mesh has jumped to something else
DOUBLE: Final = 0.5  # overlap above which two followed faces have slid onto one
FLICKER: Final = 5  # a face seen in fewer frames is none


@dataclass(frozen=True, eq=False)
class Sight:
    """One face in one frame."""

    frame: int
    points: Floats  # (468, 2) picture pixels
    presence: float  # 0 … 1
    close: Closeup

    @property
    def box(self) -> Floats:
        """(4,) x, y, width, height around the points."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return np.concatenate([low, high - low])


@dataclass(eq=False)
class Followed:
    """One face through the shot, in rising frames."""

    sights: list[Sight] = field(default_factory=list)


class Follower:
    """Give it the frames of one shot, once and in order. A new shot needs a new one: nothing is followed over a cut."""

    def __init__(self, detector: Detector, mesh: Mesh) -> None:
        self.detector, self.mesh = detector, mesh
        self.known: list[Followed] = []
        self.past: deque[tuple[int, Picture]] = deque(maxlen=LOOK_EVERY - 1)
        self.looked = -LOOK_EVERY

    @property
    def faces(self) -> list[Followed]:
        """Those seen so far, from left to right where each begins; flickers are left out."""
        steady = [face for face in self.known if len(face.sights) >= FLICKER]
        return sorted(steady, key=lambda face: (face.sights[0].box[0], face.sights[0].frame))

    def __call__(self, number: int, rgb: Picture) -> None:
        """Look at frame `number`, an (H, W, 3) RGB picture."""
        before = [face for face in self.known if face.sights[-1].frame == number - 1]
        here = [face for face in before if self._go_on(face, number, rgb)]
        here = self._apart(here)
        lost = any(number - JUST_LOST <= face.sights[-1].frame < number for face in self.known)
        if lost or number - self.looked >= LOOK_EVERY:
            self._look(number, rgb, here)
        self.past.append((number, rgb))

    def _go_on(self, face: Followed, number: int, rgb: Picture) -> bool:
        sight = self._see(number, rgb, follow(face.sights[-1].points), face.sights[-1])
        if sight is not None:
            face.sights.append(sight)
        return sight is not None

    def _look(self, number: int, rgb: Picture, here: list[Followed]) -> None:
        first = self.looked < 0
        self.looked = number
        for hit in self.detector(rgb, small=first):
            if any(overlap(face.sights[-1].box, hit.box) > SAME for face in here):
                continue
            if (sight := self._see(number, rgb, roi(hit))) is None:
                continue
            face = self._missed(hit, number)
            since = face.sights[-1].frame if face.sights else -1
            earlier = self._back(sight, (frame for frame in reversed(self.past) if frame[0] > since), here)
            face.sights += [*earlier, sight]
            here.append(face)
            if not any(face is one for one in self.known):
                self.known.append(face)

    def _missed(self, hit: Hit, number: int) -> Followed:
        """The face that was last seen here, or a new one."""
        away = [face for face in self.known if 1 <= number - face.sights[-1].frame <= MISSED]
        nearest = max(away, key=lambda face: overlap(face.sights[-1].box, hit.box), default=None)
        if nearest is None or overlap(nearest.sights[-1].box, hit.box) <= SAME:
            return Followed()
        return nearest

    def _back(self, sight: Sight, past: Iterable[tuple[int, Picture]], here: list[Followed]) -> list[Sight]:
        """The same face in the frames before, as far as it is there and nobody else is followed there."""
        taken = [(one.frame, one.box) for face in here for one in face.sights[-LOOK_EVERY:]]
        earlier: list[Sight] = []
        for number, rgb in past:
            found = self._see(number, rgb, follow(sight.points), sight)
            if found is None or any(n == number and overlap(found.box, box) > DOUBLE for n, box in taken):
                break
            sight = found
            earlier.append(found)
        return earlier[::-1]

    def _see(self, number: int, rgb: Picture, where: Roi, beside: Sight | None = None) -> Sight | None:
        """The face there, if there is one; `beside` is the same face in a neighbouring frame."""
        points, presence = self.mesh(rgb, where)
        x, y = points.mean(axis=0)
        if presence < PRESENT or not (0 <= x < rgb.shape[1] and 0 <= y < rgb.shape[0]):
            return None  # the mesh draws on beyond the picture's edge
        sight = Sight(number, points, presence, closeup(rgb, points))
        return sight if beside is None or overlap(beside.box, sight.box) > STEADY else None

    def _apart(self, here: list[Followed]) -> list[Followed]:
        """Of two faces that have slid onto one, the one known longer keeps it."""
        kept: list[Followed] = []
        for face in sorted(here, key=lambda face: -len(face.sights)):
            if any(overlap(face.sights[-1].box, one.sights[-1].box) > DOUBLE for one in kept):
                face.sights.pop()
            else:
                kept.append(face)
        self.known = [face for face in self.known if face.sights]
        return kept
