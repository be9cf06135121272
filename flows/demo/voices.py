"""The demo's voices: one neural voice from an installed package, and lower and higher ones made from it.

Promises: the same text gives the same samples on every machine; nothing is fetched.
"""

import warnings
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
PITCH: Final = {"woman": 1.0, "man": 0.76, "cat": 1.3, "robot": 0.6}
DUB_PITCH: Final = {"woman": 1.06, "man": 0.72, "cat": 1.22, "robot": 0.64}  # the dub has its own actors
HEADROOM_DB: Final = 6.0  # every line peaks this far under full scale
FADE_MS: Final = 5


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
    played = soxr.resample(spoken, _hz() * pitch, HZ)
    return _mixed(np.clip(played * 32767, -32768, 32767).astype(np.int16))


def _mixed(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """One line as a mixer would hand it over: no click at its ends, the same peak as the others."""
    with warnings.catch_warnings():
        # pydub 0.25 has escapes that Python warns of, and looks for an ffmpeg that this does not need.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment, effects
    line = AudioSegment(samples.tobytes(), frame_rate=HZ, sample_width=2, channels=1)
    line = effects.normalize(line.fade_in(FADE_MS).fade_out(FADE_MS), headroom=HEADROOM_DB)
    return np.asarray(line.get_array_of_samples(), np.float32) / np.float32(32768)


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
