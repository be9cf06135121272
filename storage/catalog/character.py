"""Characters: the bound triple original voice, dub voice, face. The table of them is the cast."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalog.base import Base, BigInt


class Character(Base):
    __tablename__ = "character"
    __table_args__ = (UniqueConstraint("episode_id", "name"),)

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True, init=False)
    name: Mapped[str] = mapped_column(String(100))
    original_id: Mapped[int | None] = mapped_column(ForeignKey("speaker.id"))  # None: only the dub speaks
    dub_id: Mapped[int | None] = mapped_column(ForeignKey("speaker.id"))  # None: the dub is silent where this voice spoke
    overlap: Mapped[float]  # share of the shorter side's speech that the two voices have in common, 0 … 1
    bound_by: Mapped[str] = mapped_column(String(100), default="dubline")  # or the person who overruled it
