"""The square a lip-sync model sees, cut out and laid back.

Built from the eyes alone, or from where the mouth is at rest: a square that followed the jaw would tell the network how
open the old mouth is, and would pump when laid back. Smoothed within runs of consecutive frames, never across a gap. A
head held askew is turned upright first. Cutting and laying back are the same antialiased bicubic resampling in two
directions, exact to a fraction of a pixel.
"""

from typing import Any, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from models.face.detect import Floats
from models.face.mesh import LEFT_EYE, RIGHT_EYE
from models.lipsync import CropSpec

CENTRE_FRAMES: Final = 2.5  # sigma of the smoothing of the centre: follows a nod, not the detector's jitter
SIDE_FRAMES: Final = 6.0  # of the side, which changes slowly in life

ASKEW: Final = np.deg2rad(4.0)  # a run whose head never leans further is cut straight, which is exact and costs less
MARGIN: Final = 3  # pixels around a turned square: the reach of the resampling

Pixel = TypeVar("Pixel", np.uint8, np.uint16, np.float32)
Square = Floats  # (4,) centre x, centre y, side in picture pixels; roll in radians, clockwise on screen
Mouth = Floats  # (4,) middle of the mouth at rest x, y, its half width at rest; roll in radians, clockwise on screen
Box = tuple[int, int, int, int]  # x, y, width, height in whole picture pixels


def frame_squares(frames: NDArray[np.int32], places: Floats, spec: CropSpec) -> Floats:
    """(n, 4) a square for each frame of a track.

    frames  (n,) frame numbers, rising; where they skip, smoothing starts afresh
    places  what the square is built around, in picture pixels: (n, 468, 2) meshes for the eyes, (n, 4) mouths
    """
    middle, across = _eyes(places) if spec.around == "eyes" else _mouths(places)
    downwards = np.stack([-across[:, 1], across[:, 0]], axis=1)  # a quarter turn: down the face
    centre = middle + spec.down * downwards
    roll = np.unwrap(np.arctan2(across[:, 1], across[:, 0]))[:, None]
    side = spec.side * np.linalg.norm(across, axis=1, keepdims=True)
    raw = np.concatenate([centre, side, roll], axis=1).astype(np.float32)
    squares = np.empty_like(raw)
    for run in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames) != 1) + 1):
        squares[run, :2] = gaussian_filter1d(raw[run, :2], CENTRE_FRAMES, axis=0, mode="nearest")
        squares[run, 2:] = gaussian_filter1d(raw[run, 2:], SIDE_FRAMES, axis=0, mode="nearest")
        if np.abs(squares[run, 3]).max() < ASKEW:
            squares[run, 3] = 0.0
    return squares


def _eyes(meshes: Floats) -> tuple[Floats, Floats]:
    """(n, 2) the middle of the eyes, (n, 2) from the outer corner of the right one to that of the left."""
    right, left = meshes[:, RIGHT_EYE], meshes[:, LEFT_EYE]
    return np.asarray((left + right) / 2, np.float32), left - right


def _mouths(mouths: Floats) -> tuple[Floats, Floats]:
    """(n, 2) the middle of the mouth, (n, 2) from there to its corner."""
    roll = mouths[:, 3]
    return mouths[:, :2], mouths[:, 2:3] * np.stack([np.cos(roll), np.sin(roll)], axis=1)


def cut(picture: NDArray[Pixel], square: Square, size: int) -> NDArray[Pixel]:
    """(size, size[, C]) of an (H, W[, C]) picture, in its own type; beyond the edge the edge is repeated."""
    x, y, side, roll = (float(value) for value in square)
    if roll:
        half = _half(side)
        turn = _turn(roll, (half, half), (x, y))
        picture, x, y = _warp(picture, turn, 2 * half, 2 * half), half, half
    step = side / size
    height, width = picture.shape[:2]
    return _resample(
        picture,
        _weights(y - side / 2, step, size, height),
        _weights(x - side / 2, step, size, width),
    )


def enlarge(crop: NDArray[Pixel], square: Square, box: Box) -> NDArray[Pixel]:
    """The crop on the picture's own pixels: (height, width[, C]) for a box inside or around the square."""
    x, y, side, roll = (float(value) for value in square)
    left, top, width, height = box
    if roll:
        half = _half(side)
        upright = enlarge(crop, np.array([half, half, side, 0], np.float32), (0, 0, 2 * half, 2 * half))
        return _warp(upright, _turn(-roll, (x - left, y - top), (half, half)), width, height)
    size = crop.shape[0]
    step = size / side
    return _resample(
        crop,
        _weights((top - (y - side / 2)) * step, step, height, size),
        _weights((left - (x - side / 2)) * step, step, width, size),
    )


