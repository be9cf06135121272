"""The last step: the circled takes over the film, the dub laid in, the report beside it."""

import platform
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows import heard, who
from flows.ledger import Found, Ledger
from flows.run import run
from storage import VERSION, artifacts
from storage.catalog import (
    Episode,
    EpisodeStatus,
    Shot,
    ShotStatus,
    Take,
    artifact,
    character,
    finding,
    moves,
    overrule,
    route,
    shot,
    step,
    take,
    track,
)
from storage.catalog.session import catalog
from storage.film.place import place
from storage.film.probe import fingerprint
from storage.room import room
from storage.roots import portable
from tasks import conform as conforming
from tasks import deliver as muxing
from tasks.clips import Clips
from tasks.ingest import Ingested
from tasks.job import EpisodeJob
from tasks.labels import keep_labels
from tasks.loudness import table as levels
from tasks.progress import OnProgress
from tasks.pull import pull
from tasks.report import build_report, report
from tasks.stills import Stills
from tasks.timeline import Conformed, write_lists


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
        timeline = self.report.with_name("timeline.otio")
        places = {"out": self.out, "report": self.report, "page": page, "timeline": timeline}
        return {**asdict(self), **{name: str(path) for name, path in places.items()}}


def deliver(book: Ledger, job: EpisodeJob, given: Ingested, drawing_us: int) -> Delivery:
    """Deliver, unless this very delivery lies there already; then say how the episode ended."""
    shots, takes = book.read(shot.of_episode), book.read(take.to_deliver)
    spoken_of = book.read(lambda session, episode_id: session.get_one(Episode, episode_id))
    asked = {
        "out": portable(job.out),
        "dub": given.dub_sha,
        "deliver": job.deliver,
        "sound": [given.starts["dub"].lead, job.dub_mode, job.dub_language],
        "takes": [taken.key for taken in takes],
        "shots": [[each.name, str(each.status), each.reason] for each in shots],
        "overrules": spoken_of.overrules,
        **({"pull": [job.pull_as, job.handles]} if job.pull else {}),
    }

    def compute(on_progress: OnProgress) -> Found:
        folder = report_folder(job)
        folder.mkdir(exist_ok=True)
        for left in folder.glob("conform-*"):  # by a process that was killed here; the claim says that it is gone
            shutil.rmtree(left)
        # The picture between conform and mux lies beside the delivery: on a disk that must have room for it anyway.
        unheard = [*overrule.unheard(spoken_of, shots), *who.lost(book.read(step.of_episode))]
        with room(folder), tempfile.TemporaryDirectory(prefix="conform-", dir=folder) as between:
            return _written(book, job, given, shots, takes, Path(between), drawing_us, unheard, on_progress)

    def stands(notes: Mapping[str, Any]) -> bool:
        folder = report_folder(job)
        written = (job.out, folder / "report.json", *(folder / name for name in notes.get("files", [])))
        return all(path.exists() for path in written) and fingerprint(job.out) == notes["sha"]

    notes = book.step("deliver", asked, compute, stands)
    return _ended(book, job, given, shots, notes["changed"])


def report_folder(job: EpisodeJob) -> Path:
    return job.out.with_name(job.out.name + ".dubline")


