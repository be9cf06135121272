"""One attempt at a shot on a farm: who asked for it is written down, it draws when the card is free, and may not hang.

The limit is the estimate ten times over. A process beyond it ends itself, from a thread that needs no interpreter
lock, with the stack of every thread in its log; it then counts as crashed, and is tried again like any other.
"""

import faulthandler
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from prefect.client.orchestration import get_client

from flows import estimate
from flows.farm.card import card
from flows.scene import Cue
from flows.takes import Held
from storage.catalog import Shot, event
from storage.catalog.session import catalog
from tasks.ranges import length


def begun(shot: Shot, faces: Sequence[Cue], run_id: str) -> Held:
    """Write the attempt down. Returns what is held while a model draws a face of it: the card, for so long."""
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(run_id))
        asked = [each for each in client.read_flow_run_states(run.id) if each.name == "AwaitingRetry"]
    because = (asked[-1].message or "retried") if asked else "sent with its episode"
    with catalog() as session:
        frames = sum(length(chosen.ranges) for _, chosen in faces)
        limit = estimate.limit_of(estimate.of_shot(session, faces[0][1].model, frames))
        said = {"attempt": run.run_count, "because": because, "limit_s": round(limit)}
        event.append(session, shot.episode_id, "prefect", "shot.attempt", shot.name, after=said)
    return partial(_at_most, limit)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    with card():
        faulthandler.dump_traceback_later(seconds, exit=True)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
