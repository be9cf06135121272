"""A dub with a leader and a timecode makes the film that the same dub without them makes."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from flows.demo.script import Scene
from tests.broadcast import bext, label
from tests.whole.studio import Studio, all_planes, open_studio, sound_of

ONE = (Scene("portrait", 44, "woman", "We can see the coast.", "Every border disappears."),)
FILM_24 = Fraction(24000, 1001)
START = 172972800  # samples from midnight to 01:00:00:00 at 23.976, of 48 kHz
LEADER = 96096  # two seconds of its labels


def dubbed(studio: Studio, dub: Path, out: Path, *wishes: str) -> dict[str, Any]:
    ended = studio.run("dub", studio.film, dub, "-o", out, "--deliver", "ffv1", "--steps", "1", *wishes, "--json")
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads((out.parent / f"{out.name}.dubline" / "report.json").read_text())
    return report


def test_a_leader_is_cut_off_wherever_the_dub_is_used(tmp_path: Path) -> None:
    studio = open_studio(tmp_path, FILM_24, "01:00:00:00", ONE)
    wave, hz = soundfile.read(str(studio.dub), dtype="int32")
    pop = np.zeros(LEADER, np.int32)
    pop[:480] = 2**30  # nobody speaks in it, and nobody may hear it
    led = tmp_path / "led.wav"
    soundfile.write(str(led), np.concatenate([pop, wave]), hz, subtype="PCM_24")
    label(led, (b"bext", bext(START - LEADER, "Reel 1")))

    plain = dubbed(studio, studio.dub, tmp_path / "plain.mkv")
    moved = dubbed(studio, led, tmp_path / "moved.mov", "--dub-mode", "replace", "--dub-language", "de")

    assert plain["frames"]["changed"] > 30 and moved["frames"] == plain["frames"]
    drawn = [[track["ranges"] for shot in report["shots"] for track in shot["tracks"]] for report in (plain, moved)]
    assert drawn[0] == drawn[1]
    assert moved["audio"]["bit_exact"] and moved["dub"]["lead_samples"] == -LEADER
    assert (sound_of(tmp_path / "moved.mov") == sound_of(studio.dub)).all()
    assert [s["language"] for s in moved["delivery"]["streams"] if s["kind"] == "audio"] == ["ger"]
    pictures = zip(all_planes(tmp_path / "plain.mkv"), all_planes(tmp_path / "moved.mov"), strict=True)
    apart = [np.abs(a[0].astype(int) - b[0].astype(int)).max() for (_, a), (_, b) in pictures]
    assert max(apart) == 0, "the mouths follow another sound"
