"""What a farm costs and what it survives: real servers and workers, shots whose model does nothing.

`many` sends a film of 300 short shots, `faults` kills one process after another in the middle of an episode.
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import psutil
from prefect.client.schemas.objects import FlowRun, StateType

from flows import listing
from flows.farm import runs
from tests.storage.postgres import temporary_postgres
from tests.whole.played import ENDED, Played, on_postgres, played

MANY: Final = 300
PROJECTED: Final = 1500  # an episode of many cuts
ONE_EACH: Final = 20  # shots for one run a shot: what a run costs does not depend on how many there are
LONG: Final = 5  # frames of a shot, of which one is drawn


def many() -> list[str]:
    rows = [
        "| shots | runs | submitted | drained | CPU-s a shot: workers | server | slowest answer: server | catalog |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for shots, alone in ((MANY, 30.0), (ONE_EACH, 0.0)):
        with (
            tempfile.TemporaryDirectory() as name,
            temporary_postgres(Path(name)) as url,
            played(Path(name), shots + 1, long=LONG, alone=alone, more=on_postgres(url), gpu_limit=2) as studio,
        ):
            found = _drained(studio, shots)
        rows.append(found.row)
        if shots == MANY:
            times = PROJECTED / MANY
            told = (
                f"{PROJECTED} such short shots, projected from {MANY}: {round(found.runs * times)} runs, submitted in "
                f"{10 * round(found.submitted * times / 10)} s, drained in {found.drained * times / 60:.0f} minutes."
            )
    return [*rows, "", told]


@dataclass(frozen=True)
class Drained:
    """An episode of short shots, from its submission to its delivery; in seconds."""

    shots: int
    runs: int
    submitted: float
    drained: float
    spent: tuple[float, float]  # CPU-seconds a shot: of the workers, of the server
    slowest: tuple[float, float]  # answers of the server and of the catalog meanwhile

    @property
    def row(self) -> str:
        spent = " | ".join(f"{seconds:.2f}" for seconds in self.spent)
        answers = " | ".join(f"{seconds:.1f} s" for seconds in self.slowest)
        return f"| {self.shots} | {self.runs} | {self.submitted:.1f} s | {self.drained:.0f} s | {spent} | {answers} |"


def _drained(studio: Played, shots: int) -> Drained:
    before = _spent(studio)
    began = time.time()
    run = studio.dub("many")
    slowest = _asked(studio, run)
    with studio.farm.client() as client:
        made = {each.id: each for each in runs.shots_of(client, "many").values()}
    workers, server = ((b - a) / shots for a, b in zip(before, _spent(studio), strict=True))
    submitted = max(_time(each.created) for each in made.values()) - min(_time(each.created) for each in made.values())
    drained = max(_time(each.end_time) for each in made.values()) - began
    return Drained(shots, len(made), submitted, drained, (workers, server), slowest)


def _asked(studio: Played, run: UUID) -> tuple[float, float]:
    """Ask the server and the catalog once a second until the episode is delivered: the slowest answer of each."""
    server = catalog = 0.0
    with studio.farm.client() as client:
        while True:
            began = time.monotonic()
            seen = client.read_flow_run(run)
            asked = time.monotonic()
            listing.episodes()
            server, catalog = max(server, asked - began), max(catalog, time.monotonic() - asked)
            if seen.state_type in ENDED:
                assert seen.state_type is StateType.COMPLETED, seen.state
                return server, catalog
            time.sleep(1)


def _spent(studio: Played) -> tuple[float, float]:
    """CPU seconds so far of the gpu workers with all they have started, and of the server."""

    def of(name: str) -> float:
        t = psutil.Process(studio.farm.pid(name)).cpu_times()
        return float(t.user + t.system + t.children_user + t.children_system)

    return sum(of(f"gpu-{n}") for n in range(len(studio.farm.homes))), of("server")


def _time(when: object) -> float:
    return float(when.timestamp()) if hasattr(when, "timestamp") else 0.0


def faults() -> list[str]:
    rows = ["| killed in the middle | Prefect on | delivered after | seconds without it |", "|---|---|---|---|"]
    with (
        tempfile.TemporaryDirectory() as name,
        temporary_postgres(Path(name)) as url,
        played(Path(name), 4, more=on_postgres(url)) as studio,
    ):
        rows += _killed(studio, "PostgreSQL", FAULTS)
    with tempfile.TemporaryDirectory() as name, played(Path(name), 4) as studio:
        rows += _killed(studio, "SQLite", {"the server": _server})
    return rows


def _killed(studio: Played, database: str, wanted: Mapping[str, Callable[[Played, FlowRun], None]]) -> Iterator[str]:
    plain = _seconds(studio, "nothing", lambda run: None)
    for number, (what, kill) in enumerate(wanted.items()):
        spent = _seconds(studio, f"ep{number:02d}", partial(kill, studio))
        yield f"| {what} | {database} | {spent:.0f} s | {plain:.0f} s |"


def _seconds(studio: Played, name: str, kill: Callable[[FlowRun], None]) -> float:
    """From the moment of the kill, with a shot at work, to the delivery."""
    before = studio.computed()["render 12"]
    gate = studio.trouble("render 12")
    run = studio.dub(name)
    studio.until(lambda: studio.computed()["render 12"] > before, 240)
    with studio.farm.client() as client:
        shot = runs.of_shot(client, name, "sh0020")
    assert shot is not None
    began = time.monotonic()
    kill(shot)
    gate.unlink()
    studio.farm.wait(run, {StateType.COMPLETED}, 600)
    return time.monotonic() - began


def _shot(studio: Played, run: FlowRun) -> None:
    studio.farm.kill_run(run.id)


def _worker(studio: Played, run: FlowRun) -> None:
    name = studio.worker_of(studio.farm.pid_of_run(run.id))
    studio.farm.kill(name)
    studio.farm.start_worker(name)


def _server(studio: Played, run: FlowRun) -> None:
    os.kill(studio.farm.pid("server"), signal.SIGKILL)
    studio.farm.start_server()


def _episode(studio: Played, run: FlowRun) -> None:
    with studio.farm.client() as client:
        parent = runs.of_episode(client, str(run.parameters["episode"]))
    assert parent is not None
    studio.farm.kill_run(parent.id)


FAULTS: Final = {
    "a shot's process": _shot,
    "a worker, and with it its shot": _worker,
    "the server": _server,
    "the episode's process": _episode,
}
