"""Bindings: what persons have said about the cast of an episode, kept with it by the character's name.

So a word outlives the rows it decides about. A face is not kept by its number, which is given anew whenever faces are
looked for, but by what it is known again by, and by where it was seen when the word was said (ADR 28).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from storage.catalog.episode import Episode

NOBODY: Final = "nobody"  # in place of a character's name: faces that have no voice, however their lips move


@dataclass(frozen=True)
class FaceWord:
    """One person, as seen when somebody spoke of them."""

    shot: str  # names of the shot and of the track in it where they were seen longest
    track: str
    seen: tuple[float, ...] = ()  # (128,) mean descriptor of a filmed face, (256,) colours of a drawn head, or nothing

    @property
    def where(self) -> str:
        return f"{self.shot}/{self.track}"


@dataclass(frozen=True)
class Binding:
    """What persons have said about one character."""

    by: str  # who said the last of it; the others are in the events
    why: str = ""
    faces: tuple[FaceWord, ...] = ()
    original: str | None = None  # name of their voice in the film; None: as it is found
    dub: str | None = None  # in the dub

    @property
    def empty(self) -> bool:
        """Whether nothing is said of voices or faces any more."""
        return not self.faces and self.original is None and self.dub is None


def of(episode: Episode) -> dict[str, Binding]:
    """By the character's name, and NOBODY."""
    return read(episode.bindings)


def read(kept: Mapping[str, Any]) -> dict[str, Binding]:
    """From the episode's column."""
    return {
        name: Binding(**{**said, "faces": tuple(_face(one) for one in said.get("faces", ()))})
        for name, said in kept.items()
    }


def say(session: Session, episode: Episode, words: Mapping[str, Binding | None]) -> None:
    """Write down a word for each of these names, or that there is none any more."""
    stored = session.get_one(Episode, episode.id)
    kept = {name: said for name, said in stored.bindings.items() if name not in words}
    new = {name: as_json(said) for name, said in words.items() if said is not None and not said.empty}
    episode.bindings = stored.bindings = kept | new


def as_json(said: Binding) -> dict[str, Any]:
    """As it is kept."""
    kept = {name: value for name, value in asdict(said).items() if value}
    if said.faces:
        kept["faces"] = [asdict(one) | {"seen": list(one.seen)} for one in said.faces]
    return kept


def told(said: Binding | None) -> dict[str, Any]:
    """As events tell of it: faces by where they were seen; empty if nobody has said anything."""
    if said is None:
        return {}
    return as_json(said) | ({"faces": [one.where for one in said.faces]} if said.faces else {})


def _face(kept: Mapping[str, Any]) -> FaceWord:
    return FaceWord(kept["shot"], kept["track"], tuple(kept["seen"]))
