"""What a MOV says of its picture beside the picture: HDR10's numbers and the clean aperture.

HEVC says HDR10's numbers in the stream. Where a codec cannot (ProRes, DNxHR, FFV1), and for the clean aperture always,
the container says them; ffmpeg writes them into MOV, MP4, Matroska and partly MXF if the file that it copies from has
them, and PyAV cannot give them to a file. So they are laid into the conformed picture's MOV here.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

# From the file to the picture's entry: which box lies in which, and how many bytes of it come before the next.
WAY: Final = ((b"trak", 8), (b"mdia", 8), (b"minf", 8), (b"stbl", 8), (b"stsd", 16), (b"", 8))


def light(mastering: Mapping[str, str]) -> dict[bytes, bytes]:
    """`mdcv` and `clli`, from what storage.film.mastering found.

    source  ISO/IEC 14496-12, 12.1.6 and 12.1.7; the numbers are x265's
    """
    said = {}
    if display := mastering.get("master-display"):
        *colours, high, low = (int(number) for number in re.findall(r"\d+", display))
        said[b"mdcv"] = struct.pack(">8H2I", *colours, high, low)
    if levels := mastering.get("max-cll"):
        said[b"clli"] = struct.pack(">2H", *(int(number) for number in levels.split(",")))
    return said


def aperture(width: int, height: int, crop: tuple[int, int, int, int]) -> dict[bytes, bytes]:
    """`clap`: the part of the picture that is to be seen.

    crop    pixels at its top, bottom, left and right that are not
    source  ISO/IEC 14496-12, 12.1.4: width, height, and how far its middle lies right of and below the picture's
    """
    top, bottom, left, right = crop
    return {
        b"clap": struct.pack(">4I", width - left - right, 1, height - top - bottom, 1)
        + struct.pack(">iIiI", left - right, 2, top - bottom, 2)
    }


def put(mov: Path, said: Mapping[bytes, bytes]) -> None:
    """Lays boxes into the picture's entry, in place, but for kinds that are there already.

    mov     one track, its index behind its media, as ffmpeg writes it: nothing that the index points to moves
    said    content by kind, four letters
    raises  ValueError for another file
    """
    with mov.open("r+b") as file:
        at, last, after = 0, b"", 0
        while len(head := file.read(16)) >= 8:
            at, last, (size,) = after, head[4:8], struct.unpack_from(">I", head)
            after = at + (struct.unpack_from(">Q", head.ljust(16, b"\0"), 8)[0] if size == 1 else size)
            if after < at + 8:  # 0: to the end
                break
            file.seek(after)
        if last != b"moov":
            raise ValueError(f"{mov} ends with {last!r}, not with its index")
        file.seek(at)
        index = bytearray(file.read())
        around, start, end = [0], 8, len(index)
        for kind, before in WAY:
            place = next((place for place, found in _inside(index, start, end) if kind in (found, b"")), None)
            if place is None:
                raise ValueError(f"{mov} has no {kind!r} in its index")
            around.append(place)
            start, end = place + before, place + _size(index, place)
        boxes = b"".join(
            struct.pack(">I", 8 + len(content)) + kind + content
            for kind, content in said.items()
            if kind not in index[start:end]
        )
        index[end:end] = boxes
        for place in around:
            struct.pack_into(">I", index, place, _size(index, place) + len(boxes))
        file.seek(at)
        file.write(index)


def _size(index: bytearray, place: int) -> int:
    return int(struct.unpack_from(">I", index, place)[0])


def _inside(index: bytearray, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    while start < end:
        yield start, bytes(index[start + 4 : start + 8])
        start += max(8, _size(index, start))
