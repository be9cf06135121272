"""What the experts hear and see: five frames of sound, of lip points, of pixels, at 25 frames a second as in GRID.

The pixel eye looks at the window of the face that the starter draws, in numbers of its own so that the two can be
changed apart: a crop of SIZE pixels is 1.9 outer-eye distances wide and its middle 0.62 of one below the eyes.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Final

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from models.audio.loudness import level
from models.audio.mel import mel, windows
from models.face.form import Floats
from models.syncnet.network import SPAN

RATE: Final = Fraction(25)
BEFORE: Final = Fraction(2, 25)  # a sound window begins this long before its middle frame
UNIT: Final = 12.0  # points are scaled by this: differences from the median become about 1
SIZE: Final = 128  # pixels of the crop in which the next four are counted
TOP, LEFT, HEIGHT, WIDTH = 56, 24, 64, 80
HIGH, WIDE = 48, 96  # what the pixel eye sees of them


def heard(speech: Floats, count: int, start: Fraction = Fraction(0)) -> Floats:
    """(count, 80, 16) the sound windows of a clip's frames, divided by 4.

    speech   (N,) samples at 16 kHz, −1 … 1, of any loudness
    start    seconds of the first frame
    """
    times = [start + n / RATE for n in range(count)]
    return windows(mel(level(speech)), times, BEFORE) / np.float32(4)


def seen(mouths: Floats) -> Floats:
    """(n − 4, 430) windows of five mouths (n, 43, 2), the first about frame 2; differences from the clip's median."""
    flat = ((mouths - np.median(mouths, axis=0)) * UNIT).reshape(len(mouths), -1).astype(np.float32)
    return (
        np.lib.stride_tricks.sliding_window_view(flat, SPAN, axis=0)
        .transpose(0, 2, 1)
        .reshape(len(flat) - 4, -1)
        .copy()
    )


def looked_at(faces: Tensor) -> Tensor:
    """(B, 15, 48, 96) what the pixel eye takes, of (B, 5, 3, h, w) face windows in 0 … 1 of any size; differentiable.

    The windows show rows TOP … TOP + HEIGHT and columns LEFT … LEFT + WIDTH of the crop. Always in float32: a
    resampling in half precision costs more than it saves.
    """
    small = F.interpolate(faces.flatten(0, 1).float(), (HIGH, WIDE), mode="bilinear", antialias=True)
    return small.reshape(len(faces), -1, HIGH, WIDE)


def on_the_beat(mouths: Floats, times: Sequence[Fraction]) -> Floats:
    """Mouths (n, 43, 2) filmed at `times` → those at times[0] + k / 25 seconds, up to the last; between two frames a
    line is drawn. So a film of any rate, or of no steady rate, is measured in the frames that the experts know."""
    count = floor((times[-1] - times[0]) * RATE) + 1
    wanted = np.array([float(n / RATE) for n in range(count)])
    known = np.array([float(time - times[0]) for time in times])
    flat = mouths.reshape(len(mouths), -1)
    found = np.stack([np.interp(wanted, known, column) for column in flat.T], axis=1)
    return np.asarray(found.reshape(count, *mouths.shape[1:]), np.float32)
