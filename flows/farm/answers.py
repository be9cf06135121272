"""A client of the farm whose failures are words: it may be away, and it may refuse."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.client.orchestration import SyncPrefectClient

from flows.farm.env import reach
from storage.errors import Missing, Refused


@contextmanager
def answering() -> Iterator[SyncPrefectClient]:
    """The farm's client while the block runs.

    raises  Missing if there is no farm, or it goes away meanwhile; Refused if it does not take what it is given
    """
    try:
        with reach() as client:
            yield client
    except httpx.HTTPStatusError as error:
        if error.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            raise Refused(f"The farm refuses this: {error.response.text}") from error
        raise Missing(f"The farm answers {error.response.status_code}. Look at its server's log.") from error
    except httpx.HTTPError as error:
        raise Missing(f"The farm does not answer: {error}. `dubline up` starts it again.") from error
