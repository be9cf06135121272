"""What is asked of a farm about whole episodes: start one, say whether its run is over, count who draws.

Each asking opens its own connection, so a farm may restart between two of them. All may raise Missing.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from prefect.client.schemas.objects import WorkerStatus

from flows.farm import runs
from flows.farm.answers import answering
from flows.submit import start_episode
from storage.catalog import Episode
from tasks.job import Priority

POOL: Final = "gpu"
COMES_BACK: Final = timedelta(minutes=5)  # a crashed run is sent again within that, by an automation or the janitor


def start(row: Episode, priority: Priority) -> None:
    """Make the episode's run, or send it again; asked twice, there is one. Refused if the farm takes no such job."""
    with answering() as client:
        start_episode(client, row, priority)


def over(row: Episode) -> str:
    """Empty while a run of the episode is under way or may yet come back by itself; else how its newest run ended."""
    with answering() as client:
        run = runs.of_episode(client, row.name)
    if run is None or run.state is None:
        return "it has no run"
    state = run.state
    if not state.is_final() or (state.is_crashed() and datetime.now(UTC) - state.timestamp < COMES_BACK):
        return ""
    return f"its run ended as {state.name}" + (f": {state.message}" if state.message else "")


def workers() -> int:
    """How many draw: the workers of the pool gpu, by what they last said."""
    with answering() as client:
        if not any(pool.name == POOL for pool in client.read_work_pools()):
            return 0
        return sum(each.status is WorkerStatus.ONLINE for each in client.read_workers_for_work_pool(POOL))
