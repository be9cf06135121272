"""Events: who did what, when, before → after. Append-only, and each row carries the hash of the one before it."""

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalog.base import Base, BigInt


class Event(Base):
    __tablename__ = "event"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("episode.id"), index=True)
    at_us: Mapped[int] = mapped_column(BigInt)
    who: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(String(60))  # shot.failed, take.circled, …
    about: Mapped[str] = mapped_column(String(100))  # sh0412, sh0412/f1/v002, …
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))  # hash of the row before, 64 zeros at the beginning
    hash: Mapped[str] = mapped_column(String(64), unique=True)
