"""The janitor finds what is lost, and touches nothing else. A server without workers; the clock is a parameter."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import Cancelled, Crashed, Failed, Pending, Running, Scheduled

from flows import janitor
from flows.farm import fittings, runs
from storage.catalog import ShotStatus, event, moves
from storage.catalog.session import catalog
from tests.flows.farm import POLL_SECONDS, Farm
from tests.flows.patient import shot
from tests.storage.drawn_rows import add_episode, add_shot

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    often = {"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2"}
    with Farm(tmp_path_factory.mktemp("janitor"), cpu_worker=False, gpu_workers=0, more=often) as farm:
        yield farm


@pytest.fixture
def client(farm: Farm) -> Iterator[SyncPrefectClient]:
    with farm.client() as client:
        yield client
        for run in client.read_flow_runs():
            client.delete_flow_run(run.id)


def add_run(client: SyncPrefectClient, tags: list[str], *states: State) -> FlowRun:
    run = client.create_flow_run(shot, parameters={"until": "never"}, tags=tags, state=Scheduled())
    for state in states:
        client.set_flow_run_state(run.id, state, force=True)
    return client.read_flow_run(run.id)


def stands(client: SyncPrefectClient, run: FlowRun) -> tuple[StateType | None, str | None]:
    seen = client.read_flow_run(run.id)
    return seen.state_type, seen.state_name


def later(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def beat(client: SyncPrefectClient, run: UUID, at: datetime) -> None:
    """As its engine would have said it, and the server has written it down."""
    said = {
        "id": str(uuid4()),
        "occurred": at.isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run}", "prefect.resource.name": "a shot"},
        "related": [],
        "payload": {},
    }
    client.request("POST", "/events", json=[said])
    until = time.monotonic() + 60
    while not janitor._heard_of(client, client.read_flow_run(run), at + timedelta(seconds=1)):
        assert time.monotonic() < until
        time.sleep(POLL_SECONDS)


def test_only_runs_that_nobody_heard_of_for_five_minutes_have_crashed(client: SyncPrefectClient) -> None:
    tags = runs.shot_tags("ep01", "sh0010")
    silent = add_run(client, tags, Pending(), Running())
    beating = add_run(client, tags, Pending(), Running())
    taken = add_run(client, tags, Pending())
    waiting = add_run(client, tags)
    foreign = add_run(client, [], Pending(), Running())
    beat(client, beating.id, later(3))
    assert janitor.sweep(client, later(4)) == []
    done = janitor.sweep(client, later(6))
    assert [name in " ".join(done) for name in (silent.name, taken.name, beating.name, waiting.name)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert stands(client, silent)[0] is stands(client, taken)[0] is StateType.CRASHED
    assert stands(client, beating)[0] is stands(client, foreign)[0] is StateType.RUNNING
    assert stands(client, waiting)[0] is StateType.SCHEDULED


def test_what_crashed_is_tried_again_three_times_in_all_unless_it_was_cancelled(client: SyncPrefectClient) -> None:
    crashed = add_run(client, runs.shot_tags("ep01", "sh0010"), Pending(), Running(), Crashed())
    hopeless = add_run(client, runs.shot_tags("ep01", "sh0020"), *[Running(), Crashed()] * 3)
    unwanted = add_run(client, runs.shot_tags("ep02", "sh0010"), Running(), Crashed())
    add_run(client, runs.episode_tags("ep02"), Running(), Cancelled())
    assert janitor.sweep(client, later(0)) == []
    assert janitor.sweep(client, later(2)) == [f"{crashed.name} is tried again"]
    assert stands(client, crashed) == (StateType.SCHEDULED, "AwaitingRetry")
    assert stands(client, hopeless)[0] is stands(client, unwanted)[0] is StateType.CRASHED


def test_an_episode_goes_on_once_its_last_red_shot_is_green(farm: Farm, client: SyncPrefectClient) -> None:
    with catalog() as session:
        row = add_episode(session, "night-train")
        first, second = add_shot(session, row), add_shot(session, row, "sh0020", 50, 100)
        for each in (first, second):
            moves.move(session, each, ShotStatus.WAITING)
            moves.move(session, each, ShotStatus.FAILED, "the face leaves the picture")
    older = add_run(client, runs.episode_tags("night-train"), Running(), Failed())
    run = add_run(client, runs.episode_tags("night-train"), Running(), Failed())
    with catalog() as session:
        moves.move(session, first, ShotStatus.DONE)
    assert janitor.sweep(client, later(1)) == []
    with catalog() as session:
        moves.move(session, second, ShotStatus.PASSED_THROUGH, "skipped", by="anna")
    assert janitor.sweep(client, later(1)) == ["night-train goes on: its red shots were repaired"]
    assert (
        stands(client, run) == (StateType.SCHEDULED, "AwaitingRetry") and stands(client, older)[0] is StateType.FAILED
    )
    with catalog() as session:
        assert event.of_episode(session, row.id)[-1].who == "janitor"
    client.set_flow_run_state(run.id, Failed(message="the disk is full"), force=True)
    assert janitor.sweep(client, later(1)) == [], "no shot has moved since: trying again would not end"


def test_the_page_of_its_run_says_what_it_did(client: SyncPrefectClient) -> None:
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}):
        state = janitor.janitor(return_state=True)
    assert state.is_completed() and state.message == "nothing to do"


def test_the_server_asks_for_it_every_two_minutes(client: SyncPrefectClient) -> None:
    """So schedules work at all: with SQLAlchemy 2.1 the scheduler of Prefect 3.8.8 dies of its insert."""
    fittings.fit(client, [each for each in fittings.read() if each["entrypoint"] == "flows.janitor.janitor"])
    until = time.monotonic() + 60
    while len(found := [run for run in client.read_flow_runs() if run.auto_scheduled]) < 2:
        assert time.monotonic() < until, "the server schedules nothing"
        time.sleep(POLL_SECONDS)
    first, second, *_ = sorted(run.expected_start_time for run in found if run.expected_start_time)
    assert second - first == timedelta(minutes=2)
