"""Runs on a real Prefect API: found by their tags, sent again when they have ended, stopped."""

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Completed, Failed, Running, Scheduled

from flows.farm import runs

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


@flow(name="stand-in")
def stand_in() -> None:
    """Never run: only the words about it are."""


def add(client: SyncPrefectClient, tags: list[str], state: State | None = None) -> FlowRun:
    run = client.create_flow_run(stand_in, tags=tags, state=Scheduled())
    if state is not None:
        client.set_flow_run_state(run.id, state, force=True)
    return client.read_flow_run(run.id)


def state(client: SyncPrefectClient, run: FlowRun) -> tuple[StateType, str, str | None]:
    found = client.read_flow_run(run.id).state
    assert found is not None
    return found.type, found.name or "", found.message


def test_the_newest_run_of_an_episode_and_of_each_of_its_shots_is_found(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.farm.runs.PAGE", 2)  # so that a page is not all there is
    for _ in range(2):
        film = add(client, runs.episode_tags("ep1"))
    other = add(client, runs.episode_tags("ep10"))
    first = add(client, runs.shot_tags("ep1", "sh0010", "sh0020", "sh0030"))
    rest = [add(client, runs.shot_tags("ep1", f"sh{n:04}")) for n in (40, 50)]
    newer = add(client, runs.shot_tags("ep1", "sh0020"))
    add(client, runs.shot_tags("ep10", "sh0020"))

    assert runs.of_episode(client, "ep1") == film and runs.of_episode(client, "ep10") == other
    assert runs.of_episode(client, "ep2") is None and runs.of_shot(client, "ep1", "sh0060") is None
    assert runs.of_shot(client, "ep1", "sh0010") == first and runs.of_shot(client, "ep1", "sh0020") == newer
    found = {name: run.id for name, run in runs.shots_of(client, "ep1").items()}
    named = {"sh0010": first, "sh0020": newer, "sh0030": first, "sh0040": rest[0], "sh0050": rest[1]}
    assert found == {name: run.id for name, run in named.items()}


def test_a_run_that_ended_comes_back_once_however_often_it_is_asked(client: SyncPrefectClient) -> None:
    run = add(client, ["a"], Failed())
    assert runs.again(client, run, "anna: retry")
    assert state(client, run) == (StateType.SCHEDULED, "AwaitingRetry", "anna: retry")
    assert not runs.again(client, run, "anna: retry")


def test_a_run_that_has_just_ended_begins_when_its_process_is_buried(client: SyncPrefectClient) -> None:
    run = add(client, ["a"], Completed())
    assert run.state is not None and runs.again(client, run, "anna: retry")
    sent = client.read_flow_run(run.id).state
    assert sent is not None and sent.state_details.scheduled_time == run.state.timestamp + runs.BURIAL


@pytest.mark.parametrize("stands", [Scheduled(), Running()], ids=["scheduled", "running"])
def test_a_run_that_has_not_ended_needs_no_sending(client: SyncPrefectClient, stands: State) -> None:
    run = add(client, ["a"], stands)
    assert not runs.again(client, run, "again")
    assert state(client, run)[0] is stands.type


def test_stopping_ends_what_waits_asks_the_worker_for_what_runs_and_leaves_what_ended(
    client: SyncPrefectClient,
) -> None:
    waiting, running, done = (add(client, ["a"]), add(client, ["a"], Running()), add(client, ["a"], Completed()))
    back = add(client, ["a"], Failed())
    client.update_flow_run(back.id, infrastructure_pid="12345")  # of a process that is gone
    assert client.read_flow_run(back.id).infrastructure_pid == "12345"
    assert runs.again(client, back, "again")
    assert [runs.stop(client, run, "anna: cancel") for run in (waiting, running, done, back)] == [
        True,
        True,
        False,
        True,
    ]
    assert [runs.stop(client, run, "anna: cancel") for run in (waiting, running, done, back)] == [False] * 4
    assert [state(client, run)[0] for run in (waiting, running, done, back)] == [
        StateType.CANCELLED,
        StateType.CANCELLING,
        StateType.COMPLETED,
        StateType.CANCELLED,
    ]
    assert state(client, waiting)[2] == state(client, running)[2] == "anna: cancel"


def test_what_was_stopped_can_be_sent_again(client: SyncPrefectClient) -> None:
    run = add(client, ["a"])
    runs.stop(client, run, "anna: cancel")
    assert runs.again(client, run, "anna: retry")
    assert state(client, run)[1] == "AwaitingRetry"
