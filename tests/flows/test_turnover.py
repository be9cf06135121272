"""A cut list through the whole flow: its shots are the episode's, and lists and pulls lie beside the delivery."""

import json
from pathlib import Path

import opentimelineio as otio
import pytest

from flows import listing
from storage.catalog import episode, shot
from storage.catalog.session import catalog
from storage.errors import Refused
from storage.film.probe import probe
from tests.flows.stage import LONG, Stage, set_up
from tests.flows.test_cli import call
from tests.flows.test_episode import run
from tests.flows.test_plan import asked
from tests.shoot import FILM_24
from tests.tasks.test_turnover import edl_of, timeline_of


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return set_up(monkeypatch, tmp_path)


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    path = tmp_path / "ep03.edl"
    path.write_text(edl_of(FILM_24, "00:00:00:00", [LONG, LONG, LONG]))
    return path


def test_the_list_takes_the_place_of_looking_for_cuts(stage: Stage, cut: Path) -> None:
    delivery = run(stage, timeline=cut)
    assert stage.computed["split"] == 0 and delivery.changed == 16
    with catalog() as session:
        (row,) = episode.newest_first(session)
        found = shot.of_episode(session, row.id)
    assert [(s.name, s.clip, s.reel, s.start, s.end) for s in found] == [
        (f"sh00{n}0", f"clip {n}", f"A00{n}C001", LONG * (n - 1), LONG * n) for n in (1, 2, 3)
    ]
    assert [line["clip"] for line in listing.shots(row.name)] == ["clip 1", "clip 2", "clip 3"]
    assert listing.shot(row.name, "sh0020")["reel"] == "A002C001"
    report = json.loads(delivery.report.read_text())
    assert "3 shots from ep03.edl." in report["delivery"]["notes"]
    assert [each["clip"] for each in report["shots"]] == ["clip 1", "clip 2", "clip 3"]


def test_another_list_is_another_cut_and_the_same_list_is_not(stage: Stage, cut: Path) -> None:
    run(stage, timeline=cut)
    run(stage, timeline=cut)
    assert stage.computed["look"] == 1
    cut.write_text(cut.read_text().replace("clip 2", "clip two"))
    run(stage, timeline=cut)
    assert stage.computed["look"] == 2 and stage.computed["split"] == 0
    run(stage)
    assert stage.computed["look"] == 3 and stage.computed["split"] == 1


def test_a_plan_takes_the_list_and_dub_goes_on_from_there(stage: Stage, cut: Path) -> None:
    plan = asked(stage, timeline=cut)
    assert {line["shot"] for line in plan["plan"]} == {"sh0010", "sh0020", "sh0030"}
    run(stage, timeline=cut)
    assert stage.computed["look"] == 1
    with pytest.raises(Refused, match="another timeline"):
        asked(stage)


def test_lists_lie_beside_the_delivery_and_the_report_names_them(stage: Stage) -> None:
    delivery = run(stage)
    folder = delivery.report.parent
    files = json.loads(delivery.report.read_text())["delivery"]["files"]
    assert files == ["timeline.otio", "changes.edl", "changes.fcpxml"] and all((folder / n).is_file() for n in files)
    assert 'href="changes.edl"' in (folder / "index.html").read_text()
    clips = list(otio.adapters.read_from_file(str(folder / "timeline.otio")).find_clips())
    assert [clip.active_media_reference_key for clip in clips] == ["delivery", "v001", "v001"]
    assert clips[1].media_reference.target_url == delivery.out.as_uri()
    run(stage, seed=11)
    clips = list(otio.adapters.read_from_file(str(folder / "timeline.otio")).find_clips())
    assert list(clips[1].media_references()) == ["source", "v001", "v002"]
    assert clips[1].active_media_reference_key == "v002"


def test_a_list_that_is_gone_is_written_again(stage: Stage) -> None:
    delivery = run(stage)
    edl = delivery.report.with_name("changes.edl")
    text = edl.read_text()
    edl.unlink()
    run(stage)
    assert edl.read_text() == text


@pytest.mark.parametrize("pull_as", ["prores4444", "exr"])
def test_changed_shots_are_pulled_if_asked_for(stage: Stage, pull_as: str) -> None:
    delivery = run(stage, pull="shots", pull_as=pull_as, handles=4)
    folder = delivery.report.parent
    report = json.loads(delivery.report.read_text())
    names = [f"out_{shot}_v001{part}" for shot in ("sh0020", "sh0030") for part in ("", "_patch")]
    suffix = "" if pull_as == "exr" else ".mov"
    assert report["delivery"]["files"][3:] == [f"pulls/{name}{suffix}" for name in names]
    assert any("sh0030 is pulled with 4 handles before and 0 after" in note for note in report["delivery"]["notes"])
    if pull_as == "exr":
        assert [len(list((folder / "pulls" / name).iterdir())) for name in names] == [20, 20, 16, 16]
    else:
        assert [probe(folder / "pulls" / f"{name}.mov").frames for name in names] == [20, 20, 16, 16]
    clips = list(otio.adapters.read_from_file(str(folder / "timeline.otio")).find_clips())
    assert clips[1].media_references()["pull"].target_url == (folder / "pulls" / f"{names[0]}{suffix}").as_uri()


@pytest.mark.parametrize("command", ["dub", "plan", "submit"])
def test_a_list_that_does_not_fit_is_refused_and_nothing_is_begun(
    stage: Stage, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = stage.folder / "other.otio"
    otio.adapters.write_to_file(timeline_of(FILM_24, None, [500]), str(path))
    out = stage.folder / "out.mkv"
    words = [command, str(stage.film), str(stage.dub), "-o", str(out), "--timeline", str(path)]
    assert call(monkeypatch, *words) == 2
    assert "other.otio is not a list of film.mkv" in capsys.readouterr().err
    with catalog() as session:
        assert not episode.newest_first(session)
    assert not out.exists()
