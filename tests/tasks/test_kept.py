"""What of a film is in its delivery: what tasks/kept.py and the tables of storage/film/containers.py promise."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from storage.catalog import Verdict
from storage.film import entry, programs
from storage.film.containers import MKV
from storage.film.encoders import Deliver
from storage.film.probe import Film, probe, probe_sound
from storage.film.read import frames
from tasks.conform import lay_takes
from tasks.deliver import Delivered, mux
from tasks.ingest import ingest_episode
from tasks.kept import checks, pairs
from tests.captions import HDR10_PLUS, captions_of, draw_captioned_film, triplets
from tests.shoot import FILM_24, NTSC_30, PAL, draw_film, draw_sound, number_on, wrap
from tests.tasks.test_conform import draw_take


def delivered(film_path: Path, out: str, deliver: Deliver = "same", dub: Path | None = None) -> tuple[Film, Delivered]:
    """The film with a dub and no changed frame."""
    folder, film = film_path.parent, probe(film_path)
    sound = probe_sound(dub or draw_sound(folder / "dub.wav", film.duration, subtype="PCM_24"))
    return film, mux(film, lay_takes(film, [], folder.joinpath, folder / "picture.tmp", deliver), sound, folder / out)


def lost(got: Delivered) -> list[str]:
    return [found.meter for found in got.findings if found.verdict is Verdict.RED]


def with_tracks(picture: Path, to: str, *words: str, more: Sequence[Path] = ()) -> Path:
    """The picture with two sounds of two seconds and whatever else is said."""
    folder = picture.parent
    sounds = [draw_sound(folder / f"{name}.wav", 2, subtype="PCM_24") for name in ("mix", "comment")]
    inputs = [word for path in (picture, *sounds, *more) for word in ("-i", str(path))]
    maps = [word for number in range(3 + len(more)) for word in ("-map", str(number))]
    return wrap([*inputs, *maps, "-c", "copy", *words], folder / to)


NAMED = ("-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "title=Director", "-metadata:s:a:1", "language=swe")


@pytest.mark.parametrize("out", ["out.mov", "out.mkv", "out.mp4"])
def test_sounds_keep_their_bytes_languages_and_names(tmp_path: Path, out: str) -> None:
    picture = draw_film(tmp_path / "picture.mkv", 50, PAL, "libx264")
    codec = ["-c:a", "ac3"] if out == "out.mp4" else []
    _, got = delivered(with_tracks(picture, "film.mkv", *NAMED, *codec), out)
    mix, comment = (line["after"] for line in got.table if line["how"] == "copy")
    spelled = {"out.mov": ("ger", "sve")}.get(out, ("deu", "swe"))  # MOV has its own names for languages
    assert (mix["language"], comment["language"]) == spelled
    assert comment["title"] == "Director"
    assert lost(got) == []
    green = [found.meter for found in got.findings if found.meter.endswith("bit for bit")]
    assert green == ["audio 1: bit for bit", "audio 2: bit for bit"]


def test_a_name_given_in_mov_is_read_in_matroska_and_in_mov_again(tmp_path: Path) -> None:
    picture = draw_film(tmp_path / "picture.mov", 50, PAL, "prores_ks")
    film = with_tracks(picture, "film.mov", *NAMED)
    for out in ("out.mov", "out.mkv"):
        _, got = delivered(film, out)
        assert [line["after"]["title"] for line in got.table if line["how"] == "copy"] == ["", "Director"]
        assert lost(got) == []


@pytest.mark.parametrize(
    ("rate", "label"),
    [
        pytest.param(FILM_24, "01:00:00:00", id="23.976"),
        pytest.param(NTSC_30, "00:59:59;28", id="29.97-drop"),
        pytest.param(NTSC_30, "00:59:59:28", id="29.97-non-drop"),
        pytest.param(Fraction(50), "09:58:30:40", id="50"),
        pytest.param(Fraction(60000, 1001), "01:00:00;00", id="59.94-drop"),
        pytest.param(Fraction(60000, 1001), "01:00:00:00", id="59.94-non-drop"),
    ],
)
@pytest.mark.parametrize("out", ["out.mov", "out.mxf"])
def test_timecode_and_reel_of_a_master_stay(tmp_path: Path, rate: Fraction, label: str, out: str) -> None:
    picture = draw_film(tmp_path / "picture.mov", 8, rate, "prores_ks", timecode=label)
    reel = ["-i", str(picture), "-c", "copy", "-metadata:s:v", "reel_name=A001C003"]
    _, got = delivered(wrap(reel, tmp_path / "film.mov"), out)
    assert got.start_timecode == label
    if out == "out.mov":
        assert lost(got) == []
        assert [line["after"]["reel"] for line in got.table if line["after"]["codec"] == "tmcd"] == ["A001C003"]
    else:
        assert lost(got) == ["reel name"] and any("reel name A001C003" in note for note in got.notes)


def test_what_mxf_cannot_hold_is_a_finding_each(tmp_path: Path) -> None:
    (tmp_path / "lines.srt").write_text("1\n00:00:00,200 --> 00:00:01,000\nGood night.\n")
    (tmp_path / "chapters.txt").write_text(
        ";FFMETADATA1\ntitle=The Night\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n"
    )
    picture = draw_film(tmp_path / "picture.mov", 50, PAL, "prores_ks")
    more = [tmp_path / "lines.srt"]
    rich = with_tracks(picture, "rich.mkv", *NAMED, more=more)
    film = wrap(["-i", str(rich), "-i", str(tmp_path / "chapters.txt"), "-map", "0", "-map_metadata", "1", "-c", "copy",
                 "-map_chapters", "1"], tmp_path / "film.mkv")  # fmt: skip
    _, got = delivered(film, "out.mxf")
    assert lost(got) == [
        "streams of the film", "audio 1: language", "audio 2: language", "audio 2: title",
        "subtitle 3: kept (subrip)", "chapters", "tags of the film",
    ]  # fmt: skip
    assert next(found for found in got.findings if found.meter == "streams of the film").value == 3
    gone = next(line for line in got.table if line["before"] and line["before"]["kind"] == "subtitle")
    assert gone["after"] is None and gone["how"] == ""
    assert any("subtitle stream 3" in note for note in got.notes) and any("chapters" in note for note in got.notes)


@pytest.mark.parametrize(
    ("frames", "rate", "samples", "exact", "word"),
    [
        pytest.param(40, FILM_24, 80080, True, "", id="to-the-sample"),
        pytest.param(41, NTSC_30, 65000, True, "filled up", id="shorter"),
        pytest.param(41, NTSC_30, 66000, False, "cut", id="longer"),
    ],
)
def test_mxf_holds_sound_by_whole_frames_and_says_what_that_costs(
    tmp_path: Path, frames: int, rate: Fraction, samples: int, exact: bool, word: str
) -> None:
    film = draw_film(tmp_path / "film.mov", frames, rate, "prores_ks")
    dub = draw_sound(tmp_path / "dub.wav", Fraction(samples, 48000), channels=2, subtype="PCM_24")
    _, got = delivered(film, "out.mxf", dub=dub)
    assert got.audio_bit_exact is exact
    assert [word in note for note in got.notes if "ends its sound with a frame" in note] == [True] * bool(word)


def test_sound_of_another_rate_is_brought_to_the_only_one_that_mxf_has(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mov", 25, PAL, "prores_ks", sound=1.0, hz=44100)
    _, got = delivered(film, "out.mxf")
    assert any("from 44100 to 48000 Hz" in note for note in got.notes)
    (line,) = (line for line in got.table if line["before"] and line["before"]["kind"] == "audio")
    assert line["after"]["hz"] == 48000
    assert "audio 1: samples" in lost(got)


@pytest.mark.parametrize("codec", ["pcm_s16be", "pcm_s24be", "pcm_f32be", "pcm_s8", "alac", "eac3", "dca"])
@pytest.mark.parametrize("out", ["out.mov", "out.mkv"])
def test_sounds_of_many_kinds_arrive(tmp_path: Path, codec: str, out: str) -> None:
    picture = draw_film(tmp_path / "picture.mov", 25, PAL, "mjpeg", sound=1.0)
    film = wrap(["-i", str(picture), "-c:v", "copy", "-c:a", codec, "-strict", "-2"], tmp_path / "film.mov")
    _, got = delivered(film, out)
    assert lost(got) == []
    if codec.startswith("pcm"):
        assert samples_of(film, 0) == samples_of(got.path, 1)


def samples_of(path: Path, sound: int) -> str:
    return programs.ffmpeg(["-i", str(path), "-map", f"0:a:{sound}", "-c:a", "pcm_f64le", "-f", "hash", "-"])


def test_embedded_captions_that_the_picture_cannot_bear_are_a_finding(tmp_path: Path) -> None:
    film = draw_captioned_film(tmp_path / "film.mp4", 12)
    _, same = delivered(film, "same.mov")
    assert captions_of(same.path) == [triplets(n) for n in range(12)] and lost(same) == []
    _, mezzanine = delivered(film, "mezzanine.mov", "prores")
    assert lost(mezzanine) == ["embedded captions (CEA-608/708)"]
    assert any("captions" in note for note in mezzanine.notes)


@pytest.mark.parametrize(("out", "kept"), [("out.mov", True), ("out.mkv", False)])
def test_a_caption_track_is_copied_where_the_container_has_one(tmp_path: Path, out: str, kept: bool) -> None:
    (tmp_path / "lines.scc").write_text(
        "Scenarist_SCC V1.0\n\n00:00:00:00\t9420 9420 94ad 94ad 9470 9470 c8e5 ecec ef80 942f 942f\n\n"
        "00:00:00:15\t942c 942c\n"
    )
    picture = draw_film(tmp_path / "picture.mov", 25, PAL, "prores_ks")
    both = ["-i", str(picture), "-i", str(tmp_path / "lines.scc"), "-map", "0", "-map", "1", "-c", "copy"]
    _, got = delivered(wrap(both, tmp_path / "film.mov"), out)
    found = [line for line in got.table if line["before"] and line["before"]["codec"] == "eia_608"]
    assert [line["how"] for line in found] == ["copy" if kept else ""]
    assert ("subtitle 1: kept (eia_608)" in lost(got)) is not kept


def test_a_second_picture_comes_along_and_keeps_its_old_mouths(tmp_path: Path) -> None:
    one = draw_film(tmp_path / "one.mkv", 12, PAL)
    two = draw_film(tmp_path / "two.mkv", 12, PAL, "libx264", (96, 64))
    command = ["-i", str(one), "-i", str(two), "-map", "1", "-map", "0", "-c", "copy"]
    film = wrap([*command, "-disposition:0", "0", "-disposition:1", "default"], tmp_path / "film.mkv")
    was, got = delivered(film, "out.mkv")
    assert (was.picture, was.width) == (1, 160), "the one that is marked as default is dubbed"
    assert [(s.codec, s.disposition) for s in got.streams if s.kind == "video"] == [
        ("ffv1", ("default",)),
        ("h264", ()),
    ]
    assert any("another picture" in note and "old mouths" in note for note in got.notes)
    assert lost(got) == []


HDR10 = {
    "master-display": "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)",
    "max-cll": "1000,400",
}
PQ = {"color_primaries": "bt2020", "color_trc": "smpte2084", "colorspace": "bt2020nc", "color_range": "tv"}


@pytest.mark.parametrize(
    ("out", "deliver", "kept"),
    [
        pytest.param("out.mp4", "same", True, id="hevc-in-mp4"),
        pytest.param("out.mov", "same", True, id="hevc-in-mov"),
        pytest.param("out.mkv", "same", True, id="hevc-in-mkv"),
        pytest.param("out.mov", "prores", True, id="prores-in-mov"),
        pytest.param("out.mkv", "prores", True, id="prores-in-mkv"),
        pytest.param("out.mov", "ffv1", True, id="ffv1-in-mov"),
        pytest.param("out.mkv", "ffv1", True, id="ffv1-in-mkv"),
        pytest.param("out.mxf", "prores", False, id="prores-in-mxf"),
    ],
)
def test_hdr10_numbers_stay_with_the_picture_or_are_a_finding(
    tmp_path: Path, out: str, deliver: Deliver, kept: bool
) -> None:
    said = ":".join(f"{key}={value}" for key, value in HDR10.items())
    options = {"x265-params": f"log-level=none:hdr10=1:repeat-headers=1:{said}"}
    shot = draw_film(tmp_path / "film.mp4", 6, PAL, "libx265", pix_fmt="yuv420p10le", tags=PQ, options=options)
    film, got = delivered(shot, out, deliver)
    assert film.mastering == HDR10
    assert (probe(got.path).mastering == HDR10) is kept
    assert [name for name in lost(got) if name.startswith("HDR10")] == ([] if kept else ["HDR10 max-cll"])
    assert {f"HDR10 {name}" for name in HDR10} <= {found.meter for found in got.findings}


def test_hlg_is_tagged_as_it_was(tmp_path: Path) -> None:
    tags = PQ | {"color_trc": "arib-std-b67"}
    shot = draw_film(tmp_path / "film.mov", 6, PAL, "prores_ks", tags=tags)
    for out, deliver in (("same.mov", "same"), ("same.mkv", "same"), ("ffv1.mkv", "ffv1")):
        _, got = delivered(shot, out, "ffv1" if deliver == "ffv1" else "same")
        assert lost(got) == [] and probe(got.path).colour.transfer == "arib-std-b67"


def test_an_all_intra_h264_master_goes_into_mxf_and_is_read_frame_for_frame(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "film.mov", 12, PAL, "libx264", options={"g": "1"}, timecode="10:00:00:00")
    given = ingest_episode(shot, draw_sound(tmp_path / "dub.wav", Fraction(12, 25)), tmp_path / "out.mxf")
    _, got = delivered(shot, "out.mxf", dub=given.dub.path)
    assert [number_on(frame.planes[0]) for frame in frames(probe(got.path))] == list(range(12))
    assert (got.start_timecode, lost(got)) == ("10:00:00:00", [])


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_captions_stay_where_some_groups_are_copied_and_some_encoded(tmp_path: Path, codec: str) -> None:
    options = {"g": "8", "bf": "2"} if codec == "libx264" else {"x265-params": "log-level=none:keyint=8:open-gop=0"}
    film = probe(draw_captioned_film(tmp_path / "film.mp4", 24, codec, options=options))
    take = draw_take(film, tmp_path, range(9, 12))
    picture = lay_takes(film, [take], tmp_path.joinpath, tmp_path / "picture.tmp")
    got = mux(film, picture, probe_sound(draw_sound(tmp_path / "dub.wav", film.duration)), tmp_path / "out.mov")
    assert 0 < picture.copied < 24 and picture.changed == (9, 10, 11)
    assert captions_of(got.path) == [triplets(n) for n in range(24)]
    assert lost(got) == []


def test_hdr10_plus_cannot_be_written_and_is_a_finding(tmp_path: Path) -> None:
    film = draw_captioned_film(tmp_path / "film.mp4", 6, "libx265", said=lambda n: HDR10_PLUS)
    _, got = delivered(film, "out.mkv", "ffv1")
    assert lost(got) == ["HDR10+"]
    assert any("have lost their HDR10+" in note for note in got.notes)


@pytest.mark.parametrize("rate", [PAL, FILM_24, NTSC_30])
def test_an_mxf_master_with_mono_tracks_stays_one(tmp_path: Path, rate: Fraction) -> None:
    picture = draw_film(tmp_path / "picture.mov", 40, rate, "prores_ks", timecode="10:00:00:00")
    sound = draw_sound(tmp_path / "mono.wav", Fraction(40) / rate, subtype="PCM_24")
    inputs = ["-i", str(picture), *(word for _ in range(4) for word in ("-i", str(sound)))]
    maps = [word for number in range(5) for word in ("-map", f"{number}:0")]
    named = ["-c", "copy", "-metadata", "timecode=10:00:00:00", "-metadata", "material_package_name=EP03"]
    film, got = delivered(wrap([*inputs, *maps, *named], tmp_path / "film.mxf"), "out.mxf")
    assert film.tags["material_package_name"] == probe(got.path).tags["material_package_name"] == "EP03"
    assert [(s.codec, s.channels) for s in got.streams if s.kind == "audio"] == [("pcm_s24le", 1)] * 5
    assert (got.start_timecode, got.rate, got.frames) == ("10:00:00:00", rate, 40)
    assert lost(got) == [] and got.audio_bit_exact
    copied = [found.meter for found in got.findings if found.meter.endswith("bit for bit")]
    assert copied == [f"audio {number}: bit for bit" for number in (1, 2, 3, 4)]


def test_mpeg2_in_mxf_becomes_ffv1_in_mxf_and_says_why(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "a.mkv", 12, PAL, size=(256, 144))
    film = wrap(["-i", str(shot), "-c:v", "mpeg2video", "-bf", "2", "-q:v", "2"], tmp_path / "film.mxf")
    was, got = delivered(film, "out.mxf")
    assert [frame.index for frame in frames(probe(got.path))] == list(range(12))
    assert (was.codec, probe(got.path).codec) == ("mpeg2video", "ffv1")
    assert all(
        np.array_equal(a, b)
        for one, other in zip(frames(was), frames(probe(got.path)), strict=True)
        for a, b in zip(one.planes, other.planes, strict=True)
    )


@pytest.mark.parametrize(
    ("codec", "out", "deliver", "kept"),
    [
        pytest.param("prores_ks", "out.mov", "same", True, id="prores"),
        pytest.param("prores_ks", "out.mkv", "ffv1", True, id="prores-to-ffv1-in-mkv"),
        pytest.param("libx264", "out.mp4", "same", True, id="h264"),
        pytest.param("prores_ks", "out.mxf", "same", False, id="prores-in-mxf"),
    ],
)
def test_the_clean_aperture_stays_or_is_a_finding(
    tmp_path: Path, codec: str, out: str, deliver: Deliver, kept: bool
) -> None:
    shot = draw_film(tmp_path / "film.mov", 12, PAL, codec)
    entry.put(shot, entry.aperture(160, 96, (2, 4, 8, 6)))
    entry.put(shot, entry.aperture(160, 96, (0, 0, 2, 2)))  # it has one: nothing is laid over it
    film, got = delivered(shot, out, deliver)
    assert (film.crop, film.width, film.height) == ((2, 4, 8, 6), 160, 96)
    assert lost(got) == ([] if kept else ["clean aperture"])
    assert (probe(got.path).crop == film.crop) is kept


def test_only_a_mov_with_its_index_behind_is_written_into(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "a.mov", 3, PAL, "prores_ks")
    fast = wrap(["-i", str(shot), "-c", "copy", "-movflags", "+faststart"], tmp_path / "fast.mov")
    before = fast.read_bytes()
    for film in (fast, draw_film(tmp_path / "b.mkv", 3, PAL)):
        with pytest.raises(ValueError, match="index"):
            entry.put(film, {b"clli": bytes(4)})
    assert fast.read_bytes() == before


def test_a_sound_that_the_dub_was_to_replace_is_no_loss(tmp_path: Path) -> None:
    picture = draw_film(tmp_path / "picture.mkv", 50, PAL)
    film, got = delivered(with_tracks(picture, "film.mkv", *NAMED), "out.mkv")
    written = probe(got.path)
    went = [("picture", 0, "copy"), ("dub", 0, "copy"), ("film", 2, "copy")]
    both = pairs(film, replace(written, streams=written.streams[:3]), went, replaced=1)
    assert [(pair.before and pair.before.index, pair.after and pair.after.index, pair.how) for pair in both] == [
        (0, 0, "picture"), (1, None, "replaced"), (2, 2, "copy"), (None, 1, "dub"),
    ]  # fmt: skip
    said = {check.meter: (check.has, check.had) for check in checks(film, written, both, MKV, frozenset())}
    assert said["streams of the film"] == (2, 2) and not any(name.startswith("audio 1") for name in said)


@pytest.mark.parametrize("cover", ["cover.png", "cover.jpg"])
def test_a_cover_picture_stays_byte_for_byte_or_is_named(tmp_path: Path, cover: str) -> None:
    art = wrap(["-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1"], tmp_path / cover)
    picture = draw_film(tmp_path / "picture.mp4", 10, PAL, "libx264")
    second = draw_film(tmp_path / "second.mp4", 10, PAL, "libx264", (96, 64))
    both = ["-i", str(picture), "-i", str(art), "-i", str(second), "-map", "0", "-map", "1", "-map", "2", "-c", "copy"]
    film = wrap([*both, "-disposition:v:1", "attached_pic"], tmp_path / "film.mp4")
    for out in ("out.mkv", "out.mp4"):
        _, got = delivered(film, out)
        (kept,) = (s for s in got.streams if "attached_pic" in s.disposition)
        assert lost(got) == []
        command = ["-i", str(got.path), "-map", f"0:{kept.index}", "-c", "copy", "-f", "image2"]
        back = wrap(command, tmp_path / f"back-{cover}")
        assert back.read_bytes() == art.read_bytes()
    _, again = delivered(tmp_path / "out.mkv", "again.mkv")
    assert lost(again) == [] and [s.tags["filename"] for s in again.streams if "filename" in s.tags] == [cover]
    _, none = delivered(film, "none.mov")
    assert any("cannot carry the film's cover picture" in note for note in none.notes)
    assert len(lost(none)) == 2 and lost(none)[0] == "streams of the film"
