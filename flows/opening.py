"""Opens the episode of a job: the one that is already there, or a new one.

An episode is one film with one dub, by their bytes. The same command therefore goes on where it was; another seed or
model makes new takes in the same episode; and whoever wants two episodes of one film and dub gives each its name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.claim import claim
from flows.ledger import Ledger
from flows.progress import Progress
from storage.catalog import Episode, EpisodeStatus, episode, moves
from storage.catalog.base import now_us
from storage.catalog.session import catalog
from storage.errors import DublineError, Refused
from storage.roots import portable
from tasks.ingest import Ingested
from tasks.job import EpisodeJob

NAME: Final = 90  # letters of a name that is not asked for: a number must fit behind it, and events hold 100


@contextmanager
def opened(job: EpisodeJob, given: Ingested, progress: Progress) -> Iterator[Ledger]:
    """The ledger of the job's episode, claimed for this process and marked as running.

    An error that ends the block is written down as the episode's reason. An interruption is none: the episode stays
    running, and the same command goes on from there.
    """
    with claim(given.film_sha, given.dub_sha, str(job.out)):
        with catalog() as session:
            row = _again(session, job, given) or _new(session, job, given)
            row.film, row.dub, row.out = map(portable, (job.film, job.dub, job.out))
            row.job = job.model_dump(mode="json")
            moves.move(session, row, EpisodeStatus.RUNNING)
        try:
            yield Ledger(row, progress)
        except Exception as error:
            why = str(error) if isinstance(error, DublineError) else f"{type(error).__name__}: {error}"
            with catalog() as session:
                moves.move(session, row, EpisodeStatus.FAILED, why)
            raise


def _again(session: Session, job: EpisodeJob, given: Ingested) -> Episode | None:
    if job.name is None:
        return episode.of_film(session, given.film_sha, given.dub_sha)
    named = session.scalar(select(Episode).where(Episode.name == job.name))
    if named is not None and (named.film_sha, named.dub_sha) != (given.film_sha, given.dub_sha):
        raise Refused(
            f"The episode '{job.name}' is another film or another dub: {named.film} with {named.dub}. "
            "Give this one another --name, or none."
        )
    return named


def _new(session: Session, job: EpisodeJob, given: Ingested) -> Episode:
    row = Episode(
        name=job.name or episode.free_name(session, job.out.stem[:NAME]),
        film=portable(job.film),
        dub=portable(job.dub),
        out=portable(job.out),
        film_sha=given.film_sha,
        dub_sha=given.dub_sha,
        frames=given.film.frames,
        rate_num=given.film.rate.numerator,
        rate_den=given.film.rate.denominator,
        job={},
        created_us=now_us(),
    )
    session.add(row)
    session.flush()
    return row
