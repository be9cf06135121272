"""Submitting and the night on a real Prefect API: one run for one submission, and a summary among the artifacts."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Failed, Running
from prefect.utilities.callables import parameter_schema

import flows.episode
from flows.farm import episodes, runs
from flows.night import Night, night
from flows.progress import Lines
from flows.submit import Submission, start_episode, submit
from storage.catalog import Episode, EpisodeStatus, episode, moves
from storage.catalog.session import catalog
from storage.errors import Missing, Refused
from tasks.job import EpisodeJob
from tests.flows.stage import Stage, set_up

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


@pytest.fixture(autouse=True)
def farm(client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The farm that the settings name."""
    monkeypatch.setenv("PREFECT_API_URL", str(client.api_url))


@pytest.fixture
def stage(house: Path, tmp_path: Path, client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> Stage:
    if not any(pool.name == "cpu" for pool in client.read_work_pools()):
        client.create_work_pool(WorkPoolCreate(name="cpu", type="process"))
        for queue in ("urgent", "overnight"):
            client.create_work_queue(name=queue, work_pool_name="cpu")
        flow_id = client.create_flow_from_name("episode")
        client.create_deployment(
            flow_id, "cpu", work_pool_name="cpu", entrypoint="flows.episode.episode", tags=["episode"]
        )
    return set_up(monkeypatch, tmp_path)


def send(stage: Stage, name: str, **wishes: Any) -> Submission:
    return submit(stage.job(name=name, **wishes), Lines(io.StringIO()), by="anna")


def row_of(name: str) -> Episode:
    with catalog() as session:
        return episode.by_name(session, name)


def all_runs(client: SyncPrefectClient, name: str) -> list[FlowRun]:
    return list(runs._newest_first(client, runs.episode_tags(name)))


def state_of(client: SyncPrefectClient, run: FlowRun) -> StateType:
    found = client.read_flow_run(run.id).state
    assert found is not None
    return found.type


def test_submitted_twice_there_is_one_run_with_its_name_tags_queue_and_job(
    stage: Stage, client: SyncPrefectClient
) -> None:
    first = send(stage, "twice", priority="urgent")
    assert send(stage, "twice", priority="urgent") == first and first.run == "twice"
    (run,) = all_runs(client, "twice")
    assert run.name == "twice" and set(run.tags) >= {"episode", "episode:twice"} and run.work_queue_name == "urgent"
    assert EpisodeJob.model_validate(run.parameters["job"]) == stage.job(name="twice", priority="urgent")
    assert run.state is not None and run.state.is_scheduled()


def test_other_wishes_replace_the_run_that_has_not_begun(stage: Stage, client: SyncPrefectClient) -> None:
    send(stage, "changed")
    (old,) = all_runs(client, "changed")
    send(stage, "changed", seed=8)
    new, _ = all_runs(client, "changed")
    assert state_of(client, old) is StateType.CANCELLED and state_of(client, new) is StateType.SCHEDULED
    assert new.parameters["job"]["seed"] == 8


def test_put_off_to_the_night_its_run_is_taken_back_and_the_night_makes_another(
    stage: Stage, client: SyncPrefectClient
) -> None:
    send(stage, "later")
    (by_day,) = all_runs(client, "later")
    assert send(stage, "later", priority="overnight").run == ""
    assert state_of(client, by_day) is StateType.CANCELLED
    assert episodes.over(row_of("later")).startswith("its run ended as Cancelled")
    episodes.start(row_of("later"), "overnight")
    assert all_runs(client, "later")[0].work_queue_name == "overnight" and episodes.over(row_of("later")) == ""
    send(stage, "later", priority="overnight")  # asked once more: the night's own run stays
    assert episodes.over(row_of("later")) == ""


def test_a_run_that_failed_is_sent_again_and_not_doubled(
    stage: Stage, client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(stage, "broken")
    (run,) = all_runs(client, "broken")
    client.set_flow_run_state(run.id, Running(), force=True)
    assert episodes.over(row_of("broken")) == ""
    client.set_flow_run_state(run.id, Failed(message="no weights"), force=True)
    assert episodes.over(row_of("broken")) == "its run ended as Failed: no weights"
    send(stage, "broken")
    (run,) = all_runs(client, "broken")
    assert state_of(client, run) is StateType.SCHEDULED


def test_an_episode_that_was_delivered_and_is_submitted_again_has_a_new_run(
    stage: Stage, client: SyncPrefectClient
) -> None:
    send(stage, "again")
    row = row_of("again")
    with catalog() as session:
        moves.move(session, row, EpisodeStatus.RUNNING)
        moves.move(session, row, EpisodeStatus.DELIVERED)
    (first,) = all_runs(client, "again")
    client.set_flow_run_state(first.id, Failed(), force=True)
    send(stage, "again")
    assert len(all_runs(client, "again")) == 2


def test_a_farm_without_the_deployment_says_what_makes_it(
    stage: Stage, client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(stage, "nowhere", priority="overnight")
    monkeypatch.setattr("flows.submit.DEPLOYMENT", "episode/none")
    with pytest.raises(Missing, match="dubline up"):
        start_episode(client, row_of("nowhere"))


def test_a_job_that_the_deployment_does_not_take_is_refused_in_words(stage: Stage, client: SyncPrefectClient) -> None:
    send(stage, "odd", priority="overnight")
    with catalog() as session:
        session.get_one(Episode, row_of("odd").id).job = {"priority": "overnight"}
    deployment = client.read_deployment_by_name("episode/cpu")
    schema = parameter_schema(flows.episode.episode).model_dump(exclude_unset=True)
    client.update_deployment(
        deployment.id, DeploymentUpdate(parameter_openapi_schema=schema, enforce_parameter_schema=True)
    )
    with pytest.raises(Refused, match="required property"):
        episodes.start(row_of("odd"), "overnight")


def test_a_night_on_prefect_ends_with_its_summary_as_an_artifact(
    stage: Stage, client: SyncPrefectClient, house: Path
) -> None:
    send(stage, "too-long", priority="overnight")
    now = datetime.now(UTC)
    with catalog() as session:
        session.get_one(Episode, row_of("too-long").id).frames = 10**9
    plan = Night(start=f"{now - timedelta(minutes=2):%H:%M}", end=f"{now + timedelta(minutes=30):%H:%M}")
    said = night(plan)
    (page,) = (house / "nights").iterdir()
    assert str(page) in said and "1 carried over" in said
    (found,) = [each for each in client.read_artifacts() if each.key == f"night-{page.stem}"]
    assert found.data == page.read_text() and "too-long" in page.read_text()


def test_a_night_is_one_form_with_titles() -> None:
    schema = parameter_schema(night).model_dump(exclude_unset=True)
    fields = schema["definitions"]["Night"]["properties"]
    assert {name: each["title"] for name, each in fields.items()} == {
        "start": "Start", "end": "End", "timezone": "Time zone", "queue": "Queue", "workers": "Workers",
    }  # fmt: skip
    assert json.dumps(schema)
