"""An operator's word, carried to the farm: which runs come back, and which are stopped.

The catalog has obeyed already (flows/verbs.py), so a word whose way to the farm failed is said again, and nothing is
lost. The episode's run is sent after those of its shots: when it looks, they are at work.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType

from flows.claim import holder
from flows.farm import runs
from flows.farm.env import address, reach
from flows.verbs import AT_WORK, Obeyed
from storage.catalog import episode, shot
from storage.catalog.session import catalog
from storage.errors import Missing, Refused

IN_WORDS: Final = {
    StateType.SCHEDULED: "waits for a worker",
    StateType.PENDING: "is being started",
    StateType.RUNNING: "is at work",
    StateType.PAUSED: "is paused in Prefect",
    StateType.CANCELLING: "is still being stopped: say it again when it has ended",
}
NO_RUN: Final = "has no run on the farm"
GO_ON: Final = "the same `dubline dub` or `dubline submit` goes on from here, or this word with --here"


@dataclass(frozen=True)
class Answer:
    """What the farm makes of a word."""

    episode: str  # what the episode's run does now
    shots: dict[str, str] = field(default_factory=dict)  # by name: what the run of a shot does
    arrived: bool = True  # False: there is a farm, and it did not answer


def tell(said: Obeyed) -> Answer:
    """Tell the farm, if there is one."""
    if address() is None:
        return Answer("is stopped" if said.word.verb == "cancel" else f"no farm is running: {GO_ON}")
    try:
        with reach() as client:
            return carry(client, said)
    except Missing as error:
        return Answer(f"the catalog has obeyed, the farm was not told: {error} Then say it again.", arrived=False)


def carry(client: SyncPrefectClient, said: Obeyed) -> Answer:
    """Send or stop the runs that a word is about."""
    why = said.word.reason(f"{said.word.by}: {said.word.verb}")
    return _stop(client, said, why) if said.word.verb == "cancel" else _send(client, said, why)


def refuse_to_cancel(name: str, shots: Collection[str]) -> None:
    """Whether these shots, or all of the episode, can be cancelled.

    raises  Refused if a process outside the farm is at it, or if other shots would end with these; Missing if there is
            a farm, and it does not answer
    """
    with catalog() as session:
        row = episode.by_name(session, name)
        busy = {each.name for each in shot.of_episode(session, row.id) if each.status in AT_WORK}
    on_the_farm = False
    if address() is not None:
        with reach() as client:
            on_the_farm = _working(runs.of_episode(client, name))
            for drawn, run in runs.shots_of(client, name).items() if shots else ():
                beside = sorted((set(runs.drawn_by(run)) & busy) - set(shots))
                if drawn in shots and beside and _working(run):
                    raise Refused(
                        f"{drawn} is drawn by one run together with {', '.join(beside)}. Cancel them together, or "
                        f"`dubline skip {name} {drawn}`."
                    )
    if not on_the_farm and (who := holder(row.film_sha, row.dub_sha)):
        raise Refused(f"{name} is worked on by {who}, which is no run of a farm. Ctrl-C stops it where it was started.")


def _send(client: SyncPrefectClient, said: Obeyed, why: str) -> Answer:
    name = said.word.episode
    drawing = runs.shots_of(client, name) if said.to_draw else {}
    sent = {run.id: run for each, run in drawing.items() if each in said.to_draw}  # several shots may share one
    words = {number: _sent(client, run, why) for number, run in sent.items()}
    shots = {each: words[drawing[each].id] if each in drawing else NO_RUN for each in said.to_draw}
    run = runs.of_episode(client, name)
    return Answer(f"its run {_sent(client, run, why)}" if run else f"it {NO_RUN}: {GO_ON}", shots)


def _sent(client: SyncPrefectClient, run: FlowRun, why: str) -> str:
    if runs.again(client, run, why):
        return "was sent again"
    state = client.read_flow_run(run.id).state
    return IN_WORDS.get(state.type, f"is {state.name}") if state else ""


def _stop(client: SyncPrefectClient, said: Obeyed, why: str) -> Answer:
    """The episode's run first, so that it sends no shot again."""
    name, named = said.word.episode, [each.shot for each in said.shots]
    run = runs.of_episode(client, name) if said.whole else None
    episode = "goes on without them" if not said.whole else _stopped(client, run, why) if run else f"it {NO_RUN}"
    drawing = {each: run for each, run in runs.shots_of(client, name).items() if said.whole or each in named}
    words = {number: _stopped(client, run, why) for number, run in {run.id: run for run in drawing.values()}.items()}
    return Answer(episode, {each: words[drawing[each].id] if each in drawing else NO_RUN for each in named})


def _stopped(client: SyncPrefectClient, run: FlowRun, why: str) -> str:
    return "is being stopped" if runs.stop(client, run, why) else "has ended"


def _working(run: FlowRun | None) -> bool:
    return run is not None and run.state is not None and not run.state.is_final()
