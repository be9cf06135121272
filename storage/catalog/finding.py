"""Findings: one check on a take or a delivery."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt, named


class Verdict(StrEnum):
    """What a check says. Without a target there is no pass."""

    GREEN = "green"  # the target is met
    RED = "red"  # it is not
    NO_TARGET = "no-target"  # measured; nobody has said what is good


class Finding(Base):
    __tablename__ = "finding"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True, init=False)
    take_id: Mapped[int | None] = mapped_column(ForeignKey("take.id"), index=True)  # None: on the delivery
    meter: Mapped[str] = mapped_column(String(60))  # what measured, with its version
    value: Mapped[float]
    unit: Mapped[str] = mapped_column(String(24))
    target: Mapped[float | None]
    verdict: Mapped[Verdict] = mapped_column(named(Verdict))
    disposition: Mapped[str] = mapped_column(default="")  # what a person decided about it


def of_episode(session: Session, episode_id: int) -> Sequence[Finding]:
    return session.scalars(select(Finding).where(Finding.episode_id == episode_id).order_by(Finding.id)).all()
