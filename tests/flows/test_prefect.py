"""The same flow on a Prefect server: every step a task run, and a shot that an operator runs alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.sorting import ArtifactSort
from prefect.flows import Flow, load_flow_from_entrypoint

from flows.episode import episode
from flows.painters import painter
from flows.shot import shot
from storage.catalog import ShotStatus
from storage.catalog import episode as episode_row
from storage.catalog import shot as catalog_shot
from storage.catalog.session import catalog
from storage.errors import ShotFailed
from tests.flows.stage import Stage, set_up
from tests.flows.test_episode import ends_with

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: SyncPrefectClient) -> Stage:
    return set_up(monkeypatch, tmp_path)


def test_the_episode_runs_on_a_server_and_a_red_shot_is_drawn_alone(stage: Stage) -> None:
    stage.trouble["render 12"] = ends_with(ShotFailed, "the face leaves the picture")
    ended = episode(stage.job(), return_state=True)
    assert ended.is_failed() and ended.message == "1 of 3 shots are red. sh0020: the face leaves the picture"
    assert shot("out", ["sh0020", "sh0030"], return_state=True).is_completed()
    assert episode(stage.job(), return_state=True).is_completed()
    assert stage.computed["render 12"] == 2 and stage.computed["look"] == 1 and stage.computed["render 24"] == 1


def test_the_page_of_a_shot_shows_it_before_and_after_with_its_decision(
    stage: Stage, client: SyncPrefectClient
) -> None:
    stage.trouble["render 12"] = ends_with(ShotFailed, "the face leaves the picture")
    episode(stage.job(), return_state=True)
    stage.trouble["render 12"] = ends_with(ShotFailed, "the face is | behind a hat")
    shot("out", ["sh0020"], return_state=True)
    said = page(client)
    assert "## out · sh0020 · ✗ failed" in said and "as filmed. the face is / behind a hat" in said
    assert said.count("data:image/jpeg;base64,") == 1 and "| f1 | ANNA | diff2lip | none |" in said
    shot("out", ["sh0020"], return_state=True)
    said = page(client)
    assert "## out · sh0020 · ✓ done" in said and "before and after" in said
    assert "| f1 | ANNA | diff2lip | v001 |" in said


def page(client: SyncPrefectClient) -> str:
    """The newest page of sh0020."""
    found = client.read_artifacts(sort=ArtifactSort.CREATED_DESC)
    return str(next(each.data for each in found if each.key == "out-sh0020"))


def test_a_machine_without_the_weights_or_the_film_turns_the_shot_red_in_words(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.trouble["render 12"] = ends_with(ShotFailed, "the face leaves the picture")
    episode(stage.job(variant="paper"), return_state=True)
    with monkeypatch.context() as here:
        here.setattr("flows.painters.painter", painter)
        ended = shot("out", ["sh0020"], return_state=True)
    lacking = "The weights of diff2lip paper are missing; looked for nowhere: DUBLINE_WEIGHTS is not set."
    assert ended.is_failed() and str(ended.message).startswith(f"sh0020: {lacking}")
    assert reason("sh0020").startswith(lacking)

    stage.film.rename(stage.folder / "away.mkv")
    ended = shot("out", ["sh0020"], return_state=True)
    assert ended.is_failed() and ended.message == reason("sh0020")
    assert "has no file" in reason("sh0020") and "film.mkv. Mount the volume" in reason("sh0020")

    (stage.folder / "away.mkv").rename(stage.film)
    assert shot("out", ["sh0020"], return_state=True).is_completed() and stage.computed["render 12"] == 2


def reason(name: str) -> str:
    """Why the shot is red."""
    with catalog() as session:
        found = catalog_shot.by_name(session, episode_row.by_name(session, "out").id, name)
        assert found.status == ShotStatus.FAILED
        return found.reason


def test_the_entrypoints_of_the_deployments_exist() -> None:
    said = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    found = {}
    for each in said["deployments"]:
        flow: Flow[..., Any] = load_flow_from_entrypoint(each["entrypoint"])
        found[f"{flow.name}/{each['name']}"] = each["work_pool"]["name"]
    ours = {("episode/cpu", "cpu"), ("shot/gpu", "gpu"), ("janitor/cpu", "cpu"), ("night/cpu", "cpu")}
    assert found.items() >= ours
