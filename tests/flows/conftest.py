"""A Prefect API for the tests of one module: real, with a database of its own, and without workers."""

from collections.abc import Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness


@pytest.fixture(scope="module")
def client() -> Iterator[SyncPrefectClient]:
    quiet = {
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # its thread would be joined for a second at every flow's end
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    with (
        temporary_settings(quiet),
        prefect_test_harness(server_startup_timeout=300),
        get_client(sync_client=True) as opened,
    ):
        yield opened
