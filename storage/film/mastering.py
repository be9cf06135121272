"""HDR10: on which display a film was graded and how bright it gets, as encoders want to be told.

HEVC says it in the stream. Where the picture's codec cannot (ProRes, DNxHR, FFV1) the container does, and ffmpeg writes
it there if the file that it copies from has it. `put` gives it to such a file.
"""

import json
import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from storage.film import programs


def mastering(path: Path, said: dict[str, Any]) -> dict[str, str]:
    """`master-display` and `max-cll` of the first frame, in x265's words. Only looked for where the transfer is PQ.

    said  what ffprobe says of the picture's stream
    """
    if said.get("color_transfer") != "smpte2084":
        return {}
    what = ["-select_streams", str(said["index"]), "-read_intervals", "%+#1", "-show_frames", "-of", "json"]
    frames = json.loads(programs.ffprobe([*what, str(path.absolute())])).get("frames", [])
    found = {side["side_data_type"]: side for frame in frames for side in frame.get("side_data_list", [])}
    found |= {side["side_data_type"]: side for side in said.get("side_data_list", []) if "side_data_type" in side}
    out: dict[str, str] = {}
    if display := found.get("Mastering display metadata"):

        def point(name: str) -> str:
            return f"({round(Fraction(display[name + '_x']) * 50000)},{round(Fraction(display[name + '_y']) * 50000)})"

        low, high = (round(Fraction(display[name]) * 10000) for name in ("min_luminance", "max_luminance"))
        out["master-display"] = (
            f"G{point('green')}B{point('blue')}R{point('red')}WP{point('white_point')}L({high},{low})"
        )
    if light := found.get("Content light level metadata"):
        out["max-cll"] = f"{light['max_content']},{light['max_average']}"
    return out


def put(mov: Path, said: dict[str, str]) -> None:
    """Writes `mdcv` and `clli` into the picture's entry of a MOV of ours, in place, unless they are there.

    mov     one track, its index behind its media, as ffmpeg writes it: nothing that the index points to moves
    said    as `mastering` gives it
    raises  ValueError for another file
    source  ISO/IEC 14496-12, 12.1.5 to 12.1.7; the numbers are those of CTA-861 and of x265
    """
    said_in: dict[bytes, bytes] = {}
    if display := said.get("master-display"):
        *colours, high, low = (int(number) for number in re.findall(r"\d+", display))
        said_in[b"mdcv"] = _box(b"mdcv", struct.pack(">8H2I", *colours, high, low))
    if light := said.get("max-cll"):
        said_in[b"clli"] = _box(b"clli", struct.pack(">2H", *(int(number) for number in light.split(","))))
    with mov.open("r+b") as file:
        at, kind, after = 0, b"", 0
        while head := file.read(16):
            at, kind, (size,) = after, head[4:8], struct.unpack_from(">I", head)
            after = at + (struct.unpack_from(">Q", head, 8)[0] if size == 1 else size)
            file.seek(after)
        if kind != b"moov":
            raise ValueError(f"{mov} ends with {kind!r}, not with its index")
        file.seek(at)
        index = bytearray(file.read())
        sizes, start, end = [0], 8, len(index)
        for wanted, skipped in ((b"trak", 8), (b"mdia", 8), (b"minf", 8), (b"stbl", 8), (b"stsd", 16), (None, 8)):
            place = next((p for p, kind in _inside(index, start, end) if wanted in (kind, None)), None)
            if place is None:
                raise ValueError(f"{mov} has no {wanted!r} in its index")
            sizes.append(place)
            start, end = place + skipped, place + _size(index, place)
        boxes = b"".join(box for kind, box in said_in.items() if kind not in index[start:end])
        index[end:end] = boxes
        for place in sizes:
            struct.pack_into(">I", index, place, _size(index, place) + len(boxes))
        file.seek(at)
        file.write(index)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _size(index: bytearray, place: int) -> int:
    return int(struct.unpack_from(">I", index, place)[0])


def _inside(index: bytearray, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    while start < end:
        yield start, bytes(index[start + 4 : start + 8])
        start += max(8, _size(index, start))
