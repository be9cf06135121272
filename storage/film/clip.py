"""Writes clips for people to look at: two pictures side by side and sound, small enough for any browser.

H.264 in 8 bit 4:2:0 and AAC. Colours are tagged as the film's, so a player shows them as it shows the film.
"""

from pathlib import Path
from typing import Any, Final

import av
import ffmpeg
import numpy as np
from av.video.reformatter import Interpolation

from storage.film import programs
from storage.film.encoders import colour_tags, unjay
from storage.film.planes import Planes, picture_of, planes_of
from storage.film.probe import Film, Sound

WIDE: Final = 960  # pixels of one of the two pictures at most
HIGH: Final = 540
HOW: Final = {"preset": "veryfast", "crf": "22"}
SOUND: Final = {"acodec": "aac", "ac": 2, "ar": 48000, "audio_bitrate": 128_000}


class ClipFilm:
    """Pairs of pictures go in one by one; `close` lays the sound beside them, and only then the clip is there.

    path   where the clip goes, an .mp4
    first  the frame of the film that it begins with
    """

    def __init__(self, path: Path, film: Film, first: int) -> None:
        self.path, self.film, self.first = path, film, first
        self.count = 0
        scale = min(1.0, HIGH / film.height, WIDE / float(film.width * film.sar))
        self.width, self.height = (
            2 * max(1, round(length * scale / 2)) for length in (float(film.width * film.sar), film.height)
        )
        self._mute = path.with_name(path.name + ".mute")
        self._out = av.open(str(self._mute.absolute()), "w", format="mp4")
        tags = {"colorspace": "smpte170m", "color_range": "tv"} if film.pix_fmt.startswith("gbr") else colour_tags(film)
        self._stream: Any = self._out.add_stream("libx264", rate=film.rate, options=HOW | tags)
        self._stream.width, self._stream.height, self._stream.pix_fmt = 2 * self.width, self.height, "yuv420p"
        self._time_base = 1 / film.rate if film.steady else film.time_base
        self._stream.codec_context.time_base = self._time_base

    def write(self, index: int, left: Planes, right: Planes) -> None:
        """Frame `index` of the film, twice: as it was and as it has become."""
        small = self._small(left)
        both = zip(small, small if right is left else self._small(right), strict=True)
        picture = picture_of([np.concatenate(pair, axis=1) for pair in both], "yuv420p")
        ticks = index - self.first if self.film.steady else int(self.film.pts[index] - self.film.pts[self.first])
        picture.pts, picture.time_base = ticks, self._time_base
        self._out.mux(self._stream.encode(picture))
        self.count += 1

    def close(self, dub: Sound) -> None:
        """Ends the clip, with what is heard meanwhile. raises ProgramFailed"""
        self._out.mux(self._stream.encode())
        self._out.close()
        start, after = self.film.time(self.first), self.first + self.count
        length = (self.film.time(after) if after < self.film.frames else self.film.duration) - start
        picture = ffmpeg.input(str(self._mute.absolute()))["v:0"]
        sound = ffmpeg.input(str(dub.path.absolute()), ss=f"{float(start):.6f}", t=f"{float(length):.6f}")
        beside = self.path.with_name(self.path.name + ".part")
        programs.ffmpeg(
            ffmpeg.output(
                picture, sound[str(dub.stream)], str(beside.absolute()),
                vcodec="copy", f="mp4", movflags="+faststart", **SOUND,
            )
        )  # fmt: skip
        beside.replace(self.path)
        self._mute.unlink()

    def _small(self, planes: Planes) -> Planes:
        picture = picture_of(planes, unjay(self.film.pix_fmt))
        return planes_of(picture.reformat(self.width, self.height, "yuv420p", interpolation=Interpolation.AREA))
