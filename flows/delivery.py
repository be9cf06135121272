"""The last step: the circled takes over the film, the dub laid in, the report beside it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.ledger import Found, Ledger
from flows.run import run
from storage import artifacts
from storage.catalog import EpisodeStatus, Shot, ShotStatus, Take, artifact, moves, shot
from storage.catalog.session import catalog
from storage.film.probe import fingerprint
from tasks import conform as conforming
from tasks import deliver as delivering
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


def deliver(book: Ledger, job: EpisodeJob, given: Ingested, takes: Sequence[Take], drawing_us: int) -> Delivery:
    """Deliver, unless this very delivery lies there already; then say how the episode ended."""
    folder = job.out.with_name(job.out.name + ".dubline")
    asked = {
        "out": str(job.out),
        "dub": given.dub_sha,
        "deliver": job.deliver,
        "takes": [take.key for take in takes],
        "shots": [[each.name, str(each.status), each.reason] for each in book.read(shot.of_episode)],
    }

    def compute(on_progress: OnProgress) -> Found:
        folder.mkdir(exist_ok=True)
        picture = folder / "picture.part"  # beside the delivery: the same disk, and large enough for it
        try:
            began = time.monotonic_ns()
            conformed = _conformed(given, takes, picture, job, on_progress)
            laid = time.monotonic_ns()
            written = run(delivering.deliver, given.film, conformed, given.dub, job.out)
        finally:
            picture.unlink(missing_ok=True)
        return Found(notes={"changed": len(conformed.changed), "sha": fingerprint(job.out)})

    notes = book.step("deliver", asked, compute, stands=lambda notes: _lies_there(job.out, notes["sha"]))
    return _ended(book, job, given, notes)
