"""Turns: one stretch of speech by one speaker. Turns of two speakers may overlap."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.catalog.base import Base, BigInt
from storage.catalog.speaker import Speaker


class Turn(Base):
    __tablename__ = "turn"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    speaker_id: Mapped[int] = mapped_column(ForeignKey("speaker.id"), index=True, init=False)
    speaker: Mapped[Speaker] = relationship(lazy="raise")
    start_us: Mapped[int] = mapped_column(BigInt)  # microseconds after the film's first frame
    end_us: Mapped[int] = mapped_column(BigInt)
    text: Mapped[str | None] = mapped_column(default=None)  # what was said, where a transcript was made
