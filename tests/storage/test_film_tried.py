"""What this machine's ffmpeg puts into containers: storage/film/tried.py, and the tables that rest on it."""

from pathlib import Path

import pytest

from flows import doctor
from storage.film import programs
from storage.film.containers import CONTAINERS, MXF
from storage.film.tried import PICTURES, SOUNDS, tried

CODECS = {
    "ProRes": "prores", "DNxHR": "dnxhd", "H.264 all-intra": "h264", "H.264 with B-frames": "h264", "HEVC": "hevc",
    "FFV1": "ffv1", "Motion JPEG": "mjpeg", "MPEG-2": "mpeg2video", "JPEG 2000": "jpeg2000",
}  # fmt: skip


def test_the_tables_claim_nothing_that_does_not_come_out_whole() -> None:
    for container in CONTAINERS.values():
        found = tried()[container.name]
        assert {*found.pictures, *found.no_pictures} <= PICTURES.keys() == CODECS.keys()
        assert {*found.sounds, *found.no_sounds} == set(SOUNDS)
        claimed = {name for name in CODECS if container.pictures is None or CODECS[name] in container.pictures}
        assert claimed & set(found.no_pictures) <= ({"H.264 with B-frames"} if container is MXF else set())
        assert all(
            container.sound_as(name, 2)[0] == "copy" for name in found.sounds if not _unread(name, container.name)
        )
        assert all(container.sound_as(name, 2)[0] != "copy" for name in found.no_sounds)


def _unread(sound: str, container: str) -> bool:
    """ffmpeg writes PCM into MP4, and most players do not read it: there it becomes AAC."""
    return container == "MP4" and sound.startswith("pcm_")


def test_the_doctor_says_what_mxf_holds_and_what_it_does_not() -> None:
    check = doctor._writes_mxf()
    assert check.ok and not check.needed
    holds, _, not_held = check.found.partition(". Not ")
    assert "ProRes" in holds and "pcm_s24le" in holds
    assert "H.264 with B-frames" in not_held and "aac" in not_held and "48000 Hz" in not_held


def test_an_ffmpeg_that_can_encode_nothing_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("DUBLINE_FFMPEG", str(broken))
    assert programs.find("ffmpeg") == broken
    tried.cache_clear()
    found = tried()["MOV"]
    tried.cache_clear()
    assert found.pictures == found.sounds == ()
