"""Clips for the report: of every shot that got new mouths a few seconds, source left, delivery right, with the dub.

They are written while conform runs, from the pictures that pass by, so the film is not decoded again. A clip that
cannot be written is left out and named; the delivery does not hang on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.catalog import Shot, Take
from storage.film.clip import ClipFilm
from storage.film.planes import Planes
from storage.film.probe import Film, Sound
from storage.film.read import Frame

LONGEST: Final = 8  # seconds of a clip
LEAD: Final = 1  # seconds before the first new mouth where the shot is longer than that
MOST: Final = 200  # clips of an episode: some 100 MB, and more than a person looks through


@dataclass(frozen=True)
class Clip:
    """One shot's clip."""

    path: Path
    width: int
    height: int


def pick(film: Film, shots: Sequence[Shot], takes: Iterable[Take]) -> dict[str, range]:
    """Which frames of which shot are shown: all of it, or from shortly before its first new mouth on."""
    covered = sorted({int(frame) for take in takes for frame, _, _ in take.placements})
    longest, lead = int(LONGEST * film.rate), int(LEAD * film.rate)
    chosen: dict[str, range] = {}
    for shot in shots:
        drawn = next((frame for frame in covered if shot.start <= frame < shot.end), None)
        if drawn is not None and len(chosen) < MOST:
            start = max(shot.start, min(drawn - lead, shot.end - longest))
            chosen[shot.name] = range(start, min(shot.end, start + longest))
    return chosen


class Clips:
    """Writes a clip of each changed shot while conform runs: call it with every frame, then read `written`."""

    def __init__(self, film: Film, dub: Sound, shots: Sequence[Shot], takes: Iterable[Take], folder: Path) -> None:
        self.film, self.dub, self.folder = film, dub, folder
        self.written: dict[str, Clip] = {}
        self.notes: list[str] = []  # on clips that could not be written
        self._waiting = sorted(pick(film, shots, takes).items(), key=lambda one: -one[1].start)
        self._running: ClipFilm | None = None
        self.ranges = [(one.start, one.stop) for _, one in self._waiting]  # the frames that must pass by
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, frame: Frame, after: Planes) -> None:
        if not self._waiting or frame.index not in self._waiting[-1][1]:
            return
        shot, stretch = self._waiting[-1]
        try:
            if self._running is None:
                self._running = ClipFilm(self.folder / f"{shot}.mp4", self.film, stretch.start)
            self._running.write(frame.index, frame.planes, after)
            if frame.index + 1 == stretch.stop:
                self._running.close(self.dub)
                self.written[shot] = Clip(self._running.path, 2 * self._running.width, self._running.height)
                self._next()
        except Exception as error:  # whatever it is, the film can be delivered without
            self.notes.append(f"The clip of {shot} could not be written: {error}")
            self._next()

    def _next(self) -> None:
        self._waiting.pop()
        self._running = None
