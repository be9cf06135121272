"""Lay circled takes back over the film.

Promises: as many frames out as in; where the matte is 0 the bits are the plate's; the sound is not opened. A frame
that no take changes goes out as it came in: the same packet where the film's frames, or groups of them, stand alone
and nothing in the group changes, else the same planes to the encoder.
Deliberately not here: choosing takes (flows), colour (storage/film/colour.py), muxing (tasks/deliver.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.catalog import Take
from storage.errors import DublineError
from storage.film.encoders import Deliver, Encoder, encoder_for
from storage.film.groups import groups_of
from storage.film.matched import matched
from storage.film.pictures import read_mattes, read_pictures
from storage.film.planes import Plane, Planes, pixel_format
from storage.film.probe import Film
from storage.film.read import Frame, frames
from storage.film.siting import Siting, gathered, siting
from storage.film.write import PictureWriter
from tasks.progress import OnProgress, unseen
from tasks.ranges import Range, meet, union

FileOf = Callable[[str], Path]  # from an artifact's sha to the file that holds it


class Watch(Protocol):
    """Somebody who looks at frames while they pass by, before and after; the report's stills are cut there."""

    @property
    def ranges(self) -> Sequence[Range]:
        """The frames that must pass by; others may."""

    def __call__(self, frame: Frame, after: Planes) -> None: ...


@dataclass(frozen=True)
class Picture:
    """The conformed picture stream, and what became of each frame."""

    path: Path
    frames: int
    changed: tuple[int, ...]  # frames in which at least one bit differs from the plate, before encoding
    copied: int  # frames whose packets were taken over
    encoder: Encoder
    lost: frozenset[str] = frozenset()  # what encoded frames carried beside their pixels and carry no more

    @property
    def identical(self) -> int:
        return self.frames - len(self.changed)

    @property
    def words(self) -> str:
        """How it was written, for the report."""
        if not self.copied:
            return self.encoder.words
        return f"{self.encoder.words}; {self.copied} of {self.frames} frames are the film's own packets"


