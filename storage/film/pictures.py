"""Patch films and matte films: pictures that are no film, one after another, without loss.

FFV1 in Matroska. A patch film holds one picture per changed frame in the film's own pixel format, a matte film the same
number in 8 bit grey. Where they lie in the film is not here but in the take's placements.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from storage.film.encoders import unjay
from storage.film.planes import Plane, Planes, picture_of, planes_of


class PictureFilm:
    """Use as `with PictureFilm(...) as film: film.write(planes)`. Written beside; a block that fails leaves nothing.

    pix_fmt  of the pictures; "gray" for mattes
    rate     only so that a person can play it
    """

    def __init__(self, path: Path, pix_fmt: str, rate: Fraction = Fraction(25)) -> None:
        self.path, self.pix_fmt, self.rate = path, unjay(pix_fmt), rate
        self.count = 0
        self._size: tuple[int, ...] | None = None
        self._beside = path.with_name(path.name + ".part")

    def __enter__(self) -> Self:
        self._out = av.open(str(self._beside.absolute()), "w", format="matroska")
        options = {"level": "3", "g": "1", "slicecrc": "1"}
        self._stream: Any = self._out.add_stream("ffv1", rate=self.rate, options=options)
        self._stream.pix_fmt = self.pix_fmt
        self._stream.codec_context.time_base = 1 / self.rate
        return self

    def write(self, planes: Planes) -> None:
        """Appends one picture. Raises ValueError if it is of another size or format than the first."""
        if self._size is None:
            self._stream.height, self._stream.width = self._size = planes[0].shape
        if planes[0].shape != self._size:
            raise ValueError(f"picture {self.count} is {planes[0].shape}, the first was {self._size}")
        picture = picture_of(planes, self.pix_fmt)
        picture.pts, picture.time_base = self.count, 1 / self.rate
        self._out.mux(self._stream.encode(picture))
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                if not self.count:
                    raise ValueError(f"{self.path} would hold no picture")
                self._out.mux(self._stream.encode())
            self._out.close()
            if kind is None:
                self._beside.replace(self.path)
        finally:
            self._beside.unlink(missing_ok=True)


def read_pictures(path: Path) -> Iterator[Planes]:
    """The pictures of a patch film, in order, streaming."""
    with av.open(str(path.absolute())) as container:
        container.streams.video[0].codec_context.thread_count = 1  # several are open at once, beside the film's decoder
        for picture in container.decode(video=0):
            yield planes_of(picture)


def read_mattes(path: Path) -> Iterator[Plane]:
    """The pictures of a matte film: (h, w) uint8, 255 shows the patch alone."""
    return (planes[0] for planes in read_pictures(path))
