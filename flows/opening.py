"""The episode of a job: the one that is already there, or a new one; examined, enrolled, opened to be worked on.

An episode is one film with one dub, by their bytes. The same command therefore goes on where it was; another seed or
model makes new takes in the same episode; and whoever wants two episodes of one film and dub gives each its name. One
of which only the plan was asked for is there like any other: whoever dubs or submits it goes on from there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.claim import claim
from flows.ledger import Ledger
from flows.progress import Progress
from flows.run import run
from storage.catalog import Episode, EpisodeStatus, episode, event, moves
from storage.catalog.base import now_us
from storage.catalog.session import catalog
from storage.errors import DublineError, Refused
from storage.roots import portable
from tasks.ingest import Ingested, ingest
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
            row = enrolled(session, job, given)
            moves.move(session, row, EpisodeStatus.RUNNING)
        try:
            yield Ledger(row, progress)
        except Exception as error:
            with catalog() as session:
                moves.move(session, row, EpisodeStatus.FAILED, _in_words(error))
            raise


@contextmanager
def planned(job: EpisodeJob, given: Ingested, progress: Progress) -> Iterator[Ledger]:
    """The ledger of an episode of which only the plan is asked for, claimed for this process; PLANNED all the while.

    So no night begins it, and whatever ends the block, the same command goes on from there.

    raises  Refused if the job's episode is there and is more than planned
    """
    with claim(given.film_sha, given.dub_sha, "its plan"):
        with catalog() as session:
            new = found(session, job, given) is None
            row = enrolled(session, job, given, EpisodeStatus.PLANNED)
            if row.status is not EpisodeStatus.PLANNED:
                raise Refused(f"'{row.name}' is {row.status} by now. Ask for its plan again.")
            if new:
                event.append(session, row.id, "dubline", "episode.planned", row.name, after={"status": str(row.status)})
        try:
            yield Ledger(row, progress)
        except Exception as error:
            _say_why_not(row, _in_words(error))
            raise
        _say_why_not(row, "")


def _say_why_not(row: Episode, why: str) -> None:
    """Why there is no plan, unless somebody has begun the episode meanwhile."""
    with catalog() as session:
        if session.get_one(Episode, row.id).status is EpisodeStatus.PLANNED:
            moves.move(session, row, EpisodeStatus.PLANNED, why)


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, DublineError) else f"{type(error).__name__}: {error}"


def examined(job: EpisodeJob, progress: Progress, delivers: bool = True) -> tuple[Ingested, int]:
    """Film, dub and stems, measured, and the microseconds that took. Writes nothing; Refused if they cannot work.

    delivers  whether the job's `out` counts; a plan need have none
    """
    began = time.monotonic_ns()
    with progress.step("ingest"):
        given = run(
            ingest, job.film, job.dub, job.out if delivers else None,
            allow_length=job.allow_length, stems=job.stems, deliver=job.deliver, mouths=job.mouths,
            voices=job.voices, cast=job.cast, timeline=job.timeline, dub_offset=job.dub_offset,
        )  # fmt: skip
    return given, (time.monotonic_ns() - began) // 1000


def enrolled(
    session: Session, job: EpisodeJob, given: Ingested, status: EpisodeStatus = EpisodeStatus.QUEUED
) -> Episode:
    """The row of the job's episode, found or made, with the job on it. Its status stays; `status` is a new one's.

    raises  Refused if the job's name belongs to another film or dub
    """
    row = found(session, job, given) or _new(session, job, given, status)
    row.film, row.dub, row.out = map(portable, (job.film, job.dub, job.out))
    row.job = job.model_dump(mode="json")
    return row


def found(session: Session, job: EpisodeJob, given: Ingested) -> Episode | None:
    """The job's episode, if it is in the catalog already. Refused if its name belongs to another film or dub."""
    if job.name is None:
        return episode.of_film(session, given.film_sha, given.dub_sha)
    named = session.scalar(select(Episode).where(Episode.name == job.name))
    if named is not None and (named.film_sha, named.dub_sha) != (given.film_sha, given.dub_sha):
        raise Refused(
            f"The episode '{job.name}' is another film or another dub: {named.film} with {named.dub}. "
            "Give this one another --name, or none."
        )
    return named


def _new(session: Session, job: EpisodeJob, given: Ingested, status: EpisodeStatus) -> Episode:
    called = (job.out if job.delivers else job.film).stem
    row = Episode(
        name=job.name or episode.free_name(session, called[:NAME]),
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
        status=status,
    )
    session.add(row)
    session.flush()
    return row
