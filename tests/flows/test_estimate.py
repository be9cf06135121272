"""The estimate: medians of what the catalog has measured, and a guess that says so where it has measured nothing."""

import json
import platform
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from flows.estimate import GUESSED_DRAWING, STAGES, limit_of, of_film, of_shot, words
from flows.ledger import ORDER
from storage.catalog import Episode, EpisodeStatus, Route, Step
from storage.catalog.session import catalog
from tests.flows.test_cli import call
from tests.shoot import FILM_24, draw_film, draw_sound
from tests.storage.drawn_rows import add_episode, add_shot, add_track, draw_take


def add_finished(
    session: Session, name: str, us_a_frame: int, *, drawn: int = 50, machine: str = "elsewhere",
    status: EpisodeStatus = EpisodeStatus.DELIVERED,
) -> Episode:  # fmt: skip
    """An episode of 100 frames whose seven steps took as long each; `drawn` of its frames have a route."""
    row = add_episode(session, name)
    row.status = status
    for step in ORDER:
        session.add(
            Step(row.id, step, "k" * 64, us_a_frame * row.frames, machine, finished_us=row.created_us, notes={})
        )
    track = add_track(session, add_shot(session, row, end=100))
    session.add(Route(track.id, "diff2lip", "speaks", {}, [[0, drawn]] if drawn else []))
    session.flush()
    return row


def add_takes(session: Session, row: Episode, model: str, *us_a_frame: int) -> None:
    for n, spent in enumerate(us_a_frame):
        drawn = draw_take(add_track(session, add_shot(session, row, f"{model}{n}", 0, 10)))
        drawn.model, drawn.microseconds_a_frame, drawn.rendered_us = model, spent, n
        session.add(drawn)
    session.flush()


def test_an_empty_catalog_gives_a_guess_and_says_so(house: Path) -> None:
    with catalog() as session:
        found = of_film(session, 24_000)
    assert set(found.guessed) == set(STAGES) == set(found.seconds)
    assert found.total > 0 and "A guess" in found.facts()["note"] and "MEASURED" in found.facts()["note"]


def test_steps_take_the_median_of_the_finished_episodes(house: Path) -> None:
    with catalog() as session:
        for n, spent in enumerate((1_000, 90_000, 3_000)):
            add_finished(session, f"ep{n}", spent)
        add_finished(session, "red", 900_000, status=EpisodeStatus.FAILED)
        found = of_film(session, 2_000)
    assert {found.seconds[name] for name in ORDER} == {2_000 * 3_000 / 1e6}
    assert found.guessed == ("render",)


def test_this_machines_own_seconds_count_before_those_of_others(house: Path) -> None:
    with catalog() as session:
        for n in range(3):
            add_finished(session, f"farm{n}", 500)
        add_finished(session, "here", 7_000, machine=platform.node())
        assert of_film(session, 1_000).seconds["look"] == 7.0


def test_drawing_takes_the_models_newest_takes_and_the_frames_that_are_drawn(house: Path) -> None:
    with catalog() as session:
        first = add_finished(session, "ep0", 1_000, drawn=20)
        add_finished(session, "ep1", 1_000, drawn=40)
        add_finished(session, "ep2", 1_000, drawn=90)
        add_finished(session, "nobody-speaks", 1_000, drawn=0)  # says nothing about the next
        add_takes(session, first, "diff2lip", *[1_000_000] * 5, *[10_000] * 25)
        add_takes(session, first, "omnisync", 70_000)
        assert of_shot(session, "diff2lip", 48) == pytest.approx(0.48)
        assert of_shot(session, "omnisync", 48) == pytest.approx(3.36)
        found = of_film(session, 1_000, "omnisync")
    assert found.share == 0.4 and found.seconds["render"] == pytest.approx(1_000 * 0.4 * 0.07)
    assert not found.guessed and "note" not in found.facts()


def test_a_shot_of_a_model_that_never_drew_is_guessed(house: Path) -> None:
    with catalog() as session:
        assert of_shot(session, "diff2lip", 100) == GUESSED_DRAWING["diff2lip"] * 100 / 1e6


def test_only_the_drawing_is_shared_among_workers(house: Path) -> None:
    with catalog() as session:
        one, four = of_film(session, 24_000), of_film(session, 24_000, workers=4)
    assert one.total - four.total == pytest.approx(one.seconds["render"] * 3 / 4)
    assert "on 4 workers" in four.facts()["takes"]


def test_a_shot_hangs_after_ten_times_its_estimate_and_never_before_ten_minutes() -> None:
    assert limit_of(0.5) == 600 and limit_of(60) == 600 and limit_of(3600) == 36_000


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        pytest.param(0, "0:00", id="nothing"),
        pytest.param(1, "0:01", id="a-minute-begun"),
        pytest.param(60, "0:01", id="a-minute"),
        pytest.param(3599, "1:00", id="just-below-an-hour"),
        pytest.param(100 * 3600, "100:00", id="days-stay-hours"),
    ],
)
def test_hours_and_minutes_round_up(seconds: float, said: str) -> None:
    assert words(seconds) == said


def test_the_command_probes_the_film_and_lists_every_stage(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    film, dub = draw_film(tmp_path / "film.mkv", 48), draw_sound(tmp_path / "dub.wav", 48 / FILM_24)
    assert call(monkeypatch, "estimate", str(film), str(dub), "--workers", "2", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["frames"] == 48 and said["workers"] == 2 and [each["stage"] for each in said["stages"]] == [*STAGES]
    assert call(monkeypatch, "estimate", str(film), str(dub)) == 0
    assert "0:01 on 1 worker" in capsys.readouterr().out


def test_a_film_that_cannot_be_probed_has_no_estimate_and_makes_no_house(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dub = draw_sound(tmp_path / "dub.wav", 1)
    assert call(monkeypatch, "estimate", str(tmp_path / "no.mov"), str(dub)) == 2
    assert "no.mov" in capsys.readouterr().err and not house.exists()
