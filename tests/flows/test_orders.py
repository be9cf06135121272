"""An operator's word on its way from the command line to a real Prefect API."""

import json
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Completed, Failed, Running

from flows.claim import claim
from flows.farm import runs
from storage.catalog import ShotStatus, episode, event, moves, shot
from storage.catalog.session import catalog
from tests.flows.test_cli import call
from tests.flows.test_runs import add, state
from tests.storage.drawn_rows import add_episode, add_shot

pytestmark = pytest.mark.filterwarnings("default")  # Prefect's own, of which there are many

RED, DONE, WAITING = ShotStatus.FAILED, ShotStatus.DONE, ShotStatus.WAITING


@pytest.fixture
def farm(client: SyncPrefectClient, house: Path, monkeypatch: pytest.MonkeyPatch) -> SyncPrefectClient:
    """The farm that the settings name."""
    monkeypatch.setenv("DUBLINE_FARM", str(client.api_url))
    monkeypatch.setenv("DUBLINE_OPERATOR", "anna")
    return client


def stand(name: str, **shots: ShotStatus) -> None:
    """An episode of such shots in the catalog."""
    with catalog() as session:
        row = add_episode(session, name, film=name)
        for number, (each, status) in enumerate(shots.items()):
            found = add_shot(session, row, each, 10 * number, 10 * number + 10)
            for step in (WAITING, status):
                moves.move(session, found, step)


def say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0
) -> dict[str, Any]:
    assert call(monkeypatch, *words, "--json") == code
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def drawn(client: SyncPrefectClient, name: str, *shots: str) -> FlowRun:
    return add(client, runs.shot_tags(name, *shots), Failed())


