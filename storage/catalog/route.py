"""Routes: the model chosen for one track of one shot, and the reason in words."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt
from storage.catalog.shot import Shot
from storage.catalog.track import Track

PASS_THROUGH = "pass-through"  # the source is delivered
HELD = "held"  # a person must decide; the source is delivered meanwhile


class Route(Base):
    __tablename__ = "route"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id", ondelete="CASCADE"), unique=True)
    model: Mapped[str] = mapped_column(String(40))  # a name of models.registry, PASS_THROUGH or HELD
    reason: Mapped[str]  # one sentence with the number that decided
    numbers: Mapped[dict[str, Any]]  # the measures the rule read
    ranges: Mapped[list[Any]]  # [[start, end], …]: frames to render, half open; empty for pass-through
    decided_by: Mapped[str] = mapped_column(String(100), default="dubline")  # or "--model", or a person
    seed: Mapped[int | None] = mapped_column(BigInt, default=None)  # where a person asked for another; else the job's


def of_episode(session: Session, episode_id: int) -> Sequence[Route]:
    """In the order of the film."""
    chosen = select(Route).join(Track, Route.track_id == Track.id).join(Shot, Track.shot_id == Shot.id)
    return session.scalars(chosen.where(Shot.episode_id == episode_id).order_by(Shot.start, Track.id)).all()


def of_shot(session: Session, shot_id: int) -> Sequence[Route]:
    """From left to right."""
    chosen = select(Route).join(Track, Route.track_id == Track.id).where(Track.shot_id == shot_id)
    return session.scalars(chosen.order_by(Track.id)).all()
