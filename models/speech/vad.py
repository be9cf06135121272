"""Where somebody speaks, whoever it is: silero VAD, whose weights come with its wheel (MIT).

Promises: memory does not grow with the sound but for one number each 32 ms.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch

from models.speech.sound import HZ as HZ
from models.speech.sound import Range, Sound

COLUMN: Final = 512  # samples the network hears at a time
BLOCK: Final = 30 * HZ // COLUMN * COLUMN  # samples read at a time


def speech(sound: Sound) -> list[Range]:
    """Stretches of speech, [start, end) in samples, rising, none touching the next.

    sound   (N,) −1 … 1 at 16 kHz
    source  silero VAD 6.2, its own thresholds: 250 ms of speech at least, pauses under 100 ms are none
    """
    with kept_threads():
        from silero_vad import load_silero_vad
        from silero_vad.utils_vad import get_speech_timestamps_from_probs

        likely = list(_columns(sound, load_silero_vad(onnx=True)))
    found = get_speech_timestamps_from_probs(likely, sampling_rate=HZ, audio_length_samples=len(sound))
    return [(stretch["start"], stretch["end"]) for stretch in found]


def _columns(sound: Sound, network: Callable[[torch.Tensor, int], torch.Tensor]) -> Iterator[float]:
    """How likely each column holds speech, 0 … 1."""
    for first in range(0, len(sound), BLOCK):
        block = np.ascontiguousarray(sound[first : min(first + BLOCK, len(sound))], np.float32)
        for column in np.pad(block, (0, -len(block) % COLUMN)).reshape(-1, COLUMN):
            yield network(torch.from_numpy(column), HZ).item()


@contextmanager
def kept_threads() -> Iterator[None]:
    """`import silero_vad` sets torch to one thread for the whole process; this gives the others back."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
