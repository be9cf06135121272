"""Which encoder a delivered picture gets, and why: from the film's facts to a choice in words, and that encoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import av
from av.codec.context import Flags

from storage.film import dnxhd
from storage.film.planes import pixel_format
from storage.film.probe import Film

Deliver = Literal["same", "ffv1", "prores"]

CRF: Final = 12  # x264's and x265's quality; 18 is called visually lossless, a master should stand another encode
PRORES: Final = {
    "apco": "0",
    "apcs": "1",
    "apcn": "2",
    "apch": "3",
    "ap4h": "4",
    "ap4x": "5",
}  # tag → prores_ks profile
PRORES_NAMES: Final = ("Proxy", "LT", "422", "422 HQ", "4444", "4444 XQ")
DNXHR: Final = {"DNXHR LB": "dnxhr_lb", "DNXHR SQ": "dnxhr_sq", "DNXHR HQ": "dnxhr_hq", "DNXHR HQX": "dnxhr_hqx",
                "DNXHR 444": "dnxhr_444"}  # fmt: skip


@dataclass(frozen=True)
class Encoder:
    """How the changed frames are written."""

    codec: str  # ffmpeg's name of the encoder
    pix_fmt: str
    options: dict[str, str]
    copies: (
        bool  # writes what the film holds, so packets of untouched frames may be taken over (storage/film/groups.py)
    )
    lossless: bool
    words: str  # for the report; says why if it is not the film's own codec

    @property
    def makes(self) -> str:
        """The codec's own name: h264 for libx264."""
        return {"libx264": "h264", "libx265": "hevc", "prores_ks": "prores"}.get(self.codec, self.codec)


def encoder_for(film: Film, deliver: Deliver = "same") -> Encoder:
    """The encoder for a film.

    same    the film's own codec, at a quality that a further encode survives; where there is none, FFV1 and the reason
    ffv1    lossless
    prores  ProRes 422 HQ, or 4444 for films with 4:4:4 chroma; 10 bit
    """
    tags = colour_tags(film)
    stored = unjay(film.pix_fmt)
    if deliver == "prores":
        return _prores(film, tags)
    if deliver == "ffv1":
        return _ffv1(film, tags, "as asked")
    if film.codec == "h264" and _writes("libx264", stored):
        options = {"preset": "medium", "crf": str(CRF)}
        return Encoder("libx264", stored, options | tags, True, False, f"H.264, crf {CRF}, preset medium")
    if film.codec == "hevc" and _writes("libx265", stored):
        options = {"preset": "medium", "crf": str(CRF), "x265-params": _x265(film), "a53cc": "1"}
        return Encoder("libx265", stored, options | tags, True, False, f"HEVC, crf {CRF}, preset medium")
    if film.codec == "prores" and film.tag in PRORES and _writes("prores_ks", _at_10_bit(stored)):
        words = f"ProRes {PRORES_NAMES[int(PRORES[film.tag])]}"
        if _at_10_bit(stored) != stored:
            words += ", changed frames at 10 bit"
        options = {"profile": PRORES[film.tag], "vendor": "apl0"}
        return Encoder("prores_ks", _at_10_bit(stored), options | tags, True, False, words)
    if film.codec == "dnxhd" and film.profile.upper() in DNXHR and _writes("dnxhd", stored):
        options = {"profile": DNXHR[film.profile.upper()]}
        return Encoder("dnxhd", stored, options | tags, True, False, film.profile)
    if film.codec == "dnxhd" and _writes("dnxhd", stored) and (number := dnxhd.class_of(film)) in dnxhd.RATES:
        options = {"b": dnxhd.RATES[number]}
        return Encoder("dnxhd", stored, options | tags, True, False, f"DNxHD, compression ID {number}")
    if film.codec == "dnxhd" and stored in ("yuv422p", "yuv422p10le"):
        deep = stored == "yuv422p10le"
        options = {"profile": "dnxhr_hqx" if deep else "dnxhr_hq"}
        words = f"DNxHR {'HQX' if deep else 'HQ'}, because Dubline cannot write this class of {film.profile}"
        return Encoder("dnxhd", stored, options | tags, False, False, words)
    if film.codec == "mjpeg" and _writes("mjpeg", stored) and film.colour.range == "pc":
        # PyAV cannot fix the quantiser of a picture; these bounds leave the rate control no other choice than 1 or 2.
        options = {"qmin": "1", "qmax": "2", "b": "4G"}
        return Encoder("mjpeg", stored, options | tags, True, False, "Motion JPEG")
    if film.codec == "ffv1":
        return _ffv1(film, tags, "the film's own codec")
    named = f"{film.codec} {film.profile} {film.pix_fmt}".replace("  ", " ")
    return _ffv1(film, tags, f"because Dubline cannot write {named}; --deliver prores gives ProRes instead")


