"""Steps: what an episode has finished. Resume reads them, `estimate` will."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt


class Step(Base):
    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("episode_id", "name"),)

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))  # ingest, split, listen, look, cast, route, conform, deliver
    key: Mapped[str] = mapped_column(String(64))  # sha256 of the inputs; another key means: do it again
    microseconds: Mapped[int] = mapped_column(BigInt)
    machine: Mapped[str]
    finished_us: Mapped[int] = mapped_column(BigInt)
    notes: Mapped[dict[str, Any]]  # what the step has to say beside its rows: versions, what was skipped and why


def of_episode(session: Session, episode_id: int) -> Sequence[Step]:
    """In the order they were finished."""
    return session.scalars(select(Step).where(Step.episode_id == episode_id).order_by(Step.finished_us, Step.id)).all()
