"""Between the code values of a film and the RGB that models paint in, for one rectangle of a picture.

Y'CbCr by ITU-R BT.601, BT.709, BT.2020 (non-constant luminance) or SMPTE 240M, limited or full range, any bit depth;
GBR and grey go the same way. Chroma goes in and out at its own place (storage/film/siting.py). Transfer curves are left
as they are: R, G and B here are as non-linear as the film.

Promises: a patch is the plate plus what changed, rounded once, to the film's own depth. Where nothing changed it is the
plate's code values, also those that RGB cannot hold: blacker than black, whiter than white, colours out of gamut.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.errors import Refused
from storage.film.planes import PixelFormat, Planes, pixel_format
from storage.film.probe import Film
from storage.film.siting import gathered, siting, spread

Pixels = NDArray[np.float32]  # (h, w, 3)
Share = NDArray[np.float32]  # (h, w)
Grain = Callable[[int, Share], Share]

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


def to_rgb(planes: Planes, film: Film, x: int, y: int, w: int, h: int) -> Pixels:
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
    grid = siting(film)
    crops = [
        spread(plane, grid, x, y, w, h) if kind == "c" else plane[y : y + h, x : x + w].astype(np.float32)
        for plane, kind in zip(planes, layout.kinds, strict=True)
        if kind != "a"
    ]
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


def under(planes: Planes, film: Film, x: int, y: int, w: int, h: int) -> Planes:
    """The planes of a rectangle that lies on whole chroma samples, copied: what lies under a patch."""
    layout = pixel_format(film.pix_fmt)
    crops = []
    for number, plane in enumerate(planes):
        down, across = layout.steps(number)
        crops.append(plane[y // down : -(-(y + h) // down), x // across : -(-(x + w) // across)].copy())
    return tuple(crops)


def patched(plate: Planes, film: Film, added: Pixels, kept: Share, grain: Grain | None = None) -> Planes:
    """The planes of the picture `added + kept · plate`, in the film's own pixel format.

    plate   the planes under the patch; alpha, where the format has it, stays
    added   (h, w, 3) RGB, full scale 1; with kept = 1 the difference to the plate, with kept = 0 the picture itself
    kept    (h, w) 0 … 1 how much of the plate is in the picture
    grain   (plane, its code values) → the film's grain at them, in code values; added as far as the plate's is missing
    returns code values within black and white (16 … 235 and 16 … 240 at 8 bit) wherever the plate's were
    """
    layout = pixel_format(film.pix_fmt)
    laid = []
    for number, (part, share) in enumerate(_parts(added, kept, film, layout)):
        scale, zero = (_chroma_scale if layout.kinds[number] == "c" else _luma_scale)(layout, film)
        low = zero - scale / 2 if layout.kinds[number] == "c" else zero
        below = plate[number].astype(np.float32)
        values = np.float32(zero) + np.float32(scale) * part + share * (below - np.float32(zero))
        if grain is not None:
            missing = np.sqrt(1 - np.square(share))
            here = _box(missing > 0.01)
            values[here] += missing[here] * grain(number, values[here])
        values = np.clip(values, np.minimum(below, np.float32(low)), np.maximum(below, np.float32(low + scale)))
        laid.append(np.asarray(np.clip(np.rint(values), 0, 2**layout.bits - 1), layout.dtype))
    return *laid, *plate[len(laid) :]


def _box(marked: NDArray[np.bool_]) -> tuple[slice, slice]:
    """(rows, columns) around all that is marked."""
    rows, columns = (np.flatnonzero(marked.any(axis=axis)) for axis in (1, 0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if rows.size else (slice(0), slice(0))


def _parts(added: Pixels, kept: Share, film: Film, layout: PixelFormat) -> Iterator[tuple[Share, Share]]:
    """`added`, 1 from black to white or −0.5 … 0.5 for chroma, and `kept`, on the samples of each plane but alpha."""
    red, green, blue = np.moveaxis(added, -1, 0)
    if layout.kinds[0] == "g":
        yield from ((part, kept) for part in (green, blue, red))
        return
    kr, kb = (np.float32(k) for k in matrix_of(film))
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    yield luma, kept
    if "c" in layout.kinds:
        grid = siting(film)
        share = gathered(kept, grid)
        for part, k in ((blue, kb), (red, kr)):
            yield gathered((part - luma) / (2 * (1 - k)), grid), share


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


def _rgb(red: NDArray[np.float32], green: NDArray[np.float32], blue: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.clip(np.stack([red, green, blue], axis=-1), 0, 1), np.float32)
