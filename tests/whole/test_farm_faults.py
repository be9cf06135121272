"""What goes wrong on a farm: killed processes, shots that hang or die, a word on a page; and nobody helps."""

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from prefect.client.schemas.objects import StateType

from flows.farm import runs
from storage.catalog import EpisodeStatus
from tests.whole.played import ENDED, Played, played

SHOTS = 5  # the first without a face

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(tmp_path_factory.mktemp("faults"), SHOTS) as on_stage:
        yield on_stage


def test_whatever_is_killed_the_episodes_are_delivered_and_no_finished_shot_is_drawn_again(studio: Played) -> None:
    """A shot's process, a worker, an episode's process and the server, all while they are at work."""
    before = studio.computed()
    gate = studio.trouble("render 12")
    first, second = studio.dub("ep01"), studio.dub("ep02")
    studio.until(lambda: (studio.computed() - before)["render 12"] == 2, 240)  # one on each gpu worker
    studio.farm.kill_run(studio.run_of("ep01", "sh0020"))
    lost = studio.worker_of(studio.farm.pid_of_run(studio.run_of("ep02", "sh0020")))
    studio.farm.kill(lost)
    studio.farm.kill_run(second)
    os.kill(studio.farm.pid("server"), signal.SIGKILL)
    studio.farm.start_server()
    studio.farm.start_worker(lost)
    gate.unlink()
    for run in (first, second):
        studio.farm.wait(run, {StateType.COMPLETED}, 400)
    assert studio.status("ep01") == studio.status("ep02") == EpisodeStatus.DELIVERED
    again = (studio.computed() - before) - Counter(f"render {12 * n}" for n in range(1, SHOTS))
    again -= Counter(f"render {12 * n}" for n in range(1, SHOTS))
    assert set(again) <= {"split", "look", "listen", "cast", "route", "render 12"} and again["render 12"] == 2


def test_a_shot_that_hangs_dies_or_has_no_room_turns_red_with_its_reason_and_costs_no_other(studio: Played) -> None:
    """The hanging one is ended at its limit, the dying one is tried three times, the one without room four."""
    wrong = {
        studio.trouble("render 12", "hang"): ("sh0020", "its process died 3 times"),
        studio.trouble("render 24", "die"): ("sh0030", "its process died 3 times"),
        studio.trouble("render 36", "memory"): ("sh0040", "There was no room for diff2lip to draw in"),
    }
    before = studio.computed()
    run = studio.dub("ep03")
    ended = studio.farm.wait(run, ENDED, 500)
    assert ended.state is not None and ended.state.is_failed() and "3 of 5 shots are red" in str(ended.state.message)
    for shot, why in wrong.values():
        assert f"{shot}: {why}" in str(ended.state.message)
    tried = studio.computed() - before
    assert [tried[f"render {n}"] for n in (12, 24, 36, 48)] == [3, 3, 4, 1]

    for trouble in wrong:
        trouble.unlink()
    for shot, _ in wrong.values():
        studio.press_retry(studio.run_of("ep03", shot))
    studio.farm.wait(run, {StateType.COMPLETED}, 300)
    assert studio.status("ep03") == EpisodeStatus.DELIVERED


def test_an_operators_cancel_on_the_page_of_a_shot_turns_it_red(studio: Played) -> None:
    gate = studio.trouble("render 48")
    before = studio.computed()["render 48"]
    run = studio.dub("ep04")
    studio.until(lambda: studio.computed()["render 48"] > before, 240)
    with studio.farm.client() as client:
        runs.stop(client, client.read_flow_run(studio.run_of("ep04", "sh0050")), "the client wants to see it first")
    ended = studio.farm.wait(run, ENDED, 300)
    gate.unlink()
    assert ended.state is not None and "sh0050: cancelled" in str(ended.state.message)
