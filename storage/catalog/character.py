"""Characters: the bound triple original voice, dub voice, face. The table of them is the cast."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt


class Character(Base):
    __tablename__ = "character"
    __table_args__ = (UniqueConstraint("episode_id", "name"),)

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True, init=False)
    name: Mapped[str] = mapped_column(String(100))
    original_id: Mapped[int | None] = mapped_column(ForeignKey("speaker.id"))  # None: only the dub speaks
    dub_id: Mapped[int | None] = mapped_column(
        ForeignKey("speaker.id")
    )  # None: the dub is silent where this voice spoke
    overlap: Mapped[float]  # share of the shorter side's speech that the two voices have in common, 0 … 1
    bound_by: Mapped[str] = mapped_column(String(100), default="dubline")  # or the person who overruled it


def of_episode(session: Session, episode_id: int) -> Sequence[Character]:
    return session.scalars(select(Character).where(Character.episode_id == episode_id).order_by(Character.id)).all()
