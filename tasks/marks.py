"""Song, laughter and crowds: what a face that is drawn does besides plain speech, so that a person or a rule may look.

Promises: nothing is guessed from sound. Song and laughter are read from what `--voices` or a transcript has written
down, ♪ and (laughs) and ha ha ha; a crowd is three voices at once.
Deliberately not here: what follows from it (tasks/rules.py asks, where a studio's table does).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from storage.catalog import Side, Turn
from storage.film.probe import Film
from tasks.ranges import Range, length, meet, runs, under, union

CROWD: Final = 3  # voices at once
LONG: Final = 6  # frames that so many speak at once: fewer are turns that meet
# In the brackets of captions for the deaf, in the languages most films are dubbed from and into. Whole words:
# Singh and Lachmann are names.
SINGING: Final = r"sings|singing|singt|singend|gesang|chante|chantant|canta|cantan|cantando"
LAUGHING: Final = (
    r"laughs?|laughing|laughter|chuckl(?:es|ing)|giggl(?:es|ing)|lacht|lachen|lachend|kichert|kichern|rires?|rit|ricane|"
    r"ríe|risas?|ride|risat[ae]|risos?"
)
SUNG: Final = re.compile(rf"[♩♪♫♬]|[\[(*][^\])*]*\b(?:{SINGING})\b[^\])*]*[\])*]", re.IGNORECASE)
LAUGHED: Final = re.compile(
    rf"[\[(*][^\])*]*\b(?:{LAUGHING})\b[^\])*]*[\])*]|\b(?:(?:ha|he|hi|hé|ja|ah)[\s,!.-]*){{3,}}(?!\w)", re.IGNORECASE
)
SAID: Final = {
    "sings": "part of it is sung",
    "laughs": "there is laughter in it",
    "crowd": "three voices or more at once",
}


def marks(film: Film, ranges: Sequence[Range], theirs: Sequence[Turn], crowded: Sequence[Range]) -> dict[str, bool]:
    """What is found in these frames: `sings`, `laughs`, `crowd`.

    theirs   what the character of the face says, in the film and in the dub
    crowded  where `crowds` are heard
    """
    here = [turn.text for turn in theirs if turn.text and meet([under(film, turn.start_us, turn.end_us)], ranges)]
    return {
        "sings": any(SUNG.search(text) for text in here),
        "laughs": any(LAUGHED.search(text) for text in here),
        "crowd": length(meet(crowded, ranges)) >= LONG,
    }


def marked(text: str) -> bool:
    """Whether these words are marked as song or laughter."""
    return bool(SUNG.search(text) or LAUGHED.search(text))


def crowds(film: Film, turns: Sequence[Turn]) -> list[Range]:
    """The frames in which a crowd is heard, in the film or in the dub."""
    voices: dict[tuple[Side, str], list[Range]] = {}
    for turn in turns:
        heard = voices.setdefault((turn.speaker.side, turn.speaker.name), [])
        heard.append(under(film, turn.start_us, turn.end_us))
    together = []
    for side in Side:
        steps = np.zeros(film.frames + 1, np.int32)
        for (of, _), heard in voices.items():
            for start, end in union(heard) if of == side else ():
                steps[start] += 1
                steps[end] -= 1
        together += runs(np.flatnonzero(np.cumsum(steps) >= CROWD).astype(np.int32))
    return union(together)


def in_words(measures: Mapping[str, object]) -> list[str]:
    """What a route says of it."""
    return [words for mark, words in SAID.items() if measures.get(mark)]
