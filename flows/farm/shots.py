"""An episode on a farm: one Prefect run for each shot that lacks a take, and the wait until all are done or red.

Promises: a shot has one run for its life, found again by its tags and retried, so an episode that comes back finds its
shots at work; what the catalog holds is not sent. The catalog says when a shot is done; a run only says that nobody
draws it any more. Short neighbours share a run, each with its own task, page section and takes.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from flows import estimate
from flows.farm import env, pages, runs
from flows.progress import Progress
from flows.scene import Cue, Faces, Scene
from flows.shot import settled
from storage.catalog import Character, Episode, Shot, ShotStatus, moves, shot
from storage.catalog.session import catalog
from storage.errors import Unreachable
from tasks.ranges import length

DEPLOYMENT: Final = "shot/gpu"
LOOKS: Final = 2.0  # seconds between two looks at the shots
PATIENCE: Final = 10.0  # seconds an ended run is given before its shot counts as red: see flows/farm/runs.py, BURIAL
AFTER_A_CRASH: Final = 90.0  # the same where the automation sends it again: after 20 s, and the server may be busy
CRASHES: Final = 3  # runs of one shot that died: so many the automation allows
ALONE: Final = 30.0  # seconds of drawing from which a shot has a run of its own
TOGETHER: Final = 120.0  # seconds of drawing of the shots that share a run
MOST: Final = 16  # shots that share a run

OVER: Final = (ShotStatus.DONE, ShotStatus.HELD, ShotStatus.PASSED_THROUGH)


def render(scene: Scene, shots: Sequence[Shot], faces: Faces, progress: Progress) -> None:
    """Send the shots that lack a take to the farm and wait for them; the catalog then says how each stands."""
    lacking = [each for each in shots if each.id in faces and not settled(each, faces[each.id], scene)]
    if not lacking:
        return
    with catalog() as session:
        row = session.get_one(Episode, lacking[0].episode_id)
    with env.reach() as client:
        run_of = _sent(client, row, lacking, scene, faces)
        progress.say(f"{len(lacking)} shots in {len(set(run_of.values()))} runs")
        _wait(client, row, {each.id: each for each in lacking}, run_of, progress)


def groups(shots: Sequence[Shot], seconds: Mapping[int, float]) -> Iterator[list[Shot]]:
    """Neighbours that are short enough to share a run, in the order of the film.

    seconds  by shot id: how long drawing it will take
    """
    together: list[Shot] = []
    for each in shots:
        short = seconds[each.id] < ALONE
        full = len(together) == MOST or sum(seconds[one.id] for one in together) + seconds[each.id] > TOGETHER
        if together and (not short or full):
            yield together
            together = []
        if short:
            together.append(each)
        else:
            yield [each]
    if together:
        yield together


def _sent(
    client: SyncPrefectClient, row: Episode, lacking: Sequence[Shot], scene: Scene, faces: Faces
) -> dict[int, UUID]:
    """By shot id: the run that draws it. Runs that are there are sent again if they have ended; others are made."""
    there = runs.shots_of(client, row.name)
    run_of = {each.id: there[each.name].id for each in lacking if each.name in there}
    ended = {run.id: run for run in there.values() if run.state is not None and run.state.is_final()}
    with catalog() as session:
        for each in lacking:
            if each.id not in run_of or run_of[each.id] in ended:
                moves.move(session, each, ShotStatus.WAITING)
        seconds = {each.id: estimate.of_shot(session, *_work(faces[each.id])) for each in lacking}
    for run_id in dict.fromkeys(run_of.values()):
        if run_id in ended:
            runs.again(client, ended[run_id], "sent again with its episode")
    for group in groups([each for each in lacking if each.id not in run_of], seconds):
        made = _submitted(row, group, scene, faces)
        run_of |= {each.id: made for each in group}
    return run_of


def _submitted(row: Episode, group: Sequence[Shot], scene: Scene, faces: Faces) -> UUID:
    names = [each.name for each in group]
    shots = names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"
    voices = dict.fromkeys(_called(scene.cast, cue) for each in group for cue in faces[each.id])
    run = run_deployment(
        DEPLOYMENT,
        parameters={"episode": row.name, "shots": names},
        timeout=0,
        as_subflow=True,
        flow_run_name=" · ".join([row.name, shots, ", ".join(voices)]),
        idempotency_key=f"{row.name} {row.created_us} {' '.join(names)}",
        work_queue_name=scene.job.priority,
        tags=runs.shot_tags(row.name, *names),
    )
    assert isinstance(run, FlowRun)  # Prefect's functions are also coroutines, elsewhere
    return run.id


def _work(faces: Sequence[Cue]) -> tuple[str, int]:
    """The model of a shot's first face, and the frames of all."""
    return faces[0][1].model, sum(length(chosen.ranges) for _, chosen in faces)


def _called(cast: Mapping[int, Character], cue: Cue) -> str:
    found = cast.get(cue[0].character_id or 0)
    return found.name if found else "nobody"


@dataclass
class _Watch:
    """What is waited for."""

    waiting: dict[int, Shot]
    run_of: Mapping[int, UUID]

    def look(self, client: SyncPrefectClient, now: Mapping[int, Shot]) -> None:
        """Take out the shots that are over, and turn those red that nobody draws any more."""
        ids = {self.run_of[each] for each in self.waiting}
        found = {run.id: run for run in _read(client, sorted(ids))}
        for number, each in list(self.waiting.items()):
            run = found.get(self.run_of[number])
            stands = now[number]
            if stands.status not in OVER and (run is None or _given_up(run)):
                if stands.status != ShotStatus.FAILED:
                    with catalog() as session:
                        moves.move(session, each, ShotStatus.FAILED, _why(run))
            elif stands.status not in OVER:
                continue
            del self.waiting[number]


def _wait(
    client: SyncPrefectClient,
    row: Episode,
    waiting: dict[int, Shot],
    run_of: Mapping[int, UUID],
    progress: Progress,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    watch = _Watch(waiting, run_of)
    page = pages.Watched(row, run_of)
    while watch.waiting:
        try:
            with catalog() as session:
                now = {each.id: each for each in shot.of_episode(session, row.id)}
            watch.look(client, now)
            page.show(now)
        except Unreachable as error:  # the shots draw on; the catalog will be back
            progress.say(str(error))
        if watch.waiting:
            pause(LOOKS)


def _read(client: SyncPrefectClient, ids: Sequence[UUID]) -> Iterator[FlowRun]:
    for n in range(0, len(ids), runs.PAGE):
        some = FlowRunFilter(id=FlowRunFilterId(any_=list(ids[n : n + runs.PAGE])))
        yield from client.read_flow_runs(flow_run_filter=some, limit=runs.PAGE)


def _given_up(run: FlowRun) -> bool:
    """Whether the run has ended and nobody sends it again."""
    if run.state is None or not run.state.is_final():
        return False
    patience = AFTER_A_CRASH if run.state.is_crashed() and run.run_count < CRASHES else PATIENCE
    return (datetime.now(UTC) - run.state.timestamp).total_seconds() > patience


def _why(run: FlowRun | None) -> str:
    if run is None or run.state is None:
        return "its run was deleted in Prefect; retry the episode"
    if run.state.is_crashed():
        return f"its process died {run.run_count} times: {run.state.message}"
    if run.state.is_cancelled():
        return f"cancelled: {run.state.message}" if run.state.message else "cancelled"
    if run.state.is_completed():
        return "its run ended and left no take; retry the shot"
    return run.state.message or "its run failed"
