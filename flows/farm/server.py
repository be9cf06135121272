"""The Prefect server: its command, its port, and when it is there."""

import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

from storage.errors import Missing, Refused

START_SECONDS: Final = 180.0  # a new database on a busy machine took 20


def command(host: str, port: int) -> list[str]:
    return [sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)]


def api(host: str, port: int) -> str:
    """Where the server answers for processes of this machine."""
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}/api"


def check_port(host: str, port: int, seconds: float = 0.0) -> None:
    """Refused if something listens there, and still does after so many seconds."""
    until = time.monotonic() + seconds
    while (why := _taken(host, port)) is not None:
        if time.monotonic() > until:
            raise Refused(
                f"The farm's server cannot listen at {host}:{port}: {why}. "
                "Give another --port, or end what listens there."
            )
        time.sleep(0.5)


def _taken(host: str, port: int) -> str | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def wait_until_healthy(url: str, alive: Callable[[], bool], log: str, seconds: float = START_SECONDS) -> None:
    """Until the server at `url` answers. Missing if it dies before, or does not answer for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not alive():
            raise Missing(f"The farm's server ended before it answered. Its last words are in {log}.")
        if healthy(url):
            return
        time.sleep(0.2)
    raise Missing(f"The farm's server at {url} does not answer after {seconds:.0f} s. See {log}.")


def healthy(url: str) -> bool:
    """Whether the server says so; needs no password."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
