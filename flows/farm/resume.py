"""What happens after a run has ended: a shot that turned green wakes its episode, a cancelled one is red.

Prefect tells nobody's parent of anything, and automations act on the run that set them off; so these are hooks of the
flows. The episode's own failure looks too: a shot may have turned green while the episode was delivering without it.
What both miss, the janitor finds (flows/janitor.py).
"""

from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from flows.farm import env, runs
from storage.catalog import EpisodeStatus, ShotStatus, episode, moves, shot
from storage.catalog.session import catalog

OPEN = (ShotStatus.WAITING, ShotStatus.RENDERING, ShotStatus.FAILED)


def after_shot(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """The last red shot is green: its episode delivers anew."""
    go_on(str(flow_run.parameters["episode"]), f"{flow_run.name} is green")


def after_episode(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """It failed, and while it was delivering its last red shot turned green: it delivers anew."""
    for tag in flow_run.tags:
        if tag.startswith("episode:"):
            go_on(tag.removeprefix("episode:"), "its shots turned green meanwhile")


def go_on(name: str, why: str) -> bool:
    """Send the episode's run again if it delivered in part and nothing is open in the catalog; says whether it did."""
    with catalog() as session:
        row = episode.by_name(session, name)
        if row.status != EpisodeStatus.PARTIAL or any(s.status in OPEN for s in shot.of_episode(session, row.id)):
            return False
    with env.reach() as client:
        run = runs.of_episode(client, name)
        return run is not None and runs.again(client, run, why)


def shot_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Whoever cancelled it, in Prefect or by `dubline cancel`: what it had not drawn is red."""
    with catalog() as session:
        row = episode.by_name(session, str(flow_run.parameters["episode"]))
        for name in flow_run.parameters["shots"]:
            each = shot.by_name(session, row.id, name)
            if each.status in (ShotStatus.WAITING, ShotStatus.RENDERING):
                moves.move(session, each, ShotStatus.FAILED, f"cancelled: {state.message or 'in Prefect'}")


def episode_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """The same for an episode; `dubline submit` or Retry takes it up again."""
    for tag in flow_run.tags:
        if tag.startswith("episode:"):
            with catalog() as session:
                row = episode.by_name(session, tag.removeprefix("episode:"))
                if row.status == EpisodeStatus.RUNNING:
                    moves.move(session, row, EpisodeStatus.FAILED, f"cancelled: {state.message or 'in Prefect'}")
