"""The demo's voices: one neural voice from an installed package, and lower and higher ones made from it.

Promises: the same text gives the same samples on every machine; nothing is fetched.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from flows.demo.script import HZ, Scene
from storage.errors import Missing

# How fast the one voice is played back, and how fast it is spoken so that the words keep their length.
PITCH: Final = {"woman": 1.0, "man": 0.76, "cat": 1.3}
DUB_PITCH: Final = {"woman": 1.06, "man": 0.72, "cat": 1.22}  # the dub has its own actors
PEAK: Final = 0.5  # −6 dBFS


def soundtracks(scenes: Sequence[Scene], rate: Fraction) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The original sound and the dub of these scenes, (N,) mono at HZ each, exactly as long as the picture."""
    total = sum(scene.frames for scene in scenes)
    original, dub = (np.zeros(int(total * HZ / rate), np.float32) for _ in range(2))
    first = 0
    for scene in scenes:
        if scene.line:
            start, end = (int((first + frames) * HZ / rate) for frames in (scene.lead, scene.frames))
            _lay(original, speak(scene.line, PITCH[scene.voice]), start, end)
            _lay(dub, speak(scene.dubbed, DUB_PITCH[scene.voice]), start, end)
        first += scene.frames
    return original, dub


@cache
def speak(text: str, pitch: float) -> NDArray[np.float32]:
    """One line at HZ. `pitch` scales every frequency of the voice, its formants too: 0.76 sounds like a man."""
    voice = _engine()
    spoken = np.asarray(voice(text, speed=float(np.clip(1 / pitch, 0.5, 2.0)), seed=0), np.float32)
    played = soxr.resample(spoken, _hz() * pitch, HZ).astype(np.float32)
    return np.asarray(played * (PEAK / max(float(np.abs(played).max()), 1e-6)), np.float32)


def _lay(track: NDArray[np.float32], line: NDArray[np.float32], start: int, end: int) -> None:
    length = min(len(line), end - start)
    track[start : start + length] += line[:length]


@cache
def _engine() -> Any:
    try:
        from hibari import Hibari
    except ImportError as error:
        raise Missing(
            "The demo speaks with the package hibari-tts, which is not installed. Run `pip install 'dubline[demo]'`."
        ) from error
    return Hibari()


def _hz() -> int:
    from hibari import SAMPLE_RATE

    return int(SAMPLE_RATE)
