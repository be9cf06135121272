"""Takes over the film: what tasks/conform.py and storage/film/{encoders,write,pictures}.py promise."""

from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from storage.catalog import Take
from storage.errors import DublineError, Refused
from storage.film.encoders import encoder_for
from storage.film.pictures import read_mattes, read_pictures
from storage.film.planes import Planes, pixel_format
from storage.film.probe import Film, probe
from storage.film.read import Frame, frames
from storage.film.siting import PLACES, sited
from tasks.conform import chroma_matte, conform, lay_over, lay_takes
from tests.shoot import FILM_24, NTSC_30, PAL, draw_film, draw_picture, keep_pictures, number_on

SIZE = (32, 24)  # of a patch, width and height


def draw_take(film: Film, folder: Path, of: range, x: int = 64, y: int = 40, level: int = 200) -> Take:
    """A take whose patch is one flat colour; its matte is 255 in the middle and fades to 0 at the rim."""
    layout = pixel_format(film.pix_fmt)
    w, h = SIZE
    matte: NDArray[np.uint8] = np.zeros((h, w), np.uint8)
    matte[2:-2, 2:-2] = 100
    matte[6:-6, 6:-6] = 255
    flat = tuple(np.full(s, level << (layout.bits - 8), layout.dtype) for s in layout.shapes(h, w))
    name = sha256(f"{film.path}{of}{x}{y}{level}".encode()).hexdigest()
    keep_pictures(folder / f"{name}.patch", (flat for _ in of), film.pix_fmt)
    keep_pictures(folder / f"{name}.matte", ((matte,) for _ in of), "gray")
    return Take(
        track_id=1, version=1, key=name, model="drawn", weights_sha="0" * 64, seed=0,
        patch=f"{name}.patch", matte=f"{name}.matte", placements=[[n, x, y] for n in of], microseconds_a_frame=1,
        machine="test", rendered_us=0,
    )  # fmt: skip


def digests(path: Path) -> list[str]:
    """One hash a frame, of all its planes."""
    return [sha256(b"".join(plane.tobytes() for plane in f.planes)).hexdigest() for f in frames(probe(path))]


