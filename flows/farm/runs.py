"""The Prefect runs of an episode and of its shots: found by their tags, sent again, stopped.

Promises: a run is found however often it was retried and whoever started it; sending again and stopping may be asked
twice; no run comes back while its old process is still being buried. What a run has done is in the catalog, not here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import AwaitingRetry, Cancelled

PAGE: Final = 200  # what the server gives at once
BURIAL: Final = timedelta(seconds=8)  # a worker of Prefect 3.8 dies of a run that comes back before its process is gone

EPISODE: Final = "episode"
SHOT: Final = "shot"


def episode_tags(episode: str) -> list[str]:
    """What the run of an episode carries."""
    return [EPISODE, f"episode:{episode}"]


def shot_tags(episode: str, *shots: str) -> list[str]:
    """What the run of one shot, or of several short ones, carries."""
    return [SHOT, f"episode:{episode}", *(f"shot:{name}" for name in shots)]


def of_episode(client: SyncPrefectClient, episode: str) -> FlowRun | None:
    """The newest run of the episode."""
    return next(_newest_first(client, episode_tags(episode)), None)


def of_shot(client: SyncPrefectClient, episode: str, shot: str) -> FlowRun | None:
    """The newest run that draws this shot, alone or among others."""
    return next(_newest_first(client, shot_tags(episode, shot)), None)


def shots_of(client: SyncPrefectClient, episode: str) -> dict[str, FlowRun]:
    """By the shot's name: the newest run that draws it."""
    found: dict[str, FlowRun] = {}
    for run in _newest_first(client, shot_tags(episode)):
        for name in drawn_by(run):
            found.setdefault(name, run)
    return found


def drawn_by(run: FlowRun) -> list[str]:
    """The shots that a run draws."""
    return [tag.removeprefix("shot:") for tag in run.tags if tag.startswith("shot:")]


def again(client: SyncPrefectClient, run: FlowRun, why: str) -> bool:
    """Send a run that has ended to its pool again; False if it has not ended, for then it needs no sending.

    It begins when its old process is certainly gone, also where that very process asks.
    """
    stands = _state(client, run)
    if not stands.is_final():
        return False
    begins = max(datetime.now(UTC), stands.timestamp + BURIAL)
    client.set_flow_run_state(run.id, AwaitingRetry(message=why, scheduled_time=begins), force=True)
    return True


def stop(client: SyncPrefectClient, run: FlowRun, why: str) -> bool:
    """Cancel a run: one without a process at once, one with a process as soon as its worker has ended that.

    False if it has ended already, or is being cancelled. The runs that an episode waits for are cancelled with it.
    """
    stands = _state(client, run)
    if stands.is_final() or stands.is_cancelling():
        return False
    # A run that awaits its retry keeps the number of its dead process, and Prefect would wait for a worker to end that.
    said = Cancelled(message=why) if stands.is_scheduled() else State(type=StateType.CANCELLING, message=why)
    client.set_flow_run_state(run.id, said)
    return True


def _newest_first(client: SyncPrefectClient, tags: list[str]) -> Iterator[FlowRun]:
    """All runs that carry all of these tags, the one that was made last at the front."""
    found: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=tags)),
            sort=FlowRunSort.ID_DESC,  # the order of nothing but itself, and so the same on every page
            limit=PAGE,
            offset=len(found),
        )
        found += page
        if len(page) < PAGE:
            break
    yield from sorted(found, key=lambda run: run.created or datetime.min.replace(tzinfo=UTC), reverse=True)


def _state(client: SyncPrefectClient, run: FlowRun) -> State:
    """Where the run stands by now."""
    state = client.read_flow_run(run.id).state
    assert state is not None  # a server gives every run a state
    return state
