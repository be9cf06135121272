"""An episode, from a film and its dub to the delivery: the table of contents of Dubline.

Each step's rows are in the catalog before the next begins (flows/ledger.py), so this may be killed anywhere and goes
on from there. It is a Prefect flow and, for `dubline dub`, a plain function (flows/run.py).
"""

import time
from collections.abc import Sequence

from prefect import flow

from flows import painters, steps
from flows.delivery import Delivery, deliver
from flows.opening import examined, opened
from flows.progress import Lines, Progress
from flows.scene import Scene, cues, plan
from flows.shot import play
from storage.catalog import Route, Shot, Take, Track
from tasks.job import EpisodeJob


def dub(job: EpisodeJob, progress: Progress) -> Delivery:
    """A film and its dub in; the same film with new mouths out."""
    painters.check(job)
    given, spent_us = examined(job, progress)  # refused here or not at all
    with opened(job, given, progress) as book:
        steps.ingested(book, given, spent_us)
        shots = steps.split(book, given.film)
        tracks = steps.look(book, job, given.film, shots)  # before listening: the dearest step needs no sound (ADR 4)
        heard = steps.listen(book, job, given)
        cast = steps.cast(book, given.film, tracks, heard)
        routes = steps.route(book, job, given.film, cast, heard)
        scene = Scene(job, given.film, given.film_sha, heard.speech, heard.turns, {c.id: c for c in cast.characters})
        takes, drawing_us = _play_all(scene, shots, cast.tracks, routes, progress)
        return deliver(book, job, given, takes, drawing_us)


def _play_all(
    scene: Scene, shots: Sequence[Shot], tracks: Sequence[Track], routes: Sequence[Route], progress: Progress
) -> tuple[list[Take], int]:
    """The circled takes of every shot that is done, and the microseconds spent. One red shot costs one shot."""
    began = time.monotonic_ns()
    faces = cues(tracks, routes)
    plan(shots, tracks, routes)
    takes = [drawn for shot in shots if shot.id in faces for drawn in play(scene, shot, faces[shot.id], progress)]
    return takes, (time.monotonic_ns() - began) // 1000


@flow(name="episode", flow_run_name="{job.out.name}")
def episode(job: EpisodeJob) -> Delivery:
    """A film and its dub in; the same film with new mouths out. The run's page on a Prefect server."""
    return dub(job, Lines())
