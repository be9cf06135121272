"""Frames, and the names people give them.

Frame numbers are integers from 0, rates are fractions, and a timecode is only a label on a frame: it is read at the
door and written at the door. Drop-frame labels skip numbers, never frames.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Final

LABEL: Final = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d\d?)")
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Frames start … end − 1 of one film. Half open, so neighbours share a number and lengths are a subtraction."""

    start: int
    end: int
    rate: Fraction  # frames per second: Fraction(24000, 1001), never 23.976

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"[{self.start}, {self.end}) holds no frame")

    def __len__(self) -> int:
        return self.end - self.start

    def samples(self, hz: int) -> range:
        """The audio samples heard under these frames; neighbours neither overlap nor leave a gap."""
        return range(floor(self.start * hz / self.rate), floor(self.end * hz / self.rate))


def rate_of(text: str) -> Fraction:
    """A rate as people write it: 25, 24000/1001, 30000:1001; 23.976, 29.97 and their like mean n·1000/1001."""
    try:
        rate = Fraction(text.strip().replace(":", "/"))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r} is no frame rate. Write 25, 23.976 or 24000/1001.") from None
    if rate <= 0:
        raise ValueError(f"{text!r} is no frame rate: it must be above 0")
    whole = -(-rate.numerator // rate.denominator)  # 23.976 → 24
    ntsc = Fraction(whole * 1000, 1001)
    return ntsc if rate.denominator > 1 and abs(rate - ntsc) < Fraction(1, 100) else rate


def dropped(rate: Fraction) -> int:
    """How many labels a drop-frame count skips each minute but every tenth: 2 at 29.97, 4 at 59.94, else 0."""
    return {Fraction(30000, 1001): 2, Fraction(60000, 1001): 4}.get(rate, 0)


def timecode(frame: int, rate: Fraction, drop: bool | None = None) -> str:
    """The label hh:mm:ss:ff of a frame; hours wrap at 24. `;` before the frames says drop-frame.

    drop    None: drop-frame where the rate has it. False: count every label, also at 29.97
    source  SMPTE ST 12-1, 5.2
    """
    skip = dropped(rate) if drop is None or drop else 0
    if drop and not skip:
        raise ValueError(f"there is no drop-frame count at {rate} frames a second")
    base = _labels_a_second(rate)
    minute, ten_minutes = 60 * base - skip, 600 * base - 9 * skip  # frames in a short minute, in ten minutes
    frame %= HOURS * 6 * ten_minutes
    tens, rest = divmod(frame, ten_minutes)
    label = frame + 9 * skip * tens
    if rest >= 60 * base:  # the first minute of ten is whole
        label += skip * (1 + (rest - 60 * base) // minute)
    seconds, ff = divmod(label, base)
    width = len(str(base - 1))
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{';' if skip else ':'}{ff:0{max(2, width)}}"


def frame_of(text: str, rate: Fraction) -> int:
    """The frame that bears this label, counted from 00:00:00:00. `;` means drop-frame.

    raises  ValueError if it is no label of this rate, or one that drop-frame skips
    """
    found = LABEL.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no timecode. Write hh:mm:ss:ff, or hh:mm:ss;ff for drop-frame.")
    hh, mm, ss, ff = (int(found[n]) for n in (1, 2, 3, 5))
    base, skip = _labels_a_second(rate), 0
    if found[4] != ":":
        skip = dropped(rate)
        if not skip:
            raise ValueError(f"{text!r} is drop-frame, which does not exist at {rate} frames a second")
    if hh >= HOURS or mm > 59 or ss > 59 or ff >= base:
        raise ValueError(f"{text!r} is no timecode at {rate} frames a second")
    if skip and ss == 0 and mm % 10 and ff < skip:
        raise ValueError(f"{text!r} does not exist: drop-frame skips this label")
    minutes = 60 * hh + mm
    return (minutes * 60 + ss) * base + ff - skip * (minutes - minutes // 10)


def _labels_a_second(rate: Fraction) -> int:
    """24 for 23.976, 30 for 29.97: the count goes on as if the rate were whole."""
    return -(-rate.numerator // rate.denominator)
