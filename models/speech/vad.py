"""Where somebody speaks, whoever it is: silero VAD, whose weights come with its wheel (MIT)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

HZ: Final = 16_000


def speech(wave: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Stretches of speech, [start, end) in samples, rising, none touching the next.

    wave    (N,) −1 … 1 at 16 kHz
    source  silero VAD 6.2, its own thresholds: 250 ms of speech at least, pauses under 100 ms are none
    """
    with kept_threads():
        from silero_vad import get_speech_timestamps, load_silero_vad

        found = get_speech_timestamps(torch.from_numpy(np.ascontiguousarray(wave)), load_silero_vad(onnx=True))
    return [(stretch["start"], stretch["end"]) for stretch in found]


@contextmanager
def kept_threads() -> Iterator[None]:
    """`import silero_vad` sets torch to one thread for the whole process; this gives the others back."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
