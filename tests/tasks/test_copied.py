"""The film's own packets beside new ones: what storage/film/{groups,nal,write}.py promise to tasks/conform.py."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storage.film import nal, programs
from storage.film.encoders import context_for, encoder_for
from storage.film.groups import groups_of
from storage.film.planes import Planes
from storage.film.probe import Film, probe, probe_sound
from storage.film.read import frames
from tasks.conform import Picture, lay_takes
from tasks.deliver import mux
from tests.shoot import FILM_24, PAL, draw_film, draw_picture, draw_sound, number_on, wrap
from tests.tasks.test_conform import digests, draw_take, packets

FRAMES = 48
CLOSED = {"x264-params": "open-gop=0:scenecut=0", "g": "12"}


def conformed(film: Film, folder: Path, *of: range) -> Picture:
    """The film with takes on these frames."""
    takes = [draw_take(film, folder, each) for each in of]
    return lay_takes(film, takes, folder.joinpath, folder / "picture.tmp")


def differing(before: list[Any], after: list[Any]) -> list[int]:
    return [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]


HEVC = "log-level=none:open-gop=0:scenecut=0:keyint=12:"


@pytest.mark.parametrize(
    ("name", "out", "more"),
    [
        pytest.param("a.mp4", "out.mp4", {"options": CLOSED | {"bf": "3"}}, id="b-pyramid"),
        pytest.param("a.mkv", "out.mkv", {"options": CLOSED | {"bf": "3"}, "rate": FILM_24}, id="matroska"),
        pytest.param("a.mov", "out.mov", {"options": CLOSED | {"bf": "1", "profile": "main"}}, id="one-b"),
        pytest.param("a.mp4", "out.mkv", {"options": CLOSED | {"profile": "baseline"}}, id="baseline"),
        pytest.param("a.mp4", "out.mov", {"options": CLOSED, "pix_fmt": "yuv420p10le"}, id="10-bit"),
    ],
)
def test_groups_of_h264_without_a_change_are_copied(tmp_path: Path, name: str, out: str, more: dict[str, Any]) -> None:
    film = probe(draw_film(tmp_path / name, FRAMES, codec="libx264", **more))
    picture = conformed(film, tmp_path, range(14, 16), range(36, 40))
    drawn = [*range(12, 24), *range(36, 48)]
    assert differing(packets(film.path), packets(picture.path)) == drawn
    assert picture.copied == FRAMES - len(drawn)
    written = mux(film, picture, probe_sound(draw_sound(tmp_path / "dub.wav", film.duration)), tmp_path / out)
    assert [number_on(frame.planes[0]) for frame in frames(probe(written.path))] == list(range(FRAMES))
    assert set(differing(digests(film.path), digests(written.path))) <= set(drawn)
    programs.ffmpeg(["-xerror", "-err_detect", "explode", "-i", str(written.path), "-f", "null", "-"])


@pytest.mark.parametrize(
    ("out", "params", "pix_fmt"),
    [
        pytest.param("out.mp4", "bframes=3", "yuv420p10le", id="b-pyramid"),
        pytest.param("out.mkv", "bframes=0", "yuv420p", id="no-b"),
        pytest.param("out.mov", "keyint=1", "yuv422p10le", id="intra"),
    ],
)
def test_groups_of_hevc_without_a_change_are_copied(tmp_path: Path, out: str, params: str, pix_fmt: str) -> None:
    options = {"x265-params": HEVC + params}
    film = probe(draw_film(tmp_path / "a.mp4", FRAMES, codec="libx265", pix_fmt=pix_fmt, options=options))
    picture = conformed(film, tmp_path, range(14, 16))
    groups = groups_of(film, encoder_for(film))
    assert groups is not None
    ((start, end),) = groups.over([(14, 16)])
    before, after = packets(film.path), packets(picture.path)
    assert differing(before[:start] + before[end + 1 :], after[:start] + after[end + 1 :]) == []
    assert after[end].endswith(before[end])  # the parameter sets of the film are said again before it
    assert picture.copied == FRAMES - (end - start) > FRAMES // 2
    written = mux(film, picture, probe_sound(draw_sound(tmp_path / "dub.wav", film.duration)), tmp_path / out)
    assert [number_on(frame.planes[0]) for frame in frames(probe(written.path))] == list(range(FRAMES))
    assert set(differing(digests(film.path), digests(written.path))) <= set(range(start, end))
    programs.ffmpeg(["-xerror", "-err_detect", "explode", "-i", str(written.path), "-f", "null", "-"])


def test_one_can_begin_to_read_at_every_joint(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "a.mp4", FRAMES, codec="libx264", options=CLOSED | {"bf": "3"}))
    joined = probe(conformed(film, tmp_path, range(14, 16)).path)
    for start in (11, 12, 13, 23, 24, 30):
        assert number_on(next(frames(joined, start, start + 1)).planes[0]) == start


@pytest.mark.parametrize(
    ("codec", "name", "more"),
    [
        pytest.param("libx264", "a.mov", {"options": {"g": "1"}, "pix_fmt": "yuv422p10le"}, id="h264-intra"),
        pytest.param("ffv1", "a.mkv", {"options": {"level": "3", "g": "1", "slicecrc": "1"}}, id="ffv1"),
        pytest.param("prores_ks", "a.mov", {}, id="prores"),
        pytest.param("dnxhd", "a.mov", {"size": (1280, 720), "options": {"b": "60M"}}, id="dnxhd"),
    ],
)
def test_of_a_film_whose_frames_stand_alone_only_changed_ones_are_encoded(
    tmp_path: Path, codec: str, name: str, more: dict[str, Any]
) -> None:
    film = probe(draw_film(tmp_path / name, 20, codec=codec, **more))
    picture = conformed(film, tmp_path, range(8, 12), range(19, 20))
    assert differing(packets(film.path), packets(picture.path)) == [8, 9, 10, 11, 19] == list(picture.changed)
    assert [number_on(frame.planes[0]) for frame in frames(probe(picture.path))] == list(range(20))
    assert probe(picture.path).profile == film.profile


@pytest.mark.parametrize("codec", ["libx264", "prores_ks", "libx265"])
def test_a_film_that_nothing_changes_is_copied_whole(tmp_path: Path, codec: str) -> None:
    film = probe(draw_film(tmp_path / "a.mov", 20, codec=codec))
    picture = conformed(film, tmp_path)
    assert packets(picture.path) == packets(film.path)


def test_untouched_frames_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = probe(draw_film(tmp_path / "a.mov", 20, codec="prores_ks"))
    read: list[int] = []

    def noted(*asked: Any) -> Any:
        for frame in frames(*asked):
            read.append(frame.index)
            yield frame

    monkeypatch.setattr("tasks.conform.frames", noted)
    conformed(film, tmp_path, range(8, 10))
    assert read == [8, 9]


def test_groups_that_lean_on_each_other_are_encoded_together(tmp_path: Path) -> None:
    options = {"x264-params": "open-gop=1:scenecut=0", "g": "12", "bf": "3"}
    film = probe(draw_film(tmp_path / "a.mp4", FRAMES, codec="libx264", options=options))
    picture = conformed(film, tmp_path, range(14, 16))
    assert picture.copied == 0
    assert [number_on(frame.planes[0]) for frame in frames(probe(picture.path))] == list(range(FRAMES))


def test_a_stream_whose_parameters_lie_among_its_slices_is_encoded(tmp_path: Path) -> None:
    draw_film(tmp_path / "a.mp4", FRAMES, PAL, codec="libx264", options=CLOSED)
    film = probe(wrap(["-i", str(tmp_path / "a.mp4"), "-c", "copy"], tmp_path / "a.ts"))
    assert groups_of(film, encoder_for(film)) is None
    picture = conformed(film, tmp_path, range(14, 16))
    assert [number_on(frame.planes[0]) for frame in frames(probe(picture.path))] == list(range(FRAMES))


def test_what_an_edit_list_hides_stays_hidden(tmp_path: Path) -> None:
    draw_film(tmp_path / "whole.mp4", FRAMES, PAL, codec="libx264", options=CLOSED | {"bf": "2"})
    film = probe(wrap(["-ss", "0.2", "-i", str(tmp_path / "whole.mp4"), "-c", "copy"], tmp_path / "a.mp4"))
    shown = [number_on(frame.planes[0]) for frame in frames(film)]
    assert shown[0] > 0 and len(shown) < FRAMES
    picture = conformed(film, tmp_path, range(14, 16))
    assert [number_on(frame.planes[0]) for frame in frames(probe(picture.path))] == shown


def test_copied_frames_of_variable_rate_keep_their_times(tmp_path: Path) -> None:
    times = [40 * n + 7 * (n % 3) for n in range(36)]
    film = probe(draw_film(tmp_path / "a.mkv", 36, PAL, codec="libx264", options=CLOSED | {"bf": "2"}, times=times))
    picture = conformed(film, tmp_path, range(14, 16))
    assert picture.copied == 24
    assert [probe(picture.path).time(n) for n in range(36)] == [film.time(n) for n in range(36)]


def test_new_parameter_sets_take_a_number_that_is_free(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "a.mp4", 4, codec="libx264"))
    encoder = encoder_for(film)
    theirs = [context_for(film, encoder, {"x264-params": f"sps-id={n}"}).extradata for n in (0, 1, 2)]
    first, second, third = (list(nal.split(each)) for each in theirs)
    record = nal.Avc(b"\x64\0\x0a", 4, (), (), b"")
    assert record.free() == 0
    assert record.joined(first).free() == 1
    assert record.joined(first).joined(third).free() == 1
    assert record.joined(first).joined(second).joined(third).free() == 3
    back = nal.Avc.read(record.joined(first).joined(third).written())
    assert back == record.joined(first).joined(third)
    assert replace(back, head=b"").free() == 1


@pytest.mark.parametrize("header", [b"", b"\0\0\0\1gM", b"\1M@\x0b\xff\xe1\x00\x15gM", b"\1" * 6])
def test_a_header_that_is_none_is_not_read(header: bytes) -> None:
    assert nal.Avc.read(header) is None


def test_units_are_found_behind_start_codes_of_both_lengths() -> None:
    units = [b"\x67\1\2\0\0\3\1", b"\x68\5", b"\x65" + bytes(range(1, 9))]
    stream = b"\0\0\0\1" + units[0] + b"\0\0\1" + units[1] + b"\0\0\0\1" + units[2]
    assert list(nal.split(stream)) == units
    assert nal.packed(units, 4)[:4] == b"\0\0\0\7" and len(nal.packed(units, 2)) == sum(map(len, units)) + 6
    assert nal.stands_alone(nal.packed(units, 4), 4, "h264") and not nal.stands_alone(
        nal.packed(units[:2], 4), 4, "h264"
    )


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        pytest.param("libx264", CLOSED | {"crf": "3", "preset": "medium"}, id="h264"),
        pytest.param("libx265", {"x265-params": HEVC + "crf=3", "preset": "medium"}, id="hevc"),
        pytest.param("prores_ks", {"profile": "3", "bits_per_mb": "4000"}, id="prores"),
    ],
)
def test_what_is_encoded_beside_copied_packets_is_no_poorer(
    tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    rng = np.random.default_rng(seed=3)
    pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"

    def grainy(n: int) -> Planes:
        luma, *chroma = draw_picture(n, (320, 192), pix_fmt)
        return (luma // 2 + rng.integers(0, luma.max() // 3, luma.shape)).astype(luma.dtype), *chroma

    film = probe(
        draw_film(tmp_path / "a.mov", 24, PAL, codec, (320, 192), pix_fmt=pix_fmt, options=options, draw=grainy)
    )
    picture = conformed(film, tmp_path, range(2, 4))
    assert "to match the film" in picture.words
    before, after = packets(film.path), packets(picture.path)
    drawn = differing(before, after)
    assert 1.3 > sum(len(after[n]) for n in drawn) / sum(len(before[n]) for n in drawn) > 0.9
