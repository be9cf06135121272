"""The dub's lane in the delivery: its place, marks and language, its channels, and where it begins."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from storage.errors import Refused
from storage.film.language import language_of, same_language
from storage.film.place import place
from storage.film.probe import Stream, probe, probe_sound
from tasks.conform import lay_takes
from tasks.deliver import Delivered, mux
from tasks.ingest import check_sound
from tasks.programme import Mode, programme
from tests.shoot import PAL, draw_film, draw_sound, wrap

FRAMES = 50
SECONDS = FRAMES / PAL
HZ = 48000


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """English 5.1 by default, German beside it, a commentary, a description for the blind."""
    draw_film(tmp_path / "picture.mkv", FRAMES, PAL)
    names = ("english", "german", "comment", "blind")
    for name in names:
        draw_sound(tmp_path / f"{name}.wav", SECONDS, channels=2)
    sources = [word for name in ("picture.mkv", *(f"{n}.wav" for n in names)) for word in ("-i", str(tmp_path / name))]
    how = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:a", "-map", "4:a", "-c", "copy", "-default_mode",
           "passthrough", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger", "-metadata:s:a:2",
           "title=Director", "-disposition:a:0", "default", "-disposition:a:1", "0", "-disposition:a:2", "comment",
           "-disposition:a:3", "visual_impaired"]  # fmt: skip
    return wrap([*sources, *how], tmp_path / "film.mkv")


def delivered(
    film_path: Path, dub: Path, out: str, language: str = "", mode: Mode = "add", lead: int = 0
) -> Delivered:  # fmt: skip
    folder, film, sound = film_path.parent, probe(film_path), probe_sound(dub)
    if lead:
        sound = place(sound, lead, folder / "placed.wav")
    return mux(film, lay_takes(film, [], folder.joinpath, folder / "picture.tmp"), sound, folder / out, language, mode)


def sounds(got: Delivered) -> list[Stream]:
    return [stream for stream in got.streams if stream.kind == "audio"]


def samples(path: Path, stream: int, to: Path, codec: str = "pcm_s32le") -> NDArray[np.float64]:
    return np.asarray(
        soundfile.read(str(wrap(["-i", str(path), "-map", f"0:{stream}", "-c:a", codec], to)), always_2d=True)[0]
    )


def test_an_added_dub_is_first_and_default_and_the_others_keep_their_marks(film: Path, tmp_path: Path) -> None:
    got = delivered(film, draw_sound(tmp_path / "dub.wav", SECONDS, channels=2), "out.mkv", "fra")
    dub, english, german, comment, blind = sounds(got)
    assert set(dub.disposition) == {"default", "dub"} and same_language(dub.tags["language"], "fra")
    assert dub.tags["title"] == "Dub"  # another sound has a title, so a menu would show this one without
    assert english.disposition == ("original",) and english.tags["language"] == "eng"
    assert german.disposition == () and comment.disposition == ("comment",)
    assert blind.disposition == ("visual_impaired",)
    assert (got.dub, got.programme, got.programme_copied) == (dub.index, english.index, True)


@pytest.mark.parametrize(
    ("language", "place_of_dub", "left"),
    [
        pytest.param("", 0, ["", "ger", "", ""], id="the-default"),
        pytest.param("fra", 0, ["fre", "ger", "", ""], id="no-such-language-there:the-default"),
        pytest.param("deu", 1, ["eng", "ger", "", ""], id="the-one-of-the-same-language"),
    ],
)
def test_a_replacing_dub_takes_the_place_of_one_sound(
    film: Path, tmp_path: Path, language: str, place_of_dub: int, left: list[str]
) -> None:
    dub = draw_sound(tmp_path / "dub.wav", SECONDS, channels=6, subtype="PCM_24")
    got = delivered(film, dub, "out.mkv", language, "replace")
    there = sounds(got)
    assert [sound.tags.get("language", "") for sound in there] == left
    assert [sound.channels for sound in there] == [6 if n == place_of_dub else 2 for n in range(4)]
    assert [n for n, sound in enumerate(there) if "default" in sound.disposition] == [place_of_dub]
    assert got.dub == there[place_of_dub].index and got.audio_bit_exact
    assert any("takes the place" in note for note in got.notes)
    assert got.programme == (there[0].index if place_of_dub else None)


def test_tags_chapters_and_subtitles_stay_whatever_the_dub_replaces(tmp_path: Path) -> None:
    picture = draw_film(tmp_path / "picture.mkv", FRAMES, PAL, sound=float(SECONDS))
    (tmp_path / "lines.srt").write_text("1\n00:00:00,200 --> 00:00:01,000\nGood night.\n")
    how = ["-map", "1:s", "-map", "0:v", "-map", "0:a", "-c", "copy", "-metadata", "title=The Night"]
    film = wrap(["-i", str(picture), "-i", str(tmp_path / "lines.srt"), *how], tmp_path / "film.mkv")
    got = delivered(film, draw_sound(tmp_path / "dub.wav", SECONDS), "out.mkv", mode="replace")
    assert probe(got.path).tags["title"] == "The Night"
    assert [s.kind for s in got.streams] == ["video", "subtitle", "audio"] and got.dub == 2
    alone = draw_film(tmp_path / "alone.mkv", FRAMES, PAL)
    silent = delivered(alone, tmp_path / "dub.wav", "silent.mkv", mode="replace")
    assert silent.audio_bit_exact and any("no programme sound" in note for note in silent.notes)


def test_only_commentaries_are_no_programme(film: Path) -> None:
    whole = probe(film)
    only = tuple(stream for stream in whole.streams if stream.kind != "audio" or "comment" in stream.disposition)
    assert programme(replace(whole, streams=only)) is None


PICTURES = {".mov": "prores_ks", ".mkv": "prores_ks", ".mxf": "prores_ks", ".mp4": "libx264"}


@pytest.mark.parametrize("ending", [".mov", ".mkv", ".mxf", ".mp4"])
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1", "5.1(side)", "7.1"])
def test_every_channel_of_the_dub_is_where_it_was(tmp_path: Path, ending: str, layout: str) -> None:
    """Each channel has a tone of its own; PCM is compared sample by sample, AAC by the loudest tone."""
    count = {"mono": 1, "stereo": 2, "5.1": 6, "5.1(side)": 6, "7.1": 8}[layout]
    tones = draw_sound(tmp_path / "tones.wav", SECONDS, channels=count, subtype="PCM_24")
    named = ["-af", f"channelmap={'|'.join(map(str, range(count)))}:{layout}", "-c:a", "pcm_s24le"]
    dub = wrap(["-i", str(tones), *named], tmp_path / "dub.wav")
    film = draw_film(tmp_path / "film.mov", FRAMES, PAL, PICTURES[ending], sound=float(SECONDS))
    got = delivered(film, dub, f"out{ending}", "deu")
    assert got.audio_bit_exact is (ending != ".mp4")
    after = samples(got.path, got.dub, tmp_path / "after.wav")
    assert after.shape[1] == count
    if ending != ".mp4":
        assert np.array_equal(after, samples(dub, 0, tmp_path / "before.wav"))
        return
    for channel in range(count):
        heard = np.abs(np.fft.rfft(after[: 2 * HZ - HZ // 2, channel] * np.hanning(2 * HZ - HZ // 2)))
        pitch = np.argmax(heard) * HZ / (2 * HZ - HZ // 2)
        if (layout, channel) == ("mono", 0) or "1" not in layout or channel != 3:  # AAC keeps only the lows of an LFE
            assert abs(pitch - (220 + 55 * channel)) < 3, channel
    assert any("AAC" in note for note in got.notes)


@pytest.mark.parametrize("lead", [-96000 // 2, 48000 // 2 + 7])
@pytest.mark.parametrize(("out", "subtype"), [("out.mov", "PCM_24"), ("out.mkv", "FLOAT"), ("out.mov", "FLOAT")])
def test_a_dub_that_was_moved_is_exact_at_its_place(tmp_path: Path, lead: int, out: str, subtype: str) -> None:
    count = round(SECONDS * HZ)
    wave = np.random.default_rng(7).standard_normal((count - lead, 2)) * 0.1
    soundfile.write(str(tmp_path / "dub.wav"), wave, HZ, subtype=subtype)
    film = draw_film(tmp_path / "film.mov", FRAMES, PAL, "prores_ks")
    got = delivered(film, tmp_path / "dub.wav", out, lead=lead)
    after = samples(got.path, got.dub, tmp_path / "after.wav", "pcm_f64le")
    before = samples(tmp_path / "dub.wav", 0, tmp_path / "before.wav", "pcm_f64le")
    assert got.audio_bit_exact and len(after) == count
    assert np.array_equal(after[max(lead, 0) :], before[max(-lead, 0) :]) and not after[: max(lead, 0)].any()


@pytest.mark.parametrize("ending", [".mov", ".mkv"])
def test_thirty_two_channels_arrive(tmp_path: Path, ending: str) -> None:
    dub = draw_sound(tmp_path / "dub.wav", SECONDS, channels=32, subtype="PCM_24")
    film = draw_film(tmp_path / "film.mov", FRAMES, PAL, "prores_ks")
    got = delivered(film, dub, f"out{ending}")
    assert got.audio_bit_exact and sounds(got)[0].channels == 32


def test_what_a_container_cannot_carry_of_a_dub_is_refused_before(tmp_path: Path) -> None:
    wide = probe_sound(draw_sound(tmp_path / "wide.wav", 0.1, channels=32))
    slow = probe_sound(draw_sound(tmp_path / "slow.wav", 0.1, hz=44100))
    with pytest.raises(Refused, match=r"MP4 .*8 channels at most.*32.*out\.mov"):
        check_sound(wide, tmp_path / "out.mp4")
    with pytest.raises(Refused, match=r"MXF .*48000 Hz.*44100"):
        check_sound(slow, tmp_path / "out.mxf")
    check_sound(slow, tmp_path / "out.mov")


def test_a_dub_of_another_rate_than_the_films_sound_stays_as_it_is(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mov", FRAMES, PAL, "prores_ks", sound=float(SECONDS), hz=44100)
    got = delivered(film, draw_sound(tmp_path / "dub.wav", SECONDS), "out.mov")
    assert [sound.hz for sound in sounds(got)] == [48000, 44100] and got.audio_bit_exact


def test_a_container_that_keeps_no_language_is_named(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mov", FRAMES, PAL, "prores_ks")
    dub = draw_sound(tmp_path / "dub.wav", SECONDS)
    assert any("language, deu" in note for note in delivered(film, dub, "out.mxf", "deu").notes)
    for out in ("out.mov", "out.mkv"):
        got = delivered(film, dub, out, "deu")
        assert not got.notes and same_language(sounds(got)[0].tags["language"], "de")


@pytest.mark.parametrize("text", ["de", "DE", "deu", "ger", "de-AT", "de_CH", " deu "])
def test_a_language_has_many_spellings(text: str) -> None:
    assert language_of(text) == "deu"


@pytest.mark.parametrize("text", ["", "x", "xx", "german", "12", "d3u", "日本", "日本語"])
def test_what_is_no_language_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 639"):
        language_of(text)