@pytest.mark.parametrize("rate", [FILM_24, NTSC_30], ids=["23.976", "29.97"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gray", "yuv444p12le"])
def test_only_the_dubbed_frames_change_and_none_is_lost(tmp_path: Path, rate: Fraction, pix_fmt: str) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 41, rate, pix_fmt=pix_fmt))
    picture = lay_takes(film, [draw_take(film, tmp_path, range(10, 22))], tmp_path.joinpath, tmp_path / "picture.nut")
    before, after = digests(film.path), digests(picture.path)
    assert len(after) == len(before) == picture.frames == 41
    assert [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] == list(range(10, 22))
    assert picture.changed == tuple(range(10, 22))
    assert picture.identical == 29
    assert probe(picture.path).rate == rate


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le"])
def test_outside_the_matte_every_bit_is_the_plates(tmp_path: Path, pix_fmt: str) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 6, pix_fmt=pix_fmt))
    picture = lay_takes(film, [draw_take(film, tmp_path, range(2, 4))], tmp_path.joinpath, tmp_path / "picture.nut")
    layout = pixel_format(pix_fmt)
    for frame in frames(probe(picture.path), 2, 4):
        for number, drawn in enumerate(draw_picture(frame.index, pix_fmt=pix_fmt)):
            down, across = layout.steps(number)
            outside = np.ones(drawn.shape, bool)  # of where the matte is above 0; chroma lies on the left of its block
            outside[42 // down : 62 // down, 66 // across : 94 // across + (across > 1)] = False
            assert np.array_equal(frame.planes[number][outside], drawn[outside])
            inside = frame.planes[number][46 // down : 58 // down, 70 // across + (across > 1) : 90 // across]
            assert (inside == 200 << (layout.bits - 8)).all()  # there it is 255


def test_lay_over_is_exact_at_both_ends_and_nearest_between() -> None:
    rng = np.random.default_rng(seed=7)
    plate, patch = rng.integers(0, 1024, (2, 90, 160), dtype=np.uint16)
    matte = rng.integers(0, 256, (90, 160), dtype=np.uint8)
    matte[:20], matte[-20:] = 0, 255
    out = lay_over(plate, patch, matte)
    assert (out[:20] == plate[:20]).all()
    assert (out[-20:] == patch[-20:]).all()
    ideal = plate + matte / 255 * (patch.astype(float) - plate)
    assert np.abs(out - ideal).max() <= 0.5
    with pytest.raises(ValueError, match="plate"):
        lay_over(plate, patch[1:], matte)


@pytest.mark.parametrize(
    ("place", "below"),
    [
        pytest.param("left", [[0, 1, 191], [12, 5, 7]], id="left: half of the pixel before the block counts"),
        pytest.param("center", [[0, 1, 255], [15, 0, 9]], id="center: the block alone"),
    ],
)
def test_a_chroma_sample_is_untouched_only_if_all_pixels_about_it_are(place: str, below: list[list[int]]) -> None:
    matte = np.array([[0, 0, 1, 0, 255], [0, 0, 0, 0, 255], [10, 20, 0, 0, 9]], np.uint8)
    small = chroma_matte(matte, sited(pixel_format("yuv420p"), PLACES[place]))
    assert small.tolist() == below
    dense = sited(pixel_format("yuv444p"), PLACES[place])
    assert chroma_matte(matte, dense) is matte


def test_two_faces_in_one_frame(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 12))
    left = draw_take(film, tmp_path, range(2, 8), x=0, y=32, level=60)
    right = draw_take(film, tmp_path, range(5, 10), x=120, y=32, level=220)
    picture = lay_takes(film, [right, left], tmp_path.joinpath, tmp_path / "picture.nut")
    seen = {f.index: (int(f.planes[0][44, 16]), int(f.planes[0][44, 136])) for f in frames(probe(picture.path))}
    assert picture.changed == tuple(range(2, 10))
    assert [seen[n][0] == 60 for n in (2, 6, 8)] == [True, True, False]
    assert [seen[n][1] == 220 for n in (2, 6, 8)] == [False, True, True]


def test_a_take_that_changes_nothing_counts_as_identical(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 5))
    take = draw_take(film, tmp_path, range(2, 4))
    keep_pictures(tmp_path / take.matte, ((np.zeros(SIZE[::-1], np.uint8),) for _ in range(2)), "gray")
    assert lay_takes(film, [take], tmp_path.joinpath, tmp_path / "picture.nut").changed == ()


def test_without_takes_the_film_comes_out_as_it_was(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 7, pix_fmt="yuv422p10le"))
    picture = conform.fn(film, [], tmp_path.joinpath, tmp_path / "picture.nut")
    assert digests(picture.path) == digests(film.path)
    assert (picture.changed, picture.identical) == ((), 7)


@pytest.mark.parametrize(
    ("codec", "more"),
    [
        pytest.param("prores_ks", {}, id="prores"),
        pytest.param("mjpeg", {"tags": {"color_range": "pc"}}, id="mjpeg"),
        pytest.param("dnxhd", {"size": (256, 120), "options": {"profile": "dnxhr_hq"}}, id="dnxhr"),
    ],
)
def test_untouched_packets_are_copied(tmp_path: Path, codec: str, more: dict[str, Any]) -> None:
    film = probe(draw_film(tmp_path / "film.mov", 20, codec=codec, **more))
    picture = lay_takes(film, [draw_take(film, tmp_path, range(8, 12))], tmp_path.joinpath, tmp_path / "picture.mov")
    before, after = packets(film.path), packets(picture.path)
    assert [n for n in range(20) if before[n] != after[n]] == list(range(8, 12))
    assert picture.copied == 16
    assert [number_on(f.planes[0]) for f in frames(probe(picture.path))] == list(range(20))


