"""A farm starts whole, is fitted once however often it is asked, and ends without a trace."""

from collections.abc import Iterator

import pytest
from prefect.client.schemas.objects import StateType

from tests.flows.farm import Farm

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with Farm(tmp_path_factory.mktemp("farm")) as farm:
        yield farm


def test_a_run_goes_to_its_worker_in_another_folder(farm: Farm) -> None:
    farm.wait(farm.start("janitor/cpu"), {StateType.COMPLETED}, 60)
