"""A farm at work: a real server and real workers, a shot that fails, an operator's Retry, and what was computed."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType

from flows.farm import runs
from storage.catalog import EpisodeStatus, episode, event
from storage.catalog.session import catalog
from tests.flows.farm import Farm
from tests.flows.stage import Stage
from tests.whole import stand_ins

SHOTS = 13  # the first without a face
ENDED = {StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED}

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


class Played:
    """A farm, and a stage on which its workers play."""

    def __init__(self, farm: Farm, stage: Stage) -> None:
        self.farm, self.stage = farm, stage
        (stage.folder / "trouble").mkdir(exist_ok=True)

    def dub(self, name: str) -> UUID:
        """Start an episode, as `dubline submit` does."""
        job = self.stage.job(out=self.stage.folder / f"{name}.mkv", name=name)
        with self.farm.client() as client:
            known = client.read_deployment_by_name("episode/cpu")
            given = {"job": job.model_dump(mode="json")}
            run = client.create_flow_run_from_deployment(
                known.id, parameters=given, name=name, tags=runs.episode_tags(name)
            )
        return run.id

    def trouble(self, step: str, kind: str = "") -> Path:
        """`step` fails, dies, hangs or waits until the file is gone."""
        file = self.stage.folder / "trouble" / step
        file.write_text(kind)
        return file

    def computed(self) -> Counter[str]:
        evidence = self.stage.folder / "evidence"
        return Counter(evidence.read_text().splitlines() if evidence.exists() else [])

    def run_of(self, name: str, shot: str) -> UUID:
        with self.farm.client() as client:
            found = runs.of_shot(client, name, shot)
        assert found is not None
        return found.id

    def press_retry(self, run: UUID) -> None:
        """The request of the interface's Retry button."""
        state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}
        with self.farm.client() as client:
            client.request(
                "POST", "/flow_runs/{id}/set_state", path_params={"id": run}, json={"state": state, "force": True}
            ).raise_for_status()

    def status(self, name: str) -> EpisodeStatus:
        with self.farm.inside(), catalog() as session:
            return episode.by_name(session, name).status


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("farm")
    stage = Stage(folder, SHOTS)
    more = stand_ins.environment(stage, alone=0.0)
    plays = {"episode/cpu": "tests.whole.stand_ins.episode", "shot/gpu": "tests.whole.stand_ins.shot"}
    with Farm(folder, gpu_workers=2, entrypoints=plays, more=more) as farm:
        yield Played(farm, stage)


def test_a_red_shot_retried_from_the_page_turns_its_episode_green_and_nothing_else_is_drawn_again(
    played: Played,
) -> None:
    red = played.trouble("render 48", "fail")
    run = played.dub("ep01")
    ended = played.farm.wait(run, ENDED, 240)
    assert ended.state is not None and ended.state.is_failed()
    assert ended.state.message == "1 of 13 shots are red. sh0050: the face leaves the picture"
    assert played.status("ep01") == EpisodeStatus.PARTIAL and (played.stage.folder / "ep01.mkv").exists()

    red.unlink()
    played.press_retry(played.run_of("ep01", "sh0050"))
    played.farm.wait(run, {StateType.COMPLETED}, 240)
    assert played.status("ep01") == EpisodeStatus.DELIVERED
    once = ["split", "look", "listen", "cast", "route", *(f"render {12 * n}" for n in range(1, SHOTS))]
    assert played.computed() == Counter(once) + Counter(["render 48"])
    with played.farm.inside(), catalog() as session:
        said = [e for e in event.of_episode(session, episode.by_name(session, "ep01").id) if e.what == "shot.attempt"]
    assert [e.after["because"] for e in said if e.about == "sh0050"] == ["sent with its episode", "Retry from the UI"]
