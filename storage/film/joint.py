"""Two encodes in one stream of H.264 or HEVC: the film's own packets, and what is encoded between them.

A decoder tells them apart by their parameter sets. Those of H.264 bear numbers: x264 is given one that is free, and
both sets stand in the stream's header, as ISO/IEC 14496-15 wants it. x265 always takes number 0, so there the sets go
with the pictures: before each stretch of ours, and once more the film's before the stretch that follows.
"""

from dataclasses import dataclass
from typing import Any, Final

from storage.film import nal
from storage.film.encoders import Encoder, context_for
from storage.film.groups import Groups, header_of
from storage.film.probe import Film

# x264's names of the profiles, so that what is encoded needs no other decoder than what is copied.
PROFILES: Final = {
    "Constrained Baseline": "baseline", "Baseline": "baseline", "Main": "main", "High": "high", "High 10": "high10",
    "High 10 Intra": "high10", "High 4:2:2": "high422", "High 4:2:2 Intra": "high422",
}  # fmt: skip


@dataclass(frozen=True)
class Joint:
    """What the writer needs to put both into one stream."""

    codec: str  # h264 or hevc
    header: bytes  # of the stream
    size: int  # bytes of the length before each unit
    options: dict[str, str]  # of the encoder, beside its own
    again: bytes  # units that go before the film's first packet after one of ours

    def packed(self, stream: bytes) -> bytes:
        """What an encoder gives, as it lies in a file: the parameter sets of H.264 stand in the header."""
        units = nal.split(stream)
        if self.codec == "h264":
            units = (unit for unit in units if nal.kind(unit) not in (nal.SEQUENCE, nal.PICTURE))
        return nal.packed(units, self.size)

    def open(self, film: Film, encoder: Encoder) -> Any:
        """The encoder for a stretch."""
        return context_for(film, encoder, self.options, header=self.codec == "h264")


def joint_of(film: Film, encoder: Encoder, groups: Groups) -> Joint | None:
    """How this encoder's pictures are laid between the film's packets; None for codecs whose packets need no other."""
    found = header_of(film) if film.codec in nal.IDR else None
    if found is None:
        return None
    reorder = min(3, 3 * groups.delay)  # B-frames in a row; none may be shown later than the film's own ever are
    if isinstance(found, nal.Hevc):
        ours = (
            f"open-gop=0:repeat-headers=1:keyint={groups.longest}:bframes={reorder}:b-pyramid={int(groups.delay > 1)}"
        )
        options = {"x265-params": f"{encoder.options['x265-params']}:{ours}"}
        return Joint("hevc", found.written, found.size, options, nal.packed(found.parameters, found.size))
    pyramid = "normal" if groups.delay > 1 else "none"
    options = {
        "x264-params": f"sps-id={found.free()}:stitchable=1:b-pyramid={pyramid}",
        "bf": str(reorder),
        "g": str(groups.longest),
    }
    if film.profile in PROFILES:
        options["profile"] = PROFILES[film.profile]
    header = found.joined(nal.split(context_for(film, encoder, options).extradata))
    return Joint("h264", header.written(), header.size, options, b"")
