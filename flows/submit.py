"""Puts an episode into the queue, and onto the farm.

Promises: what cannot work is refused before a row is written; the row is there before any run is made, so the farm may
be away; submitting twice is submitting once: the same wishes make one row and one run, and other wishes for an episode
that has not begun take the place of the old ones. Deliberately not here: the night (flows/night.py), which takes what
was submitted for it.
"""

import getpass
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled
from sqlalchemy import select
from sqlalchemy.orm import Session

from flows import painters
from flows.claim import claim
from flows.farm import runs
from flows.farm.answers import answering
from flows.opening import enrolled, examined, found
from flows.progress import Progress
from storage.catalog import Episode, EpisodeStatus, Event, event, moves
from storage.catalog.session import catalog, hold_the_pen
from storage.errors import Missing, Refused
from tasks.ingest import Ingested
from tasks.job import EpisodeJob, Priority

DEPLOYMENT: Final = "episode/cpu"
SUBMITTED: Final = "episode.submitted"
A_PROCESS_ENDS: Final = timedelta(minutes=1)  # a run that was stopped holds its film until its process is gone


@dataclass(frozen=True)
class Submission:
    """What a person is told."""

    episode: str
    status: EpisodeStatus
    priority: Priority
    run: str  # the name of its run on the farm; empty: there is none
    next: str  # what happens now, or what there is to do

    def facts(self) -> dict[str, Any]:
        return {
            "episode": self.episode,
            "status": str(self.status),
            "priority": self.priority,
            "run": self.run,
            "next": self.next,
        }


def submit(job: EpisodeJob, progress: Progress, by: str | None = None) -> Submission:
    """Queue the job's episode. By its priority a run on the farm is made at once, or it waits for the night.

    raises  Refused for what cannot work, and for an episode that is being worked on as it was asked before
    """
    painters.permit(job)
    given, _ = examined(job, progress)
    with catalog() as session:
        row = queue(session, job, given, by or getpass.getuser())
    if job.priority == "overnight" and row.status is EpisodeStatus.QUEUED:
        _recall(row)
        return Submission(row.name, row.status, job.priority, "", "waits for the night: `dubline night plan`")
    try:
        with answering() as client:
            run = start_episode(client, row)
    except Missing as why:
        waits = f"waits, for no farm took it. {why} Then submit again, or leave it to the night."
        return Submission(row.name, row.status, job.priority, "", waits)
    return Submission(row.name, row.status, job.priority, run.name, f"on the farm: `dubline status {row.name}`")


def queue(session: Session, job: EpisodeJob, given: Ingested, by: str) -> Episode:
    """The job's row, QUEUED, with the event that says so; or RUNNING as it is, if it runs as it is asked now."""
    hold_the_pen(session.connection())  # two who submit the same film at once make one row
    row = found(session, job, given)
    if row is not None and row.status is EpisodeStatus.RUNNING:
        if _without_priority(row.job) != _without_priority(job.model_dump(mode="json")):
            raise Refused(
                f"'{row.name}' is being worked on as it was asked before. Wait for it, or stop it with "
                f"`dubline cancel {row.name}` and submit again; what is finished is kept."
            )
        return row
    if row is not None and row.status is EpisodeStatus.QUEUED and row.job == job.model_dump(mode="json"):
        return row
    before = {} if row is None else {"status": str(row.status), "job": row.job}
    row = enrolled(session, job, given)
    moves.move(session, row, EpisodeStatus.QUEUED, by=by)
    event.append(session, row.id, by, SUBMITTED, row.name, before, {"job": row.job})
    return row


def start_episode(client: SyncPrefectClient, row: Episode, priority: Priority | None = None) -> FlowRun:
    """The episode's run as it was last submitted: under way already, or sent again if it ended, or new.

    priority  the queue it goes to; otherwise as it was submitted
    raises    Missing where the farm has no such deployment
    """
    job = row.job if priority is None else {**row.job, "priority": priority}
    key, begins = _key(row), datetime.now(UTC)
    run = runs.of_episode(client, row.name)
    if run is not None and run.state is not None:
        ended = run.state.is_final()
        if not ended and (run.idempotency_key == key or row.status is EpisodeStatus.RUNNING):
            return run
        if ended and run.idempotency_key == key:
            runs.again(client, run, "submitted again")
            return run
        if not ended and runs.stop(client, run, "submitted anew, with other wishes") and not run.state.is_scheduled():
            begins += A_PROCESS_ENDS
    if row.status is EpisodeStatus.RUNNING:
        with claim(row.film_sha, row.dub_sha, row.out):  # Refused if `dubline dub` works on it here
            pass
    try:
        deployment = client.read_deployment_by_name(DEPLOYMENT)
    except ObjectNotFound:
        raise Missing(f"The farm does not know {DEPLOYMENT}. `dubline up` on its server makes what it needs.") from None
    return client.create_flow_run_from_deployment(
        deployment.id,
        parameters={"job": job},
        state=Scheduled(scheduled_time=begins),
        name=row.name,
        tags=runs.episode_tags(row.name),
        idempotency_key=key,
        work_queue_name=job.get("priority", "default"),
    )


def _recall(row: Episode) -> None:
    """Take back a run that an earlier submission made for the day, if it has not begun."""
    with suppress(Missing), answering() as client:
        run = runs.of_episode(client, row.name)
        if run is not None and run.state is not None and run.state.is_scheduled() and run.idempotency_key != _key(row):
            runs.stop(client, run, "submitted anew, for the night")


def submission(session: Session, row: Episode) -> Event | None:
    """When the episode was last submitted, by whom and with which wishes."""
    said = select(Event).where(Event.episode_id == row.id, Event.what == SUBMITTED)
    return session.scalar(said.order_by(Event.id.desc()).limit(1))


def _key(row: Episode) -> str:
    """The same for every asking that the same submission makes; another for the next one."""
    with catalog() as session:
        said = submission(session, row)
    return said.hash if said is not None else f"{row.film_sha}-{row.dub_sha}-{row.id}"


def _without_priority(job: Mapping[str, Any]) -> dict[str, Any]:
    return {name: wish for name, wish in job.items() if name != "priority"}
