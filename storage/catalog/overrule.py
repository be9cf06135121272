"""Overrules: what a person has said about a shot, kept with the episode by the shot's name.

So a word outlives the rows it decides about: cuts, faces and routes may be found anew, it counts again (ADR 22).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from storage.catalog.episode import Episode
from storage.catalog.route import HELD, PASS_THROUGH
from storage.catalog.shot import Shot

DID: Final = {HELD: "holds this shot", PASS_THROUGH: "skipped this shot"}


@dataclass(frozen=True)
class Overrule:
    """One person's word about one shot."""

    by: str  # who said the last of it; the others are in the events
    why: str
    model: str | None = None  # a model's name, PASS_THROUGH or HELD; None: the rules decide
    seed: int | None = None  # None: the job's

    @property
    def words(self) -> str:
        """Who did what, and why: "anna sent this shot to omnisync: the chin smears"."""
        did = DID.get(self.model or "", f"sent this shot to {self.model or 'whom the rules choose'}")
        return f"{self.by} {did}" + (f": {self.why}" if self.why else "")


def of(episode: Episode) -> dict[str, Overrule]:
    """By the shot's name; also of shots that are no more."""
    return {shot: Overrule(**said) for shot, said in episode.overrules.items()}


def say(session: Session, episode: Episode, words: Mapping[str, Overrule | None]) -> None:
    """Write down a word for each of these shots, or that there is none any more."""
    stored = session.get_one(Episode, episode.id)
    kept = {shot: said for shot, said in stored.overrules.items() if shot not in words}
    episode.overrules = stored.overrules = kept | {shot: as_json(said) for shot, said in words.items() if said}


def as_json(said: Overrule | None) -> dict[str, Any]:
    """As it is kept, and as events tell of it; empty if nobody has said anything."""
    if said is None:
        return {}
    return {name: value for name, value in asdict(said).items() if value is not None}


def unheard(episode: Episode, shots: Sequence[Shot]) -> list[str]:
    """A line for every word about a shot that is no more: it is kept, and counts again if the shot comes back."""
    there = {each.name for each in shots}
    return [
        f"{name} is no more since the film was cut anew. Kept is what was said of it: {said.words}"
        for name, said in sorted(of(episode).items())
        if name not in there
    ]
