"""What a film and a sound are, measured before anything is done with them.

Frames are counted by reading every packet of the picture, so the number is exact and costs no decoding. The same
walk yields the timestamp of each frame, which numbers frames everywhere else, and the end of the last packet, which
tells a file that was cut off. ffprobe says the rest. Nothing is judged here but what cannot be a film or a sound at
all; `tasks.ingest` refuses the others.
"""

import hashlib
import json
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from storage.errors import Refused
from storage.film import count, mastering, programs
from storage.film.planes import pixel_format

BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Colour:
    """The tags of the picture, in ffmpeg's names; None where the film says nothing."""

    matrix: str | None  # bt709, smpte170m, bt2020nc, gbr, …
    primaries: str | None
    transfer: str | None
    range: str | None  # tv: limited, pc: full
    siting: str | None = None  # where the chroma samples lie: left, center, topleft, …


@dataclass(frozen=True)
class Stream:
    """One stream of a film, as it lies in the file."""

    index: int
    kind: str  # video, audio, subtitle, data, attachment
    codec: str
    tag: str  # the container's four letters for it
    tags: dict[str, str]  # keys in lower case: language, title, timecode, …
    disposition: tuple[str, ...]  # default, forced, attached_pic, …
    hz: int | None = None
    channels: int | None = None
    layout: str | None = None


@dataclass(frozen=True)
class Film:
    """A picture file, measured. Frame n is the n-th in showing order, from 0."""

    path: Path
    container: str  # ffmpeg's name of it: "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", …
    picture: int  # index of the picture's stream
    codec: str
    tag: str
    profile: str
    pix_fmt: str
    bits: int
    width: int
    height: int
    sar: Fraction  # shape of a pixel, width to height
    rate: Fraction
    steady: bool  # False: frames last unequally long (VFR), and `pts` alone says when they show
    time_base: Fraction  # seconds a tick of `pts`
    pts: NDArray[np.int64] = field(repr=False, compare=False)  # (frames,) rising
    duration: Fraction  # seconds from the first frame to the end of the last
    head: Fraction  # seconds from the file's earliest stream to the first frame
    colour: Colour
    mastering: dict[str, str]  # HDR10: master-display and max-cll as x265 writes them
    interlaced: bool
    rotation: int  # degrees that a player would turn the picture by
    start_timecode: str | None
    streams: tuple[Stream, ...]
    tags: dict[str, str]
    chapters: int
    missing: str  # what the file promises and does not hold, in words; empty if it is whole
    ordered: bool = False  # the picture's packets lie in the order in which they are shown: it has no B-frames
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)  # pixels at top, bottom, left, right outside the clean aperture
    digests: dict[int, str] = field(default_factory=dict, repr=False, compare=False)  # of each stream but the picture

    @property
    def frames(self) -> int:
        return len(self.pts)

    def time(self, frame: int) -> Fraction:
        """Seconds from the first frame to this one, exact."""
        if self.steady:
            return frame / self.rate
        return Fraction(int(self.pts[frame] - self.pts[0])) * self.time_base

    @property
    def sounds(self) -> tuple[Stream, ...]:
        return tuple(stream for stream in self.streams if stream.kind == "audio")


@dataclass(frozen=True)
class Sound:
    """The first audio stream of a file, measured."""

    path: Path
    stream: int
    codec: str
    hz: int
    channels: int
    layout: str | None
    samples: int  # per channel, counted
    pcm: bool
    others: int = 0  # further audio streams of the file, which nobody reads

    @property
    def duration(self) -> Fraction:
        return Fraction(self.samples, self.hz)


