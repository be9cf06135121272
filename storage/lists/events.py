"""What every cut list says, whatever its format: which picture stands where in the cut.

Deliberately not here: the film. Whether a list is of this film, and which shots it makes, is tasks/turnover.py's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

MOST: Final = 50_000  # events; a feature has 3 000


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of picture in the cut: frames start … end − 1 of the list's record side."""

    start: Fraction  # in frames of the list; whole but where a list is not cut on frames
    end: Fraction
    name: str  # of the clip, as the list has it; empty: black, or nothing
    reel: str = ""  # the tape or file it comes from
    source_in: str = ""  # the label of its first frame on that reel, as the list has it; empty where it is not known
    layer: tuple[int, ...] = (
        1,
    )  # what is higher covers what is lower; a nested sequence has its own layers in its one
    where: str = ""  # in the list, for messages: "line 14", "clip 'A012' of V1"


@dataclass(frozen=True, slots=True)
class CutList:
    """A list, read."""

    events: tuple[Event, ...]  # of pictures only
    rate: Fraction | None  # frames a second; None: the format does not say (EDL)
    start: int | None  # the record frame that the events are counted from; None: their numbers are record frames
    drop: bool | None = None  # how its labels count; None: it has frames, not labels
    notes: tuple[str, ...] = ()  # what was left out, in words


def placed(
    events: Iterable[Event], by: Fraction, start: Fraction, end: Fraction, layer: tuple[int, ...] = ()
) -> list[Event]:
    """The events of a nested sequence, moved by so many frames, cut to [start, end), within a layer of the outer."""
    inside = []
    for each in events:
        first, last = each.start + by, each.end + by
        if max(start, first) < min(end, last):
            known = each.source_in if first >= start else ""
            inside.append(
                replace(each, start=max(start, first), end=min(end, last), layer=layer + each.layer, source_in=known)
            )
    return inside
