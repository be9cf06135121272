"""The plan of an episode: what `dub` would draw and why, how long that takes, and nothing drawn.

Promises: what it computes are the steps of `dub` before drawing, kept with the episode, so whoever dubs or submits it
afterwards computes none of them twice; nothing is written to the delivery. An episode that is more than planned keeps
its status, its job and its rows: its plan is read from the catalog.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from flows import estimate, painters, who
from flows.episode import decided
from flows.listing import at
from flows.opening import examined, found, planned
from flows.progress import Progress
from flows.scene import cues
from flows.tables import Fact
from storage.catalog import (
    Character,
    Episode,
    EpisodeStatus,
    Route,
    Shot,
    ShotStatus,
    Track,
    character,
    route,
    shot,
    step,
    track,
)
from storage.catalog.session import catalog
from storage.errors import Refused
from tasks.job import EpisodeJob
from tasks.ranges import length, union

# Wishes that decide who is drawn where; the others decide how, or where to.
DECIDE: Final = (
    "stems", "voices", "cast", "timeline", "model", "variant", "mouths", "speakers", "transcript", "dub_offset",
)  # fmt: skip
OVER: Final = (EpisodeStatus.DELIVERED, EpisodeStatus.PARTIAL)


def plan(job: EpisodeJob, progress: Progress) -> Fact:
    """Everything that comes before drawing, done or found; the plan, for a person or a program.

    raises  Refused and Missing as `dub` does; Refused too for an episode that is more than planned and was asked for
            otherwise, or of which nobody has decided anything yet
    """
    lacking = painters.check(job)
    given, spent_us = examined(job, progress, delivers=job.delivers)
    with catalog() as session:
        row = found(session, job, given)
    if row is None or row.status is EpisodeStatus.PLANNED:
        with planned(job, given, progress) as book:
            decided(book, job, given, spent_us, lacking)
            row = book.episode
    else:
        _refuse_another_plan(row, job)
    with catalog() as session:
        return of_episode(session, row)


def of_episode(session: Session, row: Episode) -> Fact:
    """The plan of an episode that has its routes."""
    shots, tracks = shot.of_episode(session, row.id), track.of_episode(session, row.id)
    routes, cast = route.of_episode(session, row.id), character.of_episode(session, row.id)
    notes = {done.name: done.notes for done in step.of_episode(session, row.id)}
    faces = [cue for cued in cues(tracks, routes).values() for cue in cued]
    drawn = {face.id: length(chosen.ranges) for face, chosen in faces}
    left = Counter[str]()
    done = {each.id for each in shots if each.status is ShotStatus.DONE}
    for face, chosen in faces:
        if face.shot_id not in done:
            left[chosen.model] += drawn[face.id]
    heading: dict[str, Any] = {"episode": row.name, "status": str(row.status)}
    totals = {
        "frames": row.frames,
        "sound": list(notes.get("route", {}).get("starts", [])),
        "changed": length(union((start, end) for _, chosen in faces for start, end in chosen.ranges)),
        "drawn": sum(drawn.values()),
        "shots": dict(Counter(str(each.status) for each in shots)),
        "lacking": [f"{model}: {why}" for model, why in notes.get("route", {}).get("lacking", {}).items()],
        "next": _next(row),
    }
    if row.status not in OVER:
        facts = estimate.of_plan(session, row.frames, left).facts()
        heading |= {name: facts[name] for name in ("takes", "note") if name in facts}
        totals |= {"total_seconds": facts["total_seconds"], "stages": facts["stages"]}
    return {
        **heading,
        **totals,
        "models": _models(session, faces, drawn),
        "cast": who.cast(cast, tracks, who.voices(session, row)),
        "plan": _rows(row, shots, tracks, {each.track_id: each for each in routes}, cast, drawn),
    }


def _refuse_another_plan(row: Episode, job: EpisodeJob) -> None:
    """raises Refused if the episode's plan is another than the one asked for, or it has none yet"""
    stored, wished = row.job, job.model_dump(mode="json")
    if other := [name for name in DECIDE if stored.get(name) != wished[name]]:
        raise Refused(
            f"'{row.name}' is {row.status} as it was asked for before, with another {', '.join(other)}. "
            f"A plan with these wishes wants a --name of its own; what is there stays as it is."
        )
    with catalog() as session:
        routed = any(done.name == "route" for done in step.of_episode(session, row.id))
    if not routed:
        raise Refused(
            f"'{row.name}' is {row.status}, and nobody has decided yet who is drawn in it. `dubline dub` decides "
            f"and draws; for a plan alone give it a --name of its own."
        )


def _next(row: Episode) -> str:
    if row.status is EpisodeStatus.PLANNED:
        return "nothing is drawn yet: `dubline dub` or `dubline submit` of the same film and dub goes on from here"
    return f"nothing was changed: this is the plan by which it is {row.status}"


def _models(session: Session, faces: Sequence[tuple[Track, Route]], drawn: Mapping[int, int]) -> list[Fact]:
    """Who draws how much, and how long that takes one worker."""
    frames, count = Counter[str](), Counter(chosen.model for _, chosen in faces)
    for face, chosen in faces:
        frames[chosen.model] += drawn[face.id]
    return [
        {
            "model": model,
            "faces": count[model],
            "frames": frames[model],
            "seconds": round(estimate.of_shot(session, model, frames[model]), 1),
        }
        for model in sorted(count)
    ]


def _rows(
    row: Episode, shots: Sequence[Shot], tracks: Sequence[Track], routes: Mapping[int, Route],
    cast: Sequence[Character], drawn: Mapping[int, int],
) -> list[Fact]:  # fmt: skip
    """A line for each face of each shot, and one for a shot without a face."""
    called = {each.id: each.name for each in cast}
    lines: list[Fact] = []
    for each in shots:
        of_shot = {
            "shot": each.name,
            "start": each.start,
            "end": each.end,
            "at": at(each, row),
            "status": str(each.status),
        }
        nobody = {
            "face": "",
            "person": "",
            "speaks": "",
            "confidence": "",
            "model": "",
            "drawn": 0,
            "reason": each.reason,
        }
        inside = [face for face in tracks if face.shot_id == each.id]
        lines += [] if inside else [of_shot | nobody]
        for face in inside:
            chosen = routes[face.id]
            lines.append(of_shot | {
                "face": face.name,
                "person": face.face if face.face is not None else "",
                "speaks": called.get(face.character_id or 0, "nobody"),
                "confidence": round(face.confidence, 3),
                "model": chosen.model,
                "drawn": drawn.get(face.id, 0),
                "reason": chosen.reason,
            })  # fmt: skip
    return lines
