"""The page and its JSON: what tasks/report.py and tasks/stills.py promise."""

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from storage.catalog import Character, Finding, Route, Shot, ShotStatus, Take, Track, Verdict
from storage.film.probe import Film, probe, probe_sound
from tasks.clips import Clip, Clips
from tasks.conform import Picture, lay_takes
from tasks.deliver import Delivered, mux
from tasks.report import Report, build_report, clock, label, report, write_page
from tasks.stills import Still, Stills, pick, side_by_side
from tests.shoot import NTSC_30, draw_film, draw_sound
from tests.tasks.test_conform import draw_take


@dataclass
class Episode:
    """A dubbed film of three shots: one dubbed, one held, one passed through."""

    film: Film
    picture: Picture
    delivered: Delivered
    said: Report
    stills: dict[str, Still]
    clips: dict[str, Clip]


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Episode:
    folder = tmp_path_factory.mktemp("episode")
    film = probe(draw_film(folder / '<film> & "film".mkv', 45, NTSC_30, timecode="00:59:59;20", cuts=(15, 30)))
    dub = probe_sound(draw_sound(folder / "dub.wav", film.duration))
    shots = [
        Shot("sh0010", 0, 15, ShotStatus.DONE),
        Shot("sh0020", 15, 30, ShotStatus.HELD, "The mouth is covered in 9 of 15 frames."),
        Shot("sh0030", 30, 45, ShotStatus.PASSED_THROUGH, "Nobody speaks."),
    ]
    anna = Character("Anna <script>", 1, 2, 0.9)
    tracks = [draw_track(1, shots[0], 1), draw_track(2, shots[1], 2)]
    routes = [
        Route(1, "diff2lip", "The face is 210 px high and photoreal.", {"height_px": 210.0}, [[4, 9]]),
        Route(2, "held", "Occluded.", {}, [], "night operator"),
    ]
    for number, shot in enumerate(shots):
        shot.id = number + 1
    anna.id, tracks[0].character_id = 7, 7
    take = draw_take(film, folder, range(4, 9))
    take.id, take.track_id = 5, 1
    findings = [
        Finding(5, "lse-c, syncnet v2", 7.25, "", 6.0, Verdict.GREEN),
        Finding(None, "frames", 45, "frames", 45, Verdict.GREEN),
    ]
    stills = Stills(film, shots, [take], folder / "stills")
    clips = Clips(film, dub, shots, [take], folder / "clips")

    picture = lay_takes(film, [take], folder.joinpath, folder / "picture.nut", watches=[stills, clips])
    delivered = mux(film, picture, dub, folder / "out.mkv")
    said = build_report(
        film, dub, picture, delivered, shots=shots, tracks=tracks, characters=[anna], routes=routes, takes=[take],
        findings=findings, seconds={"ingest": 0.5, "conform": 12.25}, versions={"dubline": "0.1.0"}, notes=["A note."],
    )  # fmt: skip
    return Episode(film, picture, delivered, said, stills.taken, clips.written)


def draw_track(number: int, shot: Shot, shot_id: int) -> Track:
    track = Track(shot_id, "f1", shot.start, shot.end, shot.end - shot.start, "0" * 64, 210.0, 4.0, 90.0, "photoreal")
    track.id = number
    return track


def test_the_report_has_every_field_of_its_schema(episode: Episode) -> None:
    said = episode.said
    assert said["schema"] == 1
    assert said["film"].keys() >= {"path", "frames", "rate", "codec", "pix_fmt", "width", "height"}
    assert said["film"]["rate"] == "30000/1001"
    assert said["frames"] == {"total": 45, "changed": 5, "identical": 40}
    assert said["audio"] == {"bit_exact": True, "dub_stream": 1, "loudness": None}
    assert [(s["name"], s["start"], s["end"], s["status"], s["changed"]) for s in said["shots"]] == [
        ("sh0010", 0, 15, "done", 5), ("sh0020", 15, 30, "held", 0), ("sh0030", 30, 45, "passed-through", 0),
    ]  # fmt: skip
    (track,) = said["shots"][0]["tracks"]
    assert (track["id"], track["speaker"], track["route"], track["model"]) == (
        "sh0010/f1", "Anna <script>", "diff2lip", "drawn"
    )  # fmt: skip
    assert (track["take"], track["changed"]) == ("v001", 5)
    assert [found["meter"] for found in track["findings"]] == ["lse-c, syncnet v2"]
    assert [found["meter"] for found in said["findings"] if found["track"] is None] == [
        "frames", "streams of the film", "shape of a pixel",
    ]  # fmt: skip
    assert (said["seconds"], said["versions"]) == ({"ingest": 0.5, "conform": 12.25}, {"dubline": "0.1.0"})
    assert json.loads(json.dumps(said)) == said


