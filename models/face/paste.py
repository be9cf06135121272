"""A drawn crop laid back over the picture it was cut from. The product and the figures both go through here.

Promises: what the model left as it was keeps the plate's own detail (ADR 9); near the matte's edge, where skin neither
moved nor was drawn over, the patch has the plate's colour, so no edge of colour is left; nothing is rounded.
Deliberately not here: who is drawn (tasks/stage.py), code values and bit depth (storage/film/colour.py).
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.face.closeup import OVAL
from models.face.crop import Box, Square, enlarge, into
from models.face.detect import Floats
from models.face.form import OUTER
from models.face.matte import drawable
from models.lipsync import CropSpec

UNCHANGED: Final = 0.03  # of full scale: a model that moves a pixel less left it as it was
CHANGED: Final = 0.12  # one that moves it more drew something new, and the plate's detail is of another mouth
REACH: Final = 0.025  # share of the crop: so far beside what changed no detail is kept; a line's other half would stay
NEAR: Final = 0.05  # share of the crop: how far from the matte's edge skin still tells about the colour at the edge
WIDE: Final = 0.15  # share of the crop: sigma over which the colour may vary along the edge; less of it flickers
MOST: Final = 6 / 255  # a colour is corrected by so much at most: a larger difference is a shadow or another mouth
STRANGE: Final = 0.05  # of full scale: skin that differs by more, from the plate or from the skin about it, has moved
EDGES: Final = 0.02  # of full scale a pixel: gradients above it belong to lips, nostrils and the jaw
DOUBT: Final = 0.1  # weight of no difference, in mean weights: where little skin tells, little is corrected
COARSE: Final = 4  # pixels a side of one step of the correction: so smooth a thing needs no more


def lay(
    plate: Floats, crop: Floats, result: Floats, cover: Floats, points: Floats, square: Square, box: Box, spec: CropSpec
) -> tuple[Floats, Floats]:
    """((h, w, 3) the patch, 0 … 1 and a little beyond, and (h, w) its matte, 0 … 1) for a box of the picture.

    plate   (h, w, 3) the picture in that box, 0 … 1
    others  as in `changed`
    """
    added, kept, matte = changed(crop, result, cover, points, square, box, spec)
    return np.asarray(added + kept[..., None] * plate, np.float32), matte


def changed(
    crop: Floats, result: Floats, cover: Floats, points: Floats, square: Square, box: Box, spec: CropSpec
) -> tuple[Floats, Floats, Floats]:
    """What makes a patch of whatever lies in that box of the picture: the patch is `added + kept · plate`.

    crop    (S, S, 3) what the model saw; result (S, S, 3) what it drew
    cover   (S, S) the matte of this frame (models/face/matte.py)
    points  (468, 2) mesh in 0 … 1 of the crop, or (0, 2) where the face has none
    returns added (h, w, 3), full scale 1; kept (h, w) 0 … 1, 1 where the model left the face as it was, and there
            `added` is only the difference; the patch's matte (h, w) 0 … 1
    """
    drawn = result + colour_at_edge(crop, result, cover, points, spec)
    moved = cv2.GaussianBlur(np.abs(drawn - crop).max(axis=-1), (0, 0), 0.02 * spec.size)
    moved = cv2.dilate(moved, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(REACH * spec.size) + 1,) * 2))
    kept = 1 - np.clip((moved - UNCHANGED) / (CHANGED - UNCHANGED), 0, 1)
    new, old, kept = (enlarge(np.asarray(layer, np.float32), square, box) for layer in (drawn, crop, kept))
    kept = np.asarray(np.clip(kept, 0, 1), np.float32)
    return np.asarray(new - kept[..., None] * old, np.float32), kept, shown(cover, square, box)


def shown(cover: Floats, square: Square, box: Box) -> Floats:
    """(h, w) the matte on the picture's pixels, 0 … 1; 0 outside the square."""
    return np.asarray(np.clip(enlarge(cover, square, box), 0, 1) * _inside(square, box), np.float32)


