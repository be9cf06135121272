"""Turns: one stretch of speech by one speaker. Turns of two speakers may overlap."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, contains_eager, mapped_column, relationship

from storage.catalog.base import Base, BigInt
from storage.catalog.speaker import Speaker


class Turn(Base):
    __tablename__ = "turn"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    speaker_id: Mapped[int] = mapped_column(ForeignKey("speaker.id", ondelete="CASCADE"), index=True, init=False)
    speaker: Mapped[Speaker] = relationship(lazy="raise")
    start_us: Mapped[int] = mapped_column(BigInt)  # microseconds after the film's first frame
    end_us: Mapped[int] = mapped_column(BigInt)
    text: Mapped[str | None] = mapped_column(default=None)  # what was said, where a transcript was made


def of_episode(session: Session, episode_id: int) -> Sequence[Turn]:
    """Turns of both sides in the order they are heard, each with its speaker."""
    heard = select(Turn).join(Turn.speaker).options(contains_eager(Turn.speaker))
    return session.scalars(heard.where(Speaker.episode_id == episode_id).order_by(Turn.start_us, Turn.id)).all()
