"""One shot: its takes are found in the catalog or drawn, and it ends done or red. The unit an operator retries.

Promises: a take is written down the moment its files are whole, so whatever is killed when, nothing is drawn twice;
what goes wrong in a shot stays in the shot. Deliberately not here: which model (tasks/route.py), pixels
(tasks/render.py).
"""

import platform
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from prefect import flow
from sqlalchemy.orm import Session

from flows.painters import painter
from flows.progress import Lines, Progress
from flows.run import run
from flows.scene import Cue, Scene, cues
from flows.scratch import scratch
from storage import artifacts
from storage.catalog import (
    Artifact,
    Shot,
    ShotStatus,
    Take,
    Track,
    artifact,
    character,
    episode,
    event,
    moves,
    route,
    step,
    take,
    track,
    turn,
)
from storage.catalog import shot as shot_rows
from storage.catalog.base import now_us
from storage.catalog.session import catalog
from storage.errors import DublineError, Missing, Refused
from storage.film.probe import probe
from storage.roots import there
from tasks.geometry import Geometry
from tasks.job import EpisodeJob
from tasks.progress import OnProgress
from tasks.render import Drawn, Question, render

ATTEMPTS: Final = 3  # at a take whose error says that trying again can help


def play(scene: Scene, shot: Shot, faces: Sequence[Cue], progress: Progress) -> list[Take]:
    """The shot's circled takes, one a face. Empty if it turned red; the catalog then says why.

    raises  Missing and Refused: what is wrong with one shot for such a reason is wrong with all
    """
    try:
        takes = [_take(scene, shot, cue, progress) for cue in faces]
    except (Missing, Refused):
        raise
    except Exception as error:
        why = str(error) if isinstance(error, DublineError) else f"{type(error).__name__}: {error}"
        with catalog() as session:
            moves.move(session, shot, ShotStatus.FAILED, why)
            said = {"error": traceback.format_exc(limit=-8)}
            event.append(session, shot.episode_id, "dubline", "shot.error", shot.name, after=said)
        progress.say(f"render   {shot.name}  red: {why}")
        return []
    with catalog() as session:
        moves.move(session, shot, ShotStatus.DONE)
    return takes


def _take(scene: Scene, shot: Shot, cue: Cue, progress: Progress) -> Take:
    face, chosen = cue
    question = scene.question(shot, face, chosen, painter(chosen.model, scene.job.variant))
    if (known := _known(shot, face, question.key)) is not None:
        return known
    with catalog() as session:
        moves.move(session, shot, ShotStatus.RENDERING)
    with progress.step("render", "frames", f"{shot.name}/{face.name}") as on_progress:
        new, files = _drawn(scene, question, on_progress)
    with catalog() as session:
        artifact.remember(session, files)
        return _circled(session, shot, face, new)


def _known(shot: Shot, face: Track, key: str) -> Take | None:
    """The take that answers this question already, if its files are still there. Another track's becomes a new row."""
    with catalog() as session:
        for one in take.answering(session, key):
            files = artifact.of_shas(session, (one.patch, one.matte))
            if not (files and all(map(artifacts.holds, files))):
                if one.track_id == face.id:
                    one.track_id = None  # remembered, but of no use: the track asks anew
                continue
            if one.track_id == face.id:
                take.circle(session, one)
                return one
            return _circled(session, shot, face, take.copy(one))
    return None


def _circled(session: Session, shot: Shot, face: Track, new: Take) -> Take:
    """Add a take as the next version of its track, and circle it."""
    new.track_id, new.version = face.id, take.next_version(session, face.id)
    session.add(new)
    take.circle(session, new)
    about = f"{shot.name}/{face.name}/v{new.version:03d}"
    event.append(session, shot.episode_id, "dubline", "take.circled", about, after={"key": new.key, "model": new.model})
    return new


def _drawn(scene: Scene, question: Question, on_progress: OnProgress) -> tuple[Take, list[Artifact]]:
    """The take, not yet in the catalog, and its files, whole in the store."""
    began = time.monotonic_ns()
    with scratch() as folder:
        drawn = _rendered(scene, question, folder, on_progress)
        spent_us = (time.monotonic_ns() - began) // 1000
        patch, matte = artifacts.put(drawn.patch, "patch", ".mkv"), artifacts.put(drawn.matte, "matte", ".mkv")
    new = Take(
        track_id=None,
        version=0,
        key=question.key,
        model=question.model,
        weights_sha=question.weights,
        seed=question.seed,
        patch=patch.sha,
        matte=matte.sha,
        placements=drawn.placements,
        microseconds_a_frame=spent_us // max(1, len(drawn.placements)),
        machine=platform.node(),
        rendered_us=now_us(),
    )
    return new, [patch, matte]


def _rendered(scene: Scene, question: Question, folder: Path, on_progress: OnProgress) -> Drawn:
    geometry = Geometry(**artifacts.arrays(question.geometry))
    speech = artifacts.path(question.speech, ".wav")
    model = painter(question.model, question.variant).model
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return run(render, question, scene.film, geometry, speech, model, folder, on_progress)
        except DublineError as error:
            if not error.retryable or attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


@flow(name="shot", flow_run_name="{episode_name} {name}")
def shot(episode_name: str, name: str) -> str:
    """Draw one shot of an episode that has its routes, and say how it stands. The episode's next run delivers it."""
    with catalog() as session:
        row = episode.by_name(session, episode_name)
        asked = shot_rows.by_name(session, row.id, name)
        faces = cues(track.of_episode(session, row.id), route.of_episode(session, row.id)).get(asked.id, [])
        notes = {each.name: each.notes for each in step.of_episode(session, row.id)}
        turns, cast = turn.of_episode(session, row.id), character.of_episode(session, row.id)
    if not faces:
        return f"{name} is {asked.status}: there is nothing to draw in it"
    job = EpisodeJob.model_validate(row.job)
    scene = Scene(job, probe(there(job.film)), row.film_sha, notes["listen"]["speech"], turns, {c.id: c for c in cast})
    play(scene, asked, faces, Lines())
    return f"{name} is {asked.status}" + (f": {asked.reason}" if asked.reason else "")
