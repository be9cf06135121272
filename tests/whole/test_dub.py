"""A film and a dub in; the same film, frame for frame, with other mouths out."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.whole.studio import SHORT, Studio, all_planes, measured, open_studio, sound_of

Dubbed = tuple[Studio, Path, dict[str, Any]]


@pytest.fixture(scope="module")
def dubbed(tmp_path_factory: pytest.TempPathFactory) -> Dubbed:
    """At the rate that is hardest to count; test_masters.py has all of them."""
    rate, start = Fraction(30000, 1001), "00:59:59;20"
    studio = open_studio(tmp_path_factory.mktemp("studio"), rate, start)
    out = studio.folder / "out.mkv"
    ended = studio.run("dub", studio.film, studio.dub, "-o", out, "--deliver", "ffv1", "--json")
    assert ended.returncode == 0, ended.stderr
    return studio, out, json.loads((out.parent / "out.mkv.dubline" / "report.json").read_text())


def test_as_many_frames_at_the_same_rate_from_the_same_timecode(dubbed: Dubbed) -> None:
    studio, out, report = dubbed
    before, after = measured(studio.film), measured(out)
    assert after.frames == before.frames == sum(scene.frames for scene in SHORT) == report["frames"]["total"]
    assert after.rate == before.rate and after.start_timecode == before.start_timecode is not None


def test_the_dub_is_laid_in_bit_for_bit(dubbed: Dubbed) -> None:
    studio, out, report = dubbed
    assert (sound_of(out) == sound_of(studio.dub)).all() and report["audio"]["bit_exact"] is True


def test_only_routed_frames_change_and_all_of_them_do(dubbed: Dubbed) -> None:
    studio, out, report = dubbed
    routed = {
        frame
        for shot in report["shots"]
        for track in shot["tracks"]
        for start, end in track["ranges"]
        for frame in range(start, end)
    }
    changed = {
        n
        for (n, before), (_, after) in zip(all_planes(studio.film), all_planes(out), strict=True)
        if any((a != b).any() for a, b in zip(before, after, strict=True))
    }
    assert changed <= routed and len(changed) > 0.9 * len(routed) > 30
    assert len(changed) == report["frames"]["changed"] == report["frames"]["total"] - report["frames"]["identical"]


def test_outside_the_matte_no_pixel_moves(dubbed: Dubbed) -> None:
    studio, out, report = dubbed
    free = studio.uncovered(report, studio.film)
    assert len(free) > 60, "the portrait and the man on the phone were not dubbed"
    for (n, before), (_, after) in zip(all_planes(studio.film), all_planes(out), strict=True):
        if n in free:
            assert free[n].any() and (before[0][free[n]] == after[0][free[n]]).all()


def test_every_shot_says_what_was_decided_and_why(dubbed: Dubbed) -> None:
    _, _, report = dubbed
    nobody, portrait, cat, phone = report["shots"]
    assert not nobody["tracks"] and nobody["status"] == "passed-through"
    assert [track["route"] for track in portrait["tracks"]] == ["diff2lip"]
    assert [track["route"] for track in cat["tracks"]] == ["omnisync"], "a drawn face needs no landmarks"
    assert [track["route"] for track in phone["tracks"]].count("diff2lip") == 1
    assert all(track["reason"] for shot in report["shots"] for track in shot["tracks"])


def test_the_page_opens_offline_and_shows_every_shot(dubbed: Dubbed) -> None:
    _, out, report = dubbed
    page = (out.parent / "out.mkv.dubline" / "index.html").read_text()
    assert all(shot["name"] in page for shot in report["shots"])
    clips = {path.stem for path in (out.parent / "out.mkv.dubline" / "clips").iterdir()}
    assert clips == {shot["name"] for shot in report["shots"] if shot["changed"]}
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


def test_the_same_command_again_computes_nothing(dubbed: Dubbed) -> None:
    studio, out, report = dubbed
    before = studio.json("show", report["episode"], "sh0020")["takes"]
    ended = studio.run("dub", studio.film, studio.dub, "-o", out, "--deliver", "ffv1")
    assert ended.returncode == 0, ended.stderr
    assert studio.json("show", report["episode"], "sh0020")["takes"] == before
