"""What is refused, and in which words: tasks/ingest.py."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from storage.errors import Refused
from storage.film.probe import fingerprint
from tasks.ingest import ingest, ingest_episode
from tests.broadcast import at, label
from tests.shoot import FILM_24, PAL, draw_film, draw_sound, wrap

SECONDS = 24 / FILM_24


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return draw_film(tmp_path / "film.mkv", 24, sound=1.0)


@pytest.fixture
def dub(tmp_path: Path) -> Path:
    return draw_sound(tmp_path / "dub.wav", SECONDS)


def test_a_film_and_a_dub_are_measured_and_fingerprinted(tmp_path: Path, film: Path, dub: Path) -> None:
    stem = draw_sound(tmp_path / "Große Anna.wav", 0.5)
    got = ingest.fn(film, dub, tmp_path / "out.mkv", stems={"Anna": stem})
    assert (got.film.frames, got.film.rate, got.dub.samples) == (24, FILM_24, 48048)
    assert (got.film_sha, got.dub_sha) == (fingerprint(film), fingerprint(dub))
    assert (got.stems["Anna"].samples, got.stem_shas["Anna"]) == (24000, fingerprint(stem))


def test_nothing_is_written(tmp_path: Path, film: Path, dub: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    ingest_episode(film, dub, tmp_path / "out.mov")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


Scene = Callable[[Path], tuple[Path, Path, Path]]  # makes film, dub and the name of the delivery in a folder


def with_film(make: Callable[[Path], Path]) -> Scene:
    return lambda p: (make(p), draw_sound(p / "dub.wav", SECONDS), p / "out.mkv")


def with_dub(make: Callable[[Path], Path]) -> Scene:
    return lambda p: (draw_film(p / "film.mkv", 24), make(p), p / "out.mkv")


def with_out(name: Callable[[Path], Path]) -> Scene:
    return lambda p: (draw_film(p / "film.mkv", 24), draw_sound(p / "dub.wav", SECONDS), name(p))


def cut_off(whole: Path, share: float) -> Path:
    content = whole.read_bytes()
    short = whole.with_name("cut-" + whole.name)
    short.write_bytes(content[: int(len(content) * share)])
    return short


def linked(folder: Path, how: Callable[[Path, Path], None]) -> Path:
    how(folder / "film.mkv", folder / "out.mkv")
    return folder / "out.mkv"


def interlaced(folder: Path) -> Path:
    film = draw_film(folder / "a.mkv", 24)
    how = ["-vf", "setfield=tff", "-c:v", "libx264", "-flags", "+ilme+ildct"]
    return wrap(["-i", str(film), *how], folder / "interlaced.mp4")


def rotated(folder: Path) -> Path:
    film = draw_film(folder / "a.mp4", 24, codec="libx264")
    return wrap(["-display_rotation", "90", "-i", str(film), "-c", "copy"], folder / "rotated.mp4")


def streamable(folder: Path) -> Path:
    how = ["-c:v", "libx264", "-movflags", "+faststart"]
    return wrap(["-i", str(draw_film(folder / "a.mkv", 24)), *how], folder / "a.mp4")


def packed_rgb(folder: Path) -> Path:
    film = draw_film(folder / "a.mkv", 24)
    return wrap(["-i", str(film), "-c:v", "ffv1", "-pix_fmt", "bgr0"], folder / "rgb.mkv")


FILMS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda p: p / "none.mov", r"no file .*none\.mov"),
    "a-folder": (lambda p: p, "is a folder"),
    "sound-only": (lambda p: draw_sound(p / "a.wav", 1), "no picture"),
    "mov-without-its-index": (lambda p: cut_off(draw_film(p / "a.mov", codec="prores_ks"), 0.5), "cannot be read"),
    "matroska-cut-in-half": (lambda p: cut_off(draw_film(p / "a.mkv"), 0.5), "not whole: .*promises"),
    "mp4-cut-off-after-its-index": (lambda p: cut_off(streamable(p), 0.8), "not whole: .*promises"),
    "interlaced": (interlaced, "interlaced.*Deinterlace"),
    "rotated": (rotated, "stored lying"),
    "matrix": (lambda p: draw_film(p / "a.mkv", 24, tags={"colorspace": "ictcp"}), "colour matrix ictcp"),
    "pixel-format": (packed_rgb, "pixel format bgr0"),
}
DUBS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda p: p / "none.wav", r"no file .*none\.wav"),
    "silent-film": (lambda p: draw_film(p / "b.mkv", 24), "no sound"),
    "too-long": (
        lambda p: draw_sound(p / "dub.wav", 1.1),
        r"dub is 00:00:01\.100 long and the film 00:00:01\.001: it is 2 frames too long.*--allow-length",
    ),
    "too-short": (lambda p: draw_sound(p / "dub.wav", 0.5), "12 frames too short"),
}
OUTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "unknown-ending": (lambda p: p / "out.avi", r"out\.avi ends in \.avi"),
    "a-folder": (lambda p: p, "ends in nothing"),
    "no-such-folder": (lambda p: p / "none" / "out.mkv", "does not exist"),
    "folder-is-a-file": (lambda p: p / "film.mkv" / "out.mkv", "does not exist"),
    "the-film-itself": (lambda p: p / "film.mkv", "same file"),
    "the-film-by-another-way": (lambda p: p / ".." / p.name / "film.mkv", "same file"),
    "a-link-to-the-film": (lambda p: linked(p, lambda film, out: out.symlink_to(film)), "same file"),
    "a-hard-link-to-the-film": (lambda p: linked(p, os.link), "same file"),
    "container-without-the-codec": (lambda p: p / "out.mp4", "MP4 cannot carry the picture, FFV1"),
}
SCENES = [
    *(pytest.param(with_film(make), words, id=f"film/{name}") for name, (make, words) in FILMS.items()),
    *(pytest.param(with_dub(make), words, id=f"dub/{name}") for name, (make, words) in DUBS.items()),
    *(pytest.param(with_out(make), words, id=f"out/{name}") for name, (make, words) in OUTS.items()),
]


@pytest.mark.parametrize(("scene", "words"), SCENES)
def test_refused_in_words_and_nothing_is_written(tmp_path: Path, scene: Scene, words: str) -> None:
    film, dub, out = scene(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    with pytest.raises(Refused, match=words) as refused:
        ingest_episode(film, dub, out)
    assert refused.value.exit_code == 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_one_frame_more_or_less_is_no_difference(tmp_path: Path, film: Path) -> None:
    for apart in (-1, 0, 1):
        dub = draw_sound(tmp_path / "dub.wav", SECONDS + apart / FILM_24)
        assert not any("dub is" in note for note in ingest_episode(film, dub, tmp_path / "out.mkv").notes)


def test_another_length_can_be_allowed_and_is_noted(tmp_path: Path, film: Path) -> None:
    dub = draw_sound(tmp_path / "dub.wav", Fraction(2))
    got = ingest_episode(film, dub, tmp_path / "out.mkv", allow_length=True)
    assert any("24 frames too long" in note and "allowed" in note for note in got.notes)


def test_a_film_whose_end_does_not_decode_is_refused(tmp_path: Path, dub: Path) -> None:
    film = draw_film(tmp_path / "film.mov", 24, codec="prores_ks")
    taken = bytearray(film.read_bytes())
    where = taken.rfind(b"icpf")
    taken[where : where + 200] = bytes(200)
    film.write_bytes(bytes(taken))
    with pytest.raises(Refused, match="frame 23"):
        ingest_episode(film, dub, tmp_path / "out.mov")


@pytest.mark.parametrize("name", ["with space", 'it\'s "quoted"', "two\nlines", "Größe 日本", "100%d"])
def test_names_may_be_anything(tmp_path: Path, name: str) -> None:
    film = draw_film(tmp_path / "plain.mkv", 25, PAL).rename(tmp_path / f"{name}.mkv")
    dub = draw_sound(tmp_path / "plain.wav", 1).rename(tmp_path / f"{name}.wav")
    assert ingest_episode(film, dub, tmp_path / f"{name}.mov").film.frames == 25


def test_a_dub_is_laid_by_its_timecode_and_its_end_is_compared_then(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mkv", 25, PAL, timecode="10:00:00:00")
    leader, hour = 2 * 48000, 10 * 3600 * 48000
    dub = at(draw_sound(tmp_path / "dub.wav", 3), hour - leader)
    got = ingest_episode(film, dub, tmp_path / "out.mkv", stems={"ANNA": at(draw_sound(tmp_path / "s.wav", 1), hour)})
    assert got.leads == {"dub": -leader} and not any("allowed" in note for note in got.notes)
    assert got.labels is not None and got.labels.bext["time_reference"] == hour - leader


def test_a_dub_behind_an_offset_that_outlasts_the_film_is_refused_in_words(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mkv", 25, PAL, timecode="10:00:00:00")
    dub = at(draw_sound(tmp_path / "dub.wav", 1), 10 * 3600 * 48000 + 24000)
    with pytest.raises(Refused, match=r"begins 0\.500 s after the film .*12 frames too long"):
        ingest_episode(film, dub, tmp_path / "out.mkv")
    got = ingest_episode(film, dub, tmp_path / "out.mkv", allow_length=True)
    assert got.leads == {"dub": 24000} and any("allowed" in note for note in got.notes)


def test_only_the_first_of_several_sounds_is_the_dub_and_that_is_said(tmp_path: Path, film: Path) -> None:
    sounds = [word for n in (1, 2) for word in ("-i", str(draw_sound(tmp_path / f"{n}.wav", SECONDS)))]
    dub = wrap([*sounds, "-map", "0", "-map", "1", "-c", "copy"], tmp_path / "both.mka")
    assert any("has 2 sound streams; the first" in note for note in ingest_episode(film, dub, None).notes)


def test_a_dub_with_a_damaged_label_is_laid_with_the_film_and_that_is_said(tmp_path: Path) -> None:
    film = draw_film(tmp_path / "film.mkv", 25, PAL, timecode="10:00:00:00")
    dub = label(draw_sound(tmp_path / "dub.wav", 1), (b"bext", b"short"))
    got = ingest_episode(film, dub, tmp_path / "out.mkv")
    assert not got.leads and "its bext chunk is damaged" in got.starts["dub"].words


@pytest.mark.parametrize(("name", "channels", "hz", "words"), [
    ("out.mp4", 32, 48000, "8 channels at most"), ("out.mxf", 2, 44100, "48000 Hz alone"),
])  # fmt: skip
def test_a_dub_that_the_container_cannot_carry_is_refused(
    tmp_path: Path, name: str, channels: int, hz: int, words: str
) -> None:
    codec = "libx264" if name == "out.mp4" else "prores_ks"
    film = draw_film(tmp_path / "film.mov", 24, codec=codec)
    with pytest.raises(Refused, match=words):
        ingest_episode(film, draw_sound(tmp_path / "dub.wav", SECONDS, hz, channels), tmp_path / name)
