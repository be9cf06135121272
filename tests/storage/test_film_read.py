"""Probing and reading: what storage/film/{probe,count,read,programs}.py promise."""

import os
import shutil
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from storage.errors import Missing, Refused
from storage.film import programs
from storage.film.probe import fingerprint, probe, probe_sound
from storage.film.read import frames, samples, speech
from tests.shoot import FILM_24, NTSC_30, PAL, draw_film, draw_picture, draw_sound, number_on, tone, wrap

BFRAMES = {"bf": "3", "g": "12", "preset": "veryfast", "crf": "20"}


@pytest.mark.parametrize(
    ("name", "codec", "more"),
    [
        pytest.param("a.mkv", "ffv1", {}, id="ffv1-mkv"),
        pytest.param("a.mp4", "libx264", {"options": BFRAMES}, id="h264-mp4-b-frames"),
        pytest.param("a.mkv", "libx264", {"options": BFRAMES}, id="h264-mkv-milliseconds"),
        pytest.param("a.ts", "libx264", {"options": BFRAMES}, id="h264-mpegts"),
        pytest.param("a.mov", "libx264", {"pix_fmt": "yuv422p10le"}, id="h264-10-bit"),
        pytest.param("a.mp4", "libx264", {"options": {**BFRAMES, "x264-params": "open-gop=1"}}, id="h264-open-gop"),
        pytest.param("a.mov", "prores_ks", {}, id="prores-mov"),
        pytest.param("a.mov", "dnxhd", {"size": (256, 120), "options": {"profile": "dnxhr_hq"}}, id="dnxhr-mov"),
        pytest.param("a.mxf", "mpeg2video", {}, id="mpeg2-mxf"),
    ],
)
@pytest.mark.parametrize("rate", [FILM_24, NTSC_30], ids=["23.976", "29.97"])
def test_frames_are_counted_and_numbered_wherever_one_begins(
    tmp_path: Path, name: str, codec: str, more: dict[str, Any], rate: Fraction
) -> None:
    film = probe(draw_film(tmp_path / name, 60, rate, codec, **more))
    assert (film.frames, film.rate, film.steady, film.duration, film.missing) == (60, rate, True, 60 / rate, "")
    assert [number_on(frame.planes[0]) for frame in frames(film)] == list(range(60))
    for start in (1, 11, 12, 13, 37, 59):
        assert [(f.index, number_on(f.planes[0])) for f in frames(film, start, min(60, start + 2))] == [
            (n, n) for n in range(start, min(60, start + 2))
        ]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p12le", "gray10le", "gbrp10le"])
def test_planes_are_the_films_own_code_values(tmp_path: Path, pix_fmt: str) -> None:
    film = probe(draw_film(tmp_path / "a.mkv", 3, pix_fmt=pix_fmt, size=(162, 90)))
    for frame in frames(film):
        for read, drawn in zip(frame.planes, draw_picture(frame.index, (162, 90), pix_fmt), strict=True):
            assert read.dtype == drawn.dtype
            assert np.array_equal(read, drawn)


def test_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 40, 80, 200, 210, 300]
    film = probe(draw_film(tmp_path / "a.mkv", 6, PAL, times=times))
    assert not film.steady
    assert [film.time(n) for n in range(6)] == [Fraction(t, 1000) for t in times]
    assert [frame.index for frame in frames(film)] == list(range(6))


def test_the_start_timecode_and_colour_tags_are_found(tmp_path: Path) -> None:
    tags = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
    film = probe(draw_film(tmp_path / "a.mov", 5, NTSC_30, "prores_ks", timecode="01:00:00;02", tags=tags))
    assert film.start_timecode == "01:00:00;02"
    assert (film.colour.matrix, film.colour.primaries, film.colour.transfer) == ("bt709", "bt709", "bt709")
    assert film.bits == 10


