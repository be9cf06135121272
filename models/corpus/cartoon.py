"""Photographed film that looks drawn: for judging what was learnt from drawings on faces that can still be measured.

Three looks; each frame goes through the same filter and chance has no part in it, and levels and lines are soft, so a
look flickers no more than the film it was made from.
Sources: Winnemöller, Olsen and Gooch, Real-Time Video Abstraction (SIGGRAPH 2006), for `inked`; Gastal and Oliveira,
Domain Transform (SIGGRAPH 2011), in OpenCV, for the other two.
"""

from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Look = Literal["comic", "inked", "washed"]
LOOKS: Final[tuple[Look, ...]] = ("comic", "inked", "washed")

STEP: Final = 18.0  # of lightness (L* scaled to 0 … 255) between two levels of `inked`
HARD: Final = 0.22  # how hard a level ends: slope of its tanh
WASHED_STEP: Final = 32.0
LINE: Final = 1.2  # sigma of the lines' inner Gaussian, pixels at the height of a GRID film
LINES_FROM: Final = 0.975  # share of the outer Gaussian that is taken from the inner: what counts as an edge
INK: Final = 0.16  # how hard a line ends
HEIGHT: Final = 288  # pixels of a film for which the sigmas are given; smaller pictures are parts of one

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]


def cartoon(rgb: Picture, look: Look) -> Picture:
    """(H, W, 3) RGB in, the same picture as a drawing out."""
    scale = max(1.0, rgb.shape[0] / HEIGHT)
    bgr = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
    match look:
        case "comic":
            drawn = cv2.stylization(bgr, sigma_s=30 * scale, sigma_r=0.35)
        case "inked":
            drawn = _with_lines(_levelled(_smooth(bgr), STEP), bgr, scale)
        case "washed":
            flat = cv2.edgePreservingFilter(bgr, flags=cv2.RECURS_FILTER, sigma_s=30 * scale, sigma_r=0.3)
            drawn = _levelled(np.asarray(flat, np.uint8), WASHED_STEP, colour=1.5)
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2RGB), np.uint8)


def _smooth(bgr: Picture) -> Picture:
    for _ in range(3):
        bgr = np.asarray(cv2.bilateralFilter(bgr, 7, 24, 4), np.uint8)
    return bgr


def _levelled(bgr: Picture, step: float, colour: float = 1.25) -> Picture:
    """Lightness drawn towards levels `step` apart, colours `colour` times as strong."""
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab).astype(np.float32)
    light = lab[..., 0]
    nearest = (np.floor(light / step) + 0.5) * step
    lab[..., 0] = nearest + step / 2 * np.tanh(HARD * (light - nearest)) / np.tanh(HARD * step / 2)
    lab[..., 1:] = 128 + colour * (lab[..., 1:] - 128)
    return np.asarray(cv2.cvtColor(np.clip(np.rint(lab), 0, 255).astype(np.uint8), cv2.COLOR_Lab2BGR), np.uint8)


def _with_lines(bgr: Picture, original: Picture, scale: float) -> Picture:
    """Dark lines where the difference of two Gaussians of the grey falls below 0."""
    grey = cv2.cvtColor(original, cv2.COLOR_BGR2GRAY).astype(np.float32)
    inner, outer = (cv2.GaussianBlur(grey, (0, 0), LINE * scale * wide) for wide in (1.0, 1.6))
    edge = inner - LINES_FROM * outer
    line = np.where(edge > 0, 1.0, 1 + np.tanh(INK * edge)).astype(np.float32)
    return np.asarray(np.rint(bgr * line[..., None]), np.uint8)
