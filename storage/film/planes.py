"""A picture as arrays: its planes, in the film's own pixel format, without a conversion.

A plane is (height, width) code values, uint8 for 8 bit and uint16 above. In 4:2:0 and 4:2:2 the two chroma planes are
smaller; green, blue, red is the order of the planes of RGB films, as in `gbrp`; alpha, if there is any, comes last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from storage.errors import Refused

Plane = NDArray[Any]  # (h, w) uint8 or uint16
Planes = tuple[Plane, ...]


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """What one pixel format's planes look like."""

    name: str
    bits: int  # of a code value
    across: int  # luma samples per chroma sample, to the right: 2 in 4:2:0 and 4:2:2
    down: int  # and downwards: 2 in 4:2:0
    kinds: str  # one letter a plane: y luma, c chroma, g a colour of RGB, a alpha

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        return np.uint8 if self.bits == 8 else np.uint16

    def steps(self, plane: int) -> tuple[int, int]:
        """(down, across): how many pixels of the picture one sample of this plane covers."""
        return (self.down, self.across) if self.kinds[plane] == "c" else (1, 1)

    def shapes(self, height: int, width: int) -> list[tuple[int, int]]:
        """The shape of each plane of a picture of this size; odd sizes round up."""
        return [(-(-height // d), -(-width // a)) for d, a in map(self.steps, range(len(self.kinds)))]


@cache
def pixel_format(name: str) -> PixelFormat:
    """raises Refused if pictures of this format cannot be taken apart into planes of 8 to 16 bit"""
    try:
        known = av.VideoFormat(name, 64, 64)
    except ValueError:
        raise Refused(f"The pixel format {name} is unknown. Convert the film to yuv422p10le, for example.") from None
    parts = known.components
    planar = len({part.plane for part in parts}) == len(parts)
    bits = {part.bits for part in parts}
    if not planar or len(bits) != 1 or not 8 <= min(bits) <= 16 or name.endswith("be") or "f" in name or "pal" in name:
        raise Refused(
            f"The pixel format {name} is not one Dubline can lay a patch into: it takes planar YUV, grey and GBR "
            f"of 8 to 16 bit. Convert the film, for example with `ffmpeg -i FILM -pix_fmt yuv422p10le …`."
        )
    alpha = "a" * parts[-1].is_alpha
    kinds = ("ggg" if known.is_rgb else "ycc" if len(parts) > 2 else "y") + alpha
    chroma = parts[1 if "c" in kinds else 0]
    return PixelFormat(name, min(bits), 64 // chroma.width, 64 // chroma.height, kinds)


def planes_of(picture: av.VideoFrame) -> Planes:
    """The planes of a decoded picture, without a copy. Read only: the decoder may still look at them."""
    layout = pixel_format(picture.format.name)
    planes = []
    for plane, (h, w) in zip(picture.planes, layout.shapes(picture.height, picture.width), strict=True):
        rows = _buffer(plane, layout).reshape(-1, plane.line_size // layout.dtype().itemsize)
        rows.flags.writeable = False
        planes.append(rows[:h, :w])
    return tuple(planes)


def picture_of(planes: Sequence[Plane], pix_fmt: str) -> av.VideoFrame:
    """A picture for the encoder. The planes' shapes must be those of `pix_fmt`; raises ValueError if not."""
    layout = pixel_format(pix_fmt)
    height, width = planes[0].shape
    if [plane.shape for plane in planes] != layout.shapes(height, width):
        raise ValueError(f"{[plane.shape for plane in planes]} are not the planes of a {width}×{height} {pix_fmt}")
    picture = av.VideoFrame(width, height, pix_fmt)
    for into, plane in zip(picture.planes, planes, strict=True):
        if plane.dtype != layout.dtype:
            raise ValueError(f"{pix_fmt} holds {layout.dtype.__name__}, not {plane.dtype}")
        rows = _buffer(into, layout).reshape(-1, into.line_size // layout.dtype().itemsize)
        rows[: plane.shape[0], : plane.shape[1]] = plane
    return picture


def _buffer(plane: Any, layout: PixelFormat) -> Plane:
    return np.frombuffer(plane, layout.dtype)