def test_a_retry_sends_the_runs_of_the_red_shots_and_of_the_episode_and_no_other(
    farm: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand("one", sh0010=RED, sh0020=DONE, sh0030=RED, sh0040=RED, sh0050=RED)
    film = add(farm, runs.episode_tags("one"), Failed())
    alone, done, shared = (
        drawn(farm, "one", "sh0010"),
        drawn(farm, "one", "sh0020"),
        drawn(farm, "one", "sh0030", "sh0040"),
    )
    said = say(monkeypatch, capsys, "retry", "one", "--why", "a new card")
    assert {each["shot"]: each["its run"] for each in said["shots"]} == {
        "sh0010": "was sent again",
        "sh0030": "was sent again",
        "sh0040": "was sent again",
        "sh0050": "has no run on the farm",
    }
    assert said["then"] == "its run was sent again"
    for run in (film, alone, shared):
        assert state(farm, run) == (StateType.SCHEDULED, "AwaitingRetry", "anna: retry: a new card")
    assert state(farm, done)[0] is StateType.FAILED
    again = say(monkeypatch, capsys, "retry", "one", "sh0010")
    assert (again["shots"][0]["its run"], again["then"]) == ("waits for a worker", "its run waits for a worker")


def test_a_held_shot_sends_its_episode_only(
    farm: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand("two", sh0010=DONE)
    film, run = add(farm, runs.episode_tags("two"), Completed()), drawn(farm, "two", "sh0010")
    said = say(monkeypatch, capsys, "hold", "two", "sh0010", "--why", "wait", "--by", "bert")
    assert (said["by"], said["shots"][0]["is"], said["then"]) == ("bert", "held", "its run was sent again")
    assert state(farm, film)[1] == "AwaitingRetry" and state(farm, run)[0] is StateType.FAILED


def test_cancelling_stops_the_episode_and_every_shot_of_it(
    farm: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand("three", sh0010=WAITING, sh0020=ShotStatus.RENDERING, sh0030=DONE)
    film = add(farm, runs.episode_tags("three"), Running())
    waits, busy = add(farm, runs.shot_tags("three", "sh0010")), add(farm, runs.shot_tags("three", "sh0020"), Running())
    said = say(monkeypatch, capsys, "cancel", "three", "--why", "wrong dub")
    assert [(each["shot"], each["is"]) for each in said["shots"]] == [("sh0010", "failed"), ("sh0020", "failed")]
    assert [state(farm, run)[0] for run in (film, waits, busy)] == [
        StateType.CANCELLING,
        StateType.CANCELLED,
        StateType.CANCELLING,
    ]
    assert state(farm, film)[2] == "anna: cancel: wrong dub"
    assert say(monkeypatch, capsys, "retry", "three")["then"].startswith("its run is still being stopped")


def test_a_shot_that_shares_its_run_is_not_cancelled_alone(
    farm: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand("four", sh0010=WAITING, sh0020=WAITING, sh0030=DONE)
    add(farm, runs.episode_tags("four"), Running())
    run = add(farm, runs.shot_tags("four", "sh0010", "sh0020", "sh0030"), Running())
    assert call(monkeypatch, "cancel", "four", "sh0010") == 2
    assert "sh0010 is drawn by one run together with sh0020" in capsys.readouterr().err
    assert state(farm, run)[0] is StateType.RUNNING
    both = say(monkeypatch, capsys, "cancel", "four", "sh0010", "sh0020")
    assert {each["its run"] for each in both["shots"]} == {"is being stopped"} and both[
        "then"
    ] == "goes on without them"


def test_without_a_farm_the_catalog_obeys_and_says_what_goes_on(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand("five", sh0010=RED)
    said = say(monkeypatch, capsys, "retry", "five")
    assert said["then"].startswith("no farm is running: the same `dubline dub`") and said["shots"][0]["its run"] == ""
    assert said["shots"][0]["is"] == "waiting"


def test_a_farm_that_does_not_answer_is_said_and_the_word_can_be_said_again(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand("six", sh0010=RED)
    monkeypatch.setenv("DUBLINE_FARM", "http://127.0.0.1:9/api")
    for _ in range(2):
        said = say(monkeypatch, capsys, "retry", "six", "sh0010", code=3)
        assert "the catalog has obeyed, the farm was not told" in said["then"]
    assert call(monkeypatch, "cancel", "six") == 3  # nothing is called cancelled that goes on
    with catalog() as session:
        assert shot.by_name(session, episode.by_name(session, "six").id, "sh0010").status is WAITING


def test_what_another_process_works_on_is_not_called_cancelled(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand("seven", sh0010=WAITING)
    with claim("seven", "d" * 64, "/out.mov"):
        assert call(monkeypatch, "cancel", "seven") == 2
        assert "seven is worked on by process" in capsys.readouterr().err
    assert say(monkeypatch, capsys, "cancel", "seven")["shots"][0]["is"] == "failed"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["hold", "eight", "sh0010"], "Missing option '--why'", id="hold-without-a-reason"),
        pytest.param(["hold", "eight", "sh0010", "--why", " "], "--why is empty", id="hold-with-an-empty-one"),
        pytest.param(["skip", "eight"], "Missing argument", id="no-shot"),
        pytest.param(["reroute", "eight", "sh0010", "--model", "magic"], "no model 'magic'", id="no-such-model"),
        pytest.param(["reroute", "eight", "sh0010", "--model", "held"], "no model 'held'", id="held-is-no-model"),
        pytest.param(["release", "eight", "sh0010"], "nothing to take back", id="nobody-has-said-anything"),
        pytest.param(["retry", "eight", "sh0010"], "sh0010 is done", id="done"),
        pytest.param(["retry", "nine"], "No episode is called 'nine'", id="no-such-episode"),
        pytest.param(["skip", "eight", "sh0010", "--by", "a" * 101], "has 101 letters", id="a-long-name"),
    ],
)
def test_words_that_cannot_be_obeyed_are_refused_and_leave_nothing(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    stand("eight", sh0010=DONE)
    assert call(monkeypatch, *words) == 2
    said = capsys.readouterr()
    assert says in said.err and said.out == ""
    with catalog() as session:
        assert {each.who for each in event.of_episode(session, episode.by_name(session, "eight").id)} == {"dubline"}
