"""Cut the film into shots.

PySceneDetect proposes, generously: every frame whose content differs much (ContentDetector), and every frame that
differs far more than its neighbours though not by much (AdaptiveDetector at a low floor, for cuts between two sober
rooms). A second look then strikes out what is no cut: motion, which changes the picture for several frames in a row;
explosions and lamps, which change its light and leave its edges; flashes, after which the old picture is back.

Promises: the shots are contiguous, half open and cover the film; frame numbers are the decoder's; memory is flat.
Deliberately not here: dissolves and fades. They stay inside one shot. The numbers below were set on the two films of
tests/bench/cuts.py, which prints what they find there.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.catalog import Shot
from storage.film.planes import pixel_format
from storage.film.probe import Film
from storage.film.read import Frame, frames
from tasks.progress import OnProgress, unseen

WIDTH: Final = 240  # pixels of the small picture that is looked at
BLOCKS: Final = (16, 12)  # means of colour that are compared
BINS: Final = 32
CONTENT: Final = 27.0  # ContentDetector's own threshold
FLOOR: Final = 6.0  # AdaptiveDetector's is 15, which misses a cut between two people before the same wall
NEIGHBOURS: Final = 3  # frames each side that a cut must stand out from, on at least one side
STANDS_OUT: Final = 8.0  # times; false ones reach 4, true ones begin at 16
EDGES: Final = 0.25  # least share of edges that are new or gone
SHORTEST: Final = 6  # frames; what is shorter is a flash or two marks of one cut

Small = NDArray[np.uint8]  # (h, w, 3) Y Cr Cb


@dataclass(frozen=True, eq=False)
class Look:
    """What one frame is like, and how far it is from the one before."""

    index: int
    blocks: NDArray[np.float32]  # (12, 16, 3) means of Y Cr Cb
    histogram: NDArray[np.float32]  # (3, 32) shares
    edges: NDArray[np.bool_]  # (h, w)
    around: NDArray[np.bool_]  # the edges and two pixels around them
    change: float = 0.0  # difference of the blocks times difference of the histograms
    new_edges: float = 0.0  # share of edges that were not there before, or are no more; the larger of both

    def resembles(self, other: "Look") -> float:
        """How far two frames are apart, as `change` counts."""
        moved = float(np.abs(self.blocks - other.blocks).mean(axis=(0, 1)).sum())
        shifted = float(np.abs(self.histogram - other.histogram).sum() / 6)
        return moved * shifted


def small(frame: Frame, film: Film) -> Small:
    """The frame as (h, 240, 3) Y Cr Cb at 8 bit, good enough to tell pictures apart and not for more."""
    layout = pixel_format(film.pix_fmt)
    size = (WIDTH, max(16, round(film.height * WIDTH / film.width)))
    shift = layout.bits - 8
    planes = [
        np.asarray(cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA) / 2**shift, np.uint8)
        for plane in frame.planes[: len(layout.kinds.rstrip("a"))]
    ]
    if len(planes) == 1:
        grey = np.full_like(planes[0], 128)
        return np.stack([planes[0], grey, grey], axis=-1)
    if layout.kinds[0] == "g":
        green, blue, red = planes
        return np.asarray(cv2.cvtColor(np.stack([blue, green, red], axis=-1), cv2.COLOR_BGR2YCrCb), np.uint8)
    luma, cb, cr = planes
    return np.stack([luma, cr, cb], axis=-1)


def look_at(index: int, picture: Small, before: Look | None) -> Look:
    """Measures a small picture against the look before it.

    source  edges: the edge change ratio of Zabih, Miller and Mai, A Feature-Based Algorithm for Detecting and
            Classifying Scene Breaks, 1995, without its motion compensation
    """
    blocks = cv2.resize(picture, BLOCKS, interpolation=cv2.INTER_AREA).astype(np.float32)
    shares = [np.histogram(picture[..., n], BINS, (0, 256))[0] / picture[..., n].size for n in range(3)]
    edges = cv2.Canny(np.ascontiguousarray(picture[..., 0]), 60, 120)
    around = cv2.dilate(edges, np.ones((5, 5), np.uint8)) > 0
    here = Look(index, blocks, np.asarray(shares, np.float32), edges > 0, around)
    if before is None:
        return here
    kept = (here.edges & before.around).sum() / max(1, here.edges.sum())
    stayed = (before.edges & here.around).sum() / max(1, before.edges.sum())
    new_edges = 1 - float(min(kept, stayed))
    return Look(index, blocks, here.histogram, here.edges, around, here.resembles(before), new_edges)


def proposals(pictures: Iterable[tuple[int, Small]]) -> Iterator[tuple[int, Small, list[int]]]:
    """Each picture again, with the frames that PySceneDetect proposes as first of a shot once it has seen it."""
    from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode

    detectors: list[Any] = [
        ContentDetector(threshold=CONTENT, min_scene_len=0),
        AdaptiveDetector(min_content_val=FLOOR, min_scene_len=0),
    ]
    for index, picture in pictures:
        # The rate only dresses the number; what comes back is asked for its frame.
        now, seen = FrameTimecode(index, 25.0), cv2.cvtColor(picture, cv2.COLOR_YCrCb2BGR)
        yield index, picture, [int(cut.frame_num) for d in detectors for cut in d.process_frame(now, seen)]


def first_frames(pictures: Iterable[tuple[int, Small]]) -> Iterator[int]:
    """The frames, beside 0, at which a shot begins, in order."""
    looks: deque[Look] = deque(maxlen=SHORTEST + 2 * NEIGHBOURS + 2)
    proposed: set[int] = set()
    waiting: Look | None = None  # a cut that the next frames may yet unmask as a flash
    before: dict[int, Look] = {}
    last = -1
    for index, picture, found in proposals(pictures):
        proposed.update(found)
        looks.append(look_at(index, picture, looks[-1] if looks else None))
        last = index
        for cut in _confirmed(looks, proposed, index - NEIGHBOURS):
            before[cut.index] = looks[_place(looks, cut.index) - 1]
            waiting, decided = _settle(waiting, cut, before)
            yield from decided
        if waiting and index - waiting.index > SHORTEST + NEIGHBOURS:
            yield waiting.index
            waiting = None
        proposed = {cut for cut in proposed if cut > index - SHORTEST - NEIGHBOURS}
        before = {cut: look for cut, look in before.items() if cut > index - 2 * SHORTEST - NEIGHBOURS}
    for index in range(last - NEIGHBOURS + 1, last + 1):
        for cut in _confirmed(looks, proposed, index):
            before[cut.index] = looks[_place(looks, cut.index) - 1]
            waiting, decided = _settle(waiting, cut, before)
            yield from decided
    if waiting:
        yield waiting.index


def _confirmed(looks: deque[Look], proposed: set[int], index: int) -> Iterator[Look]:
    """The look at this frame, if the second look agrees that a shot begins there."""
    place = _place(looks, index)
    if index not in proposed or place < 1:
        return
    here, row = looks[place], list(looks)
    sides = [row[max(1, place - NEIGHBOURS) : place], row[place + 1 : place + 1 + NEIGHBOURS]]
    quieter = min((max(look.change for look in side) for side in sides if side), default=0.0)
    if here.change > STANDS_OUT * quieter and here.new_edges >= EDGES:
        yield here


def _settle(waiting: Look | None, cut: Look, before: dict[int, Look]) -> tuple[Look | None, list[int]]:
    """What becomes of two neighbouring cuts: (the one that still waits, those that are certain)."""
    if waiting is None:
        return cut, []
    if cut.index - waiting.index >= SHORTEST:
        return cut, [waiting.index]
    if cut.resembles(before[waiting.index]) < min(waiting.change, cut.change) / 2:
        return None, []  # a flash: the old picture is back
    return max(waiting, cut, key=lambda look: look.change), []


def _place(looks: deque[Look], index: int) -> int:
    return index - looks[0].index if looks and looks[0].index <= index <= looks[-1].index else -1


def name_of(number: int) -> str:
    """sh0010, sh0020, … for 0, 1, …: room between them for shots that a person cuts later."""
    return f"sh{10 * (number + 1):04}"


def cut_at(firsts: Iterable[int], end: int) -> list[Shot]:
    """Shots that begin at 0 and at these frames and cover [0, end)."""
    starts = [0, *firsts]
    return [
        Shot(name_of(number), start, stop)
        for number, (start, stop) in enumerate(zip(starts, [*starts[1:], end], strict=True))
    ]


def find_shots(film: Film, on_progress: OnProgress = unseen) -> list[Shot]:
    """The film's shots, found by looking at every frame once.

    on_progress  is told (frames looked at, frames to look at)
    """

    def pictures() -> Iterator[tuple[int, Small]]:
        for frame in frames(film):
            yield frame.index, small(frame, film)
            on_progress(frame.index + 1, film.frames)

    return cut_at(first_frames(pictures()), film.frames)


@task(cache_policy=NO_CACHE)
def split(film: Film, on_progress: OnProgress = unseen) -> list[Shot]:
    """Cuts the film into shots."""
    return find_shots(film, on_progress)
