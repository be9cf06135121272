"""A take of one face in one shot: found in the catalog by its question, or drawn and written down.

Promises: a take is written down the moment its files are whole, so whatever is killed when, nothing is drawn twice.
Deliberately not here: which model (tasks/route.py), pixels (tasks/render.py), how the shot stands (flows/shot.py).
"""

import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from sqlalchemy.orm import Session

from flows import painters
from flows.progress import Progress
from flows.run import run
from flows.scene import Cue, Scene
from flows.scratch import scratch
from models.lipsync import LipSync
from storage import artifacts
from storage.catalog import Artifact, Shot, ShotStatus, Take, Track, artifact, event, moves, take
from storage.catalog.base import now_us
from storage.catalog.session import catalog
from storage.errors import OutOfGpuMemory
from tasks.geometry import Geometry
from tasks.progress import OnProgress
from tasks.render import Drawn, Question, render

Held = Callable[[], AbstractContextManager[object]]


def asked(scene: Scene, shot: Shot, cue: Cue) -> Question:
    """What this face of this shot asks of its model. Raises Missing if the model's weights are not here."""
    face, chosen = cue
    return scene.question(shot, face, chosen, painters.painter(chosen.model, scene.job.variant))


def known(shot: Shot, face: Track, key: str) -> Take | None:
    """The take that answers this question already, if its files are still there, now circled.

    Another track's becomes a new row.
    """
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


def drawn(scene: Scene, shot: Shot, cue: Cue, progress: Progress, held: Held = nullcontext) -> Take:
    """The take of this face: known, or drawn now.

    held  what is held while the model draws
    """
    face, _ = cue
    question = asked(scene, shot, cue)
    if (there := known(shot, face, question.key)) is not None:
        return there
    with catalog() as session:
        moves.move(session, shot, ShotStatus.RENDERING)
    with progress.step("render", "frames", f"{shot.name}/{face.name}") as on_progress:
        new, files = _new(scene, question, on_progress, held)
    with catalog() as session:
        artifact.remember(session, files)
        return _circled(session, shot, face, new)


def _circled(session: Session, shot: Shot, face: Track, new: Take) -> Take:
    """Add a take as the next version of its track, and circle it."""
    new.track_id, new.version = face.id, take.next_version(session, face.id)
    session.add(new)
    take.circle(session, new)
    about = f"{shot.name}/{face.name}/v{new.version:03d}"
    event.append(session, shot.episode_id, "dubline", "take.circled", about, after={"key": new.key, "model": new.model})
    return new


def _new(scene: Scene, question: Question, on_progress: OnProgress, held: Held) -> tuple[Take, list[Artifact]]:
    """The take, not yet in the catalog, and its files, whole in the store."""
    model = painters.loaded(question.model, question.variant)
    with scratch() as folder:
        with held():
            began = time.monotonic_ns()
            rendered = _rendered(scene, question, model, folder, on_progress)
            spent_us = (time.monotonic_ns() - began) // 1000
        patch, matte = artifacts.put(rendered.patch, "patch", ".mkv"), artifacts.put(rendered.matte, "matte", ".mkv")
    new = Take(
        track_id=None,
        version=0,
        key=question.key,
        model=question.model,
        weights_sha=question.weights,
        seed=question.seed,
        patch=patch.sha,
        matte=matte.sha,
        placements=rendered.placements,
        microseconds_a_frame=spent_us // max(1, len(rendered.placements)),
        machine=platform.node(),
        rendered_us=now_us(),
    )
    return new, [patch, matte]


def _rendered(scene: Scene, question: Question, model: LipSync, folder: Path, on_progress: OnProgress) -> Drawn:
    geometry = Geometry(**artifacts.arrays(question.geometry))
    speech = artifacts.path(question.speech, ".wav")
    try:
        return run(render, question, scene.film, geometry, speech, model, folder, on_progress)
    except (torch.OutOfMemoryError, MemoryError) as error:
        torch.cuda.empty_cache()
        said = str(error).split(".")[0]
        raise OutOfGpuMemory(f"There was no room for {question.model} to draw in: {said}.") from error