def lay_over(plate: Plane, patch: Plane, matte: NDArray[np.uint8]) -> Plane:
    """The plate with the patch on it: plate + matte · (patch − plate), to the nearest code value.

    plate, patch  (H, W) one plane of code values in the film's own bit depth, up to 16
    matte         (H, W) 0 … 255; 255 shows the patch alone
    raises        ValueError if shapes differ: a patch of another size is a bug upstream, not ours to mend
    source        the "over" operator of Porter and Duff, Compositing Digital Images, 1984
    """
    if not plate.shape == patch.shape == matte.shape:
        raise ValueError(f"plate {plate.shape}, patch {patch.shape}, matte {matte.shape}")
    below = plate.astype(np.int32)
    change = matte * (patch.astype(np.int32) - below)
    return np.asarray(below + (change + 127) // 255, plate.dtype)


def chroma_matte(matte: NDArray[np.uint8], grid: Siting) -> NDArray[np.uint8]:
    """The matte of a smaller plane: its mean about each chroma sample, and 0 only if all of it there is 0.

    matte   (H, W); beyond the picture's edge the edge goes on
    """
    if grid.dense:
        return matte
    mean = gathered(matte, grid)
    return np.asarray(np.maximum(np.rint(mean), mean > 0), np.uint8)


def lay_take(planes: list[Plane], patch: Planes, matte: NDArray[np.uint8], x: int, y: int, film: Film) -> None:
    """Lays one patch over the planes of a picture; a plane that it touches is replaced in the list, never written into.

    x, y    where the patch's top left pixel lies in the picture; on a chroma sample, and the patch within the picture
    raises  ValueError if it does not fit
    """
    layout = pixel_format(film.pix_fmt)
    h, w = matte.shape
    height, width = planes[0].shape
    if x % layout.across or y % layout.down or not (x >= 0 and x + w <= width and y >= 0 and y + h <= height):
        raise ValueError(
            f"a patch of {w}×{h} at ({x}, {y}) does not lie on the samples of a {width}×{height} {layout.name}"
        )
    of_chroma = chroma_matte(matte, siting(film))
    for number, kind in enumerate(layout.kinds):
        if kind == "a":
            continue  # the film's own transparency stays
        down, across = layout.steps(number)
        rows = slice(y // down, y // down + patch[number].shape[0])
        columns = slice(x // across, x // across + patch[number].shape[1])
        laid = planes[number].copy()
        shown = of_chroma if kind == "c" else matte
        laid[rows, columns] = lay_over(laid[rows, columns], patch[number], shown)
        planes[number] = laid


class _Reel:
    """One take's patches and mattes, read in step with the film."""

    def __init__(self, take: Take, file_of: FileOf) -> None:
        self.take, self.file_of = take, file_of
        self._places = {int(frame): (int(x), int(y)) for frame, x, y in take.placements}
        order = [int(frame) for frame, _, _ in take.placements]
        if order != sorted(set(order)):
            raise ValueError(f"the placements of take {take.key[:12]} are not in the order of frames: {order[:20]}")
        self._pictures: Iterator[tuple[Planes, NDArray[np.uint8]]] | None = None

    def at(self, frame: int) -> tuple[Planes, NDArray[np.uint8], int, int] | None:
        """The patch, its matte and its place on this frame; None where the take does not reach. Ask in rising order."""
        if frame not in self._places:
            return None
        if self._pictures is None:  # opened late, so that a whole episode's takes are never open at once
            pictures = read_pictures(self.file_of(self.take.patch))
            self._pictures = zip(pictures, read_mattes(self.file_of(self.take.matte)), strict=False)
        try:
            found = next(self._pictures, None)
        except av.error.FFmpegError:
            found = None
        if found is None:
            raise DublineError(
                f"Take v{self.take.version:03} of {self.take.model} lacks frame {frame}: its patch or matte film "
                f"is damaged. `dubline catalog verify` finds it; then render the shot again."
            )
        return *found, *self._places[frame]


def lay_takes(
    film: Film, takes: Sequence[Take], file_of: FileOf, to: Path, deliver: Deliver = "same",
    watches: Sequence[Watch] = (), on_progress: OnProgress = unseen,
) -> Picture:  # fmt: skip
    """Writes the film's picture with the takes laid over it, in one pass; several takes may lie on one frame.

    Where the film's packets can be copied, only the frames are decoded that takes lie on, those that stand and fall
    with them, and those that are watched.

    to           where the intermediate goes (MOV or NUT inside, whatever its name)
    on_progress  is told (frames written, frames to write)
    raises       Refused if the film is damaged, DublineError if a take's files are
    """
    encoder = encoder_for(film, deliver)
    groups = groups_of(film, encoder)
    placed = union((int(frame), int(frame) + 1) for take in takes for frame, _, _ in take.placements)
    drawn = groups.over(placed) if groups else [(0, film.frames)]
    if placed and deliver == "same":
        encoder = matched(film, encoder, *drawn[0])
    alone = groups is not None and groups.longest == 1
    seen = union([*drawn, *(one for watch in watches for one in watch.ranges)])
    changed: list[int] = []
    written = 0
    with PictureWriter(to, film, encoder, groups) as writer:
        for frame, after in laid(film, takes, file_of, seen):
            touched = after is not frame.planes
            if touched:
                changed.append(frame.index)
            for watch in watches:
                watch(frame, after)
            if touched or (not alone and meet([(frame.index, frame.index + 1)], drawn)):
                writer.copy(written, frame.index)
                writer.write(frame.index, after, frame.decoded)
                written = frame.index + 1
                on_progress(written, film.frames)
        writer.copy(written, film.frames)
        on_progress(film.frames, film.frames)
    return Picture(to, film.frames, tuple(changed), writer.copied, encoder, writer.lost)


def laid(film: Film, takes: Sequence[Take], file_of: FileOf, ranges: Iterable[Range]) -> Iterator[tuple[Frame, Planes]]:
    """The frames of rising ranges, each with its planes with the takes laid over them: its own where no bit differs.

    ranges  hold every frame on which a take lies, up to the last range's end: patches are read in their order
    """
    starting = sorted((_Reel(take, file_of) for take in takes if take.placements), key=_first, reverse=True)
    running: list[_Reel] = []
    for frame in chain.from_iterable(frames(film, start, end) for start, end in ranges):
        while starting and _first(starting[-1]) <= frame.index:
            running.append(starting.pop())
        planes = list(frame.planes)
        for reel in running:
            if (found := reel.at(frame.index)) is not None:
                patch, matte, x, y = found
                lay_take(planes, patch, matte, x, y, film)
        running = [reel for reel in running if _last(reel) > frame.index]
        touched = any(not np.array_equal(a, b) for a, b in zip(frame.planes, planes, strict=True) if a is not b)
        yield frame, tuple(planes) if touched else frame.planes


def _first(reel: _Reel) -> int:
    return int(reel.take.placements[0][0])


def _last(reel: _Reel) -> int:
    return int(reel.take.placements[-1][0])


@task(cache_policy=NO_CACHE)
def conform(
    film: Film, takes: Sequence[Take], file_of: FileOf, to: Path, deliver: Deliver = "same",
    watches: Sequence[Watch] = (), on_progress: OnProgress = unseen,
) -> Picture:  # fmt: skip
    """Lays the circled takes over the film."""
    return lay_takes(film, takes, file_of, to, deliver, watches, on_progress)
