"""Machines apart: the catalog and Prefect on PostgreSQL, artifacts in an object store, two homes, and other folders."""

from collections import Counter
from collections.abc import Iterator

import pytest
from prefect.client.schemas.objects import StateType

from storage.catalog import EpisodeStatus
from tests.storage.objects import ObjectStore
from tests.storage.postgres import temporary_postgres
from tests.whole.played import ENDED, Played, on_postgres, played

SHOTS = 5

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("apart")
    with temporary_postgres(folder) as url, ObjectStore(folder) as store:
        more = on_postgres(url) | store.environment
        with played(folder, SHOTS, more=more, separate_homes=True) as on_stage:
            yield on_stage


def test_a_retry_draws_one_shot_again_and_no_other_whichever_machine_drew_it(studio: Played) -> None:
    red = studio.trouble("render 24", "fail")
    run = studio.dub("ep01")
    ended = studio.farm.wait(run, ENDED, 300)
    assert (
        ended.state is not None and ended.state.message == "1 of 5 shots are red. sh0030: the face leaves the picture"
    )
    red.unlink()
    studio.press_retry(studio.run_of("ep01", "sh0030"))
    studio.farm.wait(run, {StateType.COMPLETED}, 300)
    assert studio.status("ep01") == EpisodeStatus.DELIVERED
    once = ["split", "look", "listen", "cast", "route", *(f"render {12 * n}" for n in range(1, SHOTS))]
    assert studio.computed() == Counter(once) + Counter(["render 24"])
    assert not any((home / "artifacts").exists() for home in studio.farm.homes)
