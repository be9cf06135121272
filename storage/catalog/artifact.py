"""Artifacts: big arrays and pictures, kept outside the catalog under the hash of their bytes."""

from collections.abc import Iterable, Sequence

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalog.base import Base, BigInt
from storage.catalog.session import hold_the_pen


class Artifact(Base):
    __tablename__ = "artifact"

    sha: Mapped[str] = mapped_column(String(64), primary_key=True)  # sha256 of the bytes
    kind: Mapped[str] = mapped_column(String(24))  # geometry, speech, patch, matte, still
    suffix: Mapped[str] = mapped_column(String(12))  # .npz, .wav, .mkv, .jpg
    bytes: Mapped[int] = mapped_column(BigInt)


def remember(session: Session, artifacts: Iterable[Artifact]) -> None:
    """Add the rows of files that lie whole in the store; the same bytes may be remembered twice."""
    hold_the_pen(session.connection())
    for artifact in artifacts:
        session.merge(artifact)


def of_shas(session: Session, shas: Iterable[str]) -> Sequence[Artifact]:
    return session.scalars(select(Artifact).where(Artifact.sha.in_(list(shas)))).all()