def covering(square: Square, width: int, height: int) -> Box:
    """The whole picture pixels that the square touches, inside a picture of that size."""
    x, y, side, roll = (float(value) for value in square)
    reach = side / 2 * (abs(np.cos(roll)) + abs(np.sin(roll)))
    left, top = max(0, int(np.floor(x - reach))), max(0, int(np.floor(y - reach)))
    right, below = min(width, int(np.ceil(x + reach))), min(height, int(np.ceil(y + reach)))
    return left, top, max(0, right - left), max(0, below - top)


def into(points: Floats, square: Floats) -> Floats:
    """Picture pixels → 0 … 1 of the crop. points (…, K, 2), square (…, 4)."""
    away = (points - square[..., None, :2]) / square[..., None, 2:3]
    return np.asarray(_rotated(away, -square[..., None, 3]) + 0.5, np.float32)


def out_of(points: Floats, square: Floats) -> Floats:
    """0 … 1 of the crop → picture pixels; the way back of `into`."""
    away = _rotated(points - 0.5, square[..., None, 3]) * square[..., None, 2:3]
    return np.asarray(away + square[..., None, :2], np.float32)


def mouth_into(mouth: Mouth, square: Square) -> Mouth:
    """The same mouth in 0 … 1 of the crop, its roll against the crop's own. (…, 4) each."""
    middle = into(mouth[..., None, :2], square)[..., 0, :]
    return np.asarray(
        np.concatenate([middle, mouth[..., 2:3] / square[..., 2:3], mouth[..., 3:] - square[..., 3:]], axis=-1),
        np.float32,
    )


def _rotated(points: Floats, angle: Floats) -> Floats:
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = points[..., 0], points[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def _half(side: float) -> int:
    """Half the side of the upright picture that a turned square is cut from."""
    return int(np.ceil(side / 2)) + MARGIN


def _turn(roll: float, here: tuple[float, float], there: tuple[float, float]) -> NDArray[np.float64]:
    """(2, 3) pixel of the turned picture → pixel of the picture it is read from; `here` falls on `there`."""
    cos, sin = np.cos(roll), np.sin(roll)
    matrix = np.array([[cos, -sin], [sin, cos]])
    shift = np.array(there) - matrix @ np.array(here)
    shift += matrix @ [0.5, 0.5] - 0.5  # OpenCV counts from the middle of the first pixel
    return np.concatenate([matrix, shift[:, None]], axis=1)


def _warp(picture: NDArray[Pixel], turn: NDArray[np.float64], width: int, height: int) -> NDArray[Pixel]:
    """A part of the picture turned, not scaled, bicubically; beyond the edge the edge is repeated."""
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(picture.astype(np.float32), turn, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return _as(out, picture.dtype)


def _weights(start: float, step: float, count: int, size: int) -> Floats:
    """(count, size) rows that resample one axis: output i covers start + i·step … start + (i+1)·step of the input."""
    reach = max(1.0, step)  # shrinking widens the kernel so nothing aliases; enlarging keeps it at one pixel
    centres = start + (np.arange(count) + 0.5) * step - 0.5
    taps = np.floor(centres)[:, None] + np.arange(-int(np.ceil(2 * reach)), int(np.ceil(2 * reach)) + 2)
    values = _cubic((taps - centres[:, None]) / reach)
    values /= values.sum(axis=1, keepdims=True)
    weights = np.zeros((count, size), np.float32)
    columns = np.clip(taps, 0, size - 1).astype(np.int64)
    np.add.at(weights, (np.arange(count)[:, None], columns), values.astype(np.float32))
    return weights


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel, a = −1/2 (IEEE ASSP 29, 1981, eq. 15)."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _resample(picture: NDArray[Pixel], rows: Floats, columns: Floats) -> NDArray[Pixel]:
    used_rows, used_columns = np.flatnonzero(rows.any(axis=0)), np.flatnonzero(columns.any(axis=0))
    top, below = int(used_rows[0]), int(used_rows[-1]) + 1
    left, right = int(used_columns[0]), int(used_columns[-1]) + 1
    part = picture[top:below, left:right].astype(np.float32)
    out = np.tensordot(rows[:, top:below], part, axes=(1, 0))  # (count, w[, C])
    out = np.moveaxis(np.tensordot(columns[:, left:right], out, axes=(1, 1)), 0, 1)
    return _as(out, picture.dtype)


def _as(values: NDArray[Any], dtype: np.dtype[Pixel]) -> NDArray[Pixel]:
    if dtype.kind == "u":
        limits = np.iinfo(dtype.name)
        values = np.clip(np.rint(np.asarray(values, np.float32)), limits.min, limits.max)
    return np.ascontiguousarray(values.astype(dtype))
