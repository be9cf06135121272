"""The turnover: a cut list that comes with the film, and the shots it makes of it.

The film is the finished cut, so a list's record times say where its pictures stand in it: they are counted from the
film's own start timecode, or from 0. Promises: the shots are contiguous and cover the film; every cut of the list is
one of theirs, and gaps and black are shots too; a list of another film or another rate is refused with the numbers.
A dissolve or a wipe is cut in its middle (storage/lists): each shot has the half in which its own picture is stronger.
Where several tracks lie above each other, the topmost picture is the one that is seen.
Deliberately not here: reading the formats (storage/lists), finding cuts where there is no list (tasks/split.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.catalog import Shot
from storage.errors import Refused
from storage.film.probe import Film, fingerprint
from storage.film.timecode import frame_of, timecode
from storage.lists.events import CutList, Event
from storage.lists.read import read_list
from tasks.split import name_of

LEADER: Final = 120  # seconds before the film's first frame that a list may still speak of: slate, bars, black
SLACK: Final = 1  # frames by which a list may be longer than the film


@dataclass(frozen=True)
class Cut:
    """One shot as the list has it."""

    start: int  # frames of the film
    end: int
    clip: str = ""  # the list's name of it; empty: black, or nothing
    reel: str = ""
    source_in: str = ""  # label of its first frame on that reel


@dataclass(frozen=True)
class Turnover:
    """A list that belongs to the film."""

    cuts: tuple[Cut, ...]
    sha: str  # of the file
    notes: tuple[str, ...]  # what a person should know and need not change

    def shots(self) -> list[Shot]:
        """New rows, named by Dubline, with the list's names beside."""
        return [
            Shot(
                name_of(number),
                cut.start,
                cut.end,
                clip=_shown(cut.clip),
                reel=_shown(cut.reel),
                source_in=cut.source_in,
            )
            for number, cut in enumerate(self.cuts)
        ]


def _shown(name: str) -> str:
    """What a catalog and a terminal can hold of a name from outside."""
    return "".join(letter for letter in name if letter.isprintable())[:200]


def read(path: Path, film: Film) -> Turnover:
    """The shots that a list makes of the film.

    raises  Refused if it cannot be read, or is of another film, or of another rate
    """
    found = read_list(path, film.rate)
    try:
        cuts, notes = fitted(found, film)
    except Refused as error:
        raise Refused(
            f"{path} is not a list of {film.path.name}: {error}. Give the list of this very cut, or none: "
            f"without --timeline the cuts are found in the picture."
        ) from None
    return Turnover(tuple(cuts), fingerprint(path), (f"{len(cuts)} shots from {path.name}.", *found.notes, *notes))


def fitted(found: CutList, film: Film) -> tuple[list[Cut], list[str]]:
    """(the shots, notes) of a list laid on the film. Raises Refused if it does not fit."""
    if not film.steady:
        raise Refused("the film has no steady rate, so no time of a list says which frame is meant")
    if found.rate is not None and found.rate != film.rate:
        raise Refused(f"it was cut at {_spoken(found.rate)} frames a second, and the film has {_spoken(film.rate)}")
    if not found.events:
        raise Refused("it holds no picture")
    moved = [_moved(each, found.start or 0) for each in found.events]
    first, last = min(each.start for each in moved), max(each.end for each in moved)
    began, notes = _origin(found, film, first, last)
    moved = [_moved(each, -began) for each in moved]
    before = [each for each in moved if each.end <= 0]
    if before:
        notes.append(f"{len(before)} events of the list lie before the film's first frame and are left out.")
    if last - began > film.frames:
        notes.append(f"The list is {round(last - began) - film.frames} frame longer than the film, which is its end.")
    _check_overlaps(moved)
    shown = [each for each in moved if each.end > 0]
    owner = painted(shown, film.frames)
    covered = int(np.count_nonzero(owner >= 0))
    if 2 * covered < film.frames:
        raise Refused(f"its pictures cover {covered} of the film's {film.frames} frames, which is less than half")
    return cuts_of(owner, shown), notes


def _moved(event: Event, by: int) -> Event:
    return replace(event, start=event.start + by, end=event.end + by)


