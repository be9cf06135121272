"""Puts the demo film and its dub on disk: H.264 and PCM in a .mov with timecode, as an edit suite hands it over."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import soundfile
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from flows.demo import pictures
from flows.demo.script import HZ, RATE, SCENES, START, Scene
from flows.demo.voices import soundtracks

BT709: Final = "1"  # ffmpeg's number for the tags of HD pictures


def make(
    folder: Path, scenes: Sequence[Scene] = SCENES, rate: Fraction = RATE, start: str = START
) -> tuple[Path, Path]:
    """(film, dub) in `folder`: film.mov and dub.wav, as long as each other to the sample."""
    folder.mkdir(parents=True, exist_ok=True)
    film, dub = folder / "film.mov", folder / "dub.wav"
    original, dubbed = soundtracks(scenes, rate)
    _shoot(film, scenes, original, rate, start)
    beside = dub.with_name("dub.part.wav")
    soundfile.write(str(beside), dubbed, HZ, subtype="PCM_24")
    beside.replace(dub)
    return film, dub


def _shoot(film: Path, scenes: Sequence[Scene], sound: NDArray[np.float32], rate: Fraction, start: str) -> None:
    beside = film.with_name("film.part.mov")
    with av.open(str(beside), "w") as container:
        tags = dict.fromkeys(("color_primaries", "color_trc", "colorspace"), BT709) | {"color_range": "tv"}
        picture: Any = container.add_stream("libx264", rate=rate, options={"crf": "14", "preset": "veryfast"} | tags)
        picture.width, picture.height, picture.pix_fmt = pictures.WIDTH, pictures.HEIGHT, "yuv420p"
        picture.codec_context.time_base = 1 / rate
        picture.metadata["timecode"] = start
        voice: Any = container.add_stream("pcm_s16le", rate=HZ, layout="mono")
        voice.metadata["language"] = "eng"
        for number, rgb in enumerate(_all(scenes, sound, rate)):
            shown = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            shown.pts, shown.time_base = number, 1 / rate
            container.mux(picture.encode(shown))
        container.mux(picture.encode())
        heard = av.AudioFrame.from_ndarray(np.rint(sound * 32767).astype(np.int16)[None], format="s16", layout="mono")
        heard.rate, heard.pts, heard.time_base = HZ, 0, Fraction(1, HZ)
        container.mux(voice.encode(heard))
        container.mux(voice.encode())
    beside.replace(film)


def _all(scenes: Sequence[Scene], sound: NDArray[np.float32], rate: Fraction) -> Iterator[pictures.Picture]:
    first = 0
    for scene in scenes:
        heard = sound[int(first * HZ / rate) : int((first + scene.frames) * HZ / rate)]
        yield from getattr(pictures, scene.picture)(scene.frames, heard, rate)
        first += scene.frames
