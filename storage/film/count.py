"""Counts a film's frames, exactly and without decoding: one walk over every packet of the file."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from storage.errors import Refused

STANDARD_RATES: Final = tuple(
    Fraction(n * 1000, d)
    for n in (24, 25, 30, 48, 50, 60, 96, 100, 120)
    for d in (1001, 1000)
    if (n % 25, d) != (0, 1001)
)


REORDERED: Final = 64  # frames; H.264 and HEVC may show a picture 16 later than it is stored


@dataclass(frozen=True)
class Walk:
    """What one reading of all packets finds."""

    pts: NDArray[np.int64]
    last_ticks: int  # how long the last frame says it lasts
    latest: Fraction  # seconds: end of the last packet of any stream
    packets: int  # of the picture, those that an edit list hides included
    damaged: int  # packets that the reader marked as broken
    digests: dict[int, str]  # of every other stream: sha256 of its packets' bytes, one after another
    ordered: bool  # the picture's packets lie in the order in which they are shown


def walk(path: Path, picture: int) -> Walk:
    stamps: list[tuple[int, int]] = []
    latest, packets, damaged = Fraction(0), 0, 0
    bytes_of: dict[int, Any] = defaultdict(hashlib.sha256)
    try:
        with av.open(str(path.absolute()), metadata_errors="replace") as container:
            for packet in container.demux():
                if packet.size == 0:
                    continue
                damaged += packet.is_corrupt
                packets += packet.stream.index == picture
                if packet.stream.index != picture:
                    bytes_of[packet.stream.index].update(packet)
                elif not packet.is_discard:
                    if packet.pts is None:
                        raise Refused(
                            f"{path}: the picture has frames without a timestamp, so they cannot be numbered. "
                            f"Rewrap it: ffmpeg -fflags +genpts -i FILM -c copy NEW.mov"
                        )
                    stamps.append((packet.pts, packet.duration or 0))
                if packet.pts is not None:
                    latest = max(latest, (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base))
    except av.error.FFmpegError as error:
        raise Refused(f"{path} cannot be read to its end: {error.strerror}. Copy it again from the original.") from None
    if not stamps:
        raise Refused(f"{path} holds not one frame. It is damaged or cut off; copy it again from the original.")
    ordered = all(a <= b for (a, _), (b, _) in pairwise(stamps))
    _refuse_jumps(path, [pts for pts, _ in stamps])
    stamps.sort()
    pts = np.array([stamp for stamp, _ in stamps], np.int64)
    if (np.diff(pts) <= 0).any():
        raise Refused(
            f"{path}: two frames claim the same time, so they cannot be numbered. Rewrap it with ffmpeg -c copy."
        )
    pts.flags.writeable = False
    digests = {index: digest.hexdigest() for index, digest in bytes_of.items()}
    return Walk(pts, stamps[-1][1], latest, packets, damaged, digests, ordered)


def _refuse_jumps(path: Path, pts: list[int]) -> None:
    """raises Refused if a frame lies far from its place: no codec shows it so long after those that follow it"""
    moved = np.argsort(np.array(pts, np.int64), kind="stable") - np.arange(len(pts))
    far = np.flatnonzero(np.abs(moved) > REORDERED)
    if far.size:
        raise Refused(
            f"{path}: the times of its frames jump back near frame {int(far[0])}, so nobody can say in which order "
            f"they are shown. It was cut together without new times; export it again, or copy it from the original."
        )


def holes(pts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(frame, ticks) of each hole in a film that is steady otherwise: the frame before it, and how long that stands.

    A hole is a frame that stands twice as long as usual or longer. Where more than one frame in a hundred does, the
    film is simply of variable rate.
    """
    steps = np.diff(pts)
    if steps.size < 2:
        return []
    wide = np.flatnonzero(steps > 1.9 * np.median(steps))
    return [(int(n), int(steps[n])) for n in wide] if wide.size <= max(1, steps.size // 100) else []


def rate_of_stamps(pts: NDArray[np.int64], time_base: Fraction, said: list[str | None]) -> tuple[Fraction, bool]:
    """The rate whose frames fall on these timestamps to within a tick, and True; else the mean rate, and False.

    Matroska rounds to milliseconds and MPEG-TS to 1/90000 s, so what a container says is only a candidate.
    """
    claims = [Fraction(text) for text in said if text and not text.startswith("0/") and not text.endswith("/0")]
    mean = (len(pts) - 1) / (int(pts[-1] - pts[0]) * time_base) if len(pts) > 1 else None
    near = [r for r in STANDARD_RATES if mean is None or abs(r - mean) * len(pts) < 2 * r]
    for rate in [*(c for c in claims if c in STANDARD_RATES), *claims, *(near if mean is not None else [])]:
        ticks = 1 / (rate * time_base)  # a frame, in ticks
        if len(pts) == 1:
            return rate, True
        number = np.arange(len(pts), dtype=np.int64)
        ideal = (number * ticks.numerator + ticks.denominator // 2) // ticks.denominator
        away = pts - pts[0] - ideal
        if away.max() - away.min() <= 2 and np.abs(away).max() <= 2:
            return rate, True
    return (mean or Fraction(25)), False
