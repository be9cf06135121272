"""What listening has to tell a person, out of the notes of its step."""

from collections.abc import Mapping
from typing import Any


def languages(notes: Mapping[str, Any]) -> dict[str, str]:
    """The language of each side, like {"original": "en", "dub": "de?"}; empty where nobody listened for it."""
    return dict(notes.get("languages", {}))


def remarks(notes: Mapping[str, Any]) -> list[str]:
    """What is spoken, and what was unlike what was expected, a sentence each."""
    spoken = languages(notes)
    said = ", ".join(f"{side} {spoken[side]}" for side in sorted(spoken, reverse=True))
    unlike = [
        f"{key}: {notes[key]}"
        for key in sorted(notes)
        if key.startswith(("transcript", "voices of", "no speech in", "words of"))
    ]
    return [*([f"languages: {said}"] if said else []), *unlike]
