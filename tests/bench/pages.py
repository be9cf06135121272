"""The pages of a farm as an operator sees them, in a real browser: an episode with a red shot, the shot, its Retry.

The demo film on a real server and worker. One shot turns red because its face's measures are moved away while the
pool is paused; they come back, Retry is pressed on the page, and the episode delivers.
"""

import tempfile
import time
from pathlib import Path
from typing import Final

from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import ArtifactSort

from flows.demo.film import make
from flows.farm import pages as pages_of
from flows.farm import runs
from storage import artifacts
from storage.catalog import episode, shot, track
from storage.catalog.session import catalog
from tasks.job import EpisodeJob
from tests.bench.browser import Page, chromium
from tests.flows.farm import Farm
from tests.whole.played import ENDED

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
RED: Final = "sh0030"
SETTLES: Final = 3.0  # seconds in which a run's page moves its timeline to where it stays


def pages() -> list[str]:
    with tempfile.TemporaryDirectory() as name, Farm(Path(name)) as farm, chromium() as page:
        folder = Path(name)
        make(folder)
        job = EpisodeJob(film=folder / "film.mov", dub=folder / "dub.wav", out=folder / "dubbed.mov", name="S01E04")
        with farm.client() as client:
            client.update_work_pool("gpu", WorkPoolUpdate(is_paused=True))
            known = client.read_deployment_by_name("episode/cpu")
            given = {"job": job.model_dump(mode="json")}
            run = client.create_flow_run_from_deployment(
                known.id, parameters=given, name="S01E04", tags=runs.episode_tags("S01E04")
            ).id
            file = _measures(farm, run)
            away = file.rename(folder / "away")
            client.update_work_pool("gpu", WorkPoolUpdate(is_paused=False))
        farm.wait(run, ENDED, 900)
        with farm.client() as client:
            red = runs.of_shot(client, "S01E04", RED)
        assert red is not None
        site = farm.api.removesuffix("/api")
        _look(page, farm, "S01E04", "passed-through", PICTURES / "farm_shots.png")
        _look(page, farm, f"S01E04 {RED}", "as filmed", PICTURES / "farm_shot.png")
        away.rename(file)
        page.open(f"{site}/runs/flow-run/{red.id}")
        page.wait_for("Beginning subflow run")
        time.sleep(SETTLES)
        page.press("Retry")
        page.wait_for("This will retry")
        page.picture(PICTURES / "farm_retry.png")
        page.press("Retry")
        farm.wait(run, {StateType.COMPLETED}, 900)
        _look(page, farm, f"S01E04 {RED}", "before and after", PICTURES / "farm_green.png")
        page.open(f"{site}/runs/flow-run/{run}")
        page.wait_for("Beginning flow run")
        time.sleep(SETTLES)
        page.picture(PICTURES / "farm_episode.png")
        return [f"Hosts that the browser asked while these pages were open: {', '.join(sorted(page.hosts))}."]


def _measures(farm: Farm, run: object) -> Path:
    """The file with the measures of the shot's face, once the shot's run is there."""
    while True:
        with farm.client() as client:
            if runs.of_shot(client, "S01E04", RED) is not None:
                break
        time.sleep(1)
    with farm.inside(), catalog() as session:
        row = episode.by_name(session, "S01E04")
        found = shot.by_name(session, row.id, RED)
        (face, *_) = [each for each in track.of_episode(session, row.id) if each.shot_id == found.id]
        return artifacts.path(face.geometry, ".npz")


def _look(page: Page, farm: Farm, of: str, text: str, to: Path) -> None:
    """A picture of the newest page of an episode or shot, once it shows this text."""
    with farm.client() as client:
        found = client.read_artifacts(sort=ArtifactSort.CREATED_DESC)
    newest = next(each for each in found if each.key == pages_of.key(of))
    page.open(f"{farm.api.removesuffix('/api')}/artifacts/artifact/{newest.id}")
    page.wait_for(text)
    page.picture(to)
