"""What is asked of a farm about whole episodes: start one, say whether its run is over, count who draws.

Promises: each asking opens its own connection, so a farm may restart between two of them; a farm that does not answer
is Missing, never a traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import WorkerStatus
from prefect.exceptions import ObjectNotFound

from flows.farm import runs
from flows.farm.env import reach
from flows.submit import start_episode
from storage.catalog import Episode
from storage.errors import Missing
from tasks.job import Priority

COMES_BACK: Final = timedelta(minutes=5)  # a crashed run is sent again within that, by an automation or the janitor


def start(row: Episode, priority: Priority) -> None:
    """Make the episode's run, or send it again. Asked twice, there is one."""
    with _reached() as client:
        start_episode(client, row, priority)


def over(row: Episode) -> str:
    """Empty while a run of the episode is under way or may yet come back by itself; else how its newest run ended."""
    with _reached() as client:
        run = runs.of_episode(client, row.name)
    if run is None or run.state is None:
        return "it has no run"
    state = run.state
    if not state.is_final() or (state.is_crashed() and datetime.now(UTC) - state.timestamp < COMES_BACK):
        return ""
    return f"its run ended as {state.name}" + (f": {state.message}" if state.message else "")


def workers(pool: str = "gpu") -> int:
    """How many workers of the pool are there, by what they last said."""
    with _reached() as client:
        try:
            found = client.read_workers_for_work_pool(pool)
        except ObjectNotFound:
            return 0
    return sum(each.status is WorkerStatus.ONLINE for each in found)


@contextmanager
def _reached() -> Iterator[SyncPrefectClient]:
    try:
        with reach() as client:
            yield client
    except httpx.HTTPError as error:
        raise Missing(f"The farm does not answer: {error}. `dubline up` starts it again.") from error
