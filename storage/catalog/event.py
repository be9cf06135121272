"""Events: who did what, when, before → after. Append-only, and each row carries the hash of the one before it."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt, now_us
from storage.catalog.session import hold_the_pen


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
    previous: Mapped[str] = mapped_column(String(64), unique=True)  # hash of the row before, 64 zeros at the beginning
    hash: Mapped[str] = mapped_column(String(64), unique=True)


GENESIS: Final = "0" * 64  # what the first event carries as the hash before it


def append(
    session: Session,
    episode_id: int | None,
    who: str,
    what: str,
    about: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Event:
    """Write down what happened. Part of the caller's transaction: what is undone was never said."""
    hold_the_pen(session.connection())
    session.flush()
    last = session.scalar(select(Event.hash).order_by(Event.id.desc()).limit(1))
    event = Event(
        episode_id=episode_id,
        at_us=now_us(),
        who=who,
        what=what,
        about=about,
        before=before or {},
        after=after or {},
        previous=last or GENESIS,
        hash="",
    )
    event.hash = _hash(event)
    session.add(event)
    session.flush()
    return event


def of_episode(session: Session, episode_id: int) -> Sequence[Event]:
    return session.scalars(select(Event).where(Event.episode_id == episode_id).order_by(Event.id)).all()


def verify_chain(session: Session) -> Event | None:
    """The first event that was changed, or whose predecessor is gone; None if all is as it was written.

    The chain cannot show that its newest events were cut off: whoever must know keeps the last hash elsewhere.
    """
    previous = GENESIS
    for event in session.scalars(select(Event).order_by(Event.id)):
        if event.previous != previous or event.hash != _hash(event):
            return event
        previous = event.hash
    return None


def _hash(event: Event) -> str:
    said = [
        event.previous,
        event.episode_id,
        event.at_us,
        event.who,
        event.what,
        event.about,
        event.before,
        event.after,
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
