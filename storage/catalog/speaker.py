"""Speakers: the voices of one side, as diarization or the stems tell them apart."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt, named


class Side(StrEnum):
    """Which sound a voice was heard in."""

    ORIGINAL = "original"
    DUB = "dub"


class Speaker(Base):
    __tablename__ = "speaker"
    __table_args__ = (UniqueConstraint("episode_id", "side", "name"),)

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True, init=False)
    side: Mapped[Side] = mapped_column(named(Side))
    name: Mapped[str] = mapped_column(String(100))
    heard_by: Mapped[str] = mapped_column(String(40))  # what told this voice apart: diarization, vad, stem, file


def of_episode(session: Session, episode_id: int) -> Sequence[Speaker]:
    return session.scalars(select(Speaker).where(Speaker.episode_id == episode_id).order_by(Speaker.id)).all()
