"""Captions as broadcasters embed them: CEA-608/708 triplets in a picture's own user data (ATSC A/53 part 4, 6.2.3).

No filter of ffmpeg puts them into a film, so the bytes are laid between the encoder and the file here, by hand.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from storage.film.planes import picture_of
from tests.shoot import PAL, QUICK, draw_picture

VCL: Final[dict[str, Callable[[bytes], bool]]] = {
    "libx264": lambda nal: nal[0] & 31 in (1, 5),
    "libx265": lambda nal: nal[0] >> 1 & 63 < 32,
}
PREFIX: Final = {"libx264": b"\x06", "libx265": b"\x4e\x01"}  # the header of a unit that says something beside pictures


def triplets(number: int) -> bytes:
    """What frame `number` says: a 608 pair of field 1 and a 708 packet; no two frames say the same."""
    return bytes([0xFC, 0x20 + number % 90, 0x21 + number // 90, 0xFE, 0x00, number % 256])


def user_data(said: bytes) -> bytes:
    """The triplets as ATSC packs them."""
    return b"\xb5\x00\x31GA94\x03" + bytes([0x40 | len(said) // 3, 0xFF]) + said + b"\xff"


# HDR10+ (ETSI TS 103 433 calls it by SMPTE ST 2094-40): one window, everything else 0.
HDR10_PLUS: Final = b"\xb5\x00\x3c\x00\x01\x04\x01\x40" + bytes(20)


def draw_captioned_film(
    path: Path, frames: int = 24, codec: str = "libx264", rate: Fraction = PAL, size: tuple[int, int] = (160, 96),
    options: dict[str, str] | None = None, said: Callable[[int], bytes] = lambda n: user_data(triplets(n)),
) -> Path:  # fmt: skip
    """A film in H.264 or HEVC whose every frame n carries `triplets(n)`, in showing order.

    said  what else frame n shall carry, as a message of ITU-T T.35
    """
    with av.open(str(path.absolute()), "w") as film:
        picture: Any = film.add_stream(codec, rate=rate, options={**QUICK[codec], **(options or {})})
        picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
        picture.codec_context.time_base = 1 / rate
        packets = []
        for n in range(frames):
            shot = picture_of(draw_picture(n, size), "yuv420p")
            shot.pts, shot.time_base = n, 1 / rate
            packets += picture.encode(shot)
        for packet in [*packets, *picture.encode()]:
            laid = av.Packet(_with(bytes(packet), said(round(packet.pts * packet.time_base * rate)), codec))
            laid.pts, laid.dts, laid.time_base, laid.stream = packet.pts, packet.dts, packet.time_base, picture
            laid.is_keyframe = packet.is_keyframe
            film.mux(laid)
    return path


def captions_of(path: Path) -> list[bytes]:
    """The triplets of every frame, in showing order; empty where a frame says nothing."""
    with av.open(str(path.absolute())) as film:
        beside: list[Any] = [shot.side_data for shot in film.decode(video=0)]
    return [next((bytes(each) for each in said if each.type.name == "A53_CC"), b"") for said in beside]


def _with(access_unit: bytes, payload: bytes, codec: str) -> bytes:
    unit = b"\x04" + bytes([len(payload)]) + payload + b"\x80"
    unit = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", unit)  # two zeros must not be followed by a small byte
    start = b"\0\0\0\1"
    units = [part.rstrip(b"\0") for part in access_unit.split(b"\0\0\1")[1:]]
    first = next(n for n, part in enumerate(units) if VCL[codec](part))
    return b"".join(start + part for part in [*units[:first], PREFIX[codec] + unit, *units[first:]])
