"""Does this face say what is heard?

Three plain measures while a voice sounds: how fast the lips open and close, how much more the mouth's pixels change
than the upper face's, and whether the mouth is open when the sound is loud. Their weights are a logistic regression on
70 clips of 27 GRID speakers: talking, against the same faces silent under another clip's sound. Area under the curve
0.98 on speakers left out, 91 % right at even odds; 0.73 for a face that talks, but says something else (by the sound
alone). Not measured: films, chewing, laughing, profiles, drawn faces, whose lips are read as if they were photographed.
Deliberately not here: a trained active-speaker network, which would need pictures kept for it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

ENOUGH: Final = 8  # frames under which nothing is said about a face
SPEED: Final = 3.4  # log-odds for each factor e by which the lips are faster
CHANGE: Final = 8.0  # for each deviation of grey a second
TOGETHER: Final = 3.7  # for opening and loudness that agree fully
ODDS: Final = 4.2
STILL: Final = 0.02  # eye distances a second: the tremble of the mesh on a still mouth
QUIET: Final = -80.0  # dB of silence

Floats = NDArray[np.float32]


def says(frames: NDArray[np.int32], opening: Floats, motion: Floats, loud: Floats, rate: float) -> float:
    """Log-odds that this face speaks: 0 is even, 2 is 88 %, −2 is 12 %; 0 also where there is too little to see.

    frames   (n,) numbers, rising, in which the face is found while the voice sounds
    opening  (n,) lips apart in eye distances; motion (n,) as `closeup.mouth_motion`
    loud     (n,) dB of the sound under each frame
    rate     frames a second
    """
    next_to = np.diff(frames) == 1
    if next_to.sum() < ENOUGH:
        return 0.0
    speed = float(np.abs(np.diff(opening))[next_to].mean()) * rate
    change = float(np.median(motion)) * rate
    together = 0.0
    if opening.std() > 1e-4 and loud.std() > 0.1:
        together = float(np.corrcoef(opening, loud)[0, 1])
    return SPEED * float(np.log(speed + STILL)) + CHANGE * change + TOGETHER * together + ODDS


def loudness(wave: Floats, edges: NDArray[np.int64]) -> Floats:
    """(n,) dB, at least QUIET, of a mono wave between each of (n + 1,) rising sample numbers and the next."""
    power = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
    at = np.clip(edges, 0, len(wave))
    mean = np.diff(power[at]) / np.maximum(np.diff(at), 1)
    return np.asarray(np.maximum(10 * np.log10(mean + 1e-12), QUIET), np.float32)
