"""DNxHD, whose frames are all of one size: which of its classes a film is.

Each class has a compression ID, which fixes size, depth and bytes of a frame. ffmpeg learns it from a bit rate,
whatever the frame rate. Source: SMPTE ST 2019-1 (VC-3).
"""

from typing import Any, Final

import av

from storage.film.probe import Film

ID: Final = slice(0x28, 0x2C)  # where it stands in a frame
RATES: Final = {  # by which the encoder makes frames of a class
    1235: "185M", 1237: "120M", 1238: "185M", 1250: "90M", 1251: "90M", 1252: "60M", 1253: "36M", 1258: "42M",
    1259: "110M",
}  # fmt: skip


def class_of(film: Film) -> int:
    """The compression ID of a film's first frame."""
    with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
        packets: Any = container.demux(container.streams[film.picture])
        first = next((bytes(packet) for packet in packets if packet.size), b"")
    return int.from_bytes(first[ID], "big")
