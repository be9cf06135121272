"""Masters of every kind, made by ffmpeg's encoders, and what conform and mux make of each: the matrix.

A row is a codec with its pixel format in a container; every row is shot at all rates. test_masters.py asserts what
`findings` finds; tests/bench/masters.py prints it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from storage.film.planes import pixel_format
from storage.film.probe import Film, probe, probe_sound
from storage.film.read import frames
from tasks.conform import Picture, lay_takes
from tasks.deliver import Delivered, mux
from tests.shoot import draw_film, draw_sound, wrap
from tests.tasks.test_conform import draw_take

FRAMES: Final = 24
DRAWN: Final = range(13, 16)  # frames with a take
RATES: Final = {
    "23.976": (Fraction(24000, 1001), "01:00:00:00"),
    "24": (Fraction(24), "10:00:00:00"),
    "25": (Fraction(25), "09:59:59:20"),
    "29.97 DF": (Fraction(30000, 1001), "00:59:59;20"),
    "29.97 NDF": (Fraction(30000, 1001), "00:59:59:20"),
    "30": (Fraction(30), "01:00:00:00"),
    "50": (Fraction(50), "01:00:00:00"),
    "59.94": (Fraction(60000, 1001), "01:00:00;00"),
}
BT709: Final = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
BT2020: Final = {"color_primaries": "bt2020", "color_trc": "smpte2084", "colorspace": "bt2020nc", "color_range": "tv"}
DISPLAY: Final = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
HDR10: Final = f"log-level=none:open-gop=0:keyint=6:scenecut=0:hdr10=1:repeat-headers=1:master-display={DISPLAY}"
LONG: Final = {"g": "6", "bf": "2", "preset": "ultrafast", "x264-params": "open-gop=0:scenecut=0"}
FFV1: Final = {"level": "3", "g": "1", "slicecrc": "1"}


@dataclass(frozen=True)
class Master:
    """One row: how a film is made and where it is delivered."""

    called: str
    encoder: str
    pix_fmt: str
    film: str  # the name's ending
    out: str
    options: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=lambda: BT709)
    size: tuple[int, int] = (160, 96)
    intra: bool = True  # every frame stands alone
    exact: bool = True  # the container takes the dub as it is

    @property
    def lossless(self) -> bool:
        return self.encoder == "ffv1"


def masters() -> Iterator[Master]:
    """The rows."""
    for end in (".mov", ".mxf", ".mkv"):
        yield Master(f"ProRes 422 HQ {end}", "prores_ks", "yuv422p10le", end, end, {"profile": "3"})
        hqx = {"profile": "dnxhr_hqx"}
        yield Master(f"DNxHR HQX {end}", "dnxhd", "yuv422p10le", end, end, hqx, size=(256, 120))
    for pix_fmt in ("yuv444p10le", "yuva444p10le"):
        yield Master(f"ProRes 4444 {pix_fmt} .mov", "prores_ks", pix_fmt, ".mov", ".mov", {"profile": "4"})
    for pix_fmt in ("yuv420p", "yuv422p10le", "yuv444p12le", "gbrp10le", "gray"):
        tags = BT709 if not pix_fmt.startswith("g") else {}
        yield Master(f"FFV1 {pix_fmt} .mkv", "ffv1", pix_fmt, ".mkv", ".mkv", FFV1, tags, (161, 97))
    full = {**BT709, "color_range": "pc"}
    for pix_fmt, end in (("yuvj420p", ".mov"), ("yuvj422p", ".mkv"), ("yuvj444p", ".mov")):
        yield Master(f"Motion JPEG {pix_fmt} {end}", "mjpeg", pix_fmt, end, end, {"q": "2"}, full)
    alone = {"g": "1", "preset": "ultrafast"}
    for pix_fmt, end in (("yuv422p10le", ".mov"), ("yuv420p", ".mp4"), ("yuv444p", ".mkv")):
        exact = end != ".mp4"
        yield Master(f"H.264 all-intra {pix_fmt} {end}", "libx264", pix_fmt, end, end, alone, exact=exact)
    for end in (".mp4", ".mov", ".mkv"):
        yield Master(f"H.264 long GOP {end}", "libx264", "yuv420p", end, end, LONG, intra=False, exact=end != ".mp4")
    for end in (".mp4", ".mkv"):
        hdr = {"x265-params": HDR10 + ":max-cll=1000,400", "preset": "ultrafast"}
        yield Master(
            f"HEVC HDR10 {end}", "libx265", "yuv420p10le", end, end, hdr, BT2020, intra=False, exact=end != ".mp4"
        )


@dataclass(frozen=True)
class Made:
    """A master, and what became of it."""

    film: Film
    picture: Picture
    got: Delivered
    written: Film


def make(master: Master, rate: str, folder: Path) -> Made:
    """Shoots the film with two sounds, conforms it with one take, and delivers it with a dub."""
    fps, label = RATES[rate]
    bare = draw_film(
        folder / ("bare.mkv" if master.lossless else "bare.mov"), FRAMES, fps, master.encoder, master.size,
        pix_fmt=master.pix_fmt, tags=master.tags, options=master.options, timecode=label,
    )  # fmt: skip
    length = FRAMES / fps
    sounds = [draw_sound(folder / f"{name}.wav", length, channels=2, subtype="PCM_24") for name in ("eng", "fra")]
    inputs = [word for path in (bare, *sounds) for word in ("-i", str(path))]
    how = ["-c", "copy", "-c:a", "aac"] if master.film == ".mp4" else ["-c", "copy"]
    film = probe(
        wrap(
            [*inputs, "-map", "0:v", "-map", "1:a", "-map", "2:a", *how, "-metadata:s:a:0", "language=eng",
             "-metadata:s:a:1", "language=fra", "-metadata", f"timecode={label}"],
            folder / f"film{master.film}",
        )
    )  # fmt: skip
    layout = pixel_format(film.pix_fmt.replace("yuvj", "yuv"))
    odd = (layout.across, layout.down) == (1, 1)
    take = draw_take(film, folder, DRAWN, x=63 if odd else 64, y=41 if odd else 40)
    picture = lay_takes(film, [take], folder.joinpath, folder / "picture.tmp")
    dub = draw_sound(folder / "dub.wav", length, channels=2, subtype="PCM_24")
    got = mux(film, picture, probe_sound(dub), folder / f"out{master.out}")
    return Made(film, picture, got, probe(got.path))


def findings(master: Master, made: Made) -> dict[str, bool]:
    """What was promised of a delivery, and whether it is so."""
    film, out = made.film, made.written
    before, after = packets(film), packets(out)
    drawn = set(made.picture.changed) if master.intra else set(range(12, 18))
    looks = [[digest(frame.planes) for frame in frames(each)] for each in (film, out)]
    untouched = [n for n in range(film.frames) if n not in drawn]
    kinds = [[s.kind for s in each.streams if s.kind != "data"] for each in (film, out)]
    kinds[1].remove("audio")  # the dub
    languages = [s.tags.get("language") for s in out.sounds][1:]
    apart = max(abs(out.time(n) - film.time(n)) for n in range(film.frames)) if out.frames == film.frames else 1
    return {
        "frames": out.frames == film.frames == FRAMES,
        "rate and times": out.rate == film.rate and apart == 0,
        "timecode": out.start_timecode == film.start_timecode,
        "codec, format, size": (out.codec, out.pix_fmt, out.width, out.height, out.sar, out.profile)
        == (film.codec, film.pix_fmt, film.width, film.height, film.sar, film.profile),
        "colour tags": out.colour == film.colour and out.mastering == film.mastering,
        "streams": kinds[0] == kinds[1] and (master.out == ".mxf" or languages == ["eng", "fra"]),
        "untouched packets": all(ends_alike(before[n], after[n], master) for n in untouched),
        "untouched pictures": all(looks[0][n] == looks[1][n] for n in untouched),
        "changed pictures": all(looks[0][n] != looks[1][n] for n in DRAWN),
        "dub": made.got.audio_bit_exact is master.exact,
        **({"outside the matte": outside_alike(made)} if master.lossless else {}),
    }


def nearest(made: Made) -> float | None:
    """PSNR in dB, the worst of the frames that were encoded again though no take lies on them; None: there are none."""
    ours = [n for n, (a, b) in enumerate(zip(packets(made.film), packets(made.written), strict=True)) if a != b]
    worst = None
    for n in sorted(set(ours) - set(DRAWN)):
        a, b = (next(frames(film, n, n + 1)).planes[0].astype(float) for film in (made.film, made.written))
        error = ((a - b) ** 2).mean()
        decibels = 10 * np.log10((2**made.film.bits - 1) ** 2 / error) if error else np.inf
        worst = decibels if worst is None else min(worst, decibels)
    return worst


def packets(film: Film) -> list[bytes]:
    """Packets of the picture in showing order."""
    with av.open(str(film.path)) as container:
        found = {p.pts or 0: bytes(p) for p in container.demux(container.streams[film.picture]) if p.size}
    return [found[pts] for pts in sorted(found)]


def ends_alike(before: bytes, after: bytes, master: Master) -> bool:
    """The same bytes; of HEVC its parameter sets may be said again before them."""
    return before == after or (master.encoder == "libx265" and after.endswith(before))


def digest(planes: Any) -> str:
    return hashlib.sha256(b"".join(plane.tobytes() for plane in planes)).hexdigest()


def outside_alike(made: Made) -> bool:
    """Whether all samples that the take's square does not reach are the film's."""
    layout = pixel_format(made.film.pix_fmt)
    x, y = (63, 41) if (layout.across, layout.down) == (1, 1) else (64, 40)
    for a, b in zip(
        frames(made.film, DRAWN.start, DRAWN.stop), frames(made.written, DRAWN.start, DRAWN.stop), strict=True
    ):
        for number, (plate, laid) in enumerate(zip(a.planes, b.planes, strict=True)):
            down, across = layout.steps(number)
            outside = np.ones(plate.shape, bool)
            outside[y // down : (y + 24) // down, x // across : (x + 32) // across] = False
            if not np.array_equal(plate[outside], laid[outside]):
                return False
    return True
