"""An episode, from a film and its dub to the delivery: the table of contents of Dubline.

Each step's rows are in the catalog before the next begins (flows/ledger.py), so this may be killed anywhere and goes
on from there. It is a Prefect flow and, for `dubline dub`, a plain function (flows/run.py).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow
from sqlalchemy.orm import Session

from flows import painters
from flows.ledger import Found, Ledger
from flows.opening import Identity, opened
from flows.progress import Lines, Progress
from flows.run import run
from flows.scene import Scene, cues
from flows.shot import play
from storage import artifacts
from storage.catalog import HELD, PASS_THROUGH, Artifact, EpisodeStatus, Route, Shot, ShotStatus, Take, Track
from storage.catalog import artifact, character, moves, route, shot, track, turn
from storage.catalog.session import catalog
from storage.film import programs
from storage.film.probe import fingerprint
from storage.settings import settings
from tasks.cast import cast
from tasks.conform import Picture, conform
from tasks.deliver import deliver
from tasks.ingest import Ingested, ingest
from tasks.job import EpisodeJob
from tasks.listen import listen
from tasks.look import look
from tasks.route import route as choose
from tasks.split import split


@dataclass(frozen=True)
class Delivery:
    """What a person is told when it is over."""

    episode: str
    out: Path
    page: Path
    frames: int
    changed: int
    shots: Mapping[str, int]  # how many by status
    open: Sequence[Mapping[str, str]]  # the shots that are red or held, and why

    @property
    def whole(self) -> bool:
        return not self.open


@flow(name="episode", flow_run_name="{job.out.name}")
def episode(job: EpisodeJob) -> dict[str, Any]:
    """A film and its dub in; the same film with new mouths out."""
    return asdict(dub(job, Lines()))


def dub(job: EpisodeJob, progress: Progress) -> Delivery:
    """The same, outside or inside a flow run."""
    painters.check(job)
    began = time.monotonic_ns()
    with progress.step("ingest"):
        given = run(ingest, job.film, job.dub, job.out, allow_length=job.allow_length, stems=job.stems, deliver=job.deliver)
    with opened(job, _identity(given), progress) as ledger:
        programs.put_first_on_path(settings().home / "bin")
        _ingested(ledger, given, began)
        _split(ledger, given)
        _looked(ledger, given)
        ...