def test_timecodes_count_from_the_films_own_start(episode: Episode) -> None:
    assert [shot["from"] for shot in episode.said["shots"]] == ["00:59:59;20", "01:00:00;05", "01:00:00;20"]
    assert label(episode.film, 10) == "01:00:00;00"


def test_the_page_opens_offline_and_says_what_happened(tmp_path: Path, episode: Episode) -> None:
    page = report.fn(episode.said, episode.stills, episode.clips, tmp_path / "out.mkv.dubline").read_text()
    assert not re.search(r"https?://|src=\"/|url\(", page)
    for file in re.findall(r"(?:src|href)=\"([^#\"]+)\"", page):
        assert (tmp_path / "out.mkv.dubline" / file).is_file()
    for words in ("sh0010", "00:59:59;20", "The face is 210 px high", "mouth is covered in 9 of 15", "A note.", "FFV1",
                  "Decided by night operator", "lse-c, syncnet v2 7.25, target 6"):  # fmt: skip
        assert words in page
    assert page.count('<video class="clip" controls preload="none"') == 1 and 'src="clips/sh0010.mp4"' in page
    assert "<script>" not in page.replace("\n<script>\n", "")  # a character's name is text, not markup
    assert "&lt;film&gt; &amp;" in page
    assert json.loads((tmp_path / "out.mkv.dubline" / "report.json").read_text()) == episode.said


def test_a_page_can_be_written_again(tmp_path: Path, episode: Episode) -> None:
    first = write_page(episode.said, episode.stills, episode.clips, tmp_path).read_bytes()
    assert write_page(episode.said, {}, {}, tmp_path).read_bytes() != first
    assert not list(tmp_path.glob("*.part"))


def test_stills_show_the_middle_changed_frame_before_and_after(episode: Episode) -> None:
    dubbed, held, passed = (episode.stills[name] for name in ("sh0010", "sh0020", "sh0030"))
    assert (dubbed.frame, held.frame, passed.frame) == (6, 22, 37)
    assert held.after is None and passed.after is None
    assert dubbed.after and dubbed.mouth_before and dubbed.mouth_after
    before, after = cv2.imread(str(dubbed.before)), cv2.imread(str(dubbed.after))
    assert before is not None and after is not None
    assert before.shape == after.shape == (96, 160, 3)
    assert abs(int(after[52, 80].mean()) - 214) < 12  # the patch: 200 of 16 … 235
    close = cv2.imread(str(dubbed.mouth_after))
    assert close is not None and max(close.shape) == 420


def test_side_by_side_a_changed_frame_is_left_as_filmed_and_right_as_drawn(episode: Episode) -> None:
    shown = cv2.imdecode(np.frombuffer(side_by_side(episode.stills["sh0010"]), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None and shown.shape[1] == 808 and shown.shape[0] > 240  # 160 × 96, shown as 400 × 240
    assert abs(int(shown[130, 408 + 200].mean()) - 214) < 12  # the patch
    still = cv2.imread(str(episode.stills["sh0010"].before))
    assert still is not None and abs(int(shown[130, 200].mean()) - int(still[52, 80].mean())) < 12
    alone = cv2.imdecode(np.frombuffer(side_by_side(episode.stills["sh0020"]), np.uint8), cv2.IMREAD_COLOR)
    assert alone is not None and alone.shape == (240, 400, 3)


def test_a_shot_without_takes_is_shown_by_its_middle() -> None:
    take = Take(1, 1, "k", "m", "w", 0, "p", "m", [[3, 0, 0], [4, 0, 0], [8, 0, 0]], 1, "here", 0)
    assert pick([Shot("sh0010", 0, 10), Shot("sh0020", 10, 21)], [take]) == {4: "sh0010", 15: "sh0020"}


def test_a_report_of_nothing_is_still_a_page(tmp_path: Path, episode: Episode) -> None:
    dub = probe_sound(draw_sound(tmp_path / "dub.wav", 1))
    said = build_report(episode.film, dub, episode.picture, episode.delivered, shots=[])
    assert write_page(said, {}, {}, tmp_path).is_file()


def test_clocks_round_to_seconds() -> None:
    assert [clock(Fraction(s)) for s in ("59.4", "59.6", "5400")] == ["0:00:59", "0:01:00", "1:30:00"]
