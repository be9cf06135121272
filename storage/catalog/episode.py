"""Episodes: one film with one dub in one language. One row is one job."""

from enum import StrEnum
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalog.base import Base, BigInt, named


class EpisodeStatus(StrEnum):
    """Where an episode stands."""

    QUEUED = "queued"  # submitted; nothing has started
    RUNNING = "running"  # a process works on it, or died working on it: started again, it goes on
    DELIVERED = "delivered"  # the delivery is whole and no shot is red or held
    PARTIAL = "partial"  # the delivery exists; at least one shot is red or held and is delivered as the source
    FAILED = "failed"  # there is no delivery; the reason is in `reason`


class Episode(Base):
    __tablename__ = "episode"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    film: Mapped[str]  # path or URL as given
    dub: Mapped[str]
    out: Mapped[str]
    film_sha: Mapped[str] = mapped_column(String(64))  # fingerprint of the film's bytes
    dub_sha: Mapped[str] = mapped_column(String(64))
    frames: Mapped[int]
    rate_num: Mapped[int]  # frames a second as a fraction: 24000
    rate_den: Mapped[int]  # 1001
    job: Mapped[dict[str, Any]]  # everything that was asked for, as tasks.job.EpisodeJob dumps it
    created_us: Mapped[int] = mapped_column(BigInt)
    status: Mapped[EpisodeStatus] = mapped_column(named(EpisodeStatus), default=EpisodeStatus.QUEUED)
    reason: Mapped[str] = mapped_column(default="")
