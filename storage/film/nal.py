"""H.264 and HEVC as they lie in packets: units, parameter sets and what stands alone, read without decoding.

A stream in MP4, MOV and Matroska has its parameter sets in one record, avcC or hvcC, and every unit behind its length.
Source: ITU-T H.264, 7.3 and 7.4; ITU-T H.265, 7.3 and 7.4; ISO/IEC 14496-15, 5.3.3 and 8.3.3.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Self

# nal_unit_type of slices with which decoding begins anew: nothing later refers to before them.
IDR: Final = {"h264": (5,), "hevc": (19, 20)}
SEQUENCE: Final = 7  # nal_unit_type of H.264's parameter sets
PICTURE: Final = 8
LARGEST_ID: Final = 31  # of a sequence parameter set


@dataclass(frozen=True)
class Avc:
    """An avcC: what a decoder of H.264 is told before the first packet."""

    head: bytes  # profile, compatibility, level
    size: int  # bytes of the length before each unit
    sequences: tuple[bytes, ...]  # sequence parameter sets
    pictures: tuple[bytes, ...]  # picture parameter sets
    rest: bytes  # chroma format and depths, for the High profiles

    @classmethod
    def read(cls, given: bytes) -> Self | None:
        """None if these bytes are no avcC: an elementary stream has its parameter sets among the slices."""
        if len(given) < 7 or given[0] != 1:
            return None
        try:
            sequences, at = _sets(given, 6, given[5] & 31)
            pictures, at = _sets(given, at + 1, given[at])
        except IndexError:
            return None
        return cls(given[1:4], (given[4] & 3) + 1, sequences, pictures, given[at:])

    def written(self) -> bytes:
        out = bytearray([1, *self.head, 0xFC | self.size - 1, 0xE0 | len(self.sequences)])
        for each in self.sequences:
            out += len(each).to_bytes(2, "big") + each
        out.append(len(self.pictures))
        for each in self.pictures:
            out += len(each).to_bytes(2, "big") + each
        return bytes(out) + self.rest

    def free(self) -> int | None:
        """A number that none of these parameter sets bears."""
        taken = {_exp_golomb(each[4:]) for each in self.sequences} | {_exp_golomb(each[1:]) for each in self.pictures}
        return next((number for number in range(LARGEST_ID + 1) if number not in taken), None)

    def joined(self, other: Iterable[bytes]) -> "Avc":
        """With the parameter sets of another encode; the level is the higher of both."""
        units = list(other)
        sequences = tuple(unit for unit in units if kind(unit) == SEQUENCE)
        level = max([self.head[2], *(unit[3] for unit in sequences)])
        return replace(
            self,
            head=self.head[:2] + bytes([level]),
            sequences=self.sequences + sequences,
            pictures=self.pictures + tuple(unit for unit in units if kind(unit) == PICTURE),
        )


@dataclass(frozen=True)
class Hevc:
    """An hvcC, as far as it is needed."""

    written: bytes
    size: int  # bytes of the length before each unit
    parameters: tuple[bytes, ...]  # sets of video, sequence and picture

    @classmethod
    def read(cls, given: bytes) -> Self | None:
        """None if these bytes are no hvcC."""
        if len(given) < 23 or given[0] != 1:
            return None
        found: list[bytes] = []
        at = 23
        try:
            for _ in range(given[22]):
                units, at = _sets(given, at + 3, given[at + 1] << 8 | given[at + 2])
                found += units
        except IndexError:
            return None
        return cls(given, (given[21] & 3) + 1, tuple(found))


def kind(unit: bytes, codec: str = "h264") -> int:
    """nal_unit_type."""
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def stands_alone(packet: bytes, size: int, codec: str) -> bool:
    """Whether decoding can begin with this packet and nothing after it refers to before it."""
    at = 0
    while at + size < len(packet):
        if kind(packet[at + size :][:1], codec) in IDR[codec]:
            return True
        at += size + int.from_bytes(packet[at : at + size], "big")
    return False


def split(stream: bytes) -> Iterator[bytes]:
    """The units of an elementary stream: each behind 00 00 01 or 00 00 00 01."""
    at = stream.find(b"\0\0\1")
    while at >= 0:
        after = stream.find(b"\0\0\1", at + 3)
        unit = stream[at + 3 : after if after >= 0 else len(stream)]
        yield unit.rstrip(b"\0")  # a unit never ends in a zero byte; one more belongs to the next start code
        at = after


def packed(units: Iterable[bytes], size: int) -> bytes:
    """Units as a packet of a file has them, each behind its length."""
    return b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)


def _sets(given: bytes, at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found = []
    for _ in range(count):
        length = given[at] << 8 | given[at + 1]
        found.append(given[at + 2 : at + 2 + length])
        at += 2 + length
    return tuple(found), at


def _exp_golomb(given: bytes) -> int:
    """The unsigned Exp-Golomb number that these bytes begin with. Source: ITU-T H.264, 9.1"""
    bits = "".join(f"{byte:08b}" for byte in given[:9])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "0", 2) - 1