def context_for(film: Film, encoder: Encoder, more: Mapping[str, str] | None = None, *, header: bool = True) -> Any:
    """The encoder itself, open, for some frames of a film.

    more    options beside the encoder's own
    header  parameter sets are kept apart, as `extradata`; False: they go with the pictures
    """
    context: Any = av.CodecContext.create(encoder.codec, "w")
    context.width, context.height, context.pix_fmt = film.width, film.height, encoder.pix_fmt
    context.time_base = 1 / film.rate if film.steady else film.time_base
    context.framerate = film.rate
    context.sample_aspect_ratio = film.sar
    context.options = {**encoder.options, **(more or {})}
    if header:
        context.flags |= Flags.global_header
    context.open()
    return context


def unjay(pix_fmt: str) -> str:
    """yuvj420p is yuv420p with the range said in the name. Encoders want it said in the tag."""
    return pix_fmt.replace("yuvj", "yuv")


def _at_10_bit(pix_fmt: str) -> str:
    """ProRes 4444 is decoded to 12 bit, and ffmpeg's encoder takes 10."""
    return pix_fmt.replace("p12le", "p10le")


def _ffv1(film: Film, tags: dict[str, str], why: str) -> Encoder:
    options = {"level": "3", "g": "1", "slicecrc": "1"}
    copies = film.codec == "ffv1"
    return Encoder("ffv1", unjay(film.pix_fmt), options | tags, copies, True, f"FFV1, lossless, {why}")


def _prores(film: Film, tags: dict[str, str]) -> Encoder:
    layout = pixel_format(film.pix_fmt)
    full = layout.kinds[0] == "g" or ((layout.across, layout.down) == (1, 1) and len(layout.kinds) > 1)
    profile = 4 if full else 3
    pix_fmt = ("yuva444p10le" if layout.kinds.endswith("a") else "yuv444p10le") if full else "yuv422p10le"
    copies = film.codec == "prores" and PRORES.get(film.tag) == str(profile) and _at_10_bit(film.pix_fmt) == pix_fmt
    options = {"profile": str(profile), "vendor": "apl0"}
    return Encoder("prores_ks", pix_fmt, options | tags, copies, False, f"ProRes {PRORES_NAMES[profile]}, as asked")


def _x265(film: Film) -> str:
    said = {"log-level": "error", **film.mastering}
    if film.mastering:
        said |= {"hdr10": "1", "repeat-headers": "1"}
    return ":".join(f"{key}={value}" for key, value in said.items())


def colour_tags(film: Film) -> dict[str, str]:
    """The film's own, as encoders take them."""
    colour = film.colour
    said = {"colorspace": colour.matrix, "color_primaries": colour.primaries, "color_trc": colour.transfer,
            "color_range": colour.range, "chroma_sample_location": colour.siting}  # fmt: skip
    return {option: tag for option, tag in said.items() if tag and tag != "unknown"}


def _writes(codec: str, pix_fmt: str) -> bool:
    try:
        formats = av.Codec(codec, "w").video_formats or []
    except av.codec.codec.UnknownCodecError:
        return False
    return pix_fmt in [known.name for known in formats]
