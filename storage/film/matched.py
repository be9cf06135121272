"""An encoder that is not thriftier than the film's own was: what is encoded beside copied packets must not look poorer.

A few changed frames are encoded for a trial, better and better, until they take as many bytes as the film spends on
them. The film's maker chose that many; our encoders are not worse than his.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import av

from storage.film.encoders import Encoder, context_for, unjay
from storage.film.planes import picture_of
from storage.film.probe import Film
from storage.film.read import frames

TRIAL: Final = 24  # frames at most
CRFS: Final = ({"crf": "8"}, {"crf": "4"}, {"crf": "1"})
# Better than what the encoder does by itself. Frames of DNxHD are all of one size; Motion JPEG is at its best already.
LADDER: Final[dict[str, Sequence[dict[str, str]]]] = {
    "libx264": CRFS,
    "libx265": CRFS,
    "prores_ks": ({"bits_per_mb": "2000"}, {"bits_per_mb": "4000"}, {"bits_per_mb": "8000"}),
}


def matched(film: Film, encoder: Encoder, start: int, end: int) -> Encoder:
    """The encoder, with the first settings that spend what the film spends on frames [start, end), or the best."""
    if encoder.makes != film.codec or encoder.codec not in LADDER:
        return encoder
    end = min(end, start + TRIAL)
    wanted = spent(film, start, end)
    if spends(film, encoder, start, end) >= wanted:
        return encoder
    for more in LADDER[encoder.codec]:
        said = ", ".join(f"{name} {value}" for name, value in more.items())
        better = replace(encoder, options=encoder.options | more, words=f"{encoder.words}, {said} to match the film")
        if spends(film, better, start, end) >= wanted:
            break
    return better


def spent(film: Film, start: int, end: int) -> int:
    """Bytes of the film's packets for these frames."""
    sizes = dict.fromkeys(map(int, film.pts[start:end]), 0)
    with av.open(str(film.path.absolute()), metadata_errors="replace") as container:
        picture: Any = container.streams[film.picture]
        if start:
            container.seek(int(film.pts[start]), stream=picture, backward=True)
        for packet in container.demux(picture):
            if packet.pts in sizes:
                sizes[packet.pts] = packet.size
                if all(sizes.values()):
                    break
    return sum(sizes.values())


def spends(film: Film, encoder: Encoder, start: int, end: int) -> int:
    """Bytes that an encoder takes for them."""
    context, size = context_for(film, encoder), 0
    for frame in frames(film, start, end):
        picture = picture_of(frame.planes, unjay(film.pix_fmt)).reformat(format=encoder.pix_fmt)
        picture.pts, picture.time_base = frame.index, 1 / film.rate
        size += sum(int(packet.size) for packet in context.encode(picture))
    return size + sum(int(packet.size) for packet in context.encode(None))
