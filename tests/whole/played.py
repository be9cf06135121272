"""A farm whose workers play on a stage, and what an operator does there."""

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import soundfile
from prefect.client.schemas.objects import StateType

from flows.farm import keeper, runs
from storage.catalog import EpisodeStatus, episode, shot
from storage.catalog.session import catalog
from tasks.job import EpisodeJob
from tests.flows.farm import Farm
from tests.flows.stage import LONG, Stage
from tests.whole import stand_ins

ENDED: Final = {StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED}
PLAYS: Final = {
    "episode/cpu": "tests.whole.stand_ins.episode",
    "shot/gpu": "tests.whole.stand_ins.shot",
    "night/cpu": "tests.whole.stand_ins.night",
}


class Played:
    """A farm, and a stage on which its workers play."""

    def __init__(self, farm: Farm, stage: Stage) -> None:
        self.farm, self.stage = farm, stage
        (stage.folder / "trouble").mkdir(exist_ok=True)

    def job(self, name: str, **wishes: Any) -> EpisodeJob:
        """Of an episode with a dub of its own: no take of another one answers for it."""
        sound, hz = soundfile.read(self.stage.dub)
        dub = self.stage.folder / f"{name}.wav"
        soundfile.write(dub, sound * (1 - zlib.crc32(name.encode()) / 2**33), hz)
        return self.stage.job(out=self.stage.folder / f"{name}.mkv", name=name, dub=dub, **wishes)

    def dub(self, name: str) -> UUID:
        """Start an episode as `dubline submit` does."""
        job = self.job(name)
        with self.farm.client() as client:
            known = client.read_deployment_by_name("episode/cpu")
            given = {"job": job.model_dump(mode="json")}
            run = client.create_flow_run_from_deployment(
                known.id, parameters=given, name=name, tags=runs.episode_tags(name)
            )
        return run.id

    def trouble(self, step: str, kind: str = "") -> Path:
        """`step` fails, dies, hangs or waits until the file is gone."""
        file = self.stage.folder / "trouble" / step
        file.write_text(kind)
        return file

    def computed(self) -> Counter[str]:
        evidence = self.stage.folder / "evidence"
        return Counter(evidence.read_text().splitlines() if evidence.exists() else [])

    def run_of(self, name: str, of_shot: str) -> UUID:
        with self.farm.client() as client:
            found = runs.of_shot(client, name, of_shot)
        assert found is not None
        return found.id

    def press_retry(self, run: UUID) -> None:
        """The request of the interface's Retry button."""
        state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}
        self._press(run, {"state": state, "force": True})

    def cancel(self, run: UUID) -> None:
        """The request of the interface's Cancel button."""
        self._press(run, {"state": {"type": "CANCELLING", "name": "Cancelling", "message": "Cancelled from the UI"}})

    def _press(self, run: UUID, said: dict[str, Any]) -> None:
        with self.farm.client() as client:
            client.request("POST", "/flow_runs/{id}/set_state", path_params={"id": run}, json=said).raise_for_status()

    def until(self, seen: Callable[[], bool], seconds: float = 120) -> None:
        """Wait for a state of the world."""
        end = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < end, "it did not come to that"
            time.sleep(0.2)

    def said(self) -> str:
        """What the gpu workers and their runs have said."""
        return "".join(self.farm.log(f"gpu-{n}").read_text(errors="replace") for n in range(len(self.farm.homes)))

    def worker_of(self, pid: int) -> str:
        """The gpu worker that runs this process."""
        (name,) = (each for each in ("gpu-0", "gpu-1") if pid in keeper.descendants(self.farm.pid(each)))
        return name

    def reason(self, name: str, of_shot: str) -> str:
        """Why the shot stands as it does."""
        with self.farm.inside(), catalog() as session:
            return shot.by_name(session, episode.by_name(session, name).id, of_shot).reason

    def status(self, name: str) -> EpisodeStatus:
        with self.farm.inside(), catalog() as session:
            return episode.by_name(session, name).status


@contextmanager
def played(
    folder: Path,
    shots: int,
    *,
    long: int = LONG,
    alone: float = 0.0,
    more: Mapping[str, str] | None = None,
    **farm: Any,
) -> Iterator[Played]:
    """A farm for films of so many shots, the first without a face.

    long   frames of a shot
    alone  seconds of drawing from which a shot has a run of its own; 0: each has
    more   environment of its processes; farm: as `Farm` takes them
    """
    stage = Stage(folder, shots, long)
    told = stand_ins.environment(stage, alone) | dict(more or {})
    with Farm(folder, entrypoints=PLAYS, more=told, **{"gpu_workers": 2, **farm}) as running:
        yield Played(running, stage)


def on_postgres(url: str) -> dict[str, str]:
    """The environment of a farm whose catalog is this database, and Prefect's another one beside it, made here."""
    import psycopg

    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("create database prefect")
    prefects = plain.replace("postgresql://", "postgresql+asyncpg://").removesuffix("/postgres") + "/prefect"
    return {"DUBLINE_CATALOG": url, "PREFECT_SERVER_DATABASE_CONNECTION_URL": prefects}
