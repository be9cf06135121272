"""Which workers a machine has: one for the pool cpu, one for each card of the pool gpu.

A card's worker takes two runs: the next one starts while the first draws (flows/farm/card.py). Without a card one
worker serves the pool gpu on the CPU, one run at a time.
"""

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

Pool = Literal["cpu", "gpu"]
POOLS: Final[tuple[Pool, ...]] = get_args(Pool)

RUNS_ON_CPU: Final = 4  # episodes at once: they analyse, wait for shots, conform; a night that waits for them is one
RUNS_ON_A_CARD: Final = 2


@dataclass(frozen=True)
class Worker:
    """One worker process."""

    pool: Pool
    name: str
    limit: int  # runs at once
    card: str | None = None  # its CUDA_VISIBLE_DEVICES

    def command(self) -> list[str]:
        options = ["--pool", self.pool, "--name", self.name, "--limit", str(self.limit)]
        fixed = ["--type", "process", "--install-policy", "never", "--no-create-pool-if-not-found"]
        return [sys.executable, "-m", "prefect", "worker", "start", *options, *fixed]


def of_machine(pools: tuple[Pool, ...] = POOLS, cards: list[str] | None = None) -> list[Worker]:
    """The workers this machine should have. `cards` are the ones to use, all that there are if None."""
    host = platform.node().split(".")[0] or "here"
    found = cards if cards is not None else cards_of_machine()
    wanted = [Worker("cpu", f"{host}-cpu", RUNS_ON_CPU)] if "cpu" in pools else []
    if "gpu" in pools:
        on_cards = [Worker("gpu", f"{host}-gpu{card}", RUNS_ON_A_CARD, card) for card in found]
        wanted += on_cards or [Worker("gpu", f"{host}-gpu-on-cpu", 1)]
    return wanted


def cards_of_machine() -> list[str]:
    """The numbers of the cards, as nvidia-smi lists them; none where it is not there or fails."""
    if shutil.which("nvidia-smi") is None:
        return []
    said = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    lines = [line for line in said.stdout.splitlines() if line.startswith("GPU ")]
    return [line.removeprefix("GPU ").partition(":")[0] for line in lines] if said.returncode == 0 else []


def seen_lately(client: "SyncPrefectClient") -> list[str]:
    """The names of the workers that the server has heard of within their heartbeat, of whatever machine."""
    pools = [pool.name for pool in client.read_work_pools()]
    workers = [worker for pool in pools for worker in client.read_workers_for_work_pool(pool)]
    return [worker.name for worker in workers if worker.status == "ONLINE"]
