"""How much a picture jumps from frame to frame, against the film it was made from.

Mean absolute difference of neighbouring frames where both are in question: 1 is the film's own movement and grain,
more is flicker, less is a face frozen or smoothed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Frames = Sequence[NDArray[np.uint8]]
Masks = NDArray[np.bool_]


def restless(frames: Frames, where: Masks) -> float:
    """Mean |frame − the one before|, code values, over the pixels (n, H, W) in question in both; less is calmer."""
    total, count = 0.0, 0
    for n in range(1, len(frames)):
        both = where[n] & where[n - 1]
        total += float(np.abs(frames[n][both].astype(np.int16) - frames[n - 1][both]).sum())
        count += 3 * int(both.sum())
    return total / max(1, count)


def against(film: Frames, drawn: Frames, where: Masks) -> float:
    """The drawn film's restlessness over the film's own; 1 is best."""
    return restless(drawn, where) / max(restless(film, where), 1e-6)
