"""What is said: words and their times, by a Whisper checkpoint that already lies on this disk.

Nothing is downloaded: a name that is no file is an error. The same sound gives the same words: decoding is greedy,
and no window is told what the one before said, which stops Whisper's loops.
"""

import warnings
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

HZ: Final = 16_000


class Word(NamedTuple):
    """One word as it was said; samples at 16 kHz, half open. `text` brings its own spaces, as its language wants."""

    start: int
    end: int
    text: str


def transcribe(wave: NDArray[np.float32], checkpoint: Path, language: str | None = None) -> list[Word]:
    """The words in order.

    wave        (N,) −1 … 1 at 16 kHz
    checkpoint  a .pt file of openai-whisper, read as tensors only
    language    two letters; None lets Whisper listen for itself
    raises      FileNotFoundError if there is no such file
    """
    if not checkpoint.is_file():  # whisper would take the name for one to download
        raise FileNotFoundError(checkpoint)
    import whisper

    model = whisper.load_model(str(checkpoint))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Failed to launch Triton kernels")  # slower on such machines, not worse
        warnings.filterwarnings("ignore", "unclosed file.*tiktoken", ResourceWarning)  # whisper's tokenizer, 20250625
        said = model.transcribe(
            wave, language=language, temperature=0.0, condition_on_previous_text=False, word_timestamps=True,
            fp16=torch.cuda.is_available(), verbose=None,
        )  # fmt: skip
    return [
        Word(round(word["start"] * HZ), round(word["end"] * HZ), word["word"])
        for segment in said["segments"]
        for word in segment["words"]
    ]
