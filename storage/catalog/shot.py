"""Shots: frames between two cuts. The unit of work."""

from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalog.base import Base, BigInt, named


class ShotStatus(StrEnum):
    """Where a shot stands."""

    PLANNED = "planned"  # cut out; nobody has decided anything
    PASSED_THROUGH = "passed-through"  # needs no new mouth: the source is delivered
    WAITING = "waiting"  # has a route and no take yet
    RENDERING = "rendering"  # a process draws it, or died drawing it
    DONE = "done"  # every routed track has a circled take
    HELD = "held"  # waits for a person, with the reason; delivered as the source
    FAILED = "failed"  # red: the last attempt ended in an error; delivered as the source


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
