"""What each container can carry, for the delivery: pictures, sounds, subtitles, and what becomes of the others.

The tables say what was seen: a stream stands here if ffmpeg 9 wrote it and read back the same. H.264 with B-frames in
MXF is not, though it is written: the file does not say in which order the pictures are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
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
    sounds: frozenset[str] | None  # that are copied; None: all but NOT_IN_MATROSKA
    sound: str  # what others become
    subtitles: frozenset[str] | None  # that are copied; None: all
    text: str  # what other text subtitles become; empty: nothing
    attachments: bool
    covers: bool
    flags: tuple[tuple[str, str], ...] = ()
    ancillary: frozenset[str] = frozenset()  # data streams that are copied
    hz: int | None = None  # the only rate of its sound
    whole_frames: bool = False  # its sound ends with a frame: what is longer is cut, what is shorter is filled up
    rates: frozenset[Fraction] | None = None  # of its picture; None: all, and variable ones
    spells: Mapping[str, str] = field(default_factory=dict, hash=False)  # languages that it knows under another code

    def sound_as(self, codec: str, channels: int) -> tuple[str, int | None]:
        """(ffmpeg's codec option, bits a second or None): `copy` wherever the container takes the sound as it is."""
        if self._takes(codec):
            return "copy", None
        if codec in TWINS and self._takes(TWINS[codec]):
            return TWINS[codec], None
        return self.sound, AAC_A_CHANNEL * channels if self.sound == "aac" else None

    def _takes(self, sound: str) -> bool:
        return sound in self.sounds if self.sounds is not None else sound not in NOT_IN_MATROSKA

    def subtitle_as(self, codec: str) -> str:
        """`copy`, the codec that text becomes, or nothing if the container cannot carry it."""
        if self.subtitles is None or codec in self.subtitles:
            return "copy"
        return self.text if codec in TEXT_SUBTITLES else ""


PCM: Final = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be", "pcm_s24be",
                        "pcm_s32be", "pcm_f32be", "pcm_f64be", "pcm_u8", "pcm_s8"})  # fmt: skip
PACKED: Final = frozenset({"aac", "ac3", "eac3", "alac", "mp3", "mp2", "dts"})
# The same samples in another order of bytes, or with a sign, for containers that know only one of them.
TWINS: Final[Mapping[str, str]] = {
    "pcm_s16be": "pcm_s16le", "pcm_s24be": "pcm_s24le", "pcm_s32be": "pcm_s32le", "pcm_f32be": "pcm_f32le",
    "pcm_f64be": "pcm_f64le", "pcm_s8": "pcm_u8", "pcm_bluray": "pcm_s24le", "pcm_dvd": "pcm_s24le",
}  # fmt: skip
# ffmpeg writes a QuickTime file's languages by Apple's old table, which has these under another code and lacks more.
QUICKTIME: Final[Mapping[str, str]] = {
    "deu": "ger", "nld": "dut", "swe": "sve", "ell": "gre", "isl": "ice", "zho": "chi", "fas": "per", "fre": "fra",
    "rum": "ron", "cze": "ces", "slo": "slk", "sqi": "alb", "mkd": "mac", "hye": "arm", "kat": "geo", "cym": "wel",
    "eus": "baq", "msa": "may", "bod": "tib", "mya": "bur",
}  # fmt: skip
NOT_IN_MATROSKA: Final = frozenset({"pcm_f32be", "pcm_f64be", "pcm_s8", "pcm_bluray", "pcm_dvd"})
MOV: Final = Container(
    "MOV", "mov", frozenset({"h264", "hevc", "prores", "dnxhd", "mjpeg", "ffv1", "mpeg2video", "mpeg4", "png",
    "jpeg2000", "v210", "rawvideo", "cfhd", "dvvideo"}), PCM | PACKED, "pcm_s24le",
    frozenset({"mov_text", "eia_608", "ttml"}), "mov_text", attachments=False, covers=False, spells=QUICKTIME,
)  # fmt: skip
MP4: Final = Container(
    "MP4", "mp4", frozenset({"h264", "hevc", "mjpeg", "png"}), PACKED | {"opus", "flac", "truehd"}, "aac",
    frozenset({"mov_text", "ttml"}), "mov_text", attachments=False, covers=True, flags=(("movflags", "+faststart"),),
)  # fmt: skip
MKV: Final = Container(
    "Matroska", "matroska", None, None, "copy", TEXT_SUBTITLES - {"mov_text"} | {"dvd_subtitle",
    "hdmv_pgs_subtitle", "dvb_subtitle"}, "srt", attachments=True, covers=False,
    flags=(("default_mode", "passthrough"),),
)  # fmt: skip
MXF: Final = Container(
    "MXF", "mxf", frozenset({"h264", "prores", "dnxhd", "mpeg2video", "ffv1", "jpeg2000", "dvvideo"}),
    frozenset({"pcm_s16le", "pcm_s24le"}), "pcm_s24le", frozenset(), "", attachments=False, covers=False,
    ancillary=frozenset({"smpte_436m_anc"}), hz=48000, whole_frames=True,
    rates=frozenset(Fraction(n * 1000, d) for n in (24, 30, 60) for d in (1000, 1001)) | {Fraction(25), Fraction(50)},
)  # fmt: skip
CONTAINERS: Final = {".mov": MOV, ".mp4": MP4, ".m4v": MP4, ".mkv": MKV, ".mxf": MXF}


def container_of(out: Path) -> Container:
    """By the name's ending. Raises Refused, naming those there are, for another."""
    found = CONTAINERS.get(out.suffix.lower())
    if found is None:
        raise Refused(f"{out} ends in {out.suffix or 'nothing'}: a delivery ends in {', '.join(CONTAINERS)}.")
    return found
