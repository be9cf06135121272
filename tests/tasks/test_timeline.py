"""Conform lists out: what tasks/timeline.py promises, and that OpenTimelineIO reads it back."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest

from storage.catalog import Finding, Shot, ShotStatus, Take, Track, Verdict
from storage.film.timecode import frame_of, timecode
from storage.lists.read import read_list
from tasks.timeline import Conformed, changes_edl, changes_fcpxml, timeline, write_lists
from tasks.turnover import read
from tests.shoot import FILM_24, NTSC_30, PAL
from tests.tasks.test_turnover import edges, film_of

NTSC_60 = Fraction(60000, 1001)
COUNTS = [
    pytest.param(FILM_24, "01:00:00:00", id="23.976"),
    pytest.param(Fraction(24), "00:59:59:12", id="24"),
    pytest.param(PAL, "10:00:00:00", id="25"),
    pytest.param(NTSC_30, "00:58:59;20", id="29.97-drop"),
    pytest.param(NTSC_30, "01:00:00:00", id="29.97-non-drop"),
    pytest.param(Fraction(30), "01:00:00:00", id="30"),
    pytest.param(Fraction(50), "01:00:00:00", id="50"),
    pytest.param(NTSC_60, "00:58:59;40", id="59.94-drop"),
    pytest.param(NTSC_60, "01:00:00:00", id="59.94-non-drop"),
]


def conformed(rate: Fraction, start: str | None, frames: int = 300) -> Conformed:
    """Five shots: one with two takes, one held, one with two faces, one red, one that nobody touched."""
    edges_, status = [0, 40, 65, 126, 135, frames], ShotStatus
    reasons = [
        (status.DONE, ""),
        (status.HELD, "The mouth is covered."),
        (status.DONE, ""),
        (status.FAILED, "No room."),
        (status.PASSED_THROUGH, ""),
    ]
    shots = [
        Shot(f"sh{10 * n + 10:04}", edges_[n], edges_[n + 1], *reason, clip=f"clip {n}")
        for n, reason in enumerate(reasons)
    ]
    tracks, takes = [], []
    for n, shot in enumerate(shots):
        shot.id = n + 1
    for n, (shot_id, name) in enumerate([(1, "f1"), (3, "f1"), (3, "f2")], 1):
        track = Track(shot_id, name, 0, 1, 1, "0" * 64, 200.0, 0.0, 80.0, "photoreal")
        track.id = n
        tracks.append(track)
    for n, (track_id, version, circled, first) in enumerate(
        [(1, 1, False, 10), (1, 2, True, 10), (2, 1, True, 70), (3, 1, True, 80)], 1
    ):
        places = [[first + k, 8, 8] for k in range(5)]
        take = Take(track_id, version, f"{n:064}", "diff2lip", "w" * 64, 7, "p" * 64, "m" * 64, places, 1, "m", 1)
        take.id, take.circled = n, circled
        takes.append(take)
    findings = [
        Finding(2, "lse-c, syncnet v2", 7.25, "", 6.0, Verdict.GREEN),
        Finding(1, "drift", 0.5, "px", None, Verdict.NO_TARGET),
    ]
    changed = frozenset([*range(10, 15), *range(70, 75), *range(80, 85)])
    return Conformed(
        "ep03", film_of(rate, start, frames), Path("/d/ep03_fr.mov"), shots, tracks, takes, findings, changed
    )


def first_of(told: Conformed) -> int:
    return frame_of(told.film.start_timecode or "00:00:00:00", told.film.rate)


@pytest.mark.parametrize(("rate", "start"), COUNTS)
def test_the_timeline_has_a_clip_for_each_shot_at_the_deliverys_timecode(
    tmp_path: Path, rate: Fraction, start: str
) -> None:
    told = conformed(rate, start)
    write_lists(told, tmp_path)
    found = otio.adapters.read_from_file(str(tmp_path / "timeline.otio"))
    zero = first_of(told)
    assert (found.global_start_time.value, found.global_start_time.rate) == (zero, float(rate))
    (track,) = found.tracks
    assert [clip.name for clip in track] == [shot.name for shot in told.shots]
    for clip, shot in zip(track, told.shots, strict=True):
        span = clip.source_range
        assert (span.start_time.value, span.duration.value) == (zero + shot.start, shot.end - shot.start)
        there = clip.available_range()
        assert there.start_time <= span.start_time and span.end_time_exclusive() <= there.end_time_exclusive()
        assert clip.media_reference.target_url == "file:///d/ep03_fr.mov"
        placed = clip.transformed_time_range(span, found.tracks)
        assert (placed.start_time.value, placed.end_time_exclusive().value) == (shot.start, shot.end)
    assert edges(read(tmp_path / "timeline.otio", told.film).cuts) == [0, 40, 65, 126, 135, 300]


def test_all_takes_are_references_and_the_circled_one_is_active() -> None:
    told = conformed(PAL, "01:00:00:00")
    clips = {clip.name: clip for clip in timeline(told).find_clips()}
    first = clips["sh0010"]
    assert list(first.media_references()) == ["source", "v001", "v002"] and first.active_media_reference_key == "v002"
    gone = first.media_references()["v001"]
    assert gone.is_missing_reference and gone.metadata["dubline"]["key"] == f"{1:064}"
    assert first.media_references()["source"].target_url.endswith("/ep03.mov")
    both = clips["sh0030"]
    assert list(both.media_references()) == ["f1 v001", "f2 v001", "source"]
    assert both.active_media_reference_key == "f1 v001"
    assert {clips[name].active_media_reference_key for name in ("sh0020", "sh0040", "sh0050")} == {"delivery"}
    assert clips["sh0050"].metadata["dubline"]["clip"] == "clip 4"


def test_markers_say_what_was_found_and_what_is_held() -> None:
    told = conformed(PAL, "01:00:00:00")
    said = {
        (clip.name, mark.name, mark.comment, mark.color, int(mark.marked_range.start_time.value))
        for clip in timeline(told).find_clips()
        for mark in clip.markers
    }
    zero = first_of(told)
    assert said == {
        ("sh0010", "lse-c, syncnet v2", "v002: 7.25, target 6, green", "GREEN", zero + 10),
        ("sh0010", "drift", "v001: 0.5 px, no target, no-target", "CYAN", zero + 10),
        ("sh0020", "sh0020 held", "The mouth is covered.", "YELLOW", zero + 40),
        ("sh0040", "sh0040 failed", "No room.", "RED", zero + 126),
    }


@pytest.mark.parametrize(("rate", "start"), COUNTS)
def test_the_edl_reopens_with_the_changed_shots(tmp_path: Path, rate: Fraction, start: str) -> None:
    told = conformed(rate, start)
    write_lists(told, tmp_path)
    zero, drop = first_of(told), ";" in start
    wanted = [("sh0010", zero, zero + 40), ("sh0030", zero + 65, zero + 126)]
    ours = read_list(tmp_path / "changes.edl", rate)
    assert [(each.name, int(each.start), int(each.end)) for each in ours.events] == wanted
    assert ours.drop is drop
    theirs = otio.adapters.read_from_string(changes_edl(told), "cmx_3600", rate=float(rate))
    clips = list(theirs.find_clips())
    assert [(c.name, *bounds(c.source_range, rate)) for c in clips] == wanted
    track = theirs.tracks[0]
    gap = track.range_of_child(clips[1]).start_time - track.range_of_child(clips[0]).start_time
    assert round(gap.to_seconds() * rate) == 65  # record side
    assert clips[0].metadata["cmx_3600"]["reel"] == "EP03_FR"
    assert f"{'DROP' if drop else 'NON-DROP'} FRAME" in changes_edl(told)
    if not drop:
        assert [mark.name for mark in clips[0].markers] == [
            "drift: v001: 0.5 px, no target, no-target",
            "lse-c, syncnet v2: v002: 7.25, target 6, green",
        ]


def bounds(span: Any, rate: Fraction) -> tuple[int, int]:
    return round(span.start_time.to_seconds() * rate), round(span.end_time_exclusive().to_seconds() * rate)


@pytest.mark.parametrize(("rate", "start"), COUNTS)
def test_the_fcpxml_reopens_with_the_changed_shots(tmp_path: Path, rate: Fraction, start: str) -> None:
    told = conformed(rate, start)
    write_lists(told, tmp_path)
    ours = read_list(tmp_path / "changes.fcpxml", rate)
    assert (ours.rate, ours.start) == (rate, first_of(told))
    wanted = [("sh0010", 0, 40), ("sh0030", 65, 126)]
    assert [(each.name, int(each.start), int(each.end)) for each in ours.events] == wanted
    label = timecode(first_of(told) + 65, rate, ";" in start)
    assert ours.events[1].source_in == label
    if rate.denominator == 1:  # the adapter knows whole rates only
        theirs = otio.adapters.read_from_string(changes_fcpxml(told), "fcpx_xml")
        clips = list(theirs.find_clips())
        zero = first_of(told)
        assert [(c.name, *bounds(c.source_range, rate)) for c in clips] == [
            (n, zero + a, zero + b) for n, a, b in wanted
        ]
        assert [mark.name for mark in clips[0].markers] == ["drift", "lse-c, syncnet v2"]


def test_a_film_without_changes_or_timecode_has_lists_all_the_same(tmp_path: Path) -> None:
    told = conformed(Fraction(120), None)
    still = Conformed(told.episode, told.film, told.out, told.shots, [], [], [], frozenset())
    written, notes = write_lists(still, tmp_path)
    assert [path.name for path in written] == ["timeline.otio", "changes.fcpxml"]
    assert len(notes) == 1 and "two digits" in notes[0]
    assert read_list(tmp_path / "changes.fcpxml", Fraction(120)).events == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changes.fcpxml", "timeline.otio"]


def test_names_and_reasons_from_outside_break_no_list(tmp_path: Path) -> None:
    told = conformed(PAL, "01:00:00:00")
    odd = 'a <b> & "c"\n001  X V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00 \x07 ü'
    told.shots[0].status, told.shots[0].reason = ShotStatus.HELD, odd
    write_lists(told, tmp_path)
    assert [each.name for each in read_list(tmp_path / "changes.edl", PAL).events] == ["sh0010", "sh0030"]
    assert len(read_list(tmp_path / "changes.fcpxml", PAL).events) == 2
    assert len(list(otio.adapters.read_from_file(str(tmp_path / "timeline.otio")).find_clips())) == 5
    assert np.all([told.changes()[n].name in (tmp_path / "changes.edl").read_text() for n in range(2)])