def _origin(found: CutList, film: Film, first: Fraction, last: Fraction) -> tuple[int, list[str]]:
    """(the record frame that is the film's first, notes).

    first, last  record frames between which the list's pictures lie
    """

    def fits(origin: int) -> bool:
        leader = LEADER * film.rate if origin else SLACK
        return first >= origin - leader and last > origin and last <= origin + film.frames + SLACK

    label = film.start_timecode
    start = _start(film, found.drop)
    if start is not None and fits(start):
        return start, []
    if fits(0):
        return 0, [f"The list counts from 0; the film's first frame is {label}."] if start else []
    shown = _labelled(first, film, found.drop), _labelled(last, film, found.drop)
    if start is not None:
        ends = start + film.frames
        late, early = round(last - ends), round(start - first)
        wrong = f"ends {late} frames after it" if late > SLACK else f"begins {early} frames before it"
        raise Refused(
            f"it goes from {shown[0]} to {shown[1]}, the film from {label} to "
            f"{_labelled(Fraction(ends), film, found.drop)}, {film.frames} frames: the list {wrong}"
        )
    hour = _frame(f"{shown[0][:2]}:00:00:00", film, bool(found.drop)) or 0
    origin = round(first) if abs(last - first - film.frames) <= SLACK else hour
    if not fits(origin):
        raise Refused(
            f"it goes from {shown[0]} to {shown[1]}, {round(last - first)} frames, and the film has {film.frames} "
            f"frames and no start timecode that would say which of them are meant"
        )
    called = _labelled(Fraction(origin), film, found.drop)
    return origin, [f"The film has no start timecode; {called} of the list is taken for its first frame."]


def _start(film: Film, drop: bool | None) -> int | None:
    """The film's first frame as the list counts; None: the film has no start timecode, or one of another rate."""
    if film.start_timecode is None:
        return None
    # A drop-frame list of a film whose timecode is not, or the other way: the same label is meant.
    return _frame(film.start_timecode, film, ";" in film.start_timecode if drop is None else drop)


def _frame(label: str, film: Film, drop: bool) -> int | None:
    try:
        return frame_of(label[:8] + (";" if drop else ":") + label[9:], film.rate)
    except ValueError:
        return None


def _labelled(frame: Fraction, film: Film, drop: bool | None) -> str:
    counting = ";" in (film.start_timecode or "") if drop is None else drop
    return timecode(round(frame), film.rate, counting)


def _check_overlaps(events: Sequence[Event]) -> None:
    """raises Refused if two pictures of one track stand at the same time"""
    for before, after in pairwise(sorted(events, key=lambda each: (each.layer, each.start, each.end))):
        if before.layer == after.layer and after.start < before.end - Fraction(1, 2):
            raise Refused(
                f"{before.where} ('{before.name}') and {after.where} ('{after.name}') overlap by "
                f"{round(min(before.end, after.end) - after.start)} frames, and only one of them can be the picture"
            )


def painted(events: Sequence[Event], frames: int) -> NDArray[np.int32]:
    """(frames,) which event is seen in each frame; −1 where none is. What is higher covers what is lower."""
    owner = np.full(frames, -1, np.int32)
    for number in sorted(range(len(events)), key=lambda n: events[n].layer):
        owner[max(0, round(events[number].start)) : max(0, round(events[number].end))] = number
    return owner


def cuts_of(owner: NDArray[np.int32], events: Sequence[Event]) -> list[Cut]:
    """The runs of one event each, or of none. One frame that is missing at an end of the list joins its neighbour."""
    edges = [0, *(np.flatnonzero(np.diff(owner)) + 1).tolist(), owner.size]
    runs = [(start, end, int(owner[start])) for start, end in pairwise(edges)]
    if len(runs) > 1 and runs[0][2] < 0 and runs[0][1] <= SLACK:
        runs[:2] = [(0, *runs[1][1:])]
    if len(runs) > 1 and runs[-1][2] < 0 and runs[-1][1] - runs[-1][0] <= SLACK:
        runs[-2:] = [(runs[-2][0], *runs[-1][1:2], runs[-2][2])]
    cuts = []
    for start, end, number in runs:
        seen = events[number] if number >= 0 else None
        if seen is None:
            cuts.append(Cut(start, end))
        else:
            begins = seen.source_in if round(seen.start) == start else ""
            cuts.append(Cut(start, end, seen.name, seen.reel, begins))
    return cuts


def _spoken(rate: Fraction) -> str:
    return f"{float(rate):.6g}"
