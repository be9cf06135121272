"""The finished file: what tasks/deliver.py and storage/film/containers.py promise."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from storage.errors import DublineError, Refused, Unreachable
from storage.film.probe import Film, Sound, probe, probe_sound
from storage.film.read import frames, speech
from storage.room import room
from tasks.conform import Picture, lay_takes
from tasks.deliver import Delivered, check, deliver, mux
from tests.shoot import FILM_24, NTSC_30, PAL, draw_film, draw_sound, number_on, tone, wrap

FRAMES = 40


def conformed(film: Film, folder: Path) -> Picture:
    return lay_takes(film, [], folder.joinpath, folder / "picture.tmp")


def made(folder: Path, film_path: Path, out: str, dub: Path | None = None) -> tuple[Film, Sound, Delivered]:
    film = probe(film_path)
    sound = probe_sound(dub or draw_sound(folder / "dub.wav", film.duration, channels=2, subtype="PCM_24"))
    return film, sound, mux(film, conformed(film, folder), sound, folder / out)


@pytest.mark.parametrize(
    ("name", "codec", "out", "exact"),
    [
        pytest.param("film.mkv", "ffv1", "out.mkv", True, id="ffv1-in-mkv"),
        pytest.param("film.mkv", "ffv1", "out.mov", True, id="ffv1-in-mov"),
        pytest.param("film.mp4", "libx264", "out.mp4", False, id="h264-in-mp4"),
        pytest.param("film.mp4", "libx264", "out.mkv", True, id="h264-in-mkv"),
        pytest.param("film.mp4", "libx264", "out.mov", True, id="h264-in-mov"),
        pytest.param("film.mov", "prores_ks", "out.mov", True, id="prores-in-mov"),
        pytest.param("film.mov", "prores_ks", "out.mxf", True, id="prores-in-mxf"),
        pytest.param("film.mp4", "libx265", "out.mp4", False, id="hevc-in-mp4"),
    ],
)
@pytest.mark.parametrize("rate", [FILM_24, NTSC_30], ids=["23.976", "29.97"])
def test_frames_rate_timecode_and_dub_arrive(
    tmp_path: Path, name: str, codec: str, out: str, exact: bool, rate: Fraction
) -> None:
    label = "01:00:00;00" if rate == NTSC_30 else "01:00:00:00"
    options = {"bf": "3"} if codec == "libx264" else {}
    shot = draw_film(tmp_path / name, FRAMES, rate, codec, sound=None, timecode=label, options=options)
    film, dub, got = made(tmp_path, shot, out)
    assert (film.start_timecode, got.start_timecode) == (label, label)
    assert (got.frames, got.rate) == (FRAMES, rate)
    assert got.audio_bit_exact is exact
    assert [number_on(f.planes[0]) for f in frames(probe(got.path))] == list(range(FRAMES))
    assert probe_sound(got.path).channels == 2
    assert abs(probe_sound(got.path).duration - dub.duration) < Fraction(1, 20)
    assert any("AAC" in note for note in got.notes) is not exact
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted({name, "dub.wav", "picture.tmp", out})


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("out", ["out.mkv", "out.mov"])
def test_every_sample_of_the_dub_is_in_the_delivery(tmp_path: Path, subtype: str, out: str) -> None:
    shot = draw_film(tmp_path / "film.mkv", FRAMES, PAL)
    dub = draw_sound(tmp_path / "dub.wav", FRAMES / PAL, subtype=subtype)
    _, _, got = made(tmp_path, shot, out, dub)
    assert got.audio_bit_exact
    back = wrap(["-i", str(got.path), "-map", "0:a:0", "-c:a", "pcm_f32le"], tmp_path / "back.wav")
    assert np.array_equal(soundfile.read(str(back))[0], soundfile.read(str(dub))[0])


def test_flac_is_unpacked_without_loss_where_it_cannot_be_copied(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "film.mkv", FRAMES, PAL)
    dub = draw_sound(tmp_path / "dub.flac", FRAMES / PAL, subtype="PCM_24")
    _, _, got = made(tmp_path, shot, "out.mov", dub)
    assert got.audio_bit_exact
    assert any("unpacked from flac" in note for note in got.notes)


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A film with two sounds, subtitles, chapters, a font and tags, as a disc gives it."""
    draw_film(tmp_path / "picture.mkv", 50, PAL)
    for name in ("stereo", "comment"):
        draw_sound(tmp_path / f"{name}.wav", 2)
    (tmp_path / "lines.srt").write_text("1\n00:00:00,200 --> 00:00:01,000\nGood night.\n")
    (tmp_path / "font.ttf").write_bytes(b"not much of a font")
    (tmp_path / "chapters.txt").write_text(
        ";FFMETADATA1\ntitle=The Night\nartist=Somebody\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=900\nEND=2000\ntitle=Two\n"
    )
    sources = ["picture.mkv", "stereo.wav", "comment.wav", "lines.srt", "chapters.txt"]
    inputs = [word for name in sources for word in ("-i", str(tmp_path / name))]
    return wrap(
        [*inputs, "-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s", "-map_metadata", "4", "-map_chapters",
         "4", "-c", "copy", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "title=Director", "-disposition:a:0",
         "default", "-disposition:a:1", "comment", "-disposition:s:0", "forced", "-attach", str(tmp_path / "font.ttf"),
         "-metadata:s:t", "mimetype=application/x-truetype-font"],
        tmp_path / "rich.mkv",
    )  # fmt: skip


