"""Whatever ends a process that is kept, or whoever started it, nothing of it lives on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flows.farm import keeper

ROOT = Path(__file__).parents[2]
SECONDS = 30

# A worker, as far as a keeper can tell: its run has a session of its own, and hears no SIGTERM.
WORKER = """
import os, signal, subprocess, sys, time
run = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
subprocess.Popen(run, start_new_session=True, env=os.environ | {"PREFECT__FLOW_RUN_ID": "run-7"})
open(sys.argv[1], "w").close()
time.sleep(600)
"""

STARTER = """
import os, sys, time
from pathlib import Path
from flows.farm import keeper
command, log = sys.argv[1:-1], Path(sys.argv[-1])
print(keeper.start(command, dict(os.environ), log, log.parent).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return dict(os.environ)


def until_it_stands(sign: Path, pid: int) -> list[psutil.Process]:
    end = time.monotonic() + SECONDS
    while not sign.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert len(family) == 3  # keeper, worker, run
    return family


def test_a_killed_worker_takes_its_runs_with_it_and_says_which(env: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path / "stands")]
    kept = keeper.start(command, env, tmp_path / "log", tmp_path)
    family = until_it_stands(tmp_path / "stands", kept.pid)
    family[1].kill()
    assert kept.wait(SECONDS) == 128 + signal.SIGKILL
    assert keeper.runs_lost(kept) == ["run-7"]
    assert not psutil.wait_procs(family, timeout=SECONDS)[1]


def test_ended_in_order_it_says_the_same(env: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path / "stands")]
    kept = keeper.start(command, env, tmp_path / "log", tmp_path)
    family = until_it_stands(tmp_path / "stands", kept.pid)
    assert keeper.end(kept, SECONDS) == ["run-7"]
    assert not psutil.wait_procs(family, timeout=SECONDS)[1]


def test_when_the_starter_is_killed_nothing_lives_on(env: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path / "stands")]
    starter = [sys.executable, "-c", STARTER, *command, str(tmp_path / "log")]
    with subprocess.Popen(starter, env=env, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        family = until_it_stands(tmp_path / "stands", int(started.stdout.readline()))
        started.kill()
    assert not psutil.wait_procs(family, timeout=SECONDS)[1]
