"""Between the code values of a film and the RGB that models paint in, for one rectangle of a picture.

Y'CbCr by ITU-R BT.601, BT.709, BT.2020 (non-constant luminance) or SMPTE 240M, limited or full range, any bit depth;
GBR and grey go the same way. A chroma sample is repeated over its pixels on the way in and is their mean on the way
out, so what a model leaves alone comes back to the same code value, as long as it was a colour that RGB can hold.
Transfer curves are left as they are: R, G and B here are as non-linear as the film.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.errors import Refused
from storage.film.planes import PixelFormat, Plane, Planes, pixel_format
from storage.film.probe import Film

# Kr and Kb of each matrix, by ffmpeg's name: Y = Kr·R + (1 − Kr − Kb)·G + Kb·B.
MATRICES: Final = {
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),  # BT.601
    "bt470bg": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}


def matrix_of(film: Film) -> tuple[float, float]:
    """Kr and Kb of a film. Untagged, BT.709 from 720 lines on and BT.601 below, as players guess too.

    raises  Refused for matrices that are not linear in RGB (ICtCp, constant luminance) or not known here
    """
    tag = film.colour.matrix
    if tag in (None, "unknown", "unspecified", "gbr"):
        tag = "bt709" if film.height >= 720 else "smpte170m"
    if tag not in MATRICES:
        raise Refused(f"{film.path} uses the colour matrix {tag}. Convert it to one of {', '.join(MATRICES)}.")
    return MATRICES[tag]


def to_rgb(planes: Planes, film: Film, x: int, y: int, w: int, h: int) -> NDArray[np.float32]:
    """(h, w, 3) RGB in 0 … 1 of the rectangle whose top left pixel is (x, y). Colours beyond RGB are clipped.

    planes  of the whole picture, in the film's pixel format
    raises  ValueError if the rectangle cuts through a chroma sample or leaves the picture
    """
    layout = pixel_format(film.pix_fmt)
    height, width = planes[0].shape
    if x % layout.across or y % layout.down or not (0 <= x < x + w <= width and 0 <= y < y + h <= height):
        raise ValueError(f"({x}, {y}) {w}×{h} does not lie on the samples of a {width}×{height} {layout.name}")
    if (w % layout.across and x + w != width) or (h % layout.down and y + h != height):
        raise ValueError(f"{w}×{h} cuts through a chroma sample of {layout.name}")
    crops = []
    for number, plane in enumerate(planes[: len(layout.kinds.rstrip("a"))]):
        down, across = layout.steps(number)
        crop = plane[y // down : -(-(y + h) // down), x // across : -(-(x + w) // across)]
        crops.append(np.repeat(np.repeat(crop, down, 0), across, 1)[:h, :w].astype(np.float32))
    scale, base = _luma_scale(layout, film)
    if layout.kinds[0] == "g":
        green, blue, red = ((crop - base) / scale for crop in crops)
        return _rgb(red, green, blue)
    luma = (crops[0] - base) / scale
    if len(crops) == 1:
        return _rgb(luma, luma, luma)
    scale, middle = _chroma_scale(layout, film)
    cb, cr = ((crop - middle) / scale for crop in crops[1:])
    kr, kb = matrix_of(film)
    red = luma + 2 * (1 - kr) * cr
    blue = luma + 2 * (1 - kb) * cb
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return _rgb(red, green, blue)


def from_rgb(rgb: NDArray[np.float32], film: Film) -> Planes:
    """The planes, in the film's pixel format, of (h, w, 3) RGB in 0 … 1. Alpha, where the format has it, is opaque."""
    layout = pixel_format(film.pix_fmt)
    red, green, blue = np.moveaxis(np.clip(rgb, 0, 1).astype(np.float32), -1, 0)
    scale, base = _luma_scale(layout, film)
    if layout.kinds[0] == "g":
        planes = [_code(part * scale + base, layout) for part in (green, blue, red)]
    else:
        kr, kb = matrix_of(film)
        luma = kr * red + (1 - kr - kb) * green + kb * blue
        planes = [_code(luma * scale + base, layout)]
        if len(layout.kinds) > 2:
            scale, middle = _chroma_scale(layout, film)
            for part, k in ((blue, kb), (red, kr)):
                chroma = _mean((part - luma) / (2 * (1 - k)), layout.down, layout.across)
                planes.append(_code(chroma * scale + middle, layout))
    if layout.kinds.endswith("a"):
        planes.append(np.full(rgb.shape[:2], 2**layout.bits - 1, layout.dtype))
    return tuple(planes)


def _luma_scale(layout: PixelFormat, film: Film) -> tuple[float, float]:
    """(code values from black to white, code value of black). BT.709 and BT.2020: 16 and 235 at 8 bit, times 2ⁿ."""
    if _full(layout, film):
        return float(2**layout.bits - 1), 0.0
    return 219.0 * 2 ** (layout.bits - 8), 16.0 * 2 ** (layout.bits - 8)


def _chroma_scale(layout: PixelFormat, film: Film) -> tuple[float, float]:
    """(code values from −0.5 to 0.5, code value of no colour)."""
    if _full(layout, film):
        return float(2**layout.bits - 1), 2.0 ** (layout.bits - 1)
    return 224.0 * 2 ** (layout.bits - 8), 2.0 ** (layout.bits - 1)


def _full(layout: PixelFormat, film: Film) -> bool:
    """RGB is full unless tagged limited; YUV and grey are limited unless tagged full."""
    return film.colour.range == "pc" or (layout.kinds[0] == "g" and film.colour.range != "tv")


def _mean(samples: NDArray[np.float32], down: int, across: int) -> NDArray[np.float32]:
    """Means over blocks of down × across; a block that the picture's edge cuts is filled up with its edge."""
    h, w = samples.shape
    whole = np.pad(samples, ((0, -h % down), (0, -w % across)), mode="edge")
    blocks = whole.reshape(whole.shape[0] // down, down, whole.shape[1] // across, across)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _code(values: NDArray[np.float32], layout: PixelFormat) -> Plane:
    return np.clip(np.rint(values), 0, 2**layout.bits - 1).astype(layout.dtype)


def _rgb(red: NDArray[np.float32], green: NDArray[np.float32], blue: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.clip(np.stack([red, green, blue], axis=-1), 0, 1), np.float32)
