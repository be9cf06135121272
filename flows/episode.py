"""An episode, from a film and its dub to the delivery: the table of contents of Dubline.

Each step's rows are in the catalog before the next begins (flows/ledger.py), so this may be killed anywhere and goes
on from there. It is a Prefect flow and, for `dubline dub`, a plain function (flows/run.py).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import painters, steps
from flows.delivery import Delivery, deliver
from flows.farm import pages, resume
from flows.farm import shots as farm
from flows.ledger import Ledger
from flows.opening import examined, opened
from flows.progress import Logged, Progress
from flows.scene import Faces, Scene, cues, plan
from flows.shot import play
from storage.catalog import Shot, ShotStatus
from storage.errors import DublineError
from tasks.ingest import Ingested
from tasks.job import EpisodeJob

Render = Callable[
    [Scene, Sequence[Shot], Faces, Progress], None
]  # draws what the shots lack; the catalog says how each stands


def dub(job: EpisodeJob, progress: Progress, render: Render | None = None) -> Delivery:
    """A film and its dub in; the same film with new mouths out.

    render  who draws the shots: this process, or a farm (flows/farm/shots.py)
    """
    lacking = painters.check(job) if render is None else painters.permit(job)
    given, spent_us = examined(job, progress)  # refused here or not at all
    with opened(job, given, progress) as book:
        scene, shots, faces = decided(book, job, given, spent_us, lacking)
        began = time.monotonic_ns()
        (render or here)(scene, shots, faces, progress)
        return deliver(book, job, given, (time.monotonic_ns() - began) // 1000)


def decided(
    book: Ledger, job: EpisodeJob, given: Ingested, spent_us: int, lacking: Mapping[str, str]
) -> tuple[Scene, Sequence[Shot], Faces]:
    """All that comes before drawing: what there is to draw, and every shot with the status that asks for it.

    lacking  models that the rules may choose and this job cannot have, each with the reason
    """
    for name, why in lacking.items():
        book.progress.say(f"No face is sent to {name}: {why}.")
    steps.ingested(book, given, spent_us)
    shots = steps.split(book, given)
    tracks = steps.look(book, job, given.film, shots)  # before listening: the dearest step needs no sound (ADR 4)
    heard = steps.listen(book, job, given)
    cast = steps.cast(book, given.film, shots, tracks, heard, given.cast)
    routes = steps.route(book, job, given.film, cast, heard, lacking, given.words)
    scene = Scene(job, given.film, given.film_sha, heard.speech, heard.turns, {c.id: c for c in cast.characters})
    plan(shots, cast.tracks, routes)
    return scene, shots, cues(cast.tracks, routes)


def here(scene: Scene, shots: Sequence[Shot], faces: Faces, progress: Progress) -> None:
    """Draw the shots in this process, one after another. One red shot costs one shot."""
    for shot in shots:
        if shot.id in faces:
            play(scene, shot, progress)


@flow(
    name="episode",
    flow_run_name="{job.called}",
    on_failure=[resume.after_episode],
    on_cancellation=[resume.episode_cancelled],
)
def episode(job: EpisodeJob) -> State[Any]:
    """A film and its dub in; the same film with new mouths out. The run's page on a Prefect server.

    With red shots it delivers the source there and fails, naming them; when they are green it goes on by itself.
    """
    try:
        delivery = dub(job, Logged(), farm.render if runtime.deployment.id else here)
    except DublineError as error:  # in words, and not with a traceback of ours
        return Failed(message=str(error))
    pages.of_delivery(delivery)
    red = [f"{each['shot']}: {each['reason']}" for each in delivery.open if each["status"] == ShotStatus.FAILED]
    if red:
        return Failed(message=f"{len(red)} of {sum(delivery.shots.values())} shots are red. {'; '.join(red[:20])}")
    return Completed(message=f"{delivery.out}: {delivery.changed} of {delivery.frames} frames changed")
