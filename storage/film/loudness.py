"""How loud a sound is, by ffmpeg's meter `ebur128`: ITU-R BS.1770-4 with the gates of EBU R 128, and true peak.

Measured and nothing more: whether it is loud enough is a matter of a house's own profile, and there is none here.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ffmpeg

from storage.film import programs

METER: Final = "ffmpeg ebur128, ITU-R BS.1770-4, EBU R 128; true peak oversampled to 192 kHz"
GATE: Final = -70.0  # LUFS; nothing below it counts, and a sound that has nothing above it has no loudness


@dataclass(frozen=True)
class Loudness:
    """Of one sound from its first sample to its last."""

    integrated: float | None  # LUFS; None: nothing in it is above the gate
    range: float | None  # LU, EBU Tech 3342
    peak: float | None  # dBTP, of the loudest channel; None: silence
    why: str = ""  # in words, why there is no loudness


def loudness(path: Path, stream: int) -> Loudness:
    """Measures one stream of a file, streaming. What cannot be measured is said and stops nothing."""
    sound = ffmpeg.input(str(path.absolute()))[str(stream)].filter("ebur128", peak="true", framelog="quiet")
    try:
        said = programs.ffmpeg_says(ffmpeg.output(sound, "-", f="null"))
    except programs.ProgramFailed as error:
        return Loudness(None, None, None, f"could not be measured: {error}")
    integrated, span, peak = (_number(said, word) for word in ("I", "LRA", "Peak"))
    if integrated is None or integrated <= GATE:
        silent = "silence" if peak is None else f"nothing in it is louder than {GATE:.0f} LUFS, so it has no loudness"
        return Loudness(None, None, peak, silent)
    return Loudness(integrated, span, peak)


def _number(said: str, word: str) -> float | None:
    """The last value that the meter's summary gives under this word; None for -inf and nan."""
    found = re.findall(rf"^\s+{word}:\s+(-?[\d.]+) ", said, re.MULTILINE)
    return float(found[-1]) if found else None
