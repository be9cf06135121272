"""Films of two GRID speakers side by side, of whom one speaks: the smallest test of who is on screen.

The other one is a still, or listens (the frames before and after her own words, to and fro), or says something else
without a sound, which is more than a face in a film would do.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from models.speech import vad
from storage.film.planes import planes_of
from tests.shoot import draw_film

Other = Literal["still", "listens", "speaks unheard"]
RATE = Fraction(25)
HZ = 16_000
FRAMES = 74


def clip(path: Path) -> tuple[list[Any], NDArray[np.float32]]:
    """The pictures' planes, and the sound at 16 kHz."""
    with av.open(str(path)) as file:
        pictures = [tuple(np.array(plane) for plane in planes_of(frame)) for frame in file.decode(video=0)]
    with av.open(str(path)) as file:
        hz = file.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in file.decode(audio=0)])
    return pictures, np.asarray(soxr.resample(sound, hz, HZ), np.float32)


def side_by_side(path: Path, speaking: Path, other: Path, how: Other, left: bool) -> NDArray[np.float32]:
    """Writes the film, FRAMES long, and returns what is heard. `left`: where the one who speaks stands."""
    pictures, sound = clip(speaking)
    beside, unheard = clip(other)
    if how == "still":
        beside = beside[:1] * FRAMES
    elif how == "listens":
        spoken = vad.speech(unheard)
        first = max(4, int(spoken[0][0] * RATE / HZ) - 3) if spoken else FRAMES
        there_and_back = [*range(first), *range(first - 2, 0, -1)]
        beside = [beside[there_and_back[n % len(there_and_back)]] for n in range(FRAMES)]

    def draw(n: int) -> tuple[NDArray[np.generic], ...]:
        pair = (pictures[n], beside[n]) if left else (beside[n], pictures[n])
        return tuple(np.concatenate(planes, axis=1) for planes in zip(*pair, strict=True))

    size = (2 * pictures[0][0].shape[1], pictures[0][0].shape[0])
    draw_film(path, FRAMES, RATE, "libx264", size, draw=draw)
    return sound
