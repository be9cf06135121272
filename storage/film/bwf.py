"""What a Broadcast Wave says of itself beside its samples: the chunks `bext` (EBU Tech 3285) and `iXML`.

Promises: only headers are read, however long the sound is; a chunk that is damaged is named in words and counts as
none; iXML is kept as the bytes it is, and nothing in it is ever opened or fetched.
Deliberately not here: what the time means for a film (tasks/starts.py). Wave64 (.w64) has no such chunks.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final

from wavinfo.wave_bext_reader import WavBextReader

WAVES: Final = (b"RIFF", b"RF64", b"BW64")
BIG: Final = 0xFFFFFFFF  # in RF64 and BW64: the length stands in the chunk ds64 (EBU Tech 3306)
SHORTEST: Final = 602  # bytes of a bext without coding history
LONGEST: Final = 1 << 24  # bytes of a chunk that a mixing desk could have meant
MOST: Final = 10_000  # chunks of a file
DAY: Final = Fraction(24 * 3600 * 1001, 1000)  # seconds of 24 h of labels at 23.976, the longest day there is


@dataclass(frozen=True)
class Broadcast:
    """The labels on a sound."""

    bext: dict[str, Any]  # as wavinfo names them: originator, description, time_reference, coding_history, …; or empty
    ixml: bytes  # as it lies in the file; empty: there is none
    damaged: str = ""  # in words, what was there and could not be read

    def begins(self, hz: int) -> Fraction | None:
        """Seconds from midnight to the sound's first sample; None if nothing is said.

        A time reference of 0 is what most programs write who know none, so it says nothing. iXML may count in another
        rate than the sound has (pulled sound: 48048 Hz), and then that rate counts.
        """
        seconds = Fraction(self.reference, _number(self.ixml, b"TIMESTAMP_SAMPLE_RATE") or hz)
        return seconds if 0 < seconds < DAY else None

    @property
    def reference(self) -> int:
        """Samples from midnight to the sound's first one, by bext, else by iXML; 0 if nothing is said."""
        high, low = (_number(self.ixml, b"TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_" + half) for half in (b"HI", b"LO"))
        return self.bext.get("time_reference") or (high << 32) + low


def labels_of(path: Path) -> Broadcast | None:
    """The labels of a RIFF, RF64 or BW64 file; None if it is none of these, or bears none."""
    bext: dict[str, Any] = {}
    ixml, damaged = b"", ""
    with path.open("rb") as file:
        for ident, start, length in _chunks(file):
            if ident not in (b"bext", b"iXML"):
                continue
            file.seek(start)
            held = file.read(length) if length <= LONGEST else b""
            if len(held) < (length if ident == b"iXML" else max(length, SHORTEST)):
                damaged = f"its {ident.decode()} chunk is damaged and counts as none"
            elif ident == b"bext":
                bext = _bext(held)
            else:
                ixml = held.rstrip(b"\0")
    return Broadcast(bext, ixml, damaged) if bext or ixml or damaged else None


def _bext(held: bytes) -> dict[str, Any]:
    """ASCII by the standard; what else is found there is mostly UTF-8, and Latin-1 fits everything."""
    try:
        said = WavBextReader(held, "utf-8").to_dict()
    except UnicodeDecodeError:
        said = WavBextReader(held, "latin-1").to_dict()
    umid: bytes | None = said["umid"]
    return {**said, "umid": umid.hex() if umid and any(umid) else None}


def _number(ixml: bytes, name: bytes) -> int:
    found = re.search(rb"<%s>\s*(\d{1,20})\s*</%s>" % (name, name), ixml)
    return int(found[1]) if found else 0


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(name, where its bytes begin, how many there are) of each chunk; nothing for what is no WAVE."""
    head = file.read(12)
    if head[:4] not in WAVES or head[8:] != b"WAVE":
        return
    at, big = 12, {}
    for _ in range(MOST):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        ident, length = struct.unpack("<4sI", head)
        if ident == b"ds64" and len(sizes := file.read(16)) == 16:
            big[b"data"] = struct.unpack("<8xQ", sizes)[0]
        if length == BIG:
            length = big.get(ident, 0)
        if ident == b"data" and not length:  # a recorder that was switched off: behind it lies sound, not chunks
            return
        yield ident, at + 8, length
        at += 8 + length + length % 2
