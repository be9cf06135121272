"""Which clips of speaking people are trained on, which are kept for judging, and one clip in memory.

Names say who speaks: `grid_s26_bgbsza.mp4` is s26. Two kinds of clips are kept from training: all of some speakers, and
every eighth clip of the speakers who have many, so that unseen faces and unseen sentences of known faces can be told
apart in the figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models.face import form
from models.face.form import Floats

SIZE: Final = 144  # pixels a side of a prepared crop
ROOM: Final = Fraction(9, 8)  # prepared crop over the one a network sees: for shifting, scaling and turning
UNSEEN: Final = ("s26", "s30", "s31", "s33", "unkF", "unkG", "unkH")  # never trained on; s31, s33, unkH are eval's
OVERSHADOWING: Final = ("s1", 170)  # 84 % of the corpus is this one face; so many clips of it are plenty
MANY: Final = 20  # clips of one speaker from which some are kept back
KEPT_BACK: Final = 8  # one in so many

Part = Literal["train", "unseen clips", "unseen speakers"]


@dataclass(frozen=True, eq=False)
class Clip:
    """One prepared clip in memory. Points and the median are in pixels of the prepared crop."""

    name: str
    speaker: str
    crops: NDArray[np.uint8]  # (n, 144, 144, 3)
    points: Floats  # (n, 468, 2)
    median: Floats  # (468, 2)
    mouths: Floats  # (n, 43, 2) measured
    order: NDArray[np.int64]  # frames from the most closed mouth to the most open
    breadths: NDArray[np.int64]  # frames from the narrowest mouth to the broadest
    speech: Floats  # (N,) 16 kHz
    squares: Floats  # (n, 3) where the prepared crops lie in the film


def read(path: Path) -> Clip:
    """One prepared clip; raises ValueError naming a file that is none, OSError."""
    try:
        with np.load(path) as file:
            crops, points, speech, squares = (file[name] for name in ("crops", "points", "speech", "squares"))
    except (ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} is no prepared clip ({error}); delete it and prepare again") from error
    points = points * SIZE
    median = np.median(points, axis=0).astype(np.float32)
    mouths = form.measure(points, median)
    return Clip(
        path.stem, speaker_of(path), crops, points, median, mouths,
        np.argsort(form.opening(mouths)), np.argsort(form.breadth(mouths)), speech, squares,
    )  # fmt: skip


def to_learn_from(folder: Path) -> list[Path]:
    """The prepared clips in FOLDER/clips that are not kept for judging; raises FileNotFoundError if there is none."""
    paths = sorted((folder / "clips").glob("*.npz"))
    part = parts([path.stem for path in paths])
    known = [path for path in paths if part[path.stem] == "train"]
    if not known:
        raise FileNotFoundError(
            f"{folder / 'clips'} holds no prepared clip to learn from; "
            f"`dubline train prepare {folder} --media MEDIA` makes them"
        )
    return known


def clips(media: Path) -> Iterator[Path]:
    """The clips of GRID below a folder, all speakers, of the overshadowing one every sixth or so."""
    speaker, most = OVERSHADOWING
    found = sorted(media.rglob("grid_*.mp4"))
    his = [path for path in found if speaker_of(path) == speaker]
    kept = set(his[:: max(1, len(his) // most)][:most])
    return (path for path in found if speaker_of(path) != speaker or path in kept)


def parts(names: Iterator[str] | list[str]) -> dict[str, Part]:
    """Every prepared clip's name and what it is for."""
    of: dict[str, list[str]] = {}
    for name in sorted(names):
        of.setdefault(speaker_of(Path(name)), []).append(name)
    found: dict[str, Part] = {}
    for speaker, his in of.items():
        for i, name in enumerate(his):
            kept_back = len(his) >= MANY and i % KEPT_BACK == KEPT_BACK - 1
            found[name] = "unseen speakers" if speaker in UNSEEN else "unseen clips" if kept_back else "train"
    return found


def speaker_of(path: Path) -> str:
    """`grid_s26_bgbsza.mp4` → `s26`."""
    return path.stem.split("_")[1]
