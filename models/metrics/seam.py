"""Whether an edge can be seen where a patch ends.

Along the middle of the matte's rim the colour just inside is compared with the colour just outside, across the whole
rim, where the patch comes to sight; the film's own difference over the same pixels says how much is the face's.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.detect import Floats

GRAIN: Final = 0.8  # pixels, sigma: finer than that is grain, no seam
HALF: Final = 0.5  # of the matte: the middle of its rim
SHOWN, HIDDEN = 0.9, 0.03  # of the matte: the patch is all there is to see, or nothing of it
FARTHEST: Final = 16  # pixels along the normal in which both are found, or the place is left out
WHITE: Final = np.array([0.95047, 1.0, 1.08883])  # D65
TO_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def across(picture: Floats, shown: Floats) -> Floats:
    """(K,) ΔE*ab (CIE 1976) from the outside of the rim to its inside, at K places along it.

    picture  (H, W, 3) sRGB 0 … 1, shown (H, W) its matte 0 … 1
    """
    soft = np.asarray(cv2.GaussianBlur(lab(picture), (0, 0), GRAIN), np.float32)
    inner, outer = sides(shown)
    return np.asarray(np.linalg.norm(_at(soft, inner) - _at(soft, outer), axis=1), np.float32)


def against(film: Sequence[Floats], drawn: Sequence[Floats], shown: Sequence[Floats]) -> float:
    """Mean ΔE across the rim of a drawn film over the film's own in the same places; 1: nothing to see, less is better.

    A plain offset between patch and plate adds to the film's own contrast as independent things do: roughly
    √(own² + offset²), more where the skin is even, which is where a seam is seen.
    """
    own = np.concatenate([across(picture, matte) for picture, matte in zip(film, shown, strict=True)])
    now = np.concatenate([across(picture, matte) for picture, matte in zip(drawn, shown, strict=True)])
    return float(now.mean() / max(float(own.mean()), 1e-6))


def sides(shown: Floats) -> tuple[Floats, Floats]:
    """Two (K, 2) lists of x, y: for each place of the rim the nearest along its normal that is SHOWN, and HIDDEN."""
    soft = cv2.GaussianBlur(shown, (0, 0), 1.5)
    down, along = np.gradient(soft)
    rim = cv2.morphologyEx((shown >= HALF).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    y, x = np.nonzero(rim & (shown >= HALF))
    normal = np.stack([along[y, x], down[y, x]], axis=1)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    start = np.stack([x, y], axis=1).astype(np.float32)
    steps = np.arange(FARTHEST + 1, dtype=np.float32)[:, None, None]
    inwards, outwards = start + steps * normal, start - steps * normal  # (FARTHEST + 1, K, 2)
    there, gone = _at(shown, inwards) >= SHOWN, _at(shown, outwards) <= HIDDEN
    height, width = shown.shape
    within = ((outwards >= 0) & (outwards <= [width - 1, height - 1])).all(axis=-1)
    found = there.any(axis=0) & (gone & within).any(axis=0)
    which = np.arange(len(x))
    first_in, first_out = there.argmax(axis=0), (gone & within).argmax(axis=0)
    return inwards[first_in, which][found].astype(np.float32), outwards[first_out, which][found].astype(np.float32)


def lab(picture: Floats) -> Floats:
    """(…, 3) CIE L*a*b* under D65 of sRGB 0 … 1 (IEC 61966-2-1; CIE 15:2004)."""
    linear = np.where(picture <= 0.04045, picture / 12.92, ((np.maximum(picture, 0) + 0.055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ.T / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def _at(picture: Floats, places: Floats) -> NDArray[np.float32]:
    """The values of an (H, W[, C]) picture at (…, 2) x, y, bilinear."""
    flat = places.reshape(-1, 1, 2).astype(np.float32)
    if not len(flat):
        return np.zeros(places.shape[:-1] + picture.shape[2:], np.float32)
    found = cv2.remap(picture, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(places.shape[:-1] + picture.shape[2:]), np.float32)
