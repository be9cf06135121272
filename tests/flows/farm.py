"""A farm for tests: a real server and real workers, each with a home of its own, started fast and ended for good.

    with Farm(tmp_path, gpu_workers=2, separate_homes=True) as farm:
        run = farm.start("episode/cpu", job=job.model_dump(mode="json"))
        farm.wait(run, {StateType.COMPLETED}, seconds=120)

Nothing of the outside Prefect is seen: every PREFECT_* of the environment is removed. Everything hangs on a pipe
that this process holds (flows/farm/keeper.py), so even a killed pytest leaves nothing behind.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from unittest import mock
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType

from flows.farm import env, fittings, keeper, server
from flows.farm.lost import hand_back
from flows.farm.workers import Worker
from storage.settings import settings

ROOT: Final = Path(__file__).parents[2]
POLL_SECONDS: Final = 0.25


class Farm:
    """One server, one cpu worker or none, `gpu_workers` gpu workers. A server without workers is bare: `play` fits it.

    folder          all homes and logs lie below it; `farm.home` is the home of the server and the cpu worker
    gpu_workers     how many, each with `gpu_limit` runs at once
    separate_homes  each gpu worker has a DUBLINE_HOME of its own (`farm.homes`), as on another machine
    database        Prefect's own (postgresql+asyncpg://…); SQLite in home if None
    entrypoints     deployment → module path of a flow that plays it in place of ours: {"shot/gpu": "tests.x.shot"};
                    such a flow bears the name of the one it stands in for
    more            environment of every process and of `farm.env()`: DUBLINE_CATALOG, DUBLINE_ARTIFACTS, …
    """

    def __init__(
        self,
        folder: Path,
        *,
        cpu_worker: bool = True,
        gpu_workers: int = 1,
        gpu_limit: int = 1,
        separate_homes: bool = False,
        database: str | None = None,
        entrypoints: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.home = folder / "house"
        self.homes = [folder / f"house-{n}" if separate_homes else self.home for n in range(gpu_workers)]
        self.more = dict(more or {}) | ({env.DATABASE: database} if database else {})
        self.api = ""
        self._cpu_worker = cpu_worker
        self._limit = gpu_limit
        self._entrypoints = dict(entrypoints or {})
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._pids: dict[str, int] = {}
        self._port = _free_port()

    def __enter__(self) -> "Farm":
        for home in {self.home, *self.homes}:
            (home / "logs").mkdir(parents=True, exist_ok=True)
        try:
            self.start_server()
            if self._cpu_worker or self.homes:
                self.play(self._entrypoints)
            if self._cpu_worker:
                self.start_worker("cpu")
            for number in range(len(self.homes)):
                self.start_worker(f"gpu-{number}")
        except BaseException as error:
            self.close()
            error.add_note(self.logs())
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        if error is not None:
            error.add_note(self.logs())

    def close(self) -> None:
        """Workers first, then the server; nothing is left."""
        for name in sorted(self._running, key=lambda name: name == "server"):
            self.stop(name)

    # ------------------------------------------------------------------ the environment

    def env(self, home: Path | None = None) -> dict[str, str]:
        """For a `dubline` command on this farm, as seen from the machine with that home."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DUBLINE_"))}
        ours = {
            "DUBLINE_HOME": str(home or self.home),
            "DUBLINE_FARM": self.api,
            "PREFECT_HOME": str((home or self.home) / "prefect"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        return outside | {name: value for name, value in ours.items() if value} | self.more

    @contextmanager
    def inside(self, home: Path | None = None, without: Collection[str] = ()) -> Iterator[None]:
        """While the block runs this process is on the farm: its catalog, its artifacts, its server."""
        given = {name: value for name, value in self.env(home).items() if name not in without}
        with mock.patch.dict(os.environ, given, clear=True):
            settings.cache_clear()
            try:
                yield
            finally:
                from storage.catalog import session

                session.close()
        settings.cache_clear()

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        """A client of this farm's server; `run_deployment` inside the block goes there too."""
        with self.inside(), env.reach() as client:
            yield client

    def dubline(self, *words: str, home: Path | None = None, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end, as an operator on that machine would."""
        command = [sys.executable, "-m", "flows.cli", *words]
        return subprocess.run(
            command, env=self.env(home), cwd=self.folder, capture_output=True, text=True, timeout=seconds, check=False
        )

    # ------------------------------------------------------------------ starting, stopping, killing

    def start_server(self) -> None:
        """On the same port and database as before, if there was one."""
        self.api = server.api("127.0.0.1", self._port)
        with self.inside():
            given = env.of_server(self.api)
        self._start("server", server.command("127.0.0.1", self._port), given, self.home)
        server.wait_until_healthy(self.api, lambda: self._running["server"].poll() is None, "the note below", 300)

    def up(self, *words: str) -> subprocess.Popen[bytes]:
        """`dubline up` in place of all else: the caller's to end. Its words are in `log("up")`."""
        self.api = server.api("127.0.0.1", self._port)
        given = {name: value for name, value in self.env().items() if name != "DUBLINE_FARM"}
        self.folder.mkdir(exist_ok=True)
        with self.log("up").open("ab") as said:
            command = [sys.executable, "-m", "flows.cli", "up", "--port", str(self._port), *words]
            return subprocess.Popen(
                command, env=given, cwd=self.folder, stdout=said, stderr=said, start_new_session=True
            )

    def start_worker(self, name: str) -> None:
        """`cpu`, or `gpu-0`, `gpu-1`, …"""
        pool, _, number = name.partition("-")
        home = self.homes[int(number)] if number else self.home
        worker = Worker("cpu", "cpu", 2) if pool == "cpu" else Worker("gpu", name, self._limit, number)
        with self.inside(home):
            given = env.of_worker(self.api, worker.card) | {"PREFECT_WORKER_QUERY_SECONDS": "1"}
        self._start(name, worker.command(), given, home)

    def _start(self, name: str, command: list[str], given: dict[str, str], home: Path) -> None:
        self._running[name] = kept = keeper.start(command, given, self.log(name), home)
        while not (found := keeper.descendants(kept.pid)):
            assert kept.poll() is None, f"{name} ended at once"
            time.sleep(0.02)
        self._pids[name] = found[0]

    def stop(self, name: str) -> None:
        """End a server or worker in order, with all it started."""
        keeper.end(self._running.pop(name), seconds=30)

    def pid(self, name: str) -> int:
        """The process itself: the server, or the worker; not its keeper."""
        return self._pids[name]

    def kill(self, name: str, *, noticed: bool = False) -> None:
        """SIGKILL for a server or worker, and with a worker for its runs: a machine that is lost.

        noticed  by a `dubline up` that lives on, which gives the runs back; else the server misses their heartbeats
        """
        os.kill(self.pid(name), signal.SIGKILL)
        kept = self._running.pop(name)
        kept.wait(30)
        lost = keeper.runs_lost(kept)
        if noticed:
            with self.client() as client:
                hand_back(client, lost, f"{name} ended")

    def kill_run(self, run: UUID) -> None:
        """SIGKILL for the process of a flow run; its worker lives."""
        os.kill(self.pid_of_run(run), signal.SIGKILL)

    def pid_of_run(self, run: UUID) -> int:
        with self.client() as client:
            said = client.read_flow_run(run).infrastructure_pid or ""
        return int(said.rpartition(":")[2])

    def processes(self) -> list[int]:
        """Every process of the farm that lives, keepers included."""
        keepers = [each.pid for each in self._running.values() if each.poll() is None]
        return keepers + [pid for each in keepers for pid in keeper.descendants(each)]

    # ------------------------------------------------------------------ runs

    def start(self, deployment: str, queue: str | None = None, **parameters: Any) -> UUID:
        """A run of a deployment like "episode/cpu"; returns at once."""
        with self.client() as client:
            known = client.read_deployment_by_name(deployment)
            return client.create_flow_run_from_deployment(known.id, parameters=parameters, work_queue_name=queue).id

    def look(self, run: UUID) -> FlowRun:
        """As the server knows it."""
        with self.client() as client:
            return client.read_flow_run(run)

    def wait(self, run: UUID, until: Collection[StateType], seconds: float = 120) -> FlowRun:
        """The run once its state has one of these types. Test types, never names: a worker has names of its own."""
        end = time.monotonic() + seconds
        with self.client() as client:
            while True:
                seen = client.read_flow_run(run)
                assert seen.state is not None
                if seen.state.type in until:
                    return seen
                if time.monotonic() > end:
                    raise TimeoutError(f"{seen.name} is {seen.state.name} after {seconds} s: {seen.state.message}")
                time.sleep(POLL_SECONDS)

    def play(self, entrypoints: Mapping[str, str]) -> None:
        """Fit the server out with stand-ins: see `entrypoints` above."""
        wanted = fittings.read()
        for each in wanted:
            name = each["entrypoint"].rpartition(".")[2]
            each["entrypoint"] = entrypoints.get(f"{name}/{each['name']}", each["entrypoint"])
        with self.client() as client:
            fittings.fit(client, wanted)

    # ------------------------------------------------------------------ what happened

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def wait_to_read(self, words: str, log: str = "up", seconds: float = 120) -> str:
        """All that is in a log, once it holds these words."""
        end = time.monotonic() + seconds
        while words not in (said := self.log(log).read_text(errors="replace")):
            if time.monotonic() > end:
                raise TimeoutError(f"'{words}' is not in {log}.log after {seconds} s:\n{self.logs()}")
            time.sleep(POLL_SECONDS)
        return said

    def logs(self, lines: int = 40) -> str:
        """The last words of every process."""
        told = []
        for file in sorted([*self.folder.glob("*.log"), *self.home.glob("logs/*.log")]):
            said = re.sub(r"\x1b\[[0-9;]*m", "", file.read_text(errors="replace")).splitlines()
            told.append("\n".join([f"--- {file.name}", *said[-lines:]]))
        return "\n".join(told)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found
