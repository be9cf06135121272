"""Flow runs whose worker was ended: they go back to their pool at once, rather than be missed after three heartbeats.

Only for runs whose worker and process are known to be gone: what still lives would report a run that has come back
as crashed, and a worker of Prefect 3.8 dies of a run that it holds already.
"""

from collections.abc import Iterable
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry, Cancelled


def hand_back(client: SyncPrefectClient, runs: Iterable[str], why: str) -> list[str]:
    """Give these runs back, unless they have ended; the names of those that were given back."""
    given = []
    for run_id in runs:
        try:
            run = client.read_flow_run(UUID(run_id))
        except ObjectNotFound:
            continue
        stands = run.state.type if run.state else None
        if stands is StateType.CANCELLING:
            client.set_flow_run_state(run.id, Cancelled(message=why), force=True)
        elif stands in (StateType.RUNNING, StateType.PENDING):
            client.set_flow_run_state(run.id, AwaitingRetry(message=why), force=True)
            given.append(run.name)
    return given
