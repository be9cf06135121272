"""What the processes of a farm are told by their environment, and where its server answers.

Promises: a farm reads nothing of a user's own Prefect (profiles, prefect.toml): its home is home/prefect. What an
operator sets in the environment wins over what is set here, but for that home. No pickle is written or read. Nobody
phones home, and the pages call no other machine.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import flows
from storage.errors import Missing, Refused
from storage.settings import settings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

HEARTBEAT_SECONDS: Final = 30  # the shortest Prefect allows; a run is missed after three

DATABASE: Final = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
AUTH: Final = "PREFECT_API_AUTH_STRING"  # of clients and workers
SERVER_AUTH: Final = "PREFECT_SERVER_API_AUTH_STRING"

ALL: Final = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",  # who forgets the address gets an error, not a private server
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",  # who could write a pickle could run code on every worker
    "PREFECT_CLI_PROMPT": "false",
}

SERVER: Final = {
    # By default every event and task run is written alone: five times the seconds of CPU, ten times the delay.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TRIGGERS_READ_BATCH_SIZE": "50",
    # Leases in memory would end with the server, and take running episodes with them.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_UI_API_URL": "/api",  # relative: right for every host, port and proxy
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # the second UI calls an outside address even without analytics
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}

POSTGRESQL: Final = {"PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect.server.events.ordering.db"}

WORKER: Final = {
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_WORKER_PREFETCH_SECONDS": "0",  # a run that is sent for later (runs.again) is not begun before
    "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
    # Prefect runs the hooks of a dead run by a script of its own, beside which a storage.py lies that is not ours.
    "PYTHONSAFEPATH": "1",
}

NOT_OURS: Final = {"PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_LOGGING_LEVEL"}


def of_server(url: str) -> dict[str, str]:
    """The environment of the server that will answer at `url`, as http://127.0.0.1:4200/api."""
    database = os.environ.get(DATABASE, "")
    if database.startswith("postgres") and "+asyncpg" not in database:
        raise Refused(f"{DATABASE} names PostgreSQL by another driver. Begin it with postgresql+asyncpg://.")
    return _env(SERVER | (POSTGRESQL if database.startswith("postgres") else {}), url)


def of_worker(url: str, card: str | None = None) -> dict[str, str]:
    """The environment of a worker, and of every run it starts. `card` is the one CUDA device they may see."""
    env = _env(WORKER, url)
    return env | ({"CUDA_VISIBLE_DEVICES": card} if card is not None else {})


def _env(ours: dict[str, str], url: str) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    if password := given.get(SERVER_AUTH):
        given.setdefault(AUTH, password)
    paths = [str(Path(flows.__file__).parents[1]), *filter(None, [given.get("PYTHONPATH")])]
    fixed = {
        "PREFECT_HOME": str(settings().home / "prefect"),
        "PREFECT_API_URL": url,
        "DUBLINE_FARM": url,
        "PYTHONPATH": os.pathsep.join(paths),  # the same Dubline in every process, wherever it was started
    }
    return ALL | ours | given | fixed


def address() -> str | None:
    """Where the farm's API answers: DUBLINE_FARM, else PREFECT_API_URL, else what a living `dubline up` wrote down."""
    if given := settings().farm or os.environ.get("PREFECT_API_URL"):
        return given.rstrip("/")
    try:
        said = json.loads(note().read_text())
    except (OSError, ValueError):
        return None
    return said["api"] if held("server") else None


def note() -> Path:
    """The file in which `dubline up` says where its server answers."""
    return settings().home / "farm.json"


def lock(name: str) -> Path:
    """The file whose lock the process holds that runs the farm's server, or the worker of that name, on this home."""
    return settings().home / "locks" / f"farm-{name}.lock"


def held(name: str) -> bool:
    """Whether a living process holds that lock."""
    try:
        with lock(name).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def reach(url: str | None = None, seconds: float | None = None) -> Iterator["SyncPrefectClient"]:
    """A client of the farm, which repeats what the server was too busy for. Also what `run_deployment` uses inside.

    url      where its API answers; as `address()` says if None
    seconds  for who cannot wait: what takes longer ends in httpx.HTTPError, and nothing is repeated
    raises   Missing where no farm is running, it does not answer, or it asks for a password
    """
    url = url or address()
    if url is None:
        raise Missing("No farm is running: `dubline up` starts one on this machine, DUBLINE_FARM names another's.")
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import (
        PREFECT_API_AUTH_STRING,
        PREFECT_API_REQUEST_TIMEOUT,
        PREFECT_API_URL,
        PREFECT_CLIENT_MAX_RETRIES,
        temporary_settings,
    )

    password = os.environ.get(AUTH) or os.environ.get(SERVER_AUTH)
    hasty = {PREFECT_API_REQUEST_TIMEOUT: seconds, PREFECT_CLIENT_MAX_RETRIES: 0} if seconds is not None else {}
    with (
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: password, **hasty}),
        get_client(sync_client=True) as client,
    ):
        try:
            client.api_version()
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.UNAUTHORIZED:
                raise Missing(f"The farm at {url} asks for a password: set {AUTH}=user:password.") from None
            raise Missing(
                f"The farm at {url} answers {error.response.status_code}. Its home has logs/server.log."
            ) from None
        except httpx.HTTPError as error:
            raise Missing(
                f"The farm at {url} does not answer: {error}. `dubline up` starts one; DUBLINE_FARM says where it is."
            ) from None
        yield client


def running() -> bool:
    """Whether a farm answers."""
    try:
        with reach():
            return True
    except Missing:
        return False
