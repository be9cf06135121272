"""Submitting: refused before anything is written, queued once however often it is asked, and no work done anew."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from flows.episode import dub
from flows.progress import Lines
from flows.submit import SUBMITTED, Submission, submit
from storage.catalog import Episode, EpisodeStatus, episode, event, moves
from storage.catalog.session import catalog
from storage.errors import Refused
from tasks.job import EpisodeJob
from tests.flows.stage import FRAMES, Stage, set_up
from tests.flows.test_cli import call
from tests.shoot import FILM_24, draw_film, draw_sound


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return set_up(monkeypatch, tmp_path)


def send(stage: Stage, **wishes: Any) -> Submission:
    return submit(stage.job(**wishes), Lines(io.StringIO()), by="anna")


def rows() -> list[Episode]:
    with catalog() as session:
        return list(episode.newest_first(session))


def submissions(row: Episode) -> list[tuple[str, str]]:
    with catalog() as session:
        said = [each for each in event.of_episode(session, row.id) if each.what == SUBMITTED]
    return [(each.who, each.after["job"]["priority"]) for each in said]


def test_an_episode_is_queued_with_its_job_and_nothing_is_begun(stage: Stage) -> None:
    said = send(stage, name="ep03", priority="overnight", seed=9)
    (row,) = rows()
    assert (row.name, row.status, said.episode, said.run) == ("ep03", EpisodeStatus.QUEUED, "ep03", "")
    assert EpisodeJob.model_validate(row.job) == stage.job(name="ep03", priority="overnight", seed=9)
    assert row.frames == FRAMES and submissions(row) == [("anna", "overnight")]
    assert "dubline night plan" in said.next and not stage.computed


def test_without_a_farm_it_waits_and_the_command_says_what_to_do(stage: Stage) -> None:
    said = send(stage)
    assert said.status is EpisodeStatus.QUEUED and "No farm is running" in said.next and "dubline up" in said.next


def test_submitted_twice_it_is_one_episode_submitted_once(stage: Stage) -> None:
    send(stage)
    send(stage)
    (row,) = rows()
    assert len(submissions(row)) == 1


def test_other_wishes_take_the_place_of_the_old_ones(stage: Stage) -> None:
    send(stage)
    send(stage, priority="overnight")
    send(stage, priority="overnight", seed=8)
    (row,) = rows()
    assert row.job["seed"] == 8 and [each for _, each in submissions(row)] == ["default", "overnight", "overnight"]


def test_what_is_being_worked_on_otherwise_is_not_submitted_over(stage: Stage) -> None:
    send(stage)
    (row,) = rows()
    with catalog() as session:
        moves.move(session, row, EpisodeStatus.RUNNING)
    assert send(stage, priority="urgent").status is EpisodeStatus.RUNNING  # the same, only sooner
    with pytest.raises(Refused, match="'out' is being worked on as it was asked before"):
        send(stage, seed=8)
    assert rows()[0].job["seed"] == 7


def test_what_has_ended_is_queued_anew(stage: Stage) -> None:
    send(stage)
    dub(stage.job(), Lines(io.StringIO()))
    assert rows()[0].status is EpisodeStatus.DELIVERED
    assert send(stage, seed=8).status is EpisodeStatus.QUEUED
    (row,) = rows()
    assert len(submissions(row)) == 2


def test_another_priority_computes_nothing_anew(stage: Stage) -> None:
    first = dub(stage.job(), Lines(io.StringIO()))
    before = stage.computed.copy()
    assert dub(stage.job(priority="urgent"), Lines(io.StringIO())) == first
    assert stage.computed == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--variant", "paper", "--model", "diff2lip"], "may not be used commercially", id="licence"),
        pytest.param(["--model", "magic"], "no model 'magic'", id="no-such-model"),
        pytest.param(["--priority", "soon"], "'urgent', 'default' or 'overnight'", id="no-such-queue"),
        pytest.param(["--mouth", "sh0010=9999,1"], "outside the picture", id="mouth-outside"),
        pytest.param(["--name", "a/b"], "name:", id="name-with-a-slash"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_written(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    options: list[str], says: str,
) -> None:  # fmt: skip
    film, dub = draw_film(tmp_path / "film.mkv", 24), draw_sound(tmp_path / "dub.wav", 24 / FILM_24)
    asked = ("submit", str(film), str(dub), "-o", str(tmp_path / "out.mkv"), *options)
    assert call(monkeypatch, *asked) == 2
    said = capsys.readouterr()
    assert says in said.err and said.out == "" and "Traceback" not in said.err
    assert not house.exists() and {path.name for path in tmp_path.iterdir()} == {"film.mkv", "dub.wav"}


def test_a_dub_of_another_length_is_refused_and_nothing_is_written(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    film, dub = draw_film(tmp_path / "film.mkv", 24), draw_sound(tmp_path / "dub.wav", 3)
    assert call(monkeypatch, "submit", str(film), str(dub), "-o", str(tmp_path / "out.mkv")) == 2
    assert "--allow-length" in capsys.readouterr().err and not house.exists()


def test_the_command_works_commercially_unless_told_otherwise(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    film, dub = draw_film(tmp_path / "film.mkv", 24), draw_sound(tmp_path / "dub.wav", 24 / FILM_24)
    asked = ("submit", str(film), str(dub), "-o", str(tmp_path / "out.mkv"), "--priority", "overnight", "--json")
    assert call(monkeypatch, *asked) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["episode"], said["status"], said["priority"]) == ("out", "queued", "overnight")
    (row,) = rows()
    assert row.job["purpose"] == "commercial"