@pytest.mark.parametrize(
    "name", ["with space.mkv", 'it\'s "quoted".mkv', "two\nlines.mkv", "Größe–日本.mkv", "-dash.mkv", "a:b%d.mkv"]
)
def test_any_name_will_do(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw_film(Path("plain.mkv"), 4, sound=0.2).rename(name)
    film = probe(Path(name))
    assert [frame.index for frame in frames(film)] == [0, 1, 2, 3]
    assert soundfile.info(str(speech(Path(name), Path(name + ".wav")))).frames == 3200


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda p: p / "none.mov", "no file", id="missing"),
        pytest.param(lambda p: p, "folder", id="a-folder"),
        pytest.param(lambda p: draw_sound(p / "a.wav", 1), "no picture", id="sound-only"),
        pytest.param(lambda p: _write(p / "a.mov", b"not a film at all" * 100), "cannot be read", id="no-film"),
        pytest.param(lambda p: _write(p / "a.mov", b""), "cannot be read", id="empty"),
    ],
)
def test_what_is_no_film_is_refused_in_words(tmp_path: Path, make: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        probe(make(tmp_path))


def test_a_film_that_was_cut_off_says_so(tmp_path: Path) -> None:
    whole = draw_film(tmp_path / "whole.mkv", 100, sound=4.0)
    half = _write(tmp_path / "half.mkv", whole.read_bytes()[: whole.stat().st_size // 2])
    assert "promises" in probe(half).missing
    mp4 = wrap(["-i", str(whole), "-c:v", "libx264", "-movflags", "+faststart", "-c:a", "aac"], tmp_path / "whole.mp4")
    half = _write(tmp_path / "half.mp4", mp4.read_bytes()[: mp4.stat().st_size * 2 // 3])
    assert "promises" in probe(half).missing


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param("cut.mp4", ["-ss", "1.3"], id="an-edit-list-hides-frames"),
        pytest.param("late.mkv", ["-output_ts_offset", "10"], id="a-late-beginning"),
        pytest.param("pieces.mp4", ["-movflags", "frag_keyframe+empty_moov"], id="fragments"),
    ],
)
def test_what_is_counted_is_what_is_decoded(tmp_path: Path, name: str, how: list[str]) -> None:
    whole = draw_film(tmp_path / "whole.mp4", 80, FILM_24, "libx264", options=BFRAMES)
    before = [word for word in how[:2] if how[0] == "-ss"]
    after = [word for word in how if how[0] != "-ss"]
    film = probe(wrap([*before, "-i", str(whole), "-c", "copy", *after], tmp_path / name))
    numbers = [number_on(frame.planes[0]) for frame in frames(film)]
    assert (len(numbers), film.missing) == (film.frames, "")
    assert numbers == list(range(80 - film.frames, 80))
    assert [number_on(frame.planes[0]) for frame in frames(film, 20, 23)] == numbers[20:23]


def test_h264_in_avi_is_refused_in_words(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "a.mp4", 30, codec="libx264", options=BFRAMES)
    with pytest.raises(Refused, match=r"AVI.*Export it as MOV"):
        probe(wrap(["-i", str(film), "-c", "copy"], tmp_path / "a.avi"))


def test_a_hole_in_the_film_is_found_when_it_is_read(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "a.mov", 30, codec="prores_ks")
    taken = bytearray(film.read_bytes())
    where = taken.find(b"icpf", len(taken) // 2)
    taken[where : where + 400] = bytes(400)
    measured = probe(_write(tmp_path / "b.mov", bytes(taken)))
    with pytest.raises(Refused, match="frame"):
        list(frames(measured))


def test_speech_begins_with_the_first_frame(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mkv", 50, PAL)
    sound = draw_sound(tmp_path / "sound.wav", 2, 16000)
    for late in (Fraction(1, 2), Fraction(-1, 2)):  # the sound comes later than the picture, and the other way round
        picture, voice = str(float(max(Fraction(0), -late))), str(float(max(Fraction(0), late)))
        both = wrap(
            ["-itsoffset", picture, "-i", str(film), "-itsoffset", voice, "-i", str(sound), "-c", "copy"],
            tmp_path / "both.mkv",
        )
        heard, _ = soundfile.read(str(speech(both, tmp_path / "heard.wav")), dtype="int16")
        drawn = tone(2, 16000)
        if late > 0:
            assert not heard[:8000].any()
            assert np.abs(heard[8000:].astype(int) - drawn).max() <= 1
        else:
            assert np.abs(heard[:24000].astype(int) - drawn[8000:]).max() <= 1


def test_samples_are_counted_exactly(tmp_path: Path) -> None:
    for name, subtype in [("a.wav", "PCM_24"), ("a.flac", "PCM_24"), ("b.wav", "FLOAT")]:
        sound = probe_sound(draw_sound(tmp_path / name, Fraction(12345, 48000), channels=2, subtype=subtype))
        assert (sound.samples, sound.channels, sound.hz, sound.pcm) == (12345, 2, 48000, name.endswith("wav"))
    wrap(["-i", str(tmp_path / "a.wav"), "-c", "copy"], tmp_path / "a.mov")
    assert probe_sound(tmp_path / "a.mov").samples == 12345


def test_a_slice_beyond_the_sound_is_silence(tmp_path: Path) -> None:
    sound = draw_sound(tmp_path / "a.wav", 1, 1000)
    piece = samples(sound, -10, 1010)
    assert piece.shape == (1020, 1)
    assert not piece[:10].any() and not piece[1010:].any()
    assert np.allclose(piece[10:1010, 0] * 32768, tone(1, 1000))


def test_a_fingerprint_is_the_sha_of_the_bytes(tmp_path: Path) -> None:
    path = _write(tmp_path / "a", os.urandom(3_000_001))
    assert fingerprint(path) == sha256(path.read_bytes()).hexdigest()


def test_a_program_that_is_named_wrongly_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_FFMPEG", str(tmp_path / "none"))
    with pytest.raises(Missing, match="DUBLINE_FFMPEG"):
        programs.find("ffmpeg")


def test_libraries_that_call_by_name_find_the_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for _ in range(2):
        programs.put_first_on_path(tmp_path / "bin")
    assert shutil.which("ffmpeg") == str(tmp_path / "bin" / "ffmpeg")
    assert shutil.which("ffprobe") == str(tmp_path / "bin" / "ffprobe")


def test_ffmpegs_last_words_are_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(programs.ProgramFailed, match="No such file"):
        programs.ffmpeg(["-i", str(tmp_path / "none.mov"), str(tmp_path / "out.mov")])


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