def test_everything_else_of_the_film_comes_along(tmp_path: Path, rich: Path) -> None:
    film, _, got = made(tmp_path, rich, "out.mkv")
    assert [s.kind for s in got.streams] == ["video", "audio", "audio", "audio", "subtitle", "attachment"]
    dub, original, comment = (s for s in got.streams if s.kind == "audio")
    assert "default" in dub.disposition and "default" not in original.disposition
    assert original.tags["language"] == "eng"
    assert comment.tags["title"] == "Director" and "comment" in comment.disposition
    assert next(s for s in got.streams if s.kind == "subtitle").disposition == ("forced",)
    out = probe(got.path)
    assert (out.chapters, out.tags["title"], out.tags["artist"]) == (2, "The Night", "Somebody")
    assert not got.notes
    assert film.chapters == 2


def test_what_a_container_cannot_carry_is_named_and_not_silently_lost(tmp_path: Path, rich: Path) -> None:
    _, _, got = made(tmp_path, rich, "out.mov")
    assert [s.kind for s in got.streams if s.kind != "data"] == ["video", "audio", "audio", "audio", "subtitle"]
    assert any("attachment" in note and "font.ttf" in note for note in got.notes)
    assert any("subtitle" in note and "mov_text" in note for note in got.notes)
    assert probe(got.path).chapters == 2


def test_a_picture_that_began_late_begins_late_again(tmp_path: Path) -> None:
    picture = draw_film(tmp_path / "picture.mkv", 50, PAL)
    sound = draw_sound(tmp_path / "sound.wav", 3, 16000)
    late = wrap(["-itsoffset", "0.48", "-i", str(picture), "-i", str(sound), "-c", "copy"], tmp_path / "late.mkv")
    film, dub, got = made(tmp_path, late, "out.mkv")
    assert abs(film.head - Fraction(12, 25)) < Fraction(1, 100)
    out = probe(got.path)
    assert abs(out.head - film.head) < Fraction(1, 100)
    heard, _ = soundfile.read(str(speech(got.path, tmp_path / "heard.wav", 48000)), dtype="int16")
    drawn = tone(dub.duration)
    middle = slice(20000, 60000)  # the two channels have two pitches: only the beginning is compared, by its loudness
    assert abs(np.abs(heard[middle].astype(int)).mean() / np.abs(drawn[middle].astype(int)).mean() - 0.7) < 0.3


def test_an_hdr10_film_keeps_how_it_was_graded(tmp_path: Path) -> None:
    tags = {"color_primaries": "bt2020", "color_trc": "smpte2084", "colorspace": "bt2020nc", "color_range": "tv"}
    said = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    hdr10 = {"x265-params": f"log-level=none:hdr10=1:repeat-headers=1:master-display={said}:max-cll=1000,400"}
    shot = draw_film(tmp_path / "film.mp4", 5, PAL, "libx265", pix_fmt="yuv420p10le", tags=tags, options=hdr10)
    film, _, got = made(tmp_path, shot, "out.mp4")
    assert film.mastering == {"master-display": said, "max-cll": "1000,400"}
    assert probe(got.path).mastering == film.mastering


