"""Bad input: exit 2, one message that says what to do, and neither rows nor files."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from flows.cli import main
from tests.shoot import FILM_24, PAL, damage, draw_film, draw_sound
from tests.whole.studio import Studio

Case = tuple[Path, Path, Path]  # film, dub, out


def _film(folder: Path, frames: int = 24) -> Path:
    return draw_film(folder / "film.mov", frames, codec="libx264", sound=1.0)


def _dub(folder: Path, seconds: Fraction = 24 / FILM_24) -> Path:
    return draw_sound(folder / "dub.wav", seconds)


def _missing(f: Path) -> Case:
    return f / "nothing.mov", _dub(f), f / "out.mov"


def _no_picture(f: Path) -> Case:
    return draw_sound(f / "film.wav", 1), _dub(f), f / "out.mov"


def _silent_dub(f: Path) -> Case:
    return _film(f), draw_film(f / "dub.mov", 24, codec="libx264"), f / "out.mov"


def _cut_off(f: Path) -> Case:
    film = draw_film(f / "film.mkv", 240, codec="libx264")
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    return film, draw_sound(f / "dub.wav", 240 / FILM_24), f / "out.mov"


def _no_moov(f: Path) -> Case:
    film = _film(f, 240)
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    return film, draw_sound(f / "dub.wav", 240 / FILM_24), f / "out.mov"


def _too_long(f: Path) -> Case:
    return _film(f), _dub(f, 26 / FILM_24), f / "out.mov"


def _too_short(f: Path) -> Case:
    return _film(f), _dub(f, 22 / FILM_24), f / "out.mov"


def _no_folder(f: Path) -> Case:
    return _film(f), _dub(f), f / "nowhere" / "out.mov"


def _over_the_film(f: Path) -> Case:
    return (film := _film(f)), _dub(f), film


def _over_a_link(f: Path) -> Case:
    film = _film(f)
    os.link(film, f / "link.mov")
    return film, _dub(f), f / "link.mov"


def _no_media(f: Path) -> Case:
    (f / "film.mov").write_text("not a film")
    return f / "film.mov", _dub(f), f / "out.mov"


def _jumps_back(f: Path) -> Case:
    whole = draw_film(f / "whole.mkv", 200, PAL)
    with av.open(str(whole)) as film, av.open(str(f / "film.mkv"), "w") as out:
        picture: Any = out.add_stream_from_template(film.streams.video[0])
        for number, packet in enumerate(p for p in film.demux(video=0) if p.size):
            packet.time_base, packet.stream = Fraction(1, 25), picture
            packet.pts, packet.dts = (number + 100) % 200, number - 100
            out.mux(packet)
    return f / "film.mkv", draw_sound(f / "dub.wav", Fraction(8)), f / "out.mov"


def _damaged_at_its_end(f: Path) -> Case:
    film = draw_film(f / "film.mov", 24, codec="prores_ks")
    return damage(film, 23), _dub(f), f / "out.mov"


def _holes_into_mxf(f: Path) -> Case:
    times = [40 * n + 2000 * (n > 11) for n in range(24)]
    film = draw_film(f / "film.mkv", 24, PAL, times=times)
    return film, draw_sound(f / "dub.wav", Fraction(296, 100)), f / "out.mxf"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(_jumps_back, "jump back", id="times-that-jump-back"),
        pytest.param(_damaged_at_its_end, "damaged", id="damaged-last-packet"),
        pytest.param(_holes_into_mxf, "MXF has no frames that last unequally", id="a-hole-into-mxf"),
        pytest.param(_missing, "nothing.mov", id="missing-film"),
        pytest.param(_no_picture, "picture", id="no-video-stream"),
        pytest.param(_silent_dub, "sound", id="no-audio-in-the-dub"),
        pytest.param(_cut_off, "film.mkv", id="truncated-mkv"),
        pytest.param(_no_moov, "film.mov", id="truncated-mov"),
        pytest.param(_too_long, "--allow-length", id="dub-too-long"),
        pytest.param(_too_short, "--allow-length", id="dub-too-short"),
        pytest.param(_no_folder, "nowhere", id="no-such-output-folder"),
        pytest.param(_over_the_film, "film.mov", id="output-is-the-film"),
        pytest.param(_over_a_link, "link.mov", id="output-is-a-link-to-the-film"),
        pytest.param(_no_media, "film.mov", id="not-a-film"),
    ],
)
def test_refused_with_one_message_and_nothing_written(
    tmp_path: Path, house: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Case], says: str
) -> None:
    film, dub, out = make(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code, said = _dubline(capsys, film, dub, out)
    assert code == 2, said
    assert says in said and said.startswith("dubline: ") and "Traceback" not in said
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not house.exists()


@pytest.mark.parametrize("codec", ["prores_ks", "libx264"])
def test_damage_in_the_middle_is_named_and_the_old_delivery_stays(
    tmp_path: Path, house: Path, capsys: pytest.CaptureFixture[str], codec: str
) -> None:
    film = damage(draw_film(tmp_path / "film.mov", 24, codec=codec, sound=1.0), 12)
    (tmp_path / "out.mov").write_bytes(b"the old delivery")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code, said = _dubline(capsys, film, _dub(tmp_path), tmp_path / "out.mov")
    assert code == 2, said
    assert "film.mov" in said and "frame" in said and "copy it again" in said and "Traceback" not in said
    before[tmp_path / "dub.wav"] = (tmp_path / "dub.wav").read_bytes()
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path != house} == before


def test_both_lengths_are_told(tmp_path: Path, house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = _dubline(capsys, *_too_long(tmp_path))
    assert "1.001" in said and "1.084" in said


def _dubline(capsys: pytest.CaptureFixture[str], film: Path, dub: Path, out: Path) -> tuple[int, str]:
    """`dubline dub`, in this process: its exit code and its message, without the lines of progress."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr("sys.argv", ["dubline", "dub", str(film), str(dub), "-o", str(out)])
        main()
    lines = capsys.readouterr().err.splitlines(keepends=True)
    return int(ended.value.code or 0), "".join(line for line in lines if not line.startswith("ingest "))


def test_any_name_works(tmp_path: Path) -> None:
    name = '-it\'s "two"\nlines; Ünïcødé 東京 $HOME %d'
    folder = tmp_path / name
    folder.mkdir()
    film = draw_film(folder / f"{name}.mov", 24, codec="libx264", sound=1.0)
    dub = draw_sound(folder / f"{name}.wav", 24 / FILM_24)
    out = folder / f"{name} dubbed.mov"
    ended = Studio(tmp_path, film, dub).run("dub", film, dub, "-o", out)
    assert ended.returncode == 0, ended.stderr
    assert out.is_file() and (folder / f"{out.name}.dubline" / "report.json").is_file()
