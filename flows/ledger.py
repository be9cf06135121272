"""The steps of one episode: what is done is read from the catalog, what is not is computed and written down.

Promises: a step and its rows are one transaction, so a process killed anywhere leaves whole steps and no half ones.
A step's key covers what was asked, this Dubline's version and every step before it; another key means that the step
and all behind it are forgotten and done anew. Takes are never forgotten: they are found again by their own keys.
"""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flows.progress import Progress
from storage import VERSION
from storage.catalog import (
    Artifact,
    Base,
    Character,
    Episode,
    Finding,
    Route,
    Shot,
    Speaker,
    Step,
    Track,
    Turn,
    artifact,
)
from storage.catalog.base import now_us
from storage.catalog.session import catalog
from tasks.progress import OnProgress, unseen

ORDER: Final = ("ingest", "split", "look", "listen", "cast", "route", "deliver")

UNITS: Final = {"split": "frames", "look": "frames", "deliver": "frames"}  # what progress counts

T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What a step brings: new rows, and what it has to say beside them."""

    rows: Iterable[Base] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    then: Callable[[Session], None] = lambda session: None  # written with the rows, once they have ids


class Ledger:
    """Of one episode, for one run of its flow."""

    def __init__(self, episode: Episode, progress: Progress, after: str = "") -> None:
        """after  key of the step that the next one follows, as the catalog has it; "": it is the first"""
        self.episode = episode
        self.progress = progress
        self._before = after  # key of the step before; each key contains it

    def step(
        self,
        name: str,
        asked: Mapping[str, Any],
        compute: Callable[[OnProgress], Found],
        stands: Callable[[Mapping[str, Any]], bool] = lambda notes: True,
        spent_us: int = 0,
    ) -> Mapping[str, Any]:
        """Do the step unless the catalog holds it as asked; returns its notes.

        asked    all that the step reads beside the rows of the steps before it, as JSON
        compute  does the work
        stands   whether the files that its notes speak of are still there
        spent_us what of it was done before the ledger could be opened
        """
        said = json.dumps([VERSION, name, asked, self._before], sort_keys=True, default=str)
        self._before = hashlib.sha256(said.encode()).hexdigest()
        if (notes := self._done(name)) is not None and stands(notes):
            if not spent_us:  # else it has just been shown
                self.progress.say(f"{name:<7}  done before")
            return notes
        began = time.monotonic_ns()
        shown = nullcontext(unseen) if spent_us else self.progress.step(name, UNITS.get(name, ""))
        with shown as on_progress:
            found = compute(on_progress)
        with catalog() as session:
            _forget(session, self.episode.id, ORDER[ORDER.index(name) :])
            _remember(session, self.episode.id, found.rows)
            found.then(session)
            session.add(
                Step(
                    episode_id=self.episode.id,
                    name=name,
                    key=self._before,
                    microseconds=spent_us + (time.monotonic_ns() - began) // 1000,
                    machine=platform.node(),
                    finished_us=now_us(),
                    notes=dict(found.notes),
                )
            )
        return found.notes

    def read(self, query: Callable[[Session, int], T]) -> T:
        """The episode's rows as the catalog has them, so no step can see whether this is a second attempt."""
        with catalog() as session:
            return query(session, self.episode.id)

    def _done(self, name: str) -> Mapping[str, Any] | None:
        with catalog() as session:
            step = session.scalar(select(Step).where(Step.episode_id == self.episode.id, Step.name == name))
        return step.notes if step is not None and step.key == self._before else None


def _remember(session: Session, episode_id: int, rows: Iterable[Base]) -> None:
    """Add new rows, and say of which episode they are where the step that made them could not know."""
    for row in rows:
        if isinstance(row, Shot | Speaker | Character | Finding):
            row.episode_id = episode_id
        if isinstance(row, Turn):
            row.speaker.episode_id = episode_id
        if isinstance(row, Artifact):
            artifact.remember(session, [row])
        else:
            session.add(row)
    session.flush()


def _forget(session: Session, episode_id: int, steps: Iterable[str]) -> None:
    """Delete what these steps found, the last one's first. Tracks leave their takes behind (ADR 3)."""
    shots = select(Shot.id).where(Shot.episode_id == episode_id)
    tracks = select(Track.id).where(Track.shot_id.in_(shots))
    of_step = {
        "deliver": delete(Finding).where(Finding.episode_id == episode_id, Finding.take_id.is_(None)),
        "route": delete(Route).where(Route.track_id.in_(tracks)),
        "cast": delete(Character).where(Character.episode_id == episode_id),
        "listen": delete(Speaker).where(Speaker.episode_id == episode_id),
        "look": delete(Track).where(Track.shot_id.in_(shots)),
        "split": delete(Shot).where(Shot.episode_id == episode_id),
    }
    for name in sorted(steps, key=ORDER.index, reverse=True):
        session.execute(delete(Step).where(Step.episode_id == episode_id, Step.name == name))
        if name in of_step:
            session.execute(of_step[name])
