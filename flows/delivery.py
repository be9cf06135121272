"""The last step: the circled takes over the film, the dub laid in, the report beside it."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.ledger import Found, Ledger
from flows.progress import OnProgress
from flows.run import run
from storage import artifacts
from storage.catalog import EpisodeStatus, Shot, ShotStatus, Take, artifact, moves, shot
from storage.catalog.session import catalog
from storage.film.planes import Planes
from storage.film.probe import fingerprint
from storage.film.read import Frame
from tasks import conform as conforming
from tasks import deliver as muxing
from tasks.conform import Picture
from tasks.ingest import Ingested
from tasks.job import EpisodeJob


@dataclass(frozen=True)
class Delivery:
    """What a person is told when it is over."""

    episode: str
    out: Path
    report: Path  # report.json; index.html lies beside it
    frames: int
    changed: int
    shots: Mapping[str, int]  # how many by status
    open: Sequence[Mapping[str, str]]  # the shots that are red or held, and why: they are delivered as the source

    @property
    def whole(self) -> bool:
        return not self.open

    def facts(self) -> dict[str, Any]:
        """For a person or a program."""
        page = self.report.with_name("index.html")
        return {**asdict(self), "out": str(self.out), "report": str(self.report), "page": str(page)}


def deliver(book: Ledger, job: EpisodeJob, given: Ingested, takes: Sequence[Take], drawing_us: int) -> Delivery:
    """Deliver, unless this very delivery lies there already; then say how the episode ended."""
    shots = book.read(shot.of_episode)
    asked = {
        "out": str(job.out),
        "dub": given.dub_sha,
        "deliver": job.deliver,
        "takes": [taken.key for taken in takes],
        "shots": [[each.name, str(each.status), each.reason] for each in shots],
    }

    def compute(on_progress: OnProgress) -> Found:
        folder = job.out.with_name(job.out.name + ".dubline")
        folder.mkdir(exist_ok=True)
        between = folder / "picture.part"  # beside the delivery: on the same disk, which must have room for it anyway
        try:
            began = time.monotonic_ns()
            conformed = _conformed(book, job, given, takes, between, on_progress)
            laid = time.monotonic_ns()
            run(muxing.deliver, given.film, conformed, given.dub, job.out)
            muxed = time.monotonic_ns()
        finally:
            between.unlink(missing_ok=True)
        seconds = {"render": drawing_us / 1e6, "conform": (laid - began) / 1e9, "deliver": (muxed - laid) / 1e9}
        return Found(notes={"changed": len(conformed.changed), "sha": fingerprint(job.out), "seconds": seconds})

    notes = book.step(
        "deliver", asked, compute, lambda notes: job.out.is_file() and fingerprint(job.out) == notes["sha"]
    )
    return _ended(book, job, given, shots, notes["changed"])


def _conformed(
    book: Ledger, job: EpisodeJob, given: Ingested, takes: Sequence[Take], to: Path, on_progress: OnProgress
) -> Picture:
    with catalog() as session:
        files = artifact.of_shas(session, {sha for taken in takes for sha in (taken.patch, taken.matte)})
    suffixes = {file.sha: file.suffix for file in files}

    def file_of(sha: str) -> Path:
        return artifacts.path(sha, suffixes[sha])

    def watch(frame: Frame, after: Planes) -> None:
        on_progress(frame.index + 1, given.film.frames)

    return run(conforming.conform, given.film, takes, file_of, to, job.deliver, watch)


def _ended(book: Ledger, job: EpisodeJob, given: Ingested, shots: Sequence[Shot], changed: int) -> Delivery:
    """Mark the episode as delivered, whole or in part, and say so."""
    unfinished = [each for each in shots if each.status in (ShotStatus.FAILED, ShotStatus.HELD)]
    ended = EpisodeStatus.PARTIAL if unfinished else EpisodeStatus.DELIVERED
    with catalog() as session:
        moves.move(session, book.episode, ended, ", ".join(f"{each.name} {each.status}" for each in unfinished))
    return Delivery(
        episode=book.episode.name,
        out=job.out,
        report=job.out.with_name(job.out.name + ".dubline") / "report.json",
        frames=given.film.frames,
        changed=changed,
        shots=dict(Counter(str(each.status) for each in shots)),
        open=[{"shot": each.name, "status": str(each.status), "reason": each.reason} for each in unfinished],
    )
