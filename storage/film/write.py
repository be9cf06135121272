"""Writes a picture stream: every frame at its own time, each either encoded or taken over as it lies in the film.

The file is an intermediate that `tasks.deliver` muxes: MOV, which keeps exact time bases and colour tags, and NUT for
FFV1, which PyAV does not put into MOV. Sound and the film's other streams are not here.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from storage.errors import DublineError
from storage.film.encoders import Encoder
from storage.film.planes import Planes, picture_of
from storage.film.probe import Film


class PictureWriter:
    """Use as `with PictureWriter(...) as writer`. Frames are written in order, each once.

    Written beside, and renamed when the block ends well; a block that fails leaves nothing.
    """

    def __init__(self, path: Path, film: Film, encoder: Encoder) -> None:
        self.path, self.film, self.encoder = path, film, encoder
        self.written = self.copied = 0
        self._beside = path.with_name(path.name + ".part")
        # A steady film counts frames; one of variable rate keeps its own clock, moved so that it begins at 0.
        self._time_base = 1 / film.rate if film.steady else film.time_base
        self._source: Iterator[Any] | None = None

    def __enter__(self) -> Self:
        film, encoder = self.film, self.encoder
        ffv1 = encoder.codec == "ffv1"
        # Left alone, NUT pushes a picture with B-frames to a later start.
        how = {"avoid_negative_ts": "disabled"} if ffv1 else {}
        self._out = av.open(str(self._beside.absolute()), "w", format="nut" if ffv1 else "mov", options=how)
        stream: Any = self._out.add_stream(encoder.codec, rate=film.rate, options=dict(encoder.options))
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, encoder.pix_fmt
        stream.codec_context.time_base = self._time_base
        stream.sample_aspect_ratio = film.sar
        if encoder.copies:  # frame threads hold pictures back, and copied ones would overtake them
            stream.codec_context.thread_type = "SLICE"
        self._stream = stream
        return self

    def write(self, index: int, planes: Planes) -> None:
        """Encodes frame `index`. `planes` are in the film's pixel format."""
        picture = picture_of(planes, self.film.pix_fmt.replace("yuvj", "yuv"))
        if picture.format.name != self.encoder.pix_fmt:
            picture = picture.reformat(format=self.encoder.pix_fmt)
        picture.pts, picture.time_base = self._pts(index), self._time_base
        self._mux(self._stream.encode(picture))
        self.written += 1

    def copy(self, index: int) -> None:
        """Takes frame `index` over, bit for bit. Only for encoders that copy."""
        if not self.encoder.copies:
            raise ValueError(f"frames of {self.encoder.codec} do not stand alone")
        if self._source is None:
            self._source = _packets(self.film)
        wanted = int(self.film.pts[index])
        packet = next((packet for packet in self._source if packet.pts == wanted), None)
        if packet is None:
            raise DublineError(f"{self.film.path}: frame {index} is gone. Was the file changed during the work?")
        packet.pts = packet.dts = self._pts(index)
        packet.duration = 1 if self.film.steady else packet.duration
        packet.time_base = self._time_base
        self._mux([packet])
        self.copied += 1

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            self._mux(self._stream.encode())
        self._out.close()
        if kind is None:
            self._beside.replace(self.path)
        else:
            self._beside.unlink(missing_ok=True)

    def _pts(self, index: int) -> int:
        return index if self.film.steady else int(self.film.pts[index] - self.film.pts[0])

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.stream = self._stream
            self._out.mux(packet)


def _packets(film: Film) -> Iterator[Any]:
    with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
        for packet in container.demux(container.streams[film.picture]):
            if packet.size and packet.pts is not None:
                yield packet
