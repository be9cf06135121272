"""Takes: what was drawn, by what, and whether it is the one. Never changed, never deleted; a better take is a new row.

`key` is the sha256 of all that decides the pixels, so the same question is never drawn twice: a track of another
episode that asks it gets a row of its own on the same files (ADR 3).
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt
from storage.catalog.session import hold_the_pen
from storage.catalog.shot import Shot
from storage.catalog.track import Track


class Take(Base):
    __tablename__ = "take"
    __table_args__ = (UniqueConstraint("track_id", "version"), UniqueConstraint("track_id", "key"))

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    track_id: Mapped[int | None] = mapped_column(
        ForeignKey("track.id", ondelete="SET NULL"), index=True
    )  # None: found anew
    version: Mapped[int]  # said and shown as v001
    key: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str] = mapped_column(String(40))
    weights_sha: Mapped[str] = mapped_column(String(64))
    seed: Mapped[int]
    patch: Mapped[str] = mapped_column(
        String(64)
    )  # sha of the patch film: one picture per changed frame, the film's pixel format
    matte: Mapped[str] = mapped_column(String(64))  # sha of the matte film: 8 bit grey, the patch's size
    placements: Mapped[list[Any]]  # [[frame, x, y], …] in the order of the patch: where its top left pixel lies
    microseconds_a_frame: Mapped[int] = mapped_column(BigInt)  # measured; `estimate` will read it
    machine: Mapped[str]
    rendered_us: Mapped[int] = mapped_column(BigInt)
    circled: Mapped[bool] = mapped_column(default=False)


def answering(session: Session, key: str) -> Sequence[Take]:
    """The takes that answer this question already, whoever asked it before and in whichever episode."""
    return session.scalars(select(Take).where(Take.key == key).order_by(Take.id)).all()


def copy(of: Take) -> Take:
    """A new row on the same files, for the track of another episode, or the same face found anew."""
    return Take(**{each.name: getattr(of, each.name) for each in fields(of) if each.init} | {"circled": False})


def next_version(session: Session, track_id: int) -> int:
    hold_the_pen(session.connection())
    return 1 + (session.scalar(select(func.max(Take.version)).where(Take.track_id == track_id)) or 0)


def of_episode(session: Session, episode_id: int) -> Sequence[Take]:
    """Every take of every track, circled or not, in the order of the film."""
    drawn = select(Take).join(Track, Take.track_id == Track.id).join(Shot, Track.shot_id == Shot.id)
    return session.scalars(
        drawn.where(Shot.episode_id == episode_id).order_by(Shot.start, Track.id, Take.version)
    ).all()


def circle(session: Session, chosen: Take) -> None:
    """From now on this is the take of its track that is used; exactly one is."""
    hold_the_pen(session.connection())
    for other in session.scalars(select(Take).where(Take.track_id == chosen.track_id, Take.circled)):
        other.circled = False
    chosen.circled = True
