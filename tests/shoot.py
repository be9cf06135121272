"""Shoots the films and sounds that tests need. Every frame is another picture, so a lost one cannot hide.

A grey ramp moves by one column a frame, a bright block walks across it, and the frame number stands in the top left
corner as 16 black or white squares, which `number_on` reads back even after lossy encoding.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from storage.film import programs
from storage.film.colour import patched
from storage.film.pictures import PictureFilm
from storage.film.planes import Plane, Planes, picture_of, pixel_format
from storage.film.probe import Film

FILM_24 = Fraction(24000, 1001)
PAL = Fraction(25)
NTSC_30 = Fraction(30000, 1001)

SQUARE = 8  # pixels a side, one bit of the frame number
QUICK = {
    "libx264": {"preset": "ultrafast", "crf": "16"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
}


def draw_picture(number: int, size: tuple[int, int] = (160, 96), pix_fmt: str = "yuv420p", shade: int = 0) -> Planes:
    """Frame `number` of a test film. `size` is (width, height); `shade` sets another scene apart, 0 … 7."""
    layout = pixel_format(pix_fmt)
    width, height = size
    low, span = 16 << (layout.bits - 8), 200 << (layout.bits - 8)
    planes: list[Plane] = []
    for kind, (h, w) in zip(layout.kinds, layout.shapes(height, width), strict=True):
        y, x = np.mgrid[:h, :w]
        if kind == "c":
            grey = (64 + 24 * shade + 8 * len(planes)) << (layout.bits - 8)
            planes.append((grey + (x + y + number) % 32).astype(layout.dtype))
            continue
        ramp = low + (x * (shade + 1) * 3 + y * 2 + number * 5) * span // (8 * (w + h)) % span
        block = (abs(x - number * 7 % w) < w // 10) & (abs(y - h // 2) < h // 10)
        ramp[block] = low + span
        for bit in range(16):
            row, column = divmod(bit, 8)
            ramp[row * SQUARE : (row + 1) * SQUARE, column * SQUARE : (column + 1) * SQUARE] = low + span * (
                number >> bit & 1
            )
        planes.append(ramp.astype(layout.dtype))
    return tuple(planes)


def painted(rgb: NDArray[np.float32], film: Film) -> Planes:
    """The planes, in a film's pixel format, of (h, w, 3) RGB in 0 … 1; where it has alpha, it is opaque."""
    layout = pixel_format(film.pix_fmt)
    height, width = rgb.shape[:2]
    opaque = tuple(np.full(shape, 2**layout.bits - 1, layout.dtype) for shape in layout.shapes(height, width))
    return patched(opaque, film, np.clip(rgb, 0, 1), np.zeros((height, width), np.float32))


def number_on(luma: Plane) -> int:
    """The frame number that stands on a picture."""
    middle = luma[SQUARE // 2 : 2 * SQUARE : SQUARE, SQUARE // 2 : 8 * SQUARE : SQUARE].astype(int).ravel()
    return sum(1 << bit for bit in range(16) if middle[bit] > (int(luma.max()) + int(luma.min())) // 2)


def draw_film(
    path: Path, frames: int = 48, rate: Fraction = FILM_24, codec: str = "ffv1", size: tuple[int, int] = (160, 96), *,
    pix_fmt: str = "", sound: float | None = None, hz: int = 48000, timecode: str = "",
    tags: dict[str, str] | None = None, options: dict[str, str] | None = None, cuts: Sequence[int] = (),
    draw: Callable[[int], Planes] | None = None, times: Sequence[int] | None = None,
) -> Path:  # fmt: skip
    """A film of that many distinct frames.

    codec   an encoder's name: ffv1, libx264, libx265, prores_ks, dnxhd, mjpeg …
    pix_fmt by default the codec's usual one
    sound   seconds of a 16 bit PCM tone beside it (24 bit and others: `add_streams`); None for a silent film
    tags    colour tags: color_primaries, color_trc, colorspace, color_range
    cuts    frames at which another scene begins
    draw    draws frame n instead of `draw_picture`
    times   each frame's timestamp in milliseconds, for films of variable rate
    """
    usual = {"prores_ks": "yuv422p10le", "dnxhd": "yuv422p", "mjpeg": "yuvj420p"}
    pix_fmt = pix_fmt or usual.get(codec, "yuv420p")
    draw = draw or (lambda n: draw_picture(n, size, pix_fmt, sum(n >= cut for cut in cuts) % 8))
    with av.open(str(path.absolute()), "w") as film:
        if timecode:
            film.metadata["timecode"] = timecode
        picture: Any = film.add_stream(
            codec, rate=rate, options={**QUICK.get(codec, {}), **(tags or {}), **(options or {})}
        )
        picture.width, picture.height, picture.pix_fmt = *size, pix_fmt
        picture.codec_context.time_base = Fraction(1, 1000) if times else 1 / rate
        if timecode:
            picture.metadata["timecode"] = timecode
        voice: Any = film.add_stream("pcm_s16le", rate=hz, layout="mono") if sound is not None else None
        for n in range(frames):
            shot = picture_of(draw(n), pix_fmt)
            shot.pts, shot.time_base = times[n] if times else n, picture.codec_context.time_base
            film.mux(picture.encode(shot))
        film.mux(picture.encode())
        if voice is not None:
            said = av.AudioFrame.from_ndarray(tone(sound or 0, hz)[None], format="s16", layout="mono")
            said.rate, said.pts, said.time_base = hz, 0, Fraction(1, hz)
            film.mux(voice.encode(said))
            film.mux(voice.encode())
    return path


def tone(seconds: float | Fraction, hz: int = 48000, pitch: float = 220.0) -> NDArray[np.int16]:
    """A sine that grows louder, as 16 bit samples: no two seconds of it are alike."""
    t = np.arange(round(seconds * hz)) / hz
    return (np.sin(2 * np.pi * pitch * t) * 12000 * (0.2 + 0.8 * t / max(float(seconds), 1e-9))).astype(np.int16)


def draw_sound(
    path: Path, seconds: float | Fraction, hz: int = 48000, channels: int = 1, subtype: str = "PCM_16"
) -> Path:
    """A WAV (or FLAC, by its name) of exactly round(seconds · hz) samples; each channel has its own pitch."""
    voices = np.stack([tone(seconds, hz, 220.0 + 55 * c) for c in range(channels)], axis=1)
    soundfile.write(str(path), voices, hz, subtype=subtype)
    return path


def wrap(command: Sequence[str], to: Path) -> Path:
    """A file made by ffmpeg from others: streams, chapters and tags that PyAV does not write."""
    programs.ffmpeg([*command, str(to.absolute())])
    return to


def keep_pictures(path: Path, pictures: Iterable[Planes], pix_fmt: str) -> int:
    """A patch or matte film of these pictures; says how many there were."""
    with PictureFilm(path, pix_fmt) as film:
        for planes in pictures:
            film.write(planes)
    return film.count


def damage(film: Path, frame: int) -> Path:
    """Zeros over the middle third of one frame's packet, as a bad block on a disk leaves them."""
    with av.open(str(film)) as container:
        packets = sorted((p for p in container.demux(video=0) if p.size), key=lambda p: p.pts or 0)
        at, size = packets[frame].pos or 0, packets[frame].size
    content = bytearray(film.read_bytes())
    content[at + size // 3 : at + 2 * size // 3] = bytes(2 * size // 3 - size // 3)
    film.write_bytes(bytes(content))
    return film
