"""A plan: everything is decided and nothing drawn, and whoever draws afterwards decides nothing again."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows import listing, verbs
from flows.claim import claim
from flows.plan import plan
from flows.progress import Lines
from storage.catalog import Episode, EpisodeStatus, ShotStatus, episode, event, moves, route, step, take
from storage.catalog.session import catalog
from storage.errors import Missing, Refused
from storage.film.probe import fingerprint
from tasks.job import EpisodeJob, nowhere
from tests.flows.stage import FRAMES, Stage, set_up
from tests.flows.test_cli import call
from tests.flows.test_episode import ANALYSIS, DRAWING, ends_with, run, statuses
from tests.flows.test_night import Play
from tests.flows.test_night import run as night
from tests.flows.test_submit import send
from tests.shoot import draw_sound

ONCE = dict.fromkeys(ANALYSIS, 1)
STOOD = {"sh0010": "passed-through", "sh0020": "waiting", "sh0030": "waiting"}


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return set_up(monkeypatch, tmp_path)


def asked(stage: Stage, **wishes: Any) -> dict[str, Any]:
    """The plan of a film of which nobody has said where its delivery goes."""
    return dict(plan(stage.job(**{"out": nowhere(stage.film), **wishes}), Lines(io.StringIO())))


def the_row() -> Episode:
    with catalog() as session:
        (row,) = episode.newest_first(session)
    return row


def test_a_plan_says_who_is_drawn_by_whom_and_why_and_draws_nothing(stage: Stage) -> None:
    stage.unsure = {24}
    found = asked(stage)
    assert (found["episode"], found["status"], found["frames"]) == ("film", "planned", FRAMES)
    assert found["shots"] == {"passed-through": 1, "waiting": 1, "held": 1}
    assert (found["changed"], found["drawn"]) == (8, 8)
    assert found["models"] == [{"model": "diff2lip", "faces": 1, "frames": 8, "seconds": 0.2}]
    (anna,) = found["cast"]
    assert (anna["character"], anna["original"], anna["dub"], anna["faces"]) == ("ANNA", "A", "B", 2)
    assert (anna["least sure"], anna["seconds"], anna["dub seconds"]) == (0.55, 0.8, 0.8)
    lines = [(each["shot"], each["face"], each["speaks"], each["model"], each["drawn"]) for each in found["plan"]]
    assert lines == [
        ("sh0010", "", "", "", 0), ("sh0020", "f1", "ANNA", "diff2lip", 8), ("sh0030", "f1", "ANNA", "held", 0),
    ]  # fmt: skip
    assert [each["reason"] for each in found["plan"]] == [
        "no face was found in it",
        "ANNA speaks in 8 frames; face 200 px high, turned 0°",
        "not sure that this is ANNA's face, 0.55: under 0.6, held",
    ]
    assert stage.computed == ONCE
    with catalog() as session:
        row = the_row()
        assert not take.of_episode(session, row.id)
        assert [each.name for each in step.of_episode(session, row.id)] == ["ingest", *ANALYSIS]
    assert sorted(path.name for path in stage.folder.iterdir()) == ["dub.wav", "film.mkv", "house"]


def test_who_dubs_or_submits_what_was_planned_computes_nothing_twice(stage: Stage) -> None:
    asked(stage)
    asked(stage)
    assert stage.computed == ONCE and the_row().status is EpisodeStatus.PLANNED
    said = send(stage, priority="overnight")
    row = the_row()
    assert (said.episode, said.status) == ("film", EpisodeStatus.QUEUED)
    assert EpisodeJob.model_validate(row.job).out == stage.folder / "out.mkv"
    delivery = run(stage)
    assert delivery.whole and delivery.episode == "film"
    assert stage.computed == ONCE | dict.fromkeys(DRAWING, 1) and the_row().id == row.id
    with catalog() as session:
        assert event.verify_chain(session) is None
        assert [each.what for each in event.of_episode(session, row.id) if each.what.startswith("episode.")] == [
            "episode.planned", "episode.queued", "episode.submitted", "episode.running", "episode.delivered",
        ]  # fmt: skip


@pytest.mark.parametrize("step", ANALYSIS)
def test_a_plan_that_was_stopped_goes_on_and_is_never_at_work(stage: Stage, step: str) -> None:
    stage.trouble[step] = ends_with(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        asked(stage)
    assert the_row().status is EpisodeStatus.PLANNED
    assert asked(stage)["status"] == "planned"
    assert stage.computed == {**ONCE, step: 2}


def test_a_plan_that_fails_says_why_until_there_is_one(stage: Stage) -> None:
    stage.trouble["listen"] = ends_with(Missing, "there is no room on the disk")
    with pytest.raises(Missing):
        asked(stage)
    assert (the_row().status, the_row().reason) == (EpisodeStatus.PLANNED, "there is no room on the disk")
    asked(stage)
    assert (the_row().reason, stage.computed["split"]) == ("", 1)


def test_a_plan_with_other_wishes_takes_the_place_of_the_one_before(stage: Stage) -> None:
    asked(stage)
    found = asked(stage, model="omnisync")
    assert {each["model"] for each in found["plan"]} == {"", "omnisync"}
    assert stage.computed == ONCE | {"route": 2} and found["episode"] == "film"


def test_the_plan_of_what_is_delivered_is_read_and_changes_nothing(stage: Stage) -> None:
    delivery = run(stage, name="ep03")
    before, row = fingerprint(delivery.out), the_row()
    found = asked(stage, seed=9)  # a wish that decides nothing of the plan
    assert (found["episode"], found["status"], found["drawn"]) == ("ep03", "delivered", 16)
    assert "takes" not in found and "delivered" in found["next"]
    with pytest.raises(Refused, match="'ep03' is delivered as it was asked for before, with another model, speakers"):
        asked(stage, model="omnisync", speakers=(1, 2))
    now = the_row()
    assert (now.status, now.job, now.out) == (row.status, row.job, row.out) and fingerprint(delivery.out) == before
    assert stage.computed == ONCE | dict.fromkeys(DRAWING, 1)
    assert asked(stage, model="omnisync", name="what-if")["episode"] == "what-if"


def test_what_waits_in_the_queue_keeps_its_place_and_its_wishes(stage: Stage) -> None:
    send(stage, priority="overnight", seed=9)
    row = the_row()
    with pytest.raises(Refused, match="'out' is queued, and nobody has decided yet who is drawn in it"):
        asked(stage)
    assert (the_row().status, the_row().job) == (EpisodeStatus.QUEUED, row.job) and not stage.computed


def test_the_time_is_that_of_the_frames_which_are_drawn_by_each_model(stage: Stage) -> None:
    found = asked(stage)
    assert [each["stage"] for each in found["stages"]] == ["render", "deliver"]
    assert found["stages"][0]["from"] == "a guess" and "A guess" in found["note"]
    drawn = found["stages"][0]["seconds"]
    assert drawn == pytest.approx(16 * 22_400 / 1e6, abs=0.05)  # docs/MEASURED.md, diff2lip
    assert asked(stage, model="omnisync")["stages"][0]["seconds"] == pytest.approx(16 * 64_000 / 1e6, abs=0.05)
    assert found["takes"] == "0:01 on 1 worker"


def test_a_night_leaves_a_plan_alone_and_status_says_what_it_is(stage: Stage) -> None:
    asked(stage)
    play = Play()
    said = night(play)
    assert not play.started and not said.episodes and not said.carried_over
    assert the_row().status is EpisodeStatus.PLANNED
    (listed,) = listing.episodes()
    assert (listed["status"], listed["out"]) == ("planned", "") and "nothing of it is drawn" in listed["reason"]


def test_a_person_may_speak_about_a_planned_shot_but_there_is_no_work_to_cancel(stage: Stage) -> None:
    asked(stage)
    verbs.hold("film", ["sh0030"], "anna", "is this her?")
    found = asked(stage)
    assert found["shots"] == {"passed-through": 1, "waiting": 1, "held": 1} and found["drawn"] == 8
    assert found["plan"][-1]["reason"] == "anna holds this shot: is this her?"
    with pytest.raises(Refused, match="film is only planned: nobody works on it"):
        verbs.cancel("film", [], "anna")
    assert stage.computed == ONCE
    assert [each["shot"] for each in run(stage).open] == ["sh0030"]


def test_no_word_delivers_to_where_nobody_asked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(stage)
    assert call(monkeypatch, "skip", "film", "sh0030", "--here") == 2
    assert "nobody has said where its delivery goes" in capsys.readouterr().err
    assert statuses() == STOOD | {"sh0030": "passed-through"} and not nowhere(stage.film).exists()


def test_a_film_without_a_face_has_a_plan_too(stage: Stage) -> None:
    stage.cuts = [(0, FRAMES)]
    found = asked(stage)
    assert (found["drawn"], found["models"], found["shots"]) == (0, [], {"passed-through": 1})
    assert [each["reason"] for each in found["plan"]] == ["no face was found in it"]
    assert found["stages"][0] == {"stage": "render", "seconds": 0.0, "from": "measured"}


def test_a_second_process_is_told_who_plans_it(stage: Stage) -> None:
    with (
        claim(fingerprint(stage.film), fingerprint(stage.dub), "its plan"),
        pytest.raises(Refused, match=r"already, by process \d+ \(its plan\)"),
    ):
        asked(stage)


def test_the_command_prints_the_plan_for_people_and_programs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "plan", str(stage.film), str(stage.dub)) == 0
    said = capsys.readouterr()
    assert "ANNA speaks in 8 frames" in said.out and "takes       0:01 on 1 worker" in said.out
    assert "look" in said.err and "look" not in said.out
    assert call(monkeypatch, "plan", str(stage.film), str(stage.dub), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == asked(stage) and found["status"] == "planned"
    assert call(monkeypatch, "show", "film", "sh0020", "--json") == 0
    (measured,) = json.loads(capsys.readouterr().out)["measures"]
    assert (measured["height_px"], measured["confidence"], measured["pitch"], measured["style"]) == (
        200.0, 0.9, 0.0, "photoreal",
    )  # fmt: skip
    assert measured["frames"] == 8 and measured["mesh"] is True


def no_film(stage: Stage) -> list[str]:
    return [str(stage.folder / "nothing.mkv"), str(stage.dub)]


def short_dub(stage: Stage) -> list[str]:
    return [str(stage.film), str(draw_sound(stage.folder / "short.wav", 0.5))]


def over_the_film(stage: Stage) -> list[str]:
    return [str(stage.film), str(stage.dub), "-o", str(stage.film)]


def into_no_folder(stage: Stage) -> list[str]:
    return [str(stage.film), str(stage.dub), "-o", str(stage.folder / "no" / "out.mkv")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(no_film, "There is no file", id="no-film"),
        pytest.param(short_dub, "frames too short", id="short-dub"),
        pytest.param(over_the_film, "inputs are never written to", id="over-the-film"),
        pytest.param(into_no_folder, "does not exist", id="no-folder"),
    ],
)
def test_what_cannot_be_planned_is_refused_and_leaves_nothing(
    stage: Stage, house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: Callable[[Stage], list[str]], says: str,
) -> None:  # fmt: skip
    assert call(monkeypatch, "plan", *arguments(stage)) == 2
    said = capsys.readouterr()
    assert says in said.err and said.out == "" and not house.exists() and not stage.computed


def test_a_film_in_a_folder_that_cannot_be_written_to_can_be_planned(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != stage.folder and really(path, mode))
    with pytest.raises(Refused, match="cannot be written to"):
        asked(stage, out=stage.folder / "out.mkv")
    assert asked(stage)["status"] == "planned"


def test_a_shot_that_is_done_is_no_work_that_is_left(stage: Stage) -> None:
    stage.trouble["render 24"] = ends_with(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    found = asked(stage)
    assert found["status"] == "running" and found["shots"] == {"passed-through": 1, "done": 1, "rendering": 1}
    assert found["drawn"] == 16
    assert found["stages"][0]["seconds"] < 16 * 0.0224
    with catalog() as session:
        row = the_row()
        assert len(route.of_episode(session, row.id)) == 2
        moves.move(session, row, EpisodeStatus.FAILED, "cancelled")
    assert asked(stage)["next"].endswith("the plan by which it is failed") and ShotStatus.DONE in statuses().values()
