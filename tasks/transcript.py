"""The transcript: each side's language, its words with their times, and each turn's words.

Promises: no word is lost: all are kept with their times in an artifact, also those that no turn is near enough to.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from models.speech import transcribe
from models.speech.transcribe import Word
from storage import artifacts
from storage.catalog import Artifact, Side, Turn
from storage.errors import Missing
from storage.film.read import Recording
from storage.settings import settings
from tasks.clock import microseconds, sample
from tasks.ranges import union

ASTRAY: Final = 1_000_000  # µs between a word and the nearest turn: farther, and nobody is known to have said it
SURE: Final = 0.5  # how likely a language must be to be named without a question mark


def write_down(turns: Sequence[Turn], sounds: Mapping[Side, Recording]) -> tuple[dict[str, Any], list[Artifact]]:
    """Give each turn its words. Returns notes, among them languages by side, and an artifact of words for each side.

    raises  Missing if DUBLINE_WHISPER names no file
    """
    checkpoint = settings().whisper
    if checkpoint is None:
        return {"transcript": "skipped: DUBLINE_WHISPER names no Whisper checkpoint"}, []
    if not checkpoint.is_file():
        raise Missing(f"DUBLINE_WHISPER names {checkpoint}, and there is no such file. Correct or unset it.")
    network = transcribe.opened(checkpoint)
    languages: dict[str, str] = {}
    words: dict[str, Artifact] = {}
    notes: dict[str, Any] = {"transcript": f"by Whisper, {checkpoint.name}"}
    for side, sound in sounds.items():
        mine = [turn for turn in turns if turn.speaker.side == side]
        spoken = union((sample(turn.start_us), min(sample(turn.end_us), len(sound))) for turn in mine)
        if not spoken:
            continue
        tongue = transcribe.language(network, sound, spoken)
        if tongue is not None:
            languages[side.value] = tongue.code if tongue.likely >= SURE else f"{tongue.code}?"
        said = transcribe.transcribe(network, sound, spoken, tongue.code if tongue else None)
        words[side.value] = keep_words(said)
        if lost := hand_out(said, mine):
            notes[f"words of nobody in {side}"] = f"{lost}, more than a second away from every turn"
    notes |= {"languages": languages, "words": {side: kept.sha for side, kept in words.items()}}
    if not network.is_multilingual:
        notes["transcript"] += ", which knows English only, so nobody listened for the language"
    return notes, list(words.values())


def keep_words(words: Sequence[Word]) -> Artifact:
    """Words as arrays: start_us and end_us, (W,) int64 on the film's clock, and text, (W,) with its own spaces."""
    return artifacts.put_arrays(
        "words",
        {
            "start_us": np.array([microseconds(word.start) for word in words], np.int64),
            "end_us": np.array([microseconds(word.end) for word in words], np.int64),
            "text": np.array([word.text for word in words], np.str_),
        },
    )


def hand_out(words: Sequence[Word], turns: Sequence[Turn]) -> int:
    """Each word to the turn its middle lies in, or the nearest; where two overlap, to the one that began later.

    Returns how many were said more than a second away from every turn, and are nobody's.
    """
    said: dict[int, list[str]] = {}
    astray = 0
    for word in words:
        middle = microseconds((word.start + word.end) // 2)
        away = [max(turn.start_us - middle, middle - turn.end_us, 0) for turn in turns]
        nearest = min(range(len(turns)), key=lambda n: (away[n], -turns[n].start_us))
        if away[nearest] > ASTRAY:
            astray += 1
        else:
            said.setdefault(nearest, []).append(word.text)
    for number, texts in said.items():
        turns[number].text = "".join(texts).strip()
    return astray
