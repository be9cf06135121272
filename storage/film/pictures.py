"""Patch films and matte films: pictures that are no film, one after another, without loss.

FFV1 in Matroska. A patch film holds one picture per changed frame in the film's own pixel format, a matte film the same
number in 8 bit grey. Where they lie in the film is not here but in the take's placements.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from storage.film.encoders import unjay
from storage.film.planes import Plane, Planes, picture_of, planes_of


def write_pictures(path: Path, pictures: Iterable[Planes], pix_fmt: str, rate: Fraction = Fraction(25)) -> int:
    """Writes the pictures and says how many there were. Written beside, then renamed.

    pix_fmt  the film's, or "gray" for mattes
    rate     only so that a person can play it
    raises   ValueError if there is no picture, or one of another size or format
    """
    beside = path.with_name(path.name + ".part")
    count, size = 0, None
    try:
        with av.open(str(beside.absolute()), "w", format="matroska") as out:
            stream: Any = out.add_stream("ffv1", rate=rate, options={"level": "3", "g": "1", "slicecrc": "1"})
            stream.pix_fmt = unjay(pix_fmt)
            stream.codec_context.time_base = 1 / rate
            for planes in pictures:
                if size is None:
                    stream.height, stream.width = size = planes[0].shape
                if planes[0].shape != size:
                    raise ValueError(f"picture {count} is {planes[0].shape}, the first was {size}")
                picture = picture_of(planes, unjay(pix_fmt))
                picture.pts, picture.time_base = count, 1 / rate
                out.mux(stream.encode(picture))
                count += 1
            if not count:
                raise ValueError(f"{path} would hold no picture")
            out.mux(stream.encode())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def read_pictures(path: Path) -> Iterator[Planes]:
    """The pictures of a patch film, in order, streaming."""
    with av.open(str(path.absolute())) as container:
        container.streams.video[0].codec_context.thread_count = 1  # several are open at once, beside the film's decoder
        for picture in container.decode(video=0):
            yield planes_of(picture)


def read_mattes(path: Path) -> Iterator[Plane]:
    """The pictures of a matte film: (h, w) uint8, 255 shows the patch alone."""
    return (planes[0] for planes in read_pictures(path))
