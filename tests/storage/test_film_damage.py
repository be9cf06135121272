"""Damaged films: seen, and said in words. What storage/film/{count,probe,read}.py promise of them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from storage.errors import Refused
from storage.film.count import holes
from storage.film.probe import probe
from storage.film.read import frames
from tasks.ingest import check_film, ingest_episode
from tests.shoot import PAL, damage, draw_film, draw_sound, wrap


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        pytest.param("film.mov", "prores_ks", {}, id="prores"),
        pytest.param("film.mov", "libx264", {"g": "1"}, id="h264-all-intra"),
        pytest.param("film.mp4", "libx264", {"bf": "2", "g": "10"}, id="h264-long-gop"),
        pytest.param("film.mxf", "prores_ks", {}, id="prores-in-mxf"),
    ],
)
def test_a_frame_that_is_damaged_in_the_middle_is_named(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    shot = draw_film(tmp_path / name, 30, PAL, codec, options=options)
    assert len(list(frames(probe(shot)))) == 30
    film = probe(damage(shot, 20))  # a key frame of the long GOP
    seen: list[int] = []
    with pytest.raises(Refused, match=r"frame \d+.*copy it again") as refused:
        seen.extend(frame.index for frame in frames(film))
    assert seen == list(range(len(seen))) and len(seen) <= 20, "no damaged picture was handed out"
    assert str(film.path) in str(refused.value)


def _without(folder: Path, to: str, lost: Callable[[int], bool], codec: str = "libx264") -> Path:
    """A film from whose packets some are left out."""
    whole = draw_film(folder / "whole.mkv", 50, PAL, codec, options={"bf": "0"})
    with av.open(str(whole)) as film, av.open(str(folder / to), "w") as out:
        picture = out.add_stream_from_template(film.streams.video[0])
        for number, packet in enumerate(p for p in film.demux(video=0) if p.size):
            if not lost(number):
                packet.stream = picture
                out.mux(packet)
    return folder / to


def test_a_hole_is_kept_where_it_is_and_named(tmp_path: Path) -> None:
    shot = _without(tmp_path, "film.mkv", lambda n: 20 <= n < 40, "ffv1")
    film = probe(shot)
    assert (film.frames, film.steady) == (30, False)
    assert film.time(20) - film.time(19) == Fraction(21, 25) and film.duration == 2
    assert [frame for frame, _ in holes(film.pts)] == [19]
    given = ingest_episode(shot, draw_sound(tmp_path / "dub.wav", 2), tmp_path / "out.mov")
    assert any("a hole after frame 19, which stands for 0.84 s" in note for note in given.notes)
    with pytest.raises(Refused, match=r"MXF has no frames that last unequally long.*out\.mov takes them"):
        ingest_episode(shot, tmp_path / "dub.wav", tmp_path / "out.mxf", deliver="prores")


def test_a_film_of_variable_rate_has_no_holes(tmp_path: Path) -> None:
    times = [n * 40 + (40 * (n // 3)) for n in range(30)]  # every third frame stands twice as long
    assert holes(probe(draw_film(tmp_path / "film.mkv", 30, PAL, times=times)).pts) == []
    assert holes(probe(draw_film(tmp_path / "steady.mkv", 30, PAL)).pts) == []


def test_times_that_jump_back_are_refused(tmp_path: Path) -> None:
    whole = draw_film(tmp_path / "whole.mkv", 200, PAL)
    with av.open(str(whole)) as film, av.open(str(tmp_path / "film.mkv"), "w") as out:
        picture: Any = out.add_stream_from_template(film.streams.video[0])
        for number, packet in enumerate(p for p in film.demux(video=0) if p.size):
            packet.time_base, packet.stream = Fraction(1, 25), picture
            packet.pts, packet.dts = (number + 100) % 200, number - 100
            out.mux(packet)
    with pytest.raises(Refused, match="jump back near frame 0"):
        probe(tmp_path / "film.mkv")


def test_a_missing_last_packet_is_seen_where_the_header_promises_it(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "a.mkv", 30, PAL, "libx264")
    fast = wrap(["-i", str(shot), "-c", "copy", "-movflags", "+faststart"], tmp_path / "film.mp4")
    with av.open(str(fast)) as container:
        last = max((p.pos or 0) for p in container.demux(video=0) if p.size)
    fast.write_bytes(fast.read_bytes()[: last + 4])
    with pytest.raises(Refused, match=r"not whole|cannot be decoded|damaged"):
        check_film(probe(fast))


def test_an_interlaced_film_is_seen_though_its_header_says_progressive(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "a.mkv", 8, PAL)
    fields = wrap(["-i", str(shot), "-vf", "setfield=tff", "-c:v", "prores_ks", "-flags", "+ilme+ildct"],
                  tmp_path / "fields.mov")  # fmt: skip
    hidden = wrap(["-i", str(fields), "-c", "copy", "-field_order", "progressive"], tmp_path / "film.mkv")
    film = probe(hidden)
    assert not film.interlaced
    with pytest.raises(Refused, match=r"though its header does not say so.*Deinterlace"):
        check_film(film)


def test_pictures_without_an_order_in_mxf_are_refused(tmp_path: Path) -> None:
    shot = draw_film(tmp_path / "a.mp4", 30, PAL, "libx264", options={"bf": "2"})
    with pytest.raises(Refused, match="another order than they are stored"):
        probe(wrap(["-i", str(shot), "-c", "copy"], tmp_path / "film.mxf"))
    with pytest.raises(Refused, match="without B-frames"):
        ingest_episode(shot, draw_sound(tmp_path / "dub.wav", Fraction(30, 25)), tmp_path / "out.mxf")


@pytest.mark.parametrize(("codec", "options"), [("mpeg2video", ["-bf", "2"]), ("libopenjpeg", []), ("dnxhd", []),
                                                ("libx264", ["-g", "1"])])  # fmt: skip
def test_mxf_of_studios_is_read_frame_for_frame(tmp_path: Path, codec: str, options: list[str]) -> None:
    shot = draw_film(tmp_path / "a.mkv", 30, PAL, size=(256, 144))
    how = ["-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p"] if codec == "dnxhd" else options
    command = ["-i", str(shot), "-c:v", codec, *how, "-timecode", "10:00:00:00"]
    film = probe(wrap(command, tmp_path / "film.mxf"))
    assert (film.frames, film.rate, film.start_timecode) == (30, PAL, "10:00:00:00")
    assert [frame.index for frame in frames(film)] == list(range(30))
    check_film(film)
