"""Shots: frames between two cuts. The unit of work."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt, named
from storage.errors import Refused


class ShotStatus(StrEnum):
    """Where a shot stands."""

    PLANNED = "planned"  # cut out; nobody has decided anything
    PASSED_THROUGH = "passed-through"  # needs no new mouth: the source is delivered
    WAITING = "waiting"  # has a route and no take yet
    RENDERING = "rendering"  # a process draws it, or died drawing it
    DONE = "done"  # every routed track has a circled take
    HELD = "held"  # waits for a person, with the reason; delivered as the source
    FAILED = "failed"  # red: the last attempt ended in an error; delivered as the source


MEANINGS: Final = {  # for people: `dubline show` and the report quote it
    ShotStatus.PLANNED: "nobody has decided anything yet",
    ShotStatus.PASSED_THROUGH: "needs no new mouth: the source is delivered",
    ShotStatus.WAITING: "has a route and no take yet: the source is delivered",
    ShotStatus.RENDERING: "was being drawn: the source is delivered",
    ShotStatus.DONE: "dubbed",
    ShotStatus.HELD: "waits for a person: the source is delivered meanwhile",
    ShotStatus.FAILED: "could not be drawn: the source is delivered",
}


class Shot(Base):
    __tablename__ = "shot"
    __table_args__ = (UniqueConstraint("episode_id", "name"),)

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True, init=False)
    name: Mapped[str] = mapped_column(String(24))  # sh0010, sh0020, …
    start: Mapped[int]  # first frame
    end: Mapped[int]  # one past the last frame
    status: Mapped[ShotStatus] = mapped_column(named(ShotStatus), default=ShotStatus.PLANNED)
    reason: Mapped[str] = mapped_column(default="")
    clip: Mapped[str] = mapped_column(String(200), default="", server_default="")  # as the turnover calls it
    reel: Mapped[str] = mapped_column(String(200), default="", server_default="")  # and what it comes from
    source_in: Mapped[str] = mapped_column(String(24), default="", server_default="")  # label of `start` on that reel


def of_episode(session: Session, episode_id: int) -> Sequence[Shot]:
    return session.scalars(select(Shot).where(Shot.episode_id == episode_id).order_by(Shot.start)).all()


def by_name(session: Session, episode_id: int, name: str) -> Shot:
    if found := session.scalar(select(Shot).where(Shot.episode_id == episode_id, Shot.name == name)):
        return found
    shots = of_episode(session, episode_id)
    there = f"It has {shots[0].name} … {shots[-1].name}." if shots else "It has not been split yet."
    raise Refused(f"The episode has no shot '{name}'. {there}")
