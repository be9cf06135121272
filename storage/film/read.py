"""Reads film and sound, streaming: memory does not grow with their length.

A frame's number is its place in showing order among the packets that `probe` counted, found by its timestamp. So frame
n is the same picture whether one reads from 0 or begins at n, and a film that loses a picture on the way is found out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import ffmpeg
import numpy as np
import soundfile
from av.stream import Disposition
from numpy.typing import NDArray

from storage.errors import Refused
from storage.film import programs
from storage.film.planes import Planes, planes_of
from storage.film.probe import Film

STEP_BACK: Final = 48  # frames; where a reader looks for a key frame when the container pointed past the wish


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of the film, not converted."""

    index: int
    pts: int  # in ticks of the film's time base
    planes: Planes  # read only; see storage.film.planes
    decoded: Any = None  # the av.VideoFrame itself, for what it carries beside its pixels; see storage.film.beside


def frames(film: Film, start: int = 0, end: int | None = None) -> Iterator[Frame]:
    """The frames [start, end) in order, each exactly once.

    raises  Refused if the film cannot be decoded or a frame of the range is not in it: the file is damaged
    """
    end = film.frames if end is None else end
    if not 0 <= start <= end <= film.frames:
        raise ValueError(f"[{start}, {end}) is not within the {film.frames} frames of {film.path}")
    if start == end:
        return
    number = {int(pts): start + n for n, pts in enumerate(film.pts[start:end])}
    last, wanted = int(film.pts[end - 1]), start
    try:
        for packet in _packets(film, start):
            for decoded in packet.decode():
                index = number.get(decoded.pts)
                if index is None and (decoded.pts is None or decoded.pts <= last):
                    continue  # from before the range, decoded on the way
                if index != wanted:
                    raise Refused(f"{film.path} has no picture for frame {wanted} of {film.frames}. {COPY_AGAIN}")
                if decoded.is_corrupt:  # the decoder has guessed part of it
                    raise Refused(f"{film.path}: frame {wanted} of {film.frames} is damaged. {COPY_AGAIN}")
                yield Frame(wanted, decoded.pts, planes_of(decoded), decoded)
                wanted += 1
                if wanted == end:
                    return
    except av.error.FFmpegError as error:
        raise Refused(f"{film.path} cannot be decoded at frame {wanted}: {error.strerror}. {COPY_AGAIN}") from None
    raise Refused(f"{film.path} ends before frame {wanted} of {film.frames}. {COPY_AGAIN}")


COPY_AGAIN: Final = "The file is damaged there; copy it again from the original."


def _packets(film: Film, start: int) -> Iterator[Any]:
    """The picture's packets from a key frame shown at or before `start`.

    Containers that look up by decoding time may land on the next key frame, whose leading pictures cannot be decoded,
    and MPEG-TS may land anywhere. Then we ask for an earlier frame, and in the end read from the beginning.
    """
    back = 0
    while True:
        with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
            picture: Any = container.streams[film.picture]
            picture.thread_type = "AUTO"
            ask = start - back
            if ask > 0:
                container.seek(int(film.pts[ask]), stream=picture, backward=True)
            packets = container.demux(picture)
            first = next(packets)
            if ask <= 0 or (first.is_keyframe and first.pts is not None and first.pts <= film.pts[start]):
                yield first
                yield from packets
                return
        back = 2 * back or STEP_BACK


def speech(path: Path, to: Path, hz: int = 16000, lead: int = 0) -> Path:
    """The first sound of a film or a stem as a mono 16 bit WAV whose sample 0 is the film's first frame.

    Sound that begins after the picture is preceded by silence, sound from before it is left out. A file without a
    picture begins with its own first sample. Written beside, then renamed.

    lead    for a file without a picture: samples of its own of silence before it; negative: so many are cut off it
    raises  Refused if there is no sound to read
    """
    begins = _begins(path)
    beside = to.with_name(to.name + ".part")
    sound = ffmpeg.input(str(path.absolute()), copyts=None)["a:0"]
    if lead < 0:  # before it is resampled, so that not even the resampler hears what was cut off
        sound = sound.filter("atrim", start_sample=-lead).filter("asetpts", f"PTS+{lead}/SR/TB")
    shift = f"PTS-{begins.numerator}/{begins.denominator}/TB+{max(lead, 0)}/SR/TB"
    sound = sound.filter("asetpts", shift).filter("aresample", hz, **{"async": 1, "first_pts": 0})
    command = ffmpeg.output(sound, str(beside.absolute()), ac=1, ar=hz, acodec="pcm_s16le", format="wav", bitexact=None)
    try:
        programs.ffmpeg(command)
    except programs.ProgramFailed as error:
        raise Refused(f"The sound of {path} cannot be read. {error}.") from None
    beside.replace(to)
    return to


def _begins(path: Path) -> Fraction:
    """Seconds, on the file's own clock, of the first frame; of the first sound where there is no picture."""
    with av.open(str(path.absolute()), metadata_errors="replace") as container:
        if not container.streams.audio:
            raise Refused(f"{path} holds no sound.")
        pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        stream: Any = (pictures or container.streams.audio)[0]
        return Fraction((stream.start_time or 0) * stream.time_base)


def samples(path: Path, start: int, stop: int) -> NDArray[np.float32]:
    """Samples [start, stop) of a WAV, (n, channels) in −1 … 1; silence where the file does not reach."""
    with soundfile.SoundFile(str(path)) as file:
        into = np.zeros((stop - start, file.channels), np.float32)
        first, last = max(start, 0), min(stop, file.frames)
        if first < last:
            file.seek(first)
            into[first - start : last - start] = file.read(last - first, np.float32, always_2d=True)
        return into


@dataclass(frozen=True, slots=True)
class Recording:
    """A mono WAV that is read where it is sliced, (n,) in −1 … 1, so a film of any length takes no memory."""

    path: Path
    length: int  # samples

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        start, stop, _ = part.indices(self.length)
        return samples(self.path, start, max(start, stop))[:, 0]


def recording(path: Path) -> Recording:
    """A mono WAV, as `speech` writes it."""
    return Recording(path, soundfile.info(str(path)).frames)
