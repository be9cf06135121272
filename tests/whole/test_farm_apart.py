"""Machines apart: the catalog and Prefect on PostgreSQL, artifacts in an object store, two homes, and other folders."""

from collections import Counter
from collections.abc import Iterator

import pytest
from prefect.client.schemas.objects import StateType

from storage.catalog import EpisodeStatus
from tests.storage.objects import ObjectStore
from tests.storage.postgres import Postgres, running_postgres
from tests.whole import stand_ins
from tests.whole.played import ENDED, Played, on_postgres, played

SHOTS = 5

pytestmark = [
    pytest.mark.farm,
    pytest.mark.filterwarnings("default"),  # Prefect's own, of which there are many
]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with ObjectStore(tmp_path_factory.mktemp("objects")) as store:
        yield store


@pytest.fixture(scope="module")
def studio(postgres: Postgres, store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    more = on_postgres(postgres.url) | store.environment | {stand_ins.PATIENT: "yes"}
    with played(tmp_path_factory.mktemp("apart"), SHOTS, more=more, separate_homes=True) as on_stage:
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


def test_a_store_and_a_database_that_go_away_and_come_back_cost_time_and_nothing_else(
    studio: Played, store: ObjectStore, postgres: Postgres
) -> None:
    before = studio.computed()
    gate, other = studio.trouble("render 24"), studio.trouble("render 48")
    run = studio.dub("ep02")
    studio.until(lambda: (studio.computed() - before)["render 24"] == 1)
    store.stop()
    gate.unlink()
    studio.until(lambda: "does not answer" in studio.said() and "Tried again in" in studio.said())
    store.start()
    studio.until(lambda: (studio.computed() - before)["render 48"] == 1)
    postgres.stop()
    other.unlink()
    postgres.start()
    studio.farm.wait(run, {StateType.COMPLETED}, 300)
    assert studio.status("ep02") == EpisodeStatus.DELIVERED
    again = (studio.computed() - before) - Counter(f"render {12 * n}" for n in range(1, SHOTS))
    assert set(again) <= {"split", "look", "listen", "cast", "route", "render 24", "render 48"}