def probe(path: Path) -> Film:
    """Measures a film. Reads the whole file once and decodes nothing.

    raises  Refused if there is no such file, or no picture in it that could be read
    """
    facts = _facts(path)
    pictures = [s for s in facts["streams"] if s["codec_type"] == "video" and not s["disposition"].get("attached_pic")]
    if not pictures:
        raise Refused(f"{path} holds no picture. The film must be a file with a video stream.")
    said = next((each for each in pictures if each["disposition"].get("default")), pictures[0])
    if said.get("pix_fmt") is None or not said.get("width"):
        codec = said.get("codec_name", "unknown codec")
        raise Refused(f"The picture of {path} cannot be read ({codec}): it is damaged or cut off. Copy it again.")
    if facts["format"]["format_name"] == "avi" and said["codec_name"] in ("h264", "hevc") and said.get("has_b_frames"):
        raise Refused(
            f"{path} is {said['codec_name']} in AVI, which keeps no times for frames that are shown in another order "
            f"than they are stored, so they cannot be numbered. Export it as MOV, MP4 or Matroska."
        )
    walk = count.walk(path, said["index"])
    reorders = said["codec_name"] in ("h264", "hevc") and said.get("has_b_frames")
    if facts["format"]["format_name"] == "mxf" and reorders and walk.ordered and walk.packets > 1:
        raise Refused(
            f"{path} is {said['codec_name']} in MXF with frames that are shown in another order than they are stored, "
            f"and its index does not say in which, so they cannot be numbered. Export it as MOV, MP4 or Matroska."
        )
    time_base = Fraction(said["time_base"])
    rate, steady = count.rate_of_stamps(walk.pts, time_base, [said.get("avg_frame_rate"), said.get("r_frame_rate")])
    usual = int(np.median(np.diff(walk.pts))) if walk.pts.size > 1 else 0  # of a film with a hole, not the mean
    last = 1 / rate if steady else Fraction(walk.last_ticks or usual) * time_base or 1 / rate
    length = (walk.pts.size - 1) / rate if steady else Fraction(int(walk.pts[-1] - walk.pts[0])) * time_base
    first = Fraction(int(walk.pts[0])) * time_base
    streams = tuple(map(_stream, facts["streams"]))
    tags = _tags(facts["format"])
    return Film(
        path=path, container=facts["format"]["format_name"], picture=said["index"],
        codec=said["codec_name"], tag=said.get("codec_tag_string", ""), profile=said.get("profile", ""),
        pix_fmt=said["pix_fmt"], bits=_bits(said), width=said["width"], height=said["height"],
        sar=_sar(said), rate=rate, steady=steady, time_base=time_base, pts=walk.pts,
        duration=length + last, head=_head(facts, first),
        colour=Colour(
            said.get("color_space"), said.get("color_primaries"), said.get("color_transfer"), _range(said),
            said.get("chroma_location"),
        ),
        mastering=mastering.mastering(path, said), interlaced=said.get("field_order") in ("tt", "bb", "tb", "bt"),
        rotation=next((int(d["rotation"]) % 360 for d in said.get("side_data_list", []) if "rotation" in d), 0),
        start_timecode=_start_timecode(said["index"], streams, tags), streams=streams, tags=tags,
        chapters=len(facts.get("chapters", [])), missing=_missing(facts, said, walk),
        ordered=walk.ordered, crop=_crop(said), digests=walk.digests,
    )  # fmt: skip


def probe_sound(path: Path) -> Sound:
    """Measures the first audio stream. Compressed sound is decoded once to count its samples.

    raises  Refused if there is no such file, or no sound in it that could be read
    """
    facts = _facts(path)
    sounds = [s for s in facts["streams"] if s["codec_type"] == "audio"]
    said = sounds[0] if sounds else None
    if said is None or not int(said.get("sample_rate", 0)):
        raise Refused(f"{path} holds no sound. The dub must be a file with an audio stream.")
    pcm = said["codec_name"].startswith("pcm_")
    if not (samples := _samples(path, said)):
        raise Refused(f"{path} holds not one sample of sound. Export it again.")
    return Sound(
        path, said["index"], said["codec_name"], int(said["sample_rate"]), int(said["channels"]),
        said.get("channel_layout"), samples, pcm, len(sounds) - 1,
    )  # fmt: skip


