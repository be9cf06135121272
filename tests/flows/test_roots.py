"""One episode on two machines that have its film under different folders."""

import io
from pathlib import Path

import pytest

from flows.asking import wishes
from flows.delivery import Delivery
from flows.episode import dub
from flows.progress import Lines
from flows.scene import staged
from storage.catalog import episode, session
from storage.catalog.session import catalog
from storage.errors import Missing, Refused, ShotFailed
from storage.settings import settings
from tests.flows.stage import FRAMES, Stage, set_up
from tests.flows.test_episode import ends_with


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A machine that has its films under tmp_path/one."""
    (tmp_path / "one").mkdir()
    on_machine(monkeypatch, tmp_path / "one")
    return set_up(monkeypatch, tmp_path / "one")


def on_machine(monkeypatch: pytest.MonkeyPatch, films: Path) -> None:
    monkeypatch.setenv("DUBLINE_ROOTS", f"films={films}")
    settings.cache_clear()
    session.close()


def run(stage: Stage) -> Delivery:
    return dub(stage.job(film="films:film.mkv", dub="films:dub.wav", out="films:out.mkv"), Lines(io.StringIO()))


def test_another_machine_goes_on_where_the_first_stopped(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.trouble["render 24"] = ends_with(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    with catalog() as opened:
        (row,) = episode.newest_first(opened)
    assert (row.film, row.dub, row.out) == ("films:film.mkv", "films:dub.wav", "films:out.mkv")
    assert row.job["film"] == "films:film.mkv" and str(tmp_path) not in str(row.job)

    (tmp_path / "one").rename(tmp_path / "two")
    on_machine(monkeypatch, tmp_path / "two")
    delivery = run(stage)
    assert delivery.whole and delivery.out == tmp_path / "two" / "out.mkv"
    assert stage.computed == dict.fromkeys(stage.computed, 1) | {"render 24": 2}

    (tmp_path / "two").rename(tmp_path / "three")
    on_machine(monkeypatch, tmp_path / "three")
    assert run(stage).out == tmp_path / "three" / "out.mkv"
    assert sum(stage.computed.values()) == 8, "the delivery lies there: nothing is done again"


def test_a_worker_that_lacks_the_film_says_which_root_of_which_machine(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.trouble["render 12"] = ends_with(ShotFailed, "the face leaves the picture")
    run(stage)
    (tmp_path / "empty").mkdir()
    on_machine(monkeypatch, tmp_path / "empty")
    with pytest.raises(
        Missing, match=r"films:film.mkv is not here: this machine .* Its root 'films' is .*retry the sho"
    ):
        staged("out")
    monkeypatch.delenv("DUBLINE_ROOTS")
    settings.cache_clear()
    with pytest.raises(Missing, match=r"has no root 'films'\. Set DUBLINE_ROOTS=films="):
        staged("out")
    on_machine(monkeypatch, tmp_path / "one")
    assert staged("out").film.frames == FRAMES


def test_on_the_command_line_a_film_may_be_named_by_its_root_or_by_a_path(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "one")
    job = wishes(Path("films:film.mkv"), Path("dub.wav"), Path("films:out:1.mkv"), stem=["Anna=films:anna.wav"])
    assert (job.film, job.dub) == (stage.film, stage.dub)
    assert job.out == tmp_path / "one" / "out:1.mkv" and job.stems == {"Anna": tmp_path / "one" / "anna.wav"}
    with pytest.raises(Refused, match="leaves the root 'films'"):
        wishes(Path("films:../film.mkv"), Path("dub.wav"), Path("out.mkv"))