@pytest.mark.parametrize(
    ("name", "codec", "more", "encoder"),
    [
        pytest.param("a.mp4", "libx264", {"options": {"bf": "2"}}, "libx264", id="h264"),
        pytest.param("a.mp4", "libx264", {"pix_fmt": "yuv420p10le"}, "libx264", id="h264-10-bit"),
        pytest.param("a.mp4", "libx264", {"pix_fmt": "yuvj420p", "tags": {"color_range": "pc"}}, "libx264", id="full"),
        pytest.param("a.mp4", "libx265", {"pix_fmt": "yuv420p10le"}, "libx265", id="hevc-10-bit"),
        pytest.param("a.mp4", "libx264", {"tags": {"chroma_sample_location": "center"}}, "libx264", id="siting"),
        pytest.param("a.mp4", "libx265", {"tags": {"chroma_sample_location": "topleft"}}, "libx265", id="hevc-siting"),
        pytest.param("a.mov", "prores_ks", {}, "prores_ks", id="prores"),
        pytest.param("a.mkv", "ffv1", {}, "ffv1", id="ffv1"),
        pytest.param("a.mkv", "mpeg4", {}, "ffv1", id="another-codec-becomes-lossless"),
    ],
)  # fmt: skip
def test_the_delivery_keeps_codec_pixel_format_and_tags(
    tmp_path: Path, name: str, codec: str, more: dict[str, Any], encoder: str
) -> None:
    tags = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
    film = probe(draw_film(tmp_path / name, 10, **{"codec": codec, **more, "tags": tags | more.get("tags", {})}))
    picture = lay_takes(film, [], tmp_path.joinpath, tmp_path / "picture")
    out = probe(picture.path)
    assert picture.encoder.codec == encoder
    assert (out.pix_fmt, out.frames, out.rate, out.sar) == (film.pix_fmt, 10, film.rate, film.sar)
    if encoder != "ffv1":  # NUT keeps no tags; deliver writes them
        assert (out.codec, out.colour) == (film.codec, film.colour)
    assert [number_on(f.planes[0]) for f in frames(out)] == list(range(10))
    assert int(next(iter(frames(out))).pts) == 0


def test_prores_on_demand_and_reasons_in_words(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "a.mp4", 4, codec="libx264"))
    picture = lay_takes(film, [], tmp_path.joinpath, tmp_path / "picture", "prores")
    assert (probe(picture.path).codec, probe(picture.path).pix_fmt) == ("prores", "yuv422p10le")
    assert "ProRes 422 HQ" in picture.encoder.words
    strange = replace(film, codec="vp9", profile="Profile 0")
    assert "because Dubline cannot write vp9" in encoder_for(strange).words
    assert encoder_for(strange).lossless
    avid = replace(film, codec="dnxhd", profile="DNXHD", pix_fmt="yuv422p10le")
    assert encoder_for(avid).options["profile"] == "dnxhr_hqx"
    assert not encoder_for(avid).copies


def test_hdr10_says_how_it_was_graded(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "a.mkv", 1))
    hdr = replace(
        film, codec="hevc", mastering={"master-display": "G(1,2)B(3,4)R(5,6)WP(7,8)L(9,1)", "max-cll": "1000,400"}
    )
    said = encoder_for(hdr).options["x265-params"]
    assert "master-display=G(1,2)" in said and "max-cll=1000,400" in said and "hdr10=1" in said


def test_variable_rate_keeps_every_frames_time(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 6, PAL, times=[0, 40, 80, 200, 210, 300]))
    picture = probe(lay_takes(film, [], tmp_path.joinpath, tmp_path / "picture.nut").path)
    assert [picture.time(n) for n in range(6)] == [film.time(n) for n in range(6)]


class Watcher:
    """Notes which frames pass by, and which of them are as they were."""

    def __init__(self, *ranges: tuple[int, int]) -> None:
        self.ranges = ranges
        self.seen: list[tuple[int, bool]] = []

    def __call__(self, frame: Frame, after: Planes) -> None:
        self.seen.append((frame.index, np.array_equal(frame.planes[0], after[0])))


