"""The episode's flow: what is done once, what is done anew, and how an episode may end."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import verbs
from flows.claim import claim
from flows.delivery import Delivery
from flows.episode import dub
from flows.progress import Lines
from storage.catalog import EpisodeStatus, ShotStatus, Side, episode, event, finding, route, shot, take
from storage.catalog.session import catalog
from storage.errors import Missing, OutOfGpuMemory, Refused, ShotFailed
from storage.film.probe import fingerprint, probe
from storage.film.read import frames
from storage.settings import settings
from tests.flows.stage import FRAMES, Stage, set_up
from tests.shoot import draw_sound

ANALYSIS = ("split", "look", "listen", "cast", "route")
DRAWING = ("render 12", "render 24")


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return set_up(monkeypatch, tmp_path)


def run(stage: Stage, **wishes: object) -> Delivery:
    return dub(stage.job(**wishes), Lines(io.StringIO()))


def ends_with(error: type[BaseException], *said: str) -> Callable[[], None]:
    def trouble() -> None:
        raise error(*said)

    return trouble


def pictures(path: Path) -> list[bytes]:
    return [plane.tobytes() for frame in frames(probe(path)) for plane in frame.planes]


def statuses() -> dict[str, ShotStatus]:
    with catalog() as session:
        (row,) = episode.newest_first(session)
        return {each.name: each.status for each in shot.of_episode(session, row.id)}


def test_a_film_is_dubbed_and_the_catalog_tells_how(stage: Stage) -> None:
    delivery = run(stage)
    assert delivery.whole and delivery.frames == FRAMES and delivery.changed == 16
    assert statuses() == {"sh0010": "passed-through", "sh0020": "done", "sh0030": "done"}
    report = json.loads(delivery.report.read_text())
    assert report["episode"] == "out" and report["frames"] == {"total": FRAMES, "changed": 16, "identical": 20}
    assert set(report["seconds"]) >= {"ingest", *ANALYSIS, "render", "conform", "deliver"}
    with catalog() as session:
        (row,) = episode.newest_first(session)
        assert row.status is EpisodeStatus.DELIVERED and event.verify_chain(session) is None
    assert not list(stage.folder.rglob("*.part"))


def test_what_was_kept_of_the_film_stands_in_the_catalog_once_and_in_the_report(stage: Stage) -> None:
    for _ in range(2):  # the second time the delivery is made anew
        delivery = run(stage)
        with catalog() as session:
            (row,) = episode.newest_first(session)
            kept = [(each.meter, str(each.verdict)) for each in finding.of_episode(session, row.id)]
        said = json.loads(delivery.report.read_text())
        assert kept == [(each["meter"], each["verdict"]) for each in said["findings"] if each["take"] is None]
        assert ("streams of the film", "green") in kept
        assert [line["how"] for line in said["delivery"]["streams_side_by_side"]][:1] == ["picture"]
        delivery.out.unlink()


def test_each_changed_shot_has_a_clip_on_the_page(stage: Stage) -> None:
    delivery = run(stage)
    folder = delivery.report.parent
    assert sorted(path.name for path in (folder / "clips").iterdir()) == ["sh0020.mp4", "sh0030.mp4"]
    page = (folder / "index.html").read_text()
    assert 'src="clips/sh0020.mp4"' in page and "clips/sh0010.mp4" not in page


def test_without_clips_a_film_is_delivered_all_the_same_and_the_report_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.film.clip.ClipFilm.write", lambda *_: ends_with(OSError, "disk full")())
    delivery = run(stage)
    assert delivery.whole and delivery.changed == 16
    notes = json.loads(delivery.report.read_text())["delivery"]["notes"]
    assert "The clip of sh0020 could not be written: disk full" in notes
    assert not list((delivery.report.parent / "clips").iterdir())


def test_the_same_command_again_computes_nothing(stage: Stage) -> None:
    first = run(stage)
    before, computed = fingerprint(first.out), stage.computed.copy()
    assert run(stage) == first
    assert stage.computed == computed and fingerprint(first.out) == before


@pytest.mark.parametrize("step", [*ANALYSIS, *DRAWING])
def test_killed_anywhere_it_goes_on_and_does_nothing_twice(stage: Stage, step: str) -> None:
    stage.trouble[step] = ends_with(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    assert not (stage.folder / "out.mkv").exists()
    assert run(stage).whole
    assert stage.computed == {**dict.fromkeys([*ANALYSIS, *DRAWING], 1), step: 2}
    assert set(statuses().values()) == {ShotStatus.PASSED_THROUGH, ShotStatus.DONE}


def test_killed_while_delivering_it_delivers(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as kill, pytest.raises(KeyboardInterrupt):
        kill.setattr("tasks.deliver.mux", lambda *_: ends_with(KeyboardInterrupt)())
        run(stage)
    assert run(stage).whole
    assert stage.computed == dict.fromkeys([*ANALYSIS, *DRAWING], 1)


def test_a_delivery_that_was_deleted_is_made_again_from_its_takes(stage: Stage) -> None:
    first = run(stage)
    before = pictures(first.out)
    first.out.unlink()
    assert run(stage).whole and pictures(first.out) == before
    assert stage.computed == dict.fromkeys([*ANALYSIS, *DRAWING], 1)


def test_another_seed_makes_new_takes_and_looks_at_nothing_again(stage: Stage) -> None:
    run(stage)
    run(stage, seed=8)
    run(stage)  # back to the first seed: its takes are there, and are circled again
    assert stage.computed == dict.fromkeys(ANALYSIS, 1) | dict.fromkeys(DRAWING, 2)
    with catalog() as session:
        (row,) = episode.newest_first(session)
        takes = take.of_episode(session, row.id)
    assert [(each.version, each.seed, each.circled) for each in takes] == 2 * [(1, 7, True), (2, 8, False)]


def test_another_prompt_makes_new_takes_and_one_that_the_model_does_not_know_makes_none(stage: Stage) -> None:
    run(stage)
    run(stage, prompt="calm")
    run(stage, prompt="clear teeth")  # of another model; this one draws as ever
    assert stage.computed == dict.fromkeys(ANALYSIS, 1) | dict.fromkeys(DRAWING, 2)


def test_another_mouth_is_looked_for_anew_and_no_cut_or_word_before_it(stage: Stage) -> None:
    run(stage)
    run(stage, mouths={"sh0020": (80, 60, None)})
    assert stage.computed == {"split": 1} | dict.fromkeys(ANALYSIS[1:], 2) | dict.fromkeys(DRAWING, 1)
    run(stage, mouths={"sh0020": (80, 60, None)})
    assert stage.computed["look"] == 2


def test_a_mouth_outside_the_picture_is_refused_before_anything(stage: Stage) -> None:
    with pytest.raises(Refused, match="sh0020 at 160,20 lies outside the picture, which is 160 × 96"):
        run(stage, mouths={"sh0020": (160, 20, None)})
    with pytest.raises(Refused, match="200 pixels wide"):
        run(stage, mouths={"sh0020": (80, 20, 100)})
    assert not stage.computed


def test_another_stem_is_heard_and_no_face_is_looked_for_again(stage: Stage) -> None:
    run(stage)
    run(stage, stems={"Anna": draw_sound(stage.folder / "anna.wav", 1)})
    assert stage.computed == {"split": 1, "look": 1, "listen": 2, "cast": 2, "route": 2} | dict.fromkeys(DRAWING, 1)


def test_other_voices_are_heard_and_what_is_wrong_with_their_file_is_said_before_anything(stage: Stage) -> None:
    said = stage.folder / "dub.json"
    for start in (0.25, 0.5):
        said.write_text(f'[{{"speaker": "ANNA", "start": {start}, "end": 1}}]')
        assert run(stage, voices={Side.DUB: said}).whole
    run(stage, voices={Side.DUB: said})
    assert stage.computed["listen"] == 2 and stage.computed["look"] == 1
    said.write_text('[{"speaker": "ANNA", "start": 1, "end": 0.5}]')
    with pytest.raises(Refused, match=r"turn 1: a turn cannot last from 1 to 0\.5 s"):
        run(stage, voices={Side.DUB: said})
    with pytest.raises(Refused, match="There is no file"):
        run(stage, voices={Side.ORIGINAL: stage.folder / "nothing.rttm"})
    assert stage.computed["listen"] == 2


def test_two_names_are_two_episodes_and_share_their_takes(stage: Stage) -> None:
    run(stage, name="first")
    run(stage, name="second", out=stage.folder / "second.mkv")
    assert stage.computed == dict.fromkeys(ANALYSIS, 2) | dict.fromkeys(DRAWING, 1)
    with catalog() as session:
        assert [each.name for each in episode.newest_first(session)] == ["second", "first"]


def test_a_name_that_belongs_to_another_film_is_refused(stage: Stage) -> None:
    run(stage, name="ep03")
    other = draw_sound(stage.folder / "other.wav", FRAMES * 1001 / 24000, channels=2)
    with pytest.raises(Refused, match="'ep03' is another film or another dub"):
        run(stage, name="ep03", dub=other)


def test_one_red_shot_costs_one_shot_and_is_tried_again_next_time(stage: Stage) -> None:
    stage.trouble["render 12"] = ends_with(ShotFailed, "the face leaves the picture")
    delivery = run(stage)
    assert not delivery.whole and delivery.changed == 8
    assert delivery.open == [{"shot": "sh0020", "status": "failed", "reason": "the face leaves the picture"}]
    with catalog() as session:
        (row,) = episode.newest_first(session)
        assert (row.status, row.reason) == (EpisodeStatus.PARTIAL, "sh0020 failed")
    assert run(stage).whole
    assert stage.computed == dict.fromkeys([*ANALYSIS, "render 24"], 1) | {"render 12": 2}


def test_a_bug_in_one_shot_turns_it_red_and_is_kept(stage: Stage) -> None:
    stage.trouble["render 24"] = ends_with(ZeroDivisionError, "division by zero")
    assert [each["reason"] for each in run(stage).open] == ["ZeroDivisionError: division by zero"]
    with catalog() as session:
        (row,) = episode.newest_first(session)
        (said,) = [each for each in event.of_episode(session, row.id) if each.what == "shot.error"]
    assert said.about == "sh0030" and "in trouble" in said.after["error"]


def test_a_full_card_is_tried_again(stage: Stage) -> None:
    stage.trouble["render 12"] = ends_with(OutOfGpuMemory, "8 GiB were not enough")
    assert run(stage).whole
    assert stage.computed["render 12"] == 2


def test_what_is_missing_for_one_shot_is_missing_for_all(stage: Stage) -> None:
    stage.trouble["render 12"] = ends_with(Missing, "no weights")
    with pytest.raises(Missing, match="no weights"):
        run(stage)
    assert stage.computed["render 24"] == 0
    with catalog() as session:
        (row,) = episode.newest_first(session)
        assert (row.status, row.reason) == (EpisodeStatus.FAILED, "no weights")


def test_a_take_whose_files_are_gone_is_drawn_anew(stage: Stage, house: Path) -> None:
    first = run(stage)
    before = pictures(first.out)
    with catalog() as session:
        (row,) = episode.newest_first(session)
        lost = take.of_episode(session, row.id)[0].patch
    (house / "artifacts" / lost[:2] / f"{lost}.mkv").unlink()
    first.out.unlink()
    assert run(stage).whole and pictures(first.out) == before
    assert stage.computed["render 12"] == 2 and stage.computed["render 24"] == 1


def test_a_shot_that_the_rules_hold_waits_for_a_person_and_is_drawn_when_one_says_so(stage: Stage) -> None:
    stage.unsure = {12}
    delivery = run(stage)
    why = "not sure that this is ANNA's face, 0.55: under 0.6, held"
    assert delivery.open == [{"shot": "sh0020", "status": "held", "reason": why}] and delivery.changed == 8
    assert "render 12" not in stage.computed
    with pytest.raises(
        Refused, match=r"sh0020 is held: not sure .* `dubline reroute out sh0020 --model NAME` may draw"
    ):
        verbs.retry("out", ["sh0020"], "anna")
    verbs.reroute("out", ["sh0020"], "diff2lip", "anna", "it is hers")
    delivery = run(stage)
    assert delivery.whole and delivery.changed == 16
    assert stage.computed == dict.fromkeys([*ANALYSIS, *DRAWING], 1)
    with catalog() as session:
        (row,) = episode.newest_first(session)
        (said, _) = route.of_episode(session, row.id)
    assert said.decided_by == "anna" and said.reason.endswith(f"although: {why.removesuffix(', held')}")


def test_nothing_of_a_held_shot_is_drawn(stage: Stage) -> None:
    """Not even its other face: the shot is delivered as the source."""
    stage.unsure, stage.beside = {12}, True
    assert run(stage).changed == 8
    assert "render 12" not in stage.computed and stage.computed["render 24"] == 1


def test_faces_of_a_model_that_is_lacking_are_held_until_it_is_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr("flows.painters.check", lambda job: {"diff2lip": "its weights are not on this machine"})
        delivery = run(stage)
    assert delivery.changed == 0
    assert {each["reason"] for each in delivery.open} == {
        "diff2lip would draw it, but its weights are not on this machine, held"
    }
    assert run(stage).whole
    assert stage.computed == dict.fromkeys([*ANALYSIS, *DRAWING], 1) | {"route": 2}


def test_another_table_of_rules_routes_anew_and_looks_at_nothing_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(stage)
    table = stage.folder / "route.toml"
    monkeypatch.setenv("DUBLINE_ROUTES", str(table))
    settings.cache_clear()
    strict = '[[choice]]\nmodel = "pass-through"\nsay = "{character} keeps her mouth"'
    for comment in ("", "\n# and so does everybody"):
        table.write_text(strict + comment)
        assert run(stage).changed == 0
    assert stage.computed == dict.fromkeys([*ANALYSIS, *DRAWING], 1) | {"route": 2}
    monkeypatch.delenv("DUBLINE_ROUTES")
    settings.cache_clear()
    verbs.reroute("out", ["sh0020"], "diff2lip", "anna")
    verbs.release("out", ["sh0020"], "anna")
    with catalog() as session:
        (row,) = episode.newest_first(session)
        routes = route.of_episode(session, row.id)
    assert {each.reason for each in routes} == {"ANNA keeps her mouth, passed through"}


def test_what_is_refused_leaves_neither_house_nor_delivery(stage: Stage, house: Path) -> None:
    with pytest.raises(Refused, match="no file"):
        run(stage, dub=stage.folder / "nothing.wav")
    assert not house.exists() and sorted(path.name for path in stage.folder.iterdir()) == ["dub.wav", "film.mkv"]


def test_what_a_killed_process_left_is_swept(stage: Stage, house: Path) -> None:
    (house / "scratch" / "999999999-left").mkdir(parents=True)
    (stage.folder / "out.mkv.dubline" / "conform-left").mkdir(parents=True)
    run(stage)
    assert not list((house / "scratch").iterdir()) and not list(stage.folder.rglob("conform-*"))


def test_a_second_process_is_told_who_works_on_it(stage: Stage) -> None:
    with (
        claim(fingerprint(stage.film), fingerprint(stage.dub), "/out.mkv"),
        pytest.raises(Refused, match=r"already, by process \d+ \(/out.mkv\)"),
    ):
        run(stage)
    assert run(stage).whole
