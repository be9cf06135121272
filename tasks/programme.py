"""Which of a film's sounds is its programme, the one that is heard when nobody chooses; and what they are beside a dub.

Pure. Commentaries, descriptions for the blind and mixes for the hard of hearing are somebody's choice and never it.
"""

from typing import Final, Literal

from storage.film.language import same_language
from storage.film.probe import Film, Stream

Mode = Literal["add", "replace"]

CHOSEN: Final = frozenset(
    {
        "comment",
        "lyrics",
        "karaoke",
        "hearing_impaired",
        "visual_impaired",
        "clean_effects",
        "descriptions",
        "dependent",
    }
)
SPOKEN: Final = frozenset({"original", "dub"})  # a film that has such marks has said all it wants to say


def programme(film: Film, language: str = "") -> Stream | None:
    """The film's programme sound; in this language, if it has one in it. None if it has only others, or none."""
    sounds = [sound for sound in film.sounds if not CHOSEN & set(sound.disposition)]
    spoken = [sound for sound in sounds if language and same_language(sound.tags.get("language", ""), language)]
    first = sorted(spoken or sounds, key=lambda sound: "default" not in sound.disposition)
    return first[0] if first else None


def beside_a_dub(film: Film, sound: Stream) -> tuple[str, ...]:
    """The marks of one of the film's sounds once there is a dub: not the default, and the programme is the original."""
    kept = tuple(word for word in sound.disposition if word != "default")
    marked = any(SPOKEN & set(each.disposition) for each in film.sounds)
    return kept if marked or sound is not programme(film) else (*kept, "original")
