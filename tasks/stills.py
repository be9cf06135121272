"""Stills for the report: one frame a shot, before and after, and the mouth enlarged.

They are cut while conform runs, from the pictures that pass by, so the film is not decoded again. JPEGs go to a folder
at once: an episode's stills are never in memory together. HDR films are shown as they are coded, so they look flat.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from storage.catalog import Shot, Take
from storage.film.colour import to_rgb
from storage.film.planes import Planes
from storage.film.probe import Film
from storage.film.read import Frame
from tasks.conform import FileOf, laid
from tasks.ranges import Range

WIDTH: Final = 960  # pixels of a still at most
CLOSE_UP: Final = 420  # pixels of the enlarged mouth, the longer side
QUALITY: Final = 88
TILE: Final = 400  # pixels wide: two beside each other fill a Prefect page
GAP: Final = 8

Rgb = NDArray[np.float32]  # (h, w, 3) in 0 … 1


@dataclass(frozen=True)
class Still:
    """One shot's pictures. `after` and the close-ups only exist where the frame was changed."""

    shot: str
    frame: int
    before: Path
    after: Path | None = None
    mouth_before: Path | None = None
    mouth_after: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        every = (self.before, self.after, self.mouth_before, self.mouth_after)
        return tuple(path for path in every if path is not None)


def still_of(film: Film, shot: Shot, takes: Sequence[Take], file_of: FileOf, folder: Path) -> Still:
    """The still of one shot, before its film is conformed. Reads the shot up to the picture that shows it."""
    watch = Stills(film, [shot], takes, folder)
    (wanted,) = watch.wanted
    first = min([wanted, *(int(take.placements[0][0]) for take in takes if take.placements)])
    for frame, after in laid(film, takes, file_of, [(first, wanted + 1)]):
        watch(frame, after)
    return watch.taken[shot.name]


def pick(shots: Sequence[Shot], takes: Iterable[Take]) -> dict[int, str]:
    """Which frame shows which shot: the middle one of those that takes cover, else the middle of the shot."""
    covered = sorted({int(frame) for take in takes for frame, _, _ in take.placements})
    chosen = {}
    for shot in shots:
        drawn = [frame for frame in covered if shot.start <= frame < shot.end]
        chosen[drawn[len(drawn) // 2] if drawn else (shot.start + shot.end) // 2] = shot.name
    return chosen


def side_by_side(still: Still) -> bytes:
    """One JPEG: before left, after right, the mouth below each; of an unchanged frame only the picture itself."""
    strips = []
    for row in ((still.before, still.after), (still.mouth_before, still.mouth_after)):
        tiles = [_tile(path) for path in row if path is not None]
        if tiles:
            strip = np.zeros((max(map(len, tiles)) + GAP, len(tiles) * (TILE + GAP), 3), np.uint8)
            for n, tile in enumerate(tiles):
                strip[: len(tile), n * (TILE + GAP) :][:, : tile.shape[1]] = tile
            strips.append(strip)
    return _jpeg(np.vstack(strips)[:-GAP, :-GAP])


def _tile(path: Path) -> NDArray[np.uint8]:
    """The picture, TILE pixels at the longer side."""
    bgr = cv2.imread(str(path))
    assert bgr is not None, path
    h, w = bgr.shape[:2]
    scale = TILE / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


class Stills:
    """Keeps a still of each shot while conform runs: call it with every frame, then read `taken`."""

    def __init__(self, film: Film, shots: Sequence[Shot], takes: Iterable[Take], folder: Path) -> None:
        self.film, self.folder = film, folder
        self.wanted = pick(shots, takes)
        self.taken: dict[str, Still] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def ranges(self) -> list[Range]:
        """The frames that must pass by."""
        return [(frame, frame + 1) for frame in self.wanted]

    def __call__(self, frame: Frame, after: Planes) -> None:
        shot = self.wanted.get(frame.index)
        if shot is None:
            return
        height, width = frame.planes[0].shape
        plate = to_rgb(frame.planes, self.film, 0, 0, width, height)
        before = self._save(f"{shot}.before", self._shown(plate))
        if after is frame.planes:
            self.taken[shot] = Still(shot, frame.index, before)
            return
        dubbed = to_rgb(after, self.film, 0, 0, width, height)
        y, x = close_up(plate, dubbed)
        self.taken[shot] = Still(
            shot, frame.index, before, self._save(f"{shot}.after", self._shown(dubbed)),
            self._save(f"{shot}.mouth.before", enlarge(plate[y, x])),
            self._save(f"{shot}.mouth.after", enlarge(dubbed[y, x])),
        )  # fmt: skip

    def _shown(self, rgb: Rgb) -> Rgb:
        """With square pixels, and no wider than a page needs."""
        h, w = rgb.shape[:2]
        wide = float(w * self.film.sar)
        scale = min(1.0, WIDTH / wide)
        size = (max(1, round(wide * scale)), max(1, round(h * scale)))
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)

    def _save(self, name: str, rgb: Rgb) -> Path:
        path = self.folder / f"{name}.jpg"
        path.write_bytes(_jpeg(np.rint(rgb[..., ::-1] * 255).astype(np.uint8)))
        return path


def _jpeg(bgr: NDArray[np.uint8]) -> bytes:
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes()


def close_up(before: Rgb, after: Rgb) -> tuple[slice, slice]:
    """(rows, columns) around all that differs between two pictures, with a margin of a quarter."""
    changed = np.abs(before - after).max(axis=-1) > 0
    cuts = []
    for axis in (1, 0):
        at = np.flatnonzero(changed.any(axis=axis))
        first, last = (int(at[0]), int(at[-1]) + 1) if at.size else (0, changed.shape[1 - axis])
        margin = (last - first) // 4
        cuts.append(slice(max(0, first - margin), min(changed.shape[1 - axis], last + margin)))
    return cuts[0], cuts[1]


def enlarge(rgb: Rgb) -> Rgb:
    """To CLOSE_UP pixels at the longer side."""
    h, w = rgb.shape[:2]
    scale = CLOSE_UP / max(h, w)
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    sized = cv2.resize(rgb, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=how)
    return np.clip(np.asarray(sized, np.float32), 0, 1)