def over(plate: Floats, rgb: Floats, matte: Floats) -> Floats:
    """The picture with the patch on it: plate + matte · (patch − plate); where the matte is 0, the plate's own bits."""
    return np.asarray(plate + matte[..., None] * (np.clip(rgb, 0, 1) - plate), np.float32)


def colour_at_edge(crop: Floats, result: Floats, cover: Floats, points: Floats, spec: CropSpec) -> Floats:
    """(S, S, 3) what to add to the result so that at the matte's edge its skin has the crop's colour; ±MOST.

    Read from pixels that show the same skin in both: within NEAR of the matte's edge on either side, where the model
    draws, on the face, off the lips, flat, and not far from what their neighbours say. Without a mesh, anything flat
    tells. Carried inwards by a normalised Gaussian (Knutsson and Westin, Normalized and Differential Convolution,
    CVPR 1993).
    """
    size = spec.size
    reach = NEAR * size
    matted = cover > 0
    inwards = cv2.distanceTransform(matted.astype(np.uint8), cv2.DIST_L2, 3)
    outwards = cv2.distanceTransform((~matted).astype(np.uint8), cv2.DIST_L2, 3)
    near = np.exp(-np.square(np.maximum(inwards, outwards) / reach))
    steep = np.maximum(_steepness(crop), _steepness(result))
    skin = _skin(points, size) if len(points) else np.True_
    trust = near * (skin & drawable(spec)) / (1 + np.square(steep / EDGES))
    apart = cv2.GaussianBlur(crop - result, (0, 0), 0.012 * size)
    middle = np.zeros_like(apart)
    for _ in range(2):  # first against no difference, then against what the neighbours say
        strange = np.abs(apart - middle).max(axis=-1) / STRANGE
        weight = (trust * np.square(np.clip(1 - strange * strange, 0, 1)))[..., None].astype(np.float32)
        told = np.concatenate([weight * apart, weight], axis=-1)
        coarse = cv2.resize(told, (size // COARSE, size // COARSE), interpolation=cv2.INTER_AREA)
        coarse = cv2.GaussianBlur(coarse, (0, 0), WIDE * size / COARSE)
        middle = coarse[..., :3] / (coarse[..., 3:] + DOUBT * float(weight.mean()) + 1e-6)
        middle = cv2.resize(middle, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(middle, -MOST, MOST), np.float32)


def _steepness(picture: Floats) -> Floats:
    """(S, S) gradient of grey, full scale a pixel, grain left out."""
    grey = cv2.GaussianBlur(np.asarray(picture.mean(axis=-1), np.float32), (0, 0), 1.0)
    return np.asarray(np.hypot(*np.gradient(grey)), np.float32)


def _skin(points: Floats, size: int) -> NDArray[np.bool_]:
    """(size, size) the face without its rim and its lips."""
    board = np.zeros((size, size), np.uint8)
    cv2.fillPoly(board, [_pixels(points[list(OVAL)], size)], 1, cv2.LINE_8, 4)
    board = np.asarray(cv2.erode(board, np.ones((5, 5), np.uint8)))
    lips = np.zeros_like(board)
    cv2.fillPoly(lips, [_pixels(points[list(OUTER)], size)], 1, cv2.LINE_8, 4)
    return np.asarray((board > 0) & (cv2.dilate(lips, np.ones((7, 7), np.uint8)) == 0))


def _pixels(points: Floats, size: int) -> NDArray[np.int32]:
    """OpenCV's sixteenths, from the middle of the first pixel."""
    return np.asarray(np.rint((points * size - 0.5) * 16), np.int32)


def _inside(square: Square, box: Box) -> NDArray[np.bool_]:
    """(height, width) the pixels whose middle lies in the square, half a pixel within its edge."""
    left, top, width, height = box
    y, x = np.mgrid[top : top + height, left : left + width].astype(np.float32) + 0.5
    middle = into(np.stack([x, y], axis=-1), np.broadcast_to(square, (height, 4)))
    return np.asarray((np.abs(middle - 0.5) <= 0.5 - 0.5 / square[2]).all(axis=-1))