def fingerprint(path: Path) -> str:
    """sha256 of the file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _facts(path: Path) -> dict[str, Any]:
    """What ffprobe says of the file. The path is given absolute: a relative `a:b.mov` would be taken for a protocol."""
    if path.is_dir():
        raise Refused(f"{path} is a folder. Name the file itself.")
    if not path.is_file():
        raise Refused(f"There is no file {path}. Check the name, and that the volume is mounted.")
    what = ["-show_format", "-show_streams", "-show_chapters", "-of", "json"]
    try:
        facts: dict[str, Any] = json.loads(programs.ffprobe([*what, str(path.absolute())]))
    except programs.ProgramFailed as error:
        raise Refused(
            f"{path} cannot be read as a film or a sound: it is damaged, cut off, or something else. {error}. "
            f"Compare its size with the original and copy it again."
        ) from None
    return facts


def _samples(path: Path, said: dict[str, Any]) -> int:
    """Samples per channel: from a header that soundfile understands, else counted packet by packet or by decoding."""
    try:
        return int(soundfile.info(str(path)).frames)
    except soundfile.LibsndfileError:
        pass
    samples = 0
    try:
        with av.open(str(path.absolute()), metadata_errors="replace") as container:
            sound = container.streams[said["index"]]
            if said["codec_name"].startswith("pcm_"):
                block = int(said["bits_per_sample"]) // 8 * int(said["channels"])
                return sum(int(packet.size) for packet in container.demux(sound)) // block
            for frame in container.decode(sound):
                samples += frame.samples
    except av.error.FFmpegError as error:
        raise Refused(f"The sound of {path} cannot be read to its end: {error.strerror}. Copy it again.") from None
    return samples


def _stream(said: dict[str, Any]) -> Stream:
    return Stream(
        said["index"], said["codec_type"], said.get("codec_name", "unknown"), said.get("codec_tag_string", ""),
        _tags(said),
        tuple(name for name, on in said.get("disposition", {}).items() if on),
        int(said["sample_rate"]) if "sample_rate" in said else None, said.get("channels"), said.get("channel_layout"),
    )  # fmt: skip


def _tags(said: dict[str, Any]) -> dict[str, str]:
    return {key.lower(): str(value) for key, value in said.get("tags", {}).items()}


def _bits(said: dict[str, Any]) -> int:
    try:
        return pixel_format(said["pix_fmt"]).bits
    except Refused:  # ingest will refuse it in words; here it is only measured
        return int(said.get("bits_per_raw_sample", 0))


def _sar(said: dict[str, Any]) -> Fraction:
    text = said.get("sample_aspect_ratio", "1:1").replace(":", "/")
    return Fraction(1) if text.startswith("0/") or text.endswith("/0") else Fraction(text)


def _crop(said: dict[str, Any]) -> tuple[int, int, int, int]:
    found: dict[str, Any] = next(
        (d for d in said.get("side_data_list", []) if d.get("side_data_type") == "Frame Cropping"), {}
    )
    top, bottom, left, right = (int(found.get(f"crop_{side}", 0)) for side in ("top", "bottom", "left", "right"))
    return top, bottom, left, right


def _range(said: dict[str, Any]) -> str | None:
    return "pc" if said["pix_fmt"].startswith("yuvj") else said.get("color_range")


def _start_timecode(picture: int, streams: tuple[Stream, ...], tags: dict[str, str]) -> str | None:
    """From the picture's own tags, else a timecode track, else the file's."""
    first = sorted(streams, key=lambda s: (s.index != picture, s.tag != "tmcd"))
    return next((s.tags["timecode"] for s in first if "timecode" in s.tags), tags.get("timecode"))


def _missing(facts: dict[str, Any], said: dict[str, Any], walk: count.Walk) -> str:
    promised = int(said.get("nb_frames", 0))  # MP4 and MOV: what the index lists; an edit list may hide some of it
    end = Fraction(facts["format"].get("duration", "0"))
    if not facts["format"]["format_name"].startswith("matroska"):  # Matroska's duration is the time of the end
        end += Fraction(facts["format"].get("start_time", "0"))
    if promised > walk.packets and walk.latest < end - Fraction(1, 100):
        return f"its index promises {promised} frames and only {walk.packets} are there"
    if walk.latest < end - Fraction(1, 2):
        return f"its header promises {float(end):.2f} s and the last packet ends at {float(walk.latest):.2f} s"
    return f"{walk.damaged} of its packets are broken" if walk.damaged else ""


def _head(facts: dict[str, Any], first: Fraction) -> Fraction:
    """ffmpeg moves a file's earliest stream to 0, to the microsecond; the picture may begin later."""
    head = first - Fraction(facts["format"].get("start_time", "0"))
    return head if head > Fraction(1, 100_000) else Fraction(0)
