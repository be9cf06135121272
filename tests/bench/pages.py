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

from flows.demo.film import make
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
        _look(page, f"{site}/runs/flow-run/{run}", "Artifacts", "S01E04", PICTURES / "farm_episode.png")
        _look(page, f"{site}/runs/flow-run/{red.id}", "Artifacts", RED, PICTURES / "farm_shot.png")
        away.rename(file)
        page.open(f"{site}/runs/flow-run/{red.id}")
        page.wait_for("Retry")
        page.press("Retry")
        page.wait_for("Retry")
        page.picture(PICTURES / "farm_retry.png")
        farm.wait(run, {StateType.COMPLETED}, 900)
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


def _look(page: Page, url: str, tab: str, text: str, to: Path) -> None:
    page.open(url, height=1200)
    page.wait_for(text)
    page.press(tab)
    page.wait_for("before" if text == RED else "shot")
    page.picture(to)
