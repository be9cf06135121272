"""CMX3600 edit decision lists, read and written.

An EDL has labels and no rate: whoever reads one says at which rate it was cut. 23.976 and 24 have the same labels.
Whether they are drop-frame is said by the line FCM before the first event, by a `;`, or by both. A dissolve or a wipe
begins at its event's record in; the cut is put into its middle, where the outgoing picture becomes the fainter one.
Events of sound are passed over, and so are effects, splits and comments but the clips' names.

This is not OpenTimelineIO's adapter (otio-cmx3600-adapter 1.0), which ignores FCM, so that a drop-frame list with `:`
lies 3.6 s off after an hour; gives up on a whole list where source and record lengths differ or one event's sound has
its picture's number. What is written here, that adapter reads (tests/tasks/test_timeline.py).
Source: CMX 3600 Edit Decision List, xmil.biz/EDL-X/CMX3600.pdf; SMPTE ST 258.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from storage.errors import Refused
from storage.film.timecode import dropped, frame_of, timecode
from storage.lists.events import MOST, CutList, Event

LABEL: Final = r"(\d\d:\d\d:\d\d[:;.,]\d\d)"
EVENT: Final = re.compile(
    rf"\s*(\d+)\s+(.+?)\s+(\S+)\s+(C|D|W\d{{1,3}}|KB?|KO|K\s[BO])\s+(?:(\d{{1,4}})\s+)?(?:\(F\)\s+)?"
    rf"{LABEL}\s+{LABEL}\s+{LABEL}\s+{LABEL}\s*"
)
NUMBERED: Final = re.compile(r"\s*\d{1,6}\s+\S+\s+\S+\s")
FROM: Final = re.compile(r"\s*\*?\s*FROM CLIP NAME:?\s*(.*)")
TO: Final = re.compile(r"\s*\*?\s*TO CLIP NAME:?\s*(.*)")
BLACK: Final = ("BL", "BLACK")
LONGEST: Final = 300  # letters of a line that are read


def read(text: str, rate: Fraction) -> CutList:
    """The list's events of picture, in record frames from 00:00:00:00 at this rate.

    raises  Refused, with the line, for a label that does not exist at this rate, or an event that cannot be read
    """
    lines = text.splitlines()
    drop = _counting(lines, rate)
    day = 1 + _frame(f"23:59:59:{-(-rate.numerator // rate.denominator) - 1:02}", rate, drop, "")
    events: list[Event] = []
    naming: re.Pattern[str] | None = None  # the comment that names the last event; None: the last one was of sound
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        found = _event(line)
        if found is None:
            if NUMBERED.match(line[:LONGEST]) and re.search(LABEL, line[:LONGEST]):
                raise Refused(f"{where} is no event of an EDL: '{line.strip()[:80]}'")
            if naming and events and (named := naming.match(line[:LONGEST])):
                events[-1] = replace(events[-1], name=named[1].strip() or events[-1].name)
            continue
        _, reel, channel, kind, long, source_in, _, record_in, record_out = found.groups()
        naming = None
        if not (channel.upper() == "B" or "V" in channel.upper()):
            continue
        start, end = (_frame(label, rate, drop, where) for label in (record_in, record_out))
        end += day if end < start - day // 2 else 0  # past midnight the labels begin anew, the cut goes on
        if events and start < events[0].start - day // 2:
            start, end = start + day, end + day
        if end < start:
            raise Refused(f"{where} ends at {record_out}, before it begins at {record_in}")
        if end == start:
            continue  # the outgoing half of a dissolve, or a mark
        middle = start + (int(long or 0) // 2 if kind != "C" else 0)
        if start < middle < end and events and events[-1].end == start:
            events[-1] = replace(events[-1], end=Fraction(middle))
            start, source_in = middle, ""
        naming = FROM if kind == "C" else TO
        name = "" if reel.upper() in BLACK else reel
        above = re.search(r"V(\d{1,2})$", channel.upper())
        layer = int(above[1]) if above else 1
        events.append(
            Event(Fraction(start), Fraction(end), name, name, source_in if name else "", (layer,), where)
        )  # fmt: skip
        if len(events) > MOST:
            raise Refused(f"it has more than {MOST} events")
    return CutList(tuple(events), None, None, drop)


def _event(line: str) -> re.Match[str] | None:
    return EVENT.fullmatch(line) if len(line) < LONGEST else None


def _counting(lines: Iterable[str], rate: Fraction) -> bool:
    """Whether the labels are drop-frame. FCM lines behind the first event speak of sources."""
    drop = False
    for line in lines:
        if re.match(r"\s*FCM:", line):
            drop = "NON" not in line.upper() and "DROP" in line.upper()
        elif found := _event(line):
            drop = drop or found[8][8] in ";,"
            break
    if drop and not dropped(rate):
        raise Refused(
            f"it counts in drop-frame, which is for 29.97 and 59.94 frames a second; the film has {_spoken(rate)}"
        )
    return drop


def _frame(label: str, rate: Fraction, drop: bool, where: str) -> int:
    try:
        return frame_of(label[:8] + (";" if drop else ":") + label[9:], rate)
    except ValueError as error:
        base = -(-rate.numerator // rate.denominator)
        if int(label[9:]) >= base:
            raise Refused(
                f"{where}: {label} has a frame {label[9:]}, and the film has {_spoken(rate)} frames a second: the "
                f"list was cut at another rate"
            ) from None
        raise Refused(f"{where}: {error}") from None


def _spoken(rate: Fraction) -> str:
    return f"{float(rate):.6g}"


@dataclass(frozen=True, slots=True)
class Line:
    """One event to be written: the same frames on the record side and in the file it comes from."""

    start: int  # frames from the label 00:00:00:00
    end: int
    name: str
    file: str
    marks: Sequence[tuple[int, str, str]] = field(default=())  # (frame, colour in capitals, words)


def written(title: str, reel: str, lines: Sequence[Line], rate: Fraction, drop: bool) -> str:
    """An EDL of cuts. Labels are drop-frame where asked: with `;`, and FCM says it too.

    raises  ValueError at rates above 100, for which the format has no digits
    """
    if rate > 100:
        raise ValueError(f"an EDL counts frames in two digits, and there are {_spoken(rate)} a second")
    said = [f"TITLE: {_one_line(title)}", f"FCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}", ""]
    for number, line in enumerate(lines, 1):
        first, last = (timecode(frame, rate, drop) for frame in (line.start, line.end))
        said.append(f"{number:03}  {reel_of(reel):<8} V     C        {first} {last} {first} {last}")
        said += [f"* FROM CLIP NAME: {_one_line(line.name)}", f"* SOURCE FILE: {_one_line(line.file)}"]
        said += [
            f"* LOC: {timecode(at, rate, drop)} {colour:<7} {_one_line(words)}" for at, colour, words in line.marks
        ]
        said.append("")
    return "\n".join(said) + "\n"


def reel_of(name: str) -> str:
    """A name as a reel: eight capitals and digits at most."""
    return re.sub(r"[^A-Z0-9_]", "", name.upper())[:8] or "DUBLINE"


def _one_line(words: str) -> str:
    return " ".join(words.split())
