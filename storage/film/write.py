"""Writes a picture stream: every frame at its own time, each either encoded or taken over as it lies in the film.

The file is an intermediate that `tasks.deliver` muxes: MOV, which keeps exact time bases and colour tags, and NUT for
FFV1, which PyAV does not put into MOV. Sound and the film's other streams are not here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from storage.errors import DublineError
from storage.film.beside import WRITTEN, beside, picture_with
from storage.film.encoders import Encoder, context_for
from storage.film.groups import Groups
from storage.film.joint import joint_of
from storage.film.planes import Planes
from storage.film.probe import Film


class PictureWriter:
    """Use as `with PictureWriter(...) as writer`. Frames are written in order, each once.

    Written beside, and renamed when the block ends well; a block that fails leaves nothing.

    groups  of the film, where packets may be copied; None: every frame is encoded
    """

    def __init__(self, path: Path, film: Film, encoder: Encoder, groups: Groups | None = None) -> None:
        self.path, self.film, self.encoder, self.groups = path, film, encoder, groups
        self.written = self.copied = 0
        self.lost: frozenset[str] = frozenset()  # what encoded frames carried beside their pixels, and carry no more
        self._beside = path.with_name(path.name + ".part")
        # A steady film counts frames; one of variable rate keeps its own clock, moved so that it begins at 0.
        self._time_base = 1 / film.rate if film.steady else film.time_base
        self._joint = joint_of(film, encoder, groups) if groups is not None else None
        self._encoding: Any = None  # the encoder, since the last copied packet
        self._source: Iterator[Any] | None = None
        self._muxed = 0

    def __enter__(self) -> Self:
        film, encoder = self.film, self.encoder
        ffv1 = encoder.codec == "ffv1"
        # Left alone, NUT pushes a picture with B-frames to a later start.
        how = {"avoid_negative_ts": "disabled"} if ffv1 else {}
        self._out = av.open(str(self._beside.absolute()), "w", format="nut" if ffv1 else "mov", options=how)
        if self._joint is not None:
            with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
                self._stream: Any = self._out.add_stream_from_template(container.streams[film.picture])
            self._stream.codec_context.extradata = self._joint.header
            self._stream.time_base = self._time_base
            return self
        stream: Any = self._out.add_stream(encoder.codec, rate=film.rate, options=dict(encoder.options))
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, encoder.pix_fmt
        stream.codec_context.time_base = self._time_base
        stream.sample_aspect_ratio = film.sar
        self._stream = stream
        return self

    def write(self, index: int, planes: Planes, decoded: Any = None) -> None:
        """Encodes frame `index`. `planes` are in the film's pixel format; `decoded` is whose captions it shall bear."""
        picture = picture_with(planes, self.film.pix_fmt.replace("yuvj", "yuv"), decoded, self.encoder.codec)
        if decoded is not None:
            self.lost |= beside(decoded) - WRITTEN.get(self.encoder.codec, frozenset())
        if picture.format.name != self.encoder.pix_fmt:
            picture = picture.reformat(format=self.encoder.pix_fmt)
        picture.pts, picture.time_base = self._pts(index), self._time_base
        if self._encoding is None:
            self._encoding = self._opened()
        self._mux(self._packed(self._encoding.encode(picture)))
        self.written += 1

    def copy(self, start: int, end: int) -> None:
        """Takes the frames [start, end) over, bit for bit: whole groups, or nothing."""
        if start == end:
            return
        if self.groups is None:
            raise ValueError(f"frames of {self.path} do not stand alone")
        again = self._joint.again if self._joint is not None and self._encoding is not None else b""
        self._end_encoding()
        if self._source is None:
            self._source = _packets(self.film)
        for place in range(start, end):
            found = next(((frame, packet) for frame, packet in self._source if start <= frame), None)
            if found is None or found[0] >= end:
                raise DublineError(f"{self.film.path}: frame {place} is gone. Was the file changed during the work?")
            frame, packet = found
            if again:
                packet, again = _with(packet, again + bytes(packet)), b""
            packet.pts = self._pts(frame)
            packet.duration = 1 if self.film.steady else packet.duration
            packet.time_base = self._time_base
            self._mux([packet])
        self.copied += end - start

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            self._end_encoding()
        self._out.close()
        if kind is None:
            self._beside.replace(self.path)
        else:
            self._beside.unlink(missing_ok=True)

    def _opened(self) -> Any:
        if self._joint is not None:
            return self._joint.open(self.film, self.encoder)
        return self._stream if self.groups is None else context_for(self.film, self.encoder)

    def _end_encoding(self) -> None:
        if self._encoding is not None:
            self._mux(self._packed(self._encoding.encode(None)))
        self._encoding = None

    def _packed(self, encoded: Iterable[Any]) -> Iterator[Any]:
        """What an encoder gives, as it lies in a file."""
        for packet in encoded:
            yield packet if self._joint is None else _with(packet, self._joint.packed(bytes(packet)))

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            if self.groups is not None:
                packet.dts = self._decoded_at(self._muxed - self.groups.delay)
            packet.stream = self._stream
            self._out.mux(packet)
            self._muxed += 1

    def _pts(self, index: int) -> int:
        return index if self.film.steady else int(self.film.pts[index] - self.film.pts[0])

    def _decoded_at(self, frame: int) -> int:
        """The time at which this frame is shown; some time before 0 for those that are not there."""
        return self._pts(frame) if frame >= 0 else frame


def _with(packet: Any, data: bytes) -> Any:
    """The packet with other bytes."""
    other = av.Packet(data)
    other.pts, other.duration, other.time_base = packet.pts, packet.duration, packet.time_base
    other.is_keyframe = packet.is_keyframe
    return other


def _packets(film: Film) -> Iterator[tuple[int, Any]]:
    """The picture's packets as they lie in the file, each with its frame's number."""
    number = {int(pts): n for n, pts in enumerate(film.pts)}
    with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
        for packet in container.demux(container.streams[film.picture]):
            if packet.size and not packet.is_discard and packet.pts in number:
                yield number[packet.pts], packet
