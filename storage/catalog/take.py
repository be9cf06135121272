"""Takes: what was drawn, by what, and whether it is the one. Never changed, never deleted; a better take is a new row.

`key` is the sha256 of all that decides the pixels, so the same question is never drawn twice: a track of another
episode that asks it gets a row of its own on the same files (ADR 3).
"""

from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalog.base import Base, BigInt


class Take(Base):
    __tablename__ = "take"
    __table_args__ = (UniqueConstraint("track_id", "version"), UniqueConstraint("track_id", "key"))

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id"), index=True)
    version: Mapped[int]  # said and shown as v001
    key: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str] = mapped_column(String(40))
    weights_sha: Mapped[str] = mapped_column(String(64))
    seed: Mapped[int]
    patch: Mapped[str] = mapped_column(String(64))  # sha of the patch film: one picture per changed frame, the film's pixel format
    matte: Mapped[str] = mapped_column(String(64))  # sha of the matte film: 8 bit grey, the patch's size
    placements: Mapped[list[Any]]  # [[frame, x, y], …] in the order of the patch: where its top left pixel lies
    microseconds_a_frame: Mapped[int] = mapped_column(BigInt)  # measured; `estimate` will read it
    machine: Mapped[str]
    rendered_us: Mapped[int] = mapped_column(BigInt)
    circled: Mapped[bool] = mapped_column(default=False)
