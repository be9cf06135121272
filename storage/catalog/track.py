"""Tracks: one face through one shot. The pictures' measures per frame are the geometry artifact."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt
from storage.catalog.shot import Shot


class Track(Base):
    __tablename__ = "track"
    __table_args__ = (UniqueConstraint("shot_id", "name"),)

    id: Mapped[int] = mapped_column(BigInt, init=False, primary_key=True)
    shot_id: Mapped[int] = mapped_column(ForeignKey("shot.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(24))  # f1, f2, … from left to right where the track begins
    start: Mapped[int]  # first frame in which the face was found
    end: Mapped[int]  # one past the last
    present: Mapped[int]  # frames between them in which the face was found; a gap is no face
    geometry: Mapped[str] = mapped_column(String(64))  # sha of the geometry artifact, see tasks.look.Geometry
    height_px: Mapped[float]  # median height of the face, forehead to chin
    yaw: Mapped[float]  # median |yaw| in degrees, 0 faces the camera
    sharpness: Mapped[float]  # median variance of the Laplacian of the face at 96 px
    style: Mapped[str] = mapped_column(String(16))  # photoreal, stylised, uncertain
    character_id: Mapped[int | None] = mapped_column(
        ForeignKey("character.id", ondelete="SET NULL"), index=True, default=None
    )
    confidence: Mapped[float] = mapped_column(default=0.0)  # of that binding, 0 … 1
    face: Mapped[int | None] = mapped_column(default=None)  # who it is: 1, 2, … over the episode; None: not asked yet
    likeness: Mapped[str | None] = mapped_column(String(64), default=None)  # sha of what it is known again by
    pitch: Mapped[float] = mapped_column(default=0.0, server_default="0")  # median in degrees, positive looks up


def of_episode(session: Session, episode_id: int) -> Sequence[Track]:
    """In the order of the film, from left to right."""
    seen = select(Track).join(Shot, Track.shot_id == Shot.id).where(Shot.episode_id == episode_id)
    return session.scalars(seen.order_by(Shot.start, Track.id)).all()


def of_shot(session: Session, shot_id: int) -> Sequence[Track]:
    """From left to right."""
    return session.scalars(select(Track).where(Track.shot_id == shot_id).order_by(Track.id)).all()
