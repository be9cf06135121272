"""The dub through an episode: where it begins, its place among the sounds, its labels, its loudness."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from prefect import task

from flows import listing, plan
from flows.delivery import Delivery
from flows.episode import dub
from flows.progress import Lines
from storage.errors import Refused
from storage.film.loudness import Loudness, loudness
from storage.film.probe import probe
from storage.film.read import speech
from tasks.job import asked
from tasks.listen import Heard
from tests.broadcast import at, bext, label
from tests.flows.stage import FRAMES, Stage, set_up
from tests.shoot import FILM_24, draw_film, draw_sound, wrap

HZ = 48000
START = 172972800  # samples from midnight to 01:00:00:00 at 23.976
LEADER = 48048  # 24 frames


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return set_up(monkeypatch, tmp_path)


@pytest.fixture
def reel(stage: Stage, tmp_path: Path) -> Stage:
    """The film begins at 01:00:00:00 and has a sound; its dub has a leader of 24 frames with a pop in it."""
    draw_film(stage.film, FRAMES, FILM_24, timecode="01:00:00:00", sound=float(FRAMES / FILM_24))
    draw_sound(stage.dub, FRAMES / FILM_24 + LEADER / HZ, channels=2, subtype="PCM_24")
    wave, hz = soundfile.read(str(stage.dub))
    wave[: LEADER - 10] = 0
    wave[1000:1480] = 0.9
    soundfile.write(str(stage.dub), wave, hz, subtype="PCM_24")
    label(stage.dub, (b"bext", bext(START - LEADER, "Reel 1", "Desk 1")), behind=((b"iXML", b"<BWFXML/>"),))
    return stage


def run(stage: Stage, **wishes: object) -> tuple[Delivery, Any]:
    delivery = dub(stage.job(**wishes), Lines(io.StringIO()))
    return delivery, json.loads(delivery.report.read_text())


def samples(path: Path, stream: int) -> Any:
    back = wrap(["-i", str(path), "-map", f"0:{stream}", "-c:a", "pcm_s32le"], path.with_name("back.wav"))
    return soundfile.read(str(back), dtype="int32")[0]


def test_a_dub_with_a_leader_is_laid_where_its_timecode_says(reel: Stage) -> None:
    delivery, report = run(reel)
    assert report["audio"]["bit_exact"] and report["dub"]["lead_samples"] == -LEADER
    laid = samples(delivery.out, report["audio"]["dub_stream"])
    assert np.array_equal(laid, soundfile.read(str(reel.dub), dtype="int32")[0][LEADER:])
    assert len(laid) == FRAMES * 2002
    words = "The dub begins 1.001 s before the film (01:00:00:00), by its time reference, 00:59:59:00"
    assert any(note.startswith(words) for note in report["delivery"]["notes"])
    assert any(note.startswith(words) for note in listing.episode_status("out")["notes"])
    assert [path.name for path in delivery.report.parent.glob("conform-*")] == []


def test_the_plan_says_where_the_dub_begins(reel: Stage) -> None:
    said = plan.plan(reel.job(), Lines(io.StringIO()))
    assert ["before the film" in words for words in said["sound"]] == [True]


def test_another_place_is_another_delivery_and_the_dub_is_heard_anew(reel: Stage) -> None:
    run(reel)
    before = reel.computed.copy()
    _, report = run(reel, dub_offset="ignore", allow_length=True)
    again = reel.computed - before
    assert again["listen"] == 1 and not again["split"] and not again["look"]
    assert report["dub"]["lead_samples"] == 0 and "ignored" in report["dub"]["start"]


def test_the_same_place_for_another_reason_is_said_and_nothing_is_heard_anew(reel: Stage) -> None:
    run(reel)
    before = reel.computed.copy()
    _, report = run(reel, dub_offset="-1.001")
    assert (reel.computed - before).keys() <= {"cast", "route"}
    assert "as --dub-offset says" in report["dub"]["start"]
    assert any("as --dub-offset says" in note for note in listing.episode_status("out")["notes"])


def test_another_mode_is_another_delivery_and_nothing_is_drawn_again(reel: Stage) -> None:
    delivery, added = run(reel, dub_language="de")
    assert [s["kind"] for s in added["delivery"]["streams"]][:3] == ["video", "audio", "audio"]
    before = reel.computed.copy()
    _, replaced = run(reel, dub_language="de", dub_mode="replace")
    assert reel.computed == before
    sounds = probe(delivery.out).sounds
    assert len(sounds) == 1 and sounds[0].tags["language"] == "ger" and replaced["audio"]["bit_exact"]
    assert any("takes the place" in note for note in replaced["delivery"]["notes"])
    stamp = delivery.out.stat().st_mtime_ns
    run(reel, dub_language="deu", dub_mode="replace")
    assert delivery.out.stat().st_mtime_ns == stamp  # the same wish in another spelling delivers nothing anew


def test_the_labels_of_the_dub_lie_beside_the_delivery(reel: Stage) -> None:
    delivery, report = run(reel)
    beside = json.loads((delivery.report.parent / "dub.bext.json").read_text())
    assert beside == report["dub"]["bext"]
    assert (beside["description"], beside["time_reference"]) == ("Reel 1", START - LEADER)
    assert (delivery.report.parent / "dub.ixml.xml").read_bytes() == b"<BWFXML/>"
    assert "Reel 1" in (delivery.report.parent / "index.html").read_text()


def test_loudness_is_told_of_what_was_given_and_of_what_is_delivered(reel: Stage) -> None:
    _, report = run(reel)
    said = report["audio"]["loudness"]
    assert said["target"] is None and "BS.1770" in said["meter"]
    rows = {(row["sound"], row["when"]): row for row in said["rows"]}
    assert len(rows) == 4 and rows["film", "as delivered"]["same_samples"]
    assert rows["film", "as delivered"]["integrated"] == rows["film", "as given"]["integrated"]
    assert not rows["dub", "as delivered"]["same_samples"]
    assert rows["dub", "as given"]["peak"] > rows["dub", "as delivered"]["peak"] + 3  # the pop was cut off


def test_loudness_is_measured_once_for_a_dub(reel: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run(reel)
    measured: list[Path] = []

    def watched(path: Path, stream: int) -> Loudness:
        measured.append(path)
        return loudness(path, stream)

    monkeypatch.setattr("tasks.loudness.measure", watched)
    run(reel, dub_mode="replace")
    assert measured == [reel.folder / "out.mkv"]  # only what is delivered, for its head was cut off


def test_each_stem_is_heard_where_its_own_timecode_says(
    reel: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = at(draw_sound(tmp_path / "anna.wav", 0.5), START + HZ // 2)
    early = at(draw_sound(tmp_path / "bert.wav", 2), START - HZ)
    nobody = draw_sound(tmp_path / "carl.wav", 1)
    heard: list[Any] = []

    def listening(*given: Any) -> Heard:
        heard.append(given[-1])
        return reel.listen(*given)

    monkeypatch.setattr("tasks.listen.listen", task(listening))
    run(reel, stems={"ANNA": late, "BERT": early, "CARL": nobody})
    assert heard[0] == {"dub": -LEADER, "stem ANNA": HZ // 2, "stem BERT": -HZ}


def test_a_stem_of_another_reel_is_refused(reel: Stage, tmp_path: Path) -> None:
    stem = at(draw_sound(tmp_path / "anna.wav", 1), 2 * START)
    with pytest.raises(Refused, match="stem ANNA, lies wholly behind the film"):
        run(reel, stems={"ANNA": stem})


def test_a_dub_that_ends_elsewhere_is_refused_with_its_place(reel: Stage) -> None:
    draw_sound(reel.dub, FRAMES / FILM_24)
    at(reel.dub, START - LEADER)
    with pytest.raises(Refused, match=r"before the film .*24 frames too short.*--dub-offset ignore"):
        run(reel)


@pytest.mark.parametrize("wish", ["1e9", "two", "-", "10:00:00", "01:00:00:00 ", "nan", "--2", ""])
def test_what_is_no_offset_is_refused_in_words(stage: Stage, wish: str) -> None:
    with pytest.raises(Refused, match="dub_offset: give seconds like -2"):
        asked(film=stage.film, dub=stage.dub, out=stage.folder / "out.mkv", dub_offset=wish)


@pytest.mark.parametrize(("name", "wish"), [("dub_mode", "instead"), ("dub_language", "german")])
def test_what_is_no_mode_or_language_is_refused_in_words(stage: Stage, name: str, wish: str) -> None:
    with pytest.raises(Refused, match=name):
        asked(film=stage.film, dub=stage.dub, out=stage.folder / "out.mkv", **{name: wish})


def test_a_dub_without_a_sample_is_refused(stage: Stage) -> None:
    soundfile.write(str(stage.dub), np.zeros((0, 2)), HZ)
    with pytest.raises(Refused, match="not one sample"):
        run(stage)


def test_clips_let_the_dub_be_heard_at_its_place(reel: Stage, tmp_path: Path) -> None:
    """A clip's sound is the delivery's, a whole shot later than the leader would have it."""
    delivery, _ = run(reel)
    clip = sorted((delivery.report.parent / "clips").iterdir())[0]
    heard = soundfile.read(str(speech(clip, tmp_path / "clip.wav")), dtype="float64")[0]
    whole = soundfile.read(str(speech(reel.dub, tmp_path / "dub16.wav")), dtype="float64")[0]
    shot = round(12 / FILM_24 * 16000)  # sh0020 begins at frame 12
    there, leader = whole[16016 + shot :][: len(heard)], whole[shot:][: len(heard)]

    def power(wave: Any) -> float:
        return float(np.sqrt((wave**2).mean()))

    assert abs(power(heard[: len(there)]) / power(there) - 1) < 0.2 and abs(power(heard) / power(leader) - 1) > 0.2