@pytest.mark.parametrize("codec", ["ffv1", "prores_ks"])
def test_who_watches_sees_frames_before_and_after(tmp_path: Path, codec: str) -> None:
    film = probe(
        draw_film(tmp_path / "film.mov", 9, codec=codec) if codec != "ffv1" else draw_film(tmp_path / "f.mkv", 9)
    )
    watcher = Watcher((1, 2), (2, 3), (7, 8))
    lay_takes(
        film, [draw_take(film, tmp_path, range(3, 5))], tmp_path.joinpath, tmp_path / "picture.nut", watches=[watcher]
    )
    seen = dict(watcher.seen)
    assert [n for n, _ in watcher.seen] == sorted(seen)
    assert [seen[n] for n in (1, 2, 3, 4, 7)] == [True, True, False, False, True]


def test_a_take_with_a_torn_patch_film_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 12))
    take = draw_take(film, tmp_path, range(2, 6))
    take.placements = [*take.placements, [7, 64, 40]]
    with pytest.raises(DublineError, match=r"v001.*frame 7"):
        lay_takes(film, [take], tmp_path.joinpath, tmp_path / "picture.nut")
    (tmp_path / take.patch).unlink()
    with pytest.raises(DublineError, match=r"v001.*frame 2"):
        lay_takes(film, [take], tmp_path.joinpath, tmp_path / "picture.nut")
    assert not list(tmp_path.glob("picture*"))


@pytest.mark.parametrize(("x", "y"), [(63, 40), (64, 41), (140, 40), (64, -2)])
def test_a_patch_that_does_not_lie_on_the_picture_is_a_bug(tmp_path: Path, x: int, y: int) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 3))
    with pytest.raises(ValueError, match="does not lie"):
        lay_takes(film, [draw_take(film, tmp_path, range(1, 2), x, y)], tmp_path.joinpath, tmp_path / "picture.nut")


def kept_formats() -> list[str]:
    """Every pixel format that ingest lets in."""
    lossless = {each.name for each in av.Codec("ffv1", "w").video_formats or []}
    known = []
    for name in sorted(lossless | {each.replace("yuv", "yuvj") for each in lossless}):
        try:
            known.append(pixel_format(name).name)
        except Refused:
            continue
    return known


@pytest.mark.parametrize("size", [(96, 50), (47, 31), (1, 1)], ids=["even", "odd", "one-pixel"])
def test_patch_films_are_lossless_in_every_format_that_ingest_lets_in(tmp_path: Path, size: tuple[int, int]) -> None:
    formats = kept_formats()
    for asked in ("yuvj420p", "yuv422p10le", "yuv444p16le", "yuva444p12le", "gbrp16le", "gray10le", "yuv440p12le"):
        assert asked in formats
    chance = np.random.default_rng(seed=7)
    for name in formats:
        layout = pixel_format(name)
        drawn = [
            tuple(chance.integers(0, 2**layout.bits, s, layout.dtype) for s in layout.shapes(*size[::-1]))
            for _ in range(2)
        ]
        assert keep_pictures(tmp_path / f"{name}.mkv", iter(drawn), name) == 2
        for before, after in zip(drawn, read_pictures(tmp_path / f"{name}.mkv"), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)), name


def test_matte_films_are_lossless(tmp_path: Path) -> None:
    mattes = [np.full((50, 96), 51 * n, np.uint8) for n in range(5)]
    keep_pictures(tmp_path / "matte.mkv", ((m,) for m in mattes), "gray")
    assert all(np.array_equal(a, b) for a, b in zip(mattes, read_mattes(tmp_path / "matte.mkv"), strict=True))


def test_a_patch_film_without_a_picture_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no picture"):
        keep_pictures(tmp_path / "patch.mkv", iter(()), "yuv420p")
    assert not list(tmp_path.iterdir())


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]
