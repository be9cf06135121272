"""What the ffmpeg of this machine can put into a container, found out by doing it.

A few small frames are encoded in every codec, copied into the container and read back: a codec counts if the frames
come out as they went in, in the same order and at the same times. Nothing is believed that a table says.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import av

from storage.film import programs
from storage.film.containers import CONTAINERS, Container

FRAMES: Final = 12  # enough for B-frames
# What people call it, and how it is made.
PICTURES: Final[dict[str, Sequence[str]]] = {
    "ProRes": ("prores_ks", "-pix_fmt", "yuv422p10le"),
    "DNxHR": ("dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p"),
    "H.264 all-intra": ("libx264", "-g", "1", "-preset", "ultrafast"),
    "H.264 with B-frames": ("libx264", "-bf", "2", "-preset", "ultrafast"),
    "HEVC": ("libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"),
    "FFV1": ("ffv1",),
    "Motion JPEG": ("mjpeg", "-pix_fmt", "yuvj420p"),
    "MPEG-2": ("mpeg2video", "-bf", "2"),
    "JPEG 2000": ("jpeg2000",),
}
SOUNDS: Final = ("pcm_s16le", "pcm_s24le", "pcm_f32le", "aac", "ac3", "flac")

Shown = list[tuple[int, bytes]]


@dataclass(frozen=True)
class Tried:
    """What went into a container and came out whole, and what did not; as PICTURES and SOUNDS call it."""

    pictures: tuple[str, ...]
    no_pictures: tuple[str, ...]
    sounds: tuple[str, ...]
    no_sounds: tuple[str, ...]


@cache
def tried() -> dict[str, Tried]:
    """By the container's name. Tries every codec in every container, which takes a few seconds, once a process."""
    containers = list(dict.fromkeys(CONTAINERS.values()))
    with tempfile.TemporaryDirectory(prefix="dubline-tried-") as where, ThreadPoolExecutor(4) as hands:
        films = dict(zip(PICTURES, hands.map(partial(_film, Path(where)), PICTURES), strict=True))
        made = {name: film for name, film in films.items() if film is not None}  # the rest ffmpeg cannot encode here
        shown = {name: _frames(film) for name, film in made.items()}
        pictures = [(each, name) for each in containers for name in made]
        whole = dict(zip(pictures, hands.map(lambda p: _picture(made[p[1]], shown[p[1]], p[0]), pictures), strict=True))
        carrier = {each: next((made[n] for n in made if whole[each, n]), None) for each in containers}
        sounds = [(each, name) for each in containers for name in SOUNDS if carrier[each]]
        heard = dict(zip(sounds, hands.map(lambda s: _sound(carrier[s[0]], s[1], s[0]), sounds), strict=True))
    return {
        each.name: Tried(
            tuple(name for name in made if whole[each, name]),
            tuple(name for name in made if not whole[each, name]),
            tuple(name for name in SOUNDS if heard.get((each, name))),
            tuple(name for name in SOUNDS if not heard.get((each, name))),
        )
        for each in containers
    }


def _film(folder: Path, name: str) -> Path | None:
    """A small film in this codec; None where ffmpeg cannot encode it."""
    film = folder / f"{list(PICTURES).index(name)}.mkv"
    drawn = ["-f", "lavfi", "-i", f"testsrc2=s=256x144:r=25:d={FRAMES / 25}", "-pix_fmt", "yuv420p"]
    try:
        programs.ffmpeg([*drawn, "-c:v", *PICTURES[name], str(film)])
    except programs.ProgramFailed:
        return None
    return film


def _picture(film: Path, shown: Shown, container: Container) -> bool:
    out = film.with_suffix(f".{container.form}.out")
    try:
        programs.ffmpeg(["-i", str(film), "-c", "copy", "-f", container.form, str(out)])
        return _frames(out) == shown
    except (programs.ProgramFailed, av.error.FFmpegError):
        return False


def _sound(film: Path | None, codec: str, container: Container) -> bool:
    assert film is not None
    out = film.with_suffix(f".{container.form}.{codec}")
    tone = ["-f", "lavfi", "-i", f"sine=r=48000:d={FRAMES / 25}", "-map", "0", "-map", "1", "-c:a", codec]
    try:
        programs.ffmpeg(["-i", str(film), *tone, "-c:v", "copy", "-f", container.form, str(out)])
        with av.open(str(out)) as written:
            return [stream.codec_context.name for stream in written.streams.audio] == [codec]
    except (programs.ProgramFailed, av.error.FFmpegError):
        return False


def _frames(path: Path) -> Shown:
    """When each frame is shown, and a part of its picture."""
    with av.open(str(path)) as film:
        pictures: list[Any] = list(film.decode(video=0))
        return [(round(each.time * 25), bytes(each.planes[0])) for each in pictures]
