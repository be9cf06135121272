"""The same flow on a Prefect server: every step a task run, and a shot that an operator runs alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from flows.episode import episode
from flows.shot import shot
from storage.errors import ShotFailed
from tests.flows.stage import set_up
from tests.flows.test_episode import ends_with

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    quiet = {
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # its thread would be joined for a second at every flow's end
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many
def test_the_episode_runs_on_a_server_and_a_red_shot_is_drawn_alone(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: None
) -> None:
    stage = set_up(monkeypatch, tmp_path)
    stage.trouble["render 12"] = ends_with(ShotFailed, "the face leaves the picture")
    ended = episode(stage.job(), return_state=True)
    assert ended.is_failed() and ended.message == "1 of 3 shots are red. sh0020: the face leaves the picture"
    assert shot("out", ["sh0020", "sh0030"], return_state=True).is_completed()
    assert episode(stage.job(), return_state=True).is_completed()
    assert stage.computed["render 12"] == 2 and stage.computed["look"] == 1 and stage.computed["render 24"] == 1


def test_the_entrypoints_of_the_deployments_exist() -> None:
    said = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    found = {}
    for each in said["deployments"]:
        flow: Flow[..., Any] = load_flow_from_entrypoint(each["entrypoint"])
        found[f"{flow.name}/{each['name']}"] = each["work_pool"]["name"]
    ours = {("episode/cpu", "cpu"), ("shot/gpu", "gpu"), ("janitor/cpu", "cpu"), ("night/cpu", "cpu")}
    assert found.items() >= ours
