"""What each container can carry, for the delivery: pictures, sounds, subtitles, and what becomes of the others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.errors import Refused

TEXT_SUBTITLES: Final = frozenset({"subrip", "ass", "ssa", "webvtt", "mov_text", "text"})
AAC_A_CHANNEL: Final = 160_000  # bits a second: 320 kb/s for stereo


@dataclass(frozen=True)
class Container:
    name: str
    form: str  # ffmpeg's name of the muxer
    pictures: frozenset[str] | None  # None: all
    sounds: frozenset[str] | None  # that are copied; None: all
    sound: str  # what others become
    subtitles: frozenset[str] | None  # that are copied; None: all
    text: str  # what other text subtitles become; empty: nothing
    attachments: bool
    covers: bool
    flags: tuple[tuple[str, str], ...] = ()

    def sound_as(self, codec: str, channels: int) -> tuple[str, int | None]:
        """(ffmpeg's codec option, bits a second or None): `copy` wherever the container takes the sound as it is."""
        if self.sounds is None or codec in self.sounds:
            return "copy", None
        return self.sound, AAC_A_CHANNEL * channels if self.sound == "aac" else None

    def subtitle_as(self, codec: str) -> str:
        """`copy`, the codec that text becomes, or nothing if the container cannot carry it."""
        if self.subtitles is None or codec in self.subtitles:
            return "copy"
        return self.text if codec in TEXT_SUBTITLES else ""


PCM: Final = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be", "pcm_s24be",
                        "pcm_s32be", "pcm_u8"})  # fmt: skip
PACKED: Final = frozenset({"aac", "ac3", "eac3", "alac", "mp3"})
MOV: Final = Container(
    "MOV", "mov", frozenset({"h264", "hevc", "prores", "dnxhd", "mjpeg", "ffv1", "mpeg2video", "png"}), PCM | PACKED,
    "pcm_s24le", frozenset({"mov_text"}), "mov_text", attachments=False, covers=True,
)  # fmt: skip
MP4: Final = Container(
    "MP4", "mp4", frozenset({"h264", "hevc", "mjpeg", "png"}), PACKED | {"opus"}, "aac",
    frozenset({"mov_text"}), "mov_text", attachments=False, covers=True, flags=(("movflags", "+faststart"),),
)  # fmt: skip
MKV: Final = Container(
    "Matroska", "matroska", None, None, "copy", TEXT_SUBTITLES - {"mov_text"} | {"dvd_subtitle", "hdmv_pgs_subtitle",
    "dvb_subtitle"}, "srt", attachments=True, covers=False, flags=(("default_mode", "passthrough"),),
)  # fmt: skip
MXF: Final = Container(
    "MXF", "mxf", frozenset({"h264", "prores", "dnxhd", "mpeg2video"}), frozenset({"pcm_s16le", "pcm_s24le"}),
    "pcm_s24le", frozenset(), "", attachments=False, covers=False,
)  # fmt: skip
CONTAINERS: Final = {".mov": MOV, ".mp4": MP4, ".m4v": MP4, ".mkv": MKV, ".mxf": MXF}


def container_of(out: Path) -> Container:
    """By the name's ending. Raises Refused, naming those there are, for another."""
    found = CONTAINERS.get(out.suffix.lower())
    if found is None:
        raise Refused(f"{out} ends in {out.suffix or 'nothing'}: a delivery ends in {', '.join(CONTAINERS)}.")
    return found