@pytest.mark.parametrize("out", ["out.mov", "out.mkv", "out.mp4"])
def test_colour_tags_and_pixel_shape_stay(tmp_path: Path, out: str) -> None:
    tags = {"color_primaries": "bt2020", "color_trc": "smpte2084", "colorspace": "bt2020nc", "color_range": "tv"}
    codec = "libx265" if out.endswith("mp4") else "ffv1"
    shot = draw_film(tmp_path / "film.mkv", 5, PAL, codec, pix_fmt="yuv420p10le", tags=tags)
    film, _, got = made(tmp_path, shot, out)
    written = probe(got.path)
    colour = written.colour
    assert (colour.matrix, colour.primaries, colour.transfer) == ("bt2020nc", "bt2020", "smpte2084")
    assert (written.pix_fmt, written.sar) == (film.pix_fmt, film.sar)


def test_a_wide_pixel_stays_wide(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "film.mkv", 5, PAL)
    wide = wrap(["-i", str(shot), "-c", "copy", "-aspect", "16:9"], tmp_path / "wide.mkv")
    for out in ("out.mkv", "out.mov"):
        film, _, got = made(tmp_path, wide, out)
        assert probe(got.path).sar == film.sar == Fraction(16, 15)


def test_variable_rate_is_delivered_at_its_own_times(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "film.mkv", 6, PAL, times=[0, 40, 80, 200, 210, 300])
    film, _, got = made(tmp_path, shot, "out.mov")
    written = probe(got.path)
    assert [written.time(n) for n in range(6)] == [film.time(n) for n in range(6)]


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 5, PAL))
    dub = probe_sound(draw_sound(tmp_path / "dub.wav", film.duration))
    before = film.path.read_bytes()
    (tmp_path / "link.mkv").symlink_to(film.path)
    for out in ("film.mkv", "link.mkv"):
        with pytest.raises(Refused, match="same file"):
            deliver.fn(film, conformed(film, tmp_path), dub, tmp_path / out)
    assert film.path.read_bytes() == before


def test_a_delivery_that_measures_wrong_is_not_kept(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 30, PAL, timecode="10:00:00:00"))
    short = probe(draw_film(tmp_path / "short.mkv", 29, FILM_24))
    with pytest.raises(DublineError, match=r"29 frames instead of 30; 24000/1001 .*; the timecode None"):
        check(film, short)
    dub = probe_sound(draw_sound(tmp_path / "dub.wav", film.duration))
    with pytest.raises(DublineError, match="29 frames"):
        mux(film, conformed(short, tmp_path), dub, tmp_path / "out.mkv")
    assert not list(tmp_path.glob("out*"))


def test_a_delivery_that_exists_is_replaced_whole(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "film.mkv", 5, PAL)
    (tmp_path / "out.mkv").write_bytes(b"an old delivery")
    _, _, got = made(tmp_path, shot, "out.mkv")
    assert probe(got.path).frames == 5


@pytest.mark.parametrize("name", ['it\'s "quoted" & spaced.mkv', "two\nlines.mkv", "日本 Größe.mkv", "a:b%d.mkv"])
def test_a_delivery_may_be_called_anything(tmp_path: Path, name: str) -> None:
    shot: Any = draw_film(tmp_path / "plain.mkv", 5, PAL).rename(tmp_path / f"film {name}")
    _, _, got = made(tmp_path, shot, name)
    assert got.path.name == name and probe(got.path).frames == 5


@pytest.mark.parametrize("out", ["out.mov", "out.mkv", "out.mxf"])
def test_a_full_disk_leaves_the_old_delivery_and_no_half_one(tmp_path: Path, out: str) -> None:
    film = probe(draw_film(tmp_path / "film.mov", 25, PAL, "prores_ks"))
    dub = probe_sound(draw_sound(tmp_path / "dub.wav", film.duration))
    picture = conformed(film, tmp_path)
    (tmp_path / out).write_bytes(b"the old delivery")
    before = {path.name for path in tmp_path.iterdir()}
    (tmp_path / f"{out}.part").symlink_to("/dev/full")  # every write to it ends with ENOSPC
    with pytest.raises(Unreachable, match="no room left"):
        mux(film, picture, dub, tmp_path / out)
    assert (tmp_path / out).read_bytes() == b"the old delivery"
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_disk_that_is_full_while_the_picture_is_written_leaves_no_half_picture(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mov", 25, PAL, "prores_ks"))
    (tmp_path / "picture.tmp.part").symlink_to("/dev/full")
    with pytest.raises(Unreachable, match=f"no room left in {tmp_path}"), room(tmp_path):
        conformed(film, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mov"]
