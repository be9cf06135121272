"""Consents: a performer's agreement that this face may speak another language. The document itself stays outside."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalog.base import Base, BigInt


class Consent(Base):
    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    episode_id: Mapped[int] = mapped_column(ForeignKey("episode.id"), index=True)
    character_id: Mapped[int | None] = mapped_column(
        ForeignKey("character.id", ondelete="SET NULL"), index=True
    )  # None: the whole cast
    performer: Mapped[str]
    document: Mapped[str]  # where the signed paper lies
    document_sha: Mapped[str] = mapped_column(String(64))
    given_us: Mapped[int] = mapped_column(BigInt)
    revoked_us: Mapped[int | None] = mapped_column(BigInt, default=None)
