"""Which workers a machine has, who draws on a card, and what `dubline up` refuses before it starts anything."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flows.farm import env
from flows.farm.card import card
from flows.farm.posts import PAUSES, STEADY_SECONDS, Post
from flows.farm.up import asked
from flows.farm.workers import of_machine
from storage.errors import Refused

TWO_CARDS = """#!/bin/sh
echo 'GPU 0: NVIDIA RTX A6000 (UUID: GPU-0c5c6f4e-0000-0000-0000-000000000000)'
echo 'GPU 1: NVIDIA RTX A6000 (UUID: GPU-1d6d7a5f-0000-0000-0000-000000000000)'
"""


def test_every_card_has_a_worker_that_sees_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(TWO_CARDS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = [(worker.pool, worker.card, worker.limit) for worker in of_machine()]
    assert found == [("cpu", None, 4), ("gpu", "0", 2), ("gpu", "1", 2)]
    assert [worker.card for worker in of_machine(("gpu",), ["1"])] == ["1"]
    assert env.of_worker("http://farm/api", "1")["CUDA_VISIBLE_DEVICES"] == "1"


def test_without_a_card_one_worker_draws_on_the_cpu_one_shot_at_a_time() -> None:
    (worker,) = of_machine(("gpu",), [])
    assert (worker.pool, worker.limit, worker.card) == ("gpu", 1, None)


def test_one_process_has_the_card_at_a_time(house: Path, tmp_path: Path) -> None:
    other = "from flows.farm.card import card\nimport sys, pathlib\nprint('asks', flush=True)\nwith card(): "
    other += f"sys.exit(not pathlib.Path({str(tmp_path / 'given-back')!r}).exists())"
    here = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with card() as name:
        assert name == (os.environ.get("CUDA_VISIBLE_DEVICES") or "cpu")
        waiting = subprocess.Popen([sys.executable, "-c", other], env=here, stdout=subprocess.PIPE, text=True)
        assert waiting.stdout is not None and waiting.stdout.readline() == "asks\n"
        (tmp_path / "given-back").touch()
    with waiting.stdout:
        assert waiting.wait(30) == 0


def test_what_keeps_ending_is_started_again_after_growing_pauses(tmp_path: Path) -> None:
    now = 0.0
    given = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])}
    post = Post("worker", ["false"], given, tmp_path / "log", tmp_path, clock=lambda: now)
    for pause in (*PAUSES, PAUSES[-1]):
        post.start()
        while (fell := post.fallen()) is None:
            os.sched_yield()
        assert f"started again in {pause} s" in fell[0] and fell[1] == []
        assert not post.tend()
    now += STEADY_SECONDS
    assert post.tend()
    now += STEADY_SECONDS
    while (fell := post.fallen()) is None:
        os.sched_yield()
    assert f"started again in {PAUSES[0]} s" in fell[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param({"role": "boss"}, "--role boss: there are all, server, worker", id="role"),
        pytest.param({"pools": ["tpu"]}, "--pool tpu: there are cpu, gpu", id="pool"),
    ],
)
def test_what_there_is_not_is_refused(house: Path, words: dict[str, object], says: str) -> None:
    asked_for: dict[str, object] = {"role": "all", "pools": []} | words
    with pytest.raises(Refused, match=says):
        asked("127.0.0.1", 4200, str(asked_for["role"]), list(asked_for["pools"]), None)  # type: ignore[call-overload]
    assert not house.exists()


def test_a_port_that_is_taken_is_refused_and_nothing_is_left(house: Path) -> None:
    heard = signal.getsignal(signal.SIGTERM)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"cannot listen at 127.0.0.1:{port}.*another --port"):
            asked("127.0.0.1", port, "all", [], None)
    assert not env.note().exists() and env.address() is None and signal.getsignal(signal.SIGTERM) is heard
