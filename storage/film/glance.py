"""A quick look at a whole frame: 8-bit RGB, made small if the picture is large, for networks that only find things.

Right to a code value or two where `colour` is exact, and twenty times faster. Never for pixels that are delivered.
HDR stays in its own transfer curve, so its pictures look pale here; faces are found in them all the same.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from storage.film.colour import matrix_of
from storage.film.planes import Planes, pixel_format
from storage.film.probe import Film

WIDEST: Final = 1920  # pixels; above, a face that matters is still large when the picture is made smaller


def smaller(film: Film) -> float:
    """By how much a glance is smaller than the film: a point (x, y) of the glance lies at (x, y) · this in the film."""
    return max(1.0, film.width / WIDEST)


def glance(planes: Planes, film: Film) -> NDArray[np.uint8]:
    """(h, w, 3) RGB of a whole frame, WIDEST pixels wide at most. Raises Refused for a matrix nobody knows."""
    layout = pixel_format(film.pix_fmt)
    size = (round(film.width / smaller(film)), round(film.height / smaller(film)))
    parts = []
    for plane in planes[: len(layout.kinds.rstrip("a"))]:
        if plane.shape != (size[1], size[0]):
            shrinks = plane.shape[1] > size[0]
            plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        parts.append(plane if layout.bits == 8 else cv2.convertScaleAbs(plane, alpha=1 / 2 ** (layout.bits - 8)))
    full = film.colour.range == "pc" or (layout.kinds[0] == "g" and film.colour.range != "tv")
    luma, chroma, black = (1.0, 1.0, 0.0) if full else (255 / 219, 255 / 224, 16.0)
    if layout.kinds[0] == "g":
        turn = np.array([[0, 0, luma], [luma, 0, 0], [0, luma, 0]])  # planes are green, blue, red
        rest = np.full(3, -black * luma)
    elif len(parts) == 1:
        grey = cv2.convertScaleAbs(np.maximum(parts[0], round(black)), alpha=luma, beta=-black * luma)
        return np.asarray(cv2.merge([grey, grey, grey]), np.uint8)
    else:
        kr, kb = matrix_of(film)
        red, blue = 2 * (1 - kr) * chroma, 2 * (1 - kb) * chroma
        green = (-kb * blue / (1 - kr - kb), -kr * red / (1 - kr - kb))
        turn = np.array([[luma, 0, red], [luma, *green], [luma, blue, 0]])
        rest = -black * luma - 128 * turn[:, 1:].sum(axis=1)
    rgb = cv2.transform(cv2.merge(parts), np.column_stack([turn, rest]).astype(np.float32))
    return np.asarray(rgb, np.uint8)
