"""What is said, and in which language: words and their times, by a Whisper checkpoint that already lies on this disk.

Nothing is downloaded: a name that is no file is an error. The same sound gives the same words: decoding is greedy,
and no window is told what the one before said, which stops Whisper's loops. Where nobody speaks nothing is asked, for
Whisper hears words in music too; memory does not grow with the sound.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from models.speech.sound import HZ, LONGEST, Range, Sound

WINDOW: Final = 30 * HZ  # what Whisper hears at a time
PAUSE: Final = 5 * HZ  # of this length and longer, and Whisper is not asked what is said in it
AROUND: Final = HZ // 2  # it is asked from this much before a turn to this much after it
ASKED: Final = 4  # windows that are listened to for the language: those with the most speech


class Word(NamedTuple):
    """One word as it was said; samples at 16 kHz, half open. `text` brings its own spaces, as its language wants."""

    start: int
    end: int
    text: str


class Language(NamedTuple):
    """What is spoken."""

    code: str  # two or three letters: en, de, yue
    likely: float  # 0 … 1, the mean over the windows that were asked


def opened(checkpoint: Path) -> Any:
    """Whisper's network.

    checkpoint  a .pt file of openai-whisper, read as tensors only
    raises      FileNotFoundError if there is no such file
    """
    if not checkpoint.is_file():  # whisper would take the name for one to download
        raise FileNotFoundError(checkpoint)
    import whisper

    return whisper.load_model(str(checkpoint))


def language(network: Any, sound: Sound, spoken: Sequence[Range]) -> Language | None:
    """The language that is spoken; None if the network knows only one, or nobody speaks.

    sound   (N,) −1 … 1 at 16 kHz
    spoken  where somebody speaks, rising; a film may begin with a minute of music
    """
    if not network.is_multilingual or not spoken:
        return None
    import whisper

    likely: dict[str, float] = {}
    windows = _fullest(spoken)
    with _quiet():
        for first in windows:
            wave = np.ascontiguousarray(sound[first : min(first + WINDOW, len(sound))])
            mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(wave), network.dims.n_mels)
            for code, share in network.detect_language(mel.to(network.device))[1].items():
                likely[code] = likely.get(code, 0.0) + share / len(windows)
    return Language(*max(likely.items(), key=lambda each: each[1]))


def transcribe(network: Any, sound: Sound, spoken: Sequence[Range], spoken_in: str | None = None) -> list[Word]:
    """The words in order.

    sound      (N,) −1 … 1 at 16 kHz
    spoken     where somebody speaks, rising
    spoken_in  the language's letters; None lets Whisper listen for itself
    """
    words = []
    with _quiet():
        for first, last in passages(spoken, len(sound)):
            said = network.transcribe(
                np.ascontiguousarray(sound[first:last]), language=spoken_in, temperature=0.0,
                condition_on_previous_text=False, word_timestamps=True, fp16=torch.cuda.is_available(), verbose=None,
            )  # fmt: skip
            words += [
                Word(first + round(word["start"] * HZ), first + round(word["end"] * HZ), word["word"])
                for segment in said["segments"]
                for word in segment["words"]
            ]
    return words


def passages(spoken: Sequence[Range], length: int) -> list[Range]:
    """Where Whisper is asked: speech with its short pauses and a little around it, and never minutes of music."""
    found: list[Range] = []
    for start, end in spoken:
        start, end = max(0, start - AROUND), min(length, end + AROUND)
        if found and start < found[-1][1] + PAUSE and end - found[-1][0] <= LONGEST:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((max(start, found[-1][1]) if found else start, end))
    return [(start, end) for start, end in found if start < end]


def _fullest(spoken: Sequence[Range]) -> list[int]:
    """Where windows begin that hold the most speech, none overlapping another."""
    windows: list[list[int]] = []  # begin, samples of speech
    for start, end in spoken:
        if not windows or start >= windows[-1][0] + WINDOW:
            windows.append([start, 0])
        windows[-1][1] += min(end, windows[-1][0] + WINDOW) - start
    return [first for first, _ in sorted(windows, key=lambda each: -each[1])[:ASKED]]


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Failed to launch Triton kernels")  # slower on such machines, not worse
        warnings.filterwarnings("ignore", "unclosed file.*tiktoken", ResourceWarning)  # whisper's tokenizer, 20250625
        yield