def _written(
    book: Ledger,
    job: EpisodeJob,
    given: Ingested,
    shots: Sequence[Shot],
    takes: Sequence[Take],
    between: Path,
    drawing_us: int,
    unheard: Sequence[str],
    on_progress: OnProgress,
) -> Found:
    """Conform, mux, report; each with its seconds."""
    done = book.read(step.of_episode)
    seconds = {each.name: each.microseconds / 1e6 for each in done} | {"render": drawing_us / 1e6}
    remarks = [said for each in done if each.name == "listen" for said in heard.remarks(each.notes)]
    stills = Stills(given.film, shots, takes, between / "stills")
    dub, lead = given.dub, given.starts["dub"].lead
    if lead:
        dub = place(dub, lead, between / "dub.wav")
        if dub.codec != given.dub.codec:
            remarks.append(f"The dub was unpacked from {given.dub.codec} to {dub.codec} to be laid at its place.")
    clips = Clips(given.film, dub, shots, takes, between / "clips")

    began = time.monotonic()
    to, files = between / "picture", file_of(takes)
    picture = run(conforming.conform, given.film, takes, files, to, job.deliver, [stills, clips], on_progress)
    seconds["conform"] = time.monotonic() - began
    began = time.monotonic()
    delivered = run(
        muxing.deliver, given.film, picture, dub, job.out, language=job.dub_language or "", mode=job.dub_mode
    )
    loud = next((each.notes.get("loudness") for each in done if each.name == "listen"), None)
    seconds["deliver"] = time.monotonic() - began
    began = time.monotonic()
    beside, short = lists_beside(book, job, given, shots, takes, frozenset(picture.changed))
    seconds["lists"] = time.monotonic() - began
    said = build_report(
        given.film,
        given.dub,
        picture,
        delivered,
        shots=shots,
        tracks=book.read(track.of_episode),
        characters=book.read(character.of_episode),
        routes=book.read(route.of_episode),
        takes=takes,
        seconds=seconds,
        versions=_versions(),
        notes=[*given.notes, *given.words, *remarks, *unheard, *clips.notes, *short],
        files=beside,
        start=given.starts["dub"],
        labels=given.labels,
        loudness=levels(given.film, delivered, loud, bool(lead)) if loud else None,
    )
    keep_labels(given.labels, report_folder(job))
    run(report, {"episode": book.episode.name, **said}, stills.taken, clips.written, report_folder(job))
    return Found(
        delivered.findings,
        notes={"changed": len(picture.changed), "sha": fingerprint(job.out), "seconds": seconds, "files": beside},
    )


def lists_beside(
    book: Ledger, job: EpisodeJob, given: Ingested, shots: Sequence[Shot], takes: Sequence[Take],
    changed: frozenset[int],
) -> tuple[list[str], list[str]]:  # fmt: skip
    """(the conform lists and pulls that were written, by their names in the report's folder, and notes on them).

    takes  those that lie over the film
    """
    folder = report_folder(job)
    told = Conformed(
        book.episode.name, given.film, job.out, shots, book.read(track.of_episode), book.read(take.of_episode),
        book.read(finding.of_episode), changed,
    )  # fmt: skip
    notes: list[str] = []
    pulls: dict[str, Path] = {}
    files: list[str] = []
    tracks = {each.id: each.shot_id for each in told.tracks}
    for each in told.changes() if job.pull else []:
        over = [one for one in takes if tracks.get(one.track_id or 0) == each.id]
        got = pull(
            given.film, each, over, file_of(takes), book.episode.name, folder / "pulls", job.handles, job.pull_as
        )
        pulls[each.name] = got.picture
        files += [f"pulls/{path.name}" for path in (got.picture, got.patch)]
        notes += [got.note] if got.note else []
    written, left_out = write_lists(replace(told, pulls=pulls), folder)
    return [*(path.name for path in written), *files], [*notes, *left_out]


def file_of(takes: Sequence[Take]) -> Callable[[str], Path]:
    """From the sha of a patch or matte of these takes to a local file that holds it."""
    with catalog() as session:
        files = artifact.of_shas(session, {sha for taken in takes for sha in (taken.patch, taken.matte)})
    suffixes = {file.sha: file.suffix for file in files}
    return lambda sha: artifacts.path(sha, suffixes[sha])


def _versions() -> dict[str, str]:
    """What could make another machine's delivery another one."""
    wheels = ("torch", "opencv-python-headless", "av", "pyannote.audio", "scenedetect-headless", "prefect")
    return {"dubline": VERSION, "python": platform.python_version()} | {name: version(name) for name in wheels}


def _ended(book: Ledger, job: EpisodeJob, given: Ingested, shots: Sequence[Shot], changed: int) -> Delivery:
    """Mark the episode as delivered, whole or in part, and say so."""
    over = (ShotStatus.DONE, ShotStatus.PASSED_THROUGH)  # one that waits was retried or rerouted while it was delivered
    unfinished = [each for each in shots if each.status not in over]
    ended = EpisodeStatus.PARTIAL if unfinished else EpisodeStatus.DELIVERED
    with catalog() as session:
        moves.move(session, book.episode, ended, ", ".join(f"{each.name} {each.status}" for each in unfinished))
    return Delivery(
        episode=book.episode.name,
        out=job.out,
        report=report_folder(job) / "report.json",
        frames=given.film.frames,
        changed=changed,
        shots=dict(Counter(str(each.status) for each in shots)),
        open=[{"shot": each.name, "status": str(each.status), "reason": each.reason} for each in unfinished],
    )
