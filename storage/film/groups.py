"""Groups of frames that stand alone, so that a film's own packets and newly encoded ones can lie in one stream.

Of ProRes, DNxHR and Motion JPEG every frame is such a group. Of H.264 and HEVC a group begins with an IDR picture and
holds all frames up to the next one; a film whose groups lean on each other (open GOPs) has few, or one. Frames of FFV1
are groups where every one is a key frame and the encoder at hand writes the film's very header.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from storage.film import nal
from storage.film.encoders import Encoder, context_for
from storage.film.probe import Film

SINGLE: Final = ("prores_ks", "dnxhd", "mjpeg")  # encoders whose packets need no other and no header


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of a film, in showing order."""

    starts: NDArray[np.int64]  # (G,) first frame of each, rising from 0
    frames: int
    delay: int = 0  # by how many frames a picture is shown later than it is decoded, at most

    def over(self, ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Rising ranges [start, end) of frames, widened to whole groups; those that then touch are one."""
        ends = np.append(self.starts, self.frames)
        wide: list[tuple[int, int]] = []
        for start, end in ranges:
            first = int(ends[np.searchsorted(self.starts, start, "right") - 1])
            last = int(ends[np.searchsorted(ends, end)])
            if wide and first <= wide[-1][1]:
                first = wide.pop()[0]
            wide.append((first, last))
        return wide

    @property
    def longest(self) -> int:
        return int(np.diff(np.append(self.starts, self.frames)).max())


def groups_of(film: Film, encoder: Encoder) -> Groups | None:
    """The groups of a film that this encoder joins with what it writes; None where it cannot.

    That is so where another codec is written; for H.264 and HEVC also where parameter sets lie among the slices, an
    edit list hides frames, or no number is left for other parameter sets.
    """
    if not encoder.copies:
        return None
    each = Groups(np.arange(film.frames), film.frames)
    if encoder.codec in SINGLE:
        return each
    if encoder.codec != "ffv1":
        header = header_of(film)
        return _between_idrs(film, header.size) if header is not None else None
    with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
        picture: Any = container.streams[film.picture]
        same = picture.codec_context.extradata == context_for(film, encoder).extradata
        return each if same and all(packet.is_keyframe for packet in container.demux(picture) if packet.size) else None


def _between_idrs(film: Film, size: int) -> Groups | None:
    """size  bytes of the length before each unit"""
    number = {int(pts): n for n, pts in enumerate(film.pts)}
    begins: list[tuple[int, int]] = []  # decoding place and frame of each IDR picture
    order: list[int] = []
    with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
        for packet in container.demux(container.streams[film.picture]):
            if not packet.size:
                continue
            frame = number.get(packet.pts) if packet.pts is not None else None
            if frame is None or packet.is_discard:
                return None
            if nal.stands_alone(bytes(packet), size, film.codec):
                begins.append((len(order), frame))
            order.append(frame)
    if len(order) != film.frames or not begins or begins[0] != (0, 0):
        return None
    shown = np.array(order)
    reach = np.maximum.accumulate(shown)  # the last frame that the packets so far hold
    starts = [frame for place, frame in begins if place == frame and (place == 0 or reach[place - 1] < frame)]
    return Groups(np.array(starts), film.frames, int((np.arange(len(shown)) - shown).max()))


def header_of(film: Film) -> nal.Avc | nal.Hevc | None:
    """The parameter sets of an H.264 or HEVC film; None where they cannot be joined with others."""
    with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
        picture: Any = container.streams[film.picture]
        header = picture.codec_context.extradata or b""
    if film.codec == "hevc":
        return nal.Hevc.read(header)
    found = nal.Avc.read(header)
    return found if found is not None and found.free() is not None else None
