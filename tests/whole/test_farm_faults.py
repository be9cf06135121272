"""What goes wrong on a farm: killed processes, shots that hang or die, a word on a page, a short night."""

import io
import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import StateType

from flows.progress import Lines
from flows.submit import submit
from storage.catalog import EpisodeStatus, episode
from storage.catalog.session import catalog
from tests.storage.postgres import temporary_postgres
from tests.whole.played import ENDED, Played, on_postgres, played

SHOTS = 5  # the first without a face

pytestmark = [
    pytest.mark.farm,
    pytest.mark.filterwarnings("default"),  # Prefect's own, of which there are many
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("faults")
    with (
        temporary_postgres(folder) as url,  # on SQLite a killed server's database is locked for a minute
        played(folder, SHOTS, more=on_postgres(url)) as on_stage,
    ):
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


def test_a_shot_that_hangs_dies_or_has_no_room_costs_no_other(studio: Played) -> None:
    """The hanging one is ended at its limit and begun again; the dying one is tried three times, the other four."""
    hangs, dies = studio.trouble("render 12", "hang"), studio.trouble("render 24", "die")
    memory = studio.trouble("render 36", "memory")
    before = studio.computed()
    run = studio.dub("ep03")
    studio.until(lambda: (studio.computed() - before)["render 12"] == 1)
    hangs.unlink()  # it hangs nevertheless: what was begun has read it
    ended = studio.farm.wait(run, ENDED, 400)
    said = str(ended.state and ended.state.message)
    assert said.startswith("2 of 5 shots are red. sh0030: its process died 3 times")
    assert "sh0040: There was no room for diff2lip to draw in" in said
    tried = studio.computed() - before
    assert [tried[f"render {n}"] for n in (12, 24, 36, 48)] == [2, 3, 4, 1]

    for trouble, shot in ((dies, "sh0030"), (memory, "sh0040")):
        trouble.unlink()
        studio.press_retry(studio.run_of("ep03", shot))
    studio.farm.wait(run, {StateType.COMPLETED}, 200)
    assert studio.status("ep03") == EpisodeStatus.DELIVERED


def test_cancelled_on_its_page_a_shot_turns_red_and_an_episode_ends_with_its_shots(studio: Played) -> None:
    gates = [studio.trouble("render 36"), studio.trouble("render 48")]
    before = studio.computed()
    run = studio.dub("ep04")
    studio.until(lambda: {"render 36", "render 48"} <= (studio.computed() - before).keys())
    studio.cancel(studio.run_of("ep04", "sh0050"))
    studio.until(lambda: studio.reason("ep04", "sh0050").startswith("cancelled: "))
    assert studio.farm.look(run).state_type is StateType.RUNNING

    studio.cancel(run)
    studio.farm.wait(run, {StateType.CANCELLED})
    studio.farm.wait(studio.run_of("ep04", "sh0040"), {StateType.CANCELLED})
    studio.until(lambda: studio.status("ep04") == EpisodeStatus.FAILED)
    for gate in gates:
        gate.unlink()


def test_a_night_that_is_too_short_submits_what_fits_and_carries_the_rest_over(studio: Played) -> None:
    for name in ("ep05", "ep06"):
        wishes = studio.job(name, priority="overnight")
        with studio.farm.inside():
            submit(wishes, Lines(io.StringIO()), by="anna")
    with studio.farm.inside(), catalog() as session:
        episode.by_name(session, "ep06").frames = 10**7  # as of a very long film
    now = datetime.now(UTC)
    plan = {"start": f"{now - timedelta(minutes=2):%H:%M}", "end": f"{now + timedelta(minutes=20):%H:%M}"}
    ended = studio.farm.wait(studio.farm.start("night/cpu", plan=plan), ENDED, 300)
    assert ended.state is not None and ended.state.is_completed()
    assert studio.status("ep05") == EpisodeStatus.DELIVERED and studio.status("ep06") == EpisodeStatus.QUEUED
    with studio.farm.client() as client:
        (page,) = (str(each.data) for each in client.read_artifacts() if str(each.key).startswith("night-"))
    assert "1 done" in page and "1 carried over" in page and "ep06" in page
