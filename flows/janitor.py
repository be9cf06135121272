"""The janitor: every two minutes, whatever the automations have missed (flows/farm/automations.py).

1. A run that was not heard of for five minutes, or that a worker took so long ago and never began: Crashed.
2. What crashed a minute ago or longer, fewer than three times, and is still wanted: tried again.
3. An episode that failed for its red shots, since when one was repaired and none is red any more: tried again.

Promises: looks before it touches; what an operator has cancelled stays cancelled; a run is tried by it three times at
most, an episode once for each repair. Deliberately not here: which shot is drawn how (the flows look into the catalog).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from prefect import State, flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events.filters import EventFilter
from prefect.states import Completed, Crashed
from sqlalchemy import select

from flows.farm import env, runs
from flows.farm.automations import ATTEMPTS
from storage.catalog import Episode, ShotStatus, event, shot
from storage.catalog.session import catalog

SILENCE: Final = timedelta(minutes=5)
SETTLED: Final = timedelta(minutes=1)  # the automation, which is quicker, has had its chance
UNFINISHED: Final = {ShotStatus.PLANNED, ShotStatus.WAITING, ShotStatus.RENDERING, ShotStatus.FAILED}


@flow(name="janitor", log_prints=True)
def janitor() -> State[list[str]]:
    """Find runs that lost their process or machine, and episodes that wait for nothing any more."""
    with env.reach() as client:
        done = sweep(client, datetime.now(UTC))
    for line in done:
        print(line)
    return Completed(message="; ".join(done) or "nothing to do", data=done)


def sweep(client: SyncPrefectClient, now: datetime) -> list[str]:
    """What it did, one line each. `now` is the time by which silence is measured."""
    return [*_resume(client), *_try_again(client, now), *_bury(client, now)]  # what is buried now has its time


def _bury(client: SyncPrefectClient, now: datetime) -> Iterator[str]:
    for run in _ours(client, StateType.RUNNING, StateType.PENDING):
        if _since(run) > now - SILENCE:
            continue
        if run.state_type is StateType.RUNNING and _heard_of(client, run, now):
            continue
        running = run.state_type is StateType.RUNNING
        why = f"No heartbeat for {SILENCE}" if running else f"Taken by a worker {SILENCE} ago, and never begun"
        client.set_flow_run_state(run.id, Crashed(message=f"{why}: its process or its machine is gone"), force=True)
        yield f"{run.name} crashed: {why.lower()}"


def _try_again(client: SyncPrefectClient, now: datetime) -> Iterator[str]:
    for run in _ours(client, StateType.CRASHED):
        if run.run_count >= ATTEMPTS or _since(run) > now - SETTLED or not _wanted(client, run):
            continue
        if runs.again(client, run, "Tried again by the janitor after a crash"):
            yield f"{run.name} is tried again"


def _resume(client: SyncPrefectClient) -> Iterator[str]:
    for run in _ours(client, StateType.FAILED, tags=[runs.EPISODE]):
        name = _episode(run)
        if name is None or not _wanted(client, run) or not _repaired(name, _since(run)):
            continue
        if runs.again(client, run, "Its red shots were repaired"):
            with catalog() as session:
                row = session.scalars(select(Episode).where(Episode.name == name)).one()
                event.append(session, row.id, "janitor", "episode.resumed", name, after={"run": str(run.id)})
            yield f"{name} goes on: its red shots were repaired"


def _heard_of(client: SyncPrefectClient, run: FlowRun, now: datetime) -> bool:
    asked = {
        "occurred": {"since": now - SILENCE, "until": now},
        "event": {"name": ["prefect.flow-run.heartbeat"]},
        "resource": {"id": [f"prefect.flow-run.{run.id}"]},
    }
    return bool(client.read_events(EventFilter.model_validate(asked), limit=1).events)


def _wanted(client: SyncPrefectClient, run: FlowRun) -> bool:
    """Whether no newer run of the same episode took its place, or was cancelled by an operator."""
    if (name := _episode(run)) is None:
        return True
    newest = runs.of_episode(client, name)
    if newest is None:
        return True
    if runs.EPISODE in run.tags:
        return newest.id == run.id
    return newest.state_type not in (StateType.CANCELLED, StateType.CANCELLING)


def _repaired(name: str, since: datetime) -> bool:
    """Whether a shot has moved since then, and none is red or undone any more."""
    with catalog() as session:
        row = session.scalar(select(Episode).where(Episode.name == name))
        if row is None or any(each.status in UNFINISHED for each in shot.of_episode(session, row.id)):
            return False
        since_us = int(since.timestamp() * 1_000_000)
        return any(
            each.what.startswith("shot.") and each.at_us > since_us for each in event.of_episode(session, row.id)
        )


def _ours(
    client: SyncPrefectClient, *types: StateType, tags: Sequence[str] = (runs.EPISODE, runs.SHOT)
) -> list[FlowRun]:
    """All runs of ours whose state has one of these types."""
    which = FlowRunFilter(
        tags=FlowRunFilterTags(any_=list(tags)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))),
    )
    found: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=which, sort=FlowRunSort.ID_DESC, limit=runs.PAGE, offset=len(found)
        )
        found += page
        if len(page) < runs.PAGE:
            return found


def _episode(run: FlowRun) -> str | None:
    return next((tag.removeprefix("episode:") for tag in run.tags if tag.startswith("episode:")), None)


def _since(run: FlowRun) -> datetime:
    """When it came into the state it is in."""
    assert run.state is not None
    return run.state.timestamp
