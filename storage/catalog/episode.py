"""Episodes: one film with one dub in one language. One row is one job."""

import difflib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt, named
from storage.catalog.session import hold_the_pen
from storage.errors import Refused


class EpisodeStatus(StrEnum):
    """Where an episode stands."""

    PLANNED = "planned"  # only its plan was asked for: nobody has queued it, and nothing of it is drawn
    QUEUED = "queued"  # submitted; nothing has started
    RUNNING = "running"  # a process works on it, or died working on it: started again, it goes on
    DELIVERED = "delivered"  # the delivery is whole and no shot is red or held
    PARTIAL = "partial"  # the delivery exists; at least one shot is red or held and is delivered as the source
    FAILED = "failed"  # there is no delivery; the reason is in `reason`


class Episode(Base):
    __tablename__ = "episode"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    film: Mapped[str]  # as every machine understands it (storage/roots.py); dub and out likewise
    dub: Mapped[str]
    out: Mapped[str]
    film_sha: Mapped[str] = mapped_column(String(64), index=True)  # fingerprint of the film's bytes
    dub_sha: Mapped[str] = mapped_column(String(64))
    frames: Mapped[int]
    rate_num: Mapped[int]  # frames a second as a fraction: 24000
    rate_den: Mapped[int]  # 1001
    job: Mapped[dict[str, Any]]  # everything that was asked for, as tasks.job.EpisodeJob dumps it
    created_us: Mapped[int] = mapped_column(BigInt)
    status: Mapped[EpisodeStatus] = mapped_column(named(EpisodeStatus), default=EpisodeStatus.QUEUED)
    reason: Mapped[str] = mapped_column(default="")
    overrules: Mapped[dict[str, Any]] = mapped_column(
        default_factory=dict, server_default="{}"
    )  # by the shot's name, see storage.catalog.overrule
    bindings: Mapped[dict[str, Any]] = mapped_column(
        default_factory=dict, server_default="{}"
    )  # what persons have said about the cast, by the character's name


def by_name(session: Session, name: str) -> Episode:
    """The episode an operator means; Refused with the nearest names if there is none."""
    if found := session.scalar(select(Episode).where(Episode.name == name)):
        return found
    names = session.scalars(select(Episode.name).order_by(Episode.id.desc())).all()
    near = difflib.get_close_matches(name, names, n=3) or names[:5]
    there = f"There are {', '.join(near)}." if near else "The catalog is empty."
    raise Refused(f"No episode is called '{name}'. {there} `dubline status` lists them.")


def of_film(session: Session, film_sha: str, dub_sha: str) -> Episode | None:
    """The newest episode of these very bytes."""
    same = select(Episode).where(Episode.film_sha == film_sha, Episode.dub_sha == dub_sha)
    return session.scalar(same.order_by(Episode.id.desc()).limit(1))


def newest_first(session: Session) -> Sequence[Episode]:
    return session.scalars(select(Episode).order_by(Episode.id.desc())).all()


def free_name(session: Session, wish: str) -> str:
    """`wish`, or `wish-2`, `wish-3` … if another episode has it."""
    hold_the_pen(session.connection())
    taken = set(session.scalars(select(Episode.name).where(Episode.name.startswith(wish, autoescape=True))))
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}-{number}"
    return name
