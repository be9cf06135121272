"""Pictures for the eye: drawn characters as filmed, as they should be and as they were dubbed, and a film with sound.

Figures do not see a smeared lip; look at these too. The clips are the first of the cast, nobody picks them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.corpus.clips import read
from models.diff2lip.evaluate.show import LEVELS, write
from models.lipsync import CropSpec
from models.omnisync.evaluate.scene import Part, Scene
from models.omnisync.evaluate.shot import Frames, Look, View, Way, through
from models.puppets.law import HZ
from models.puppets.read import OPEN
from models.syncnet.senses import RATE

SIDE: Final = 112  # pixels of one mouth of the sheet
MOMENTS: Final = 6
BESIDE: Final = 2  # clips beside each other
LABEL: Final = 84  # pixels


def scenes(
    parts: Sequence[Part], voices: Mapping[str, Path], spec: CropSpec, look: Look
) -> Iterator[tuple[Scene, View]]:
    """The clips one after another, for they are large; where no mouth is found it is shown where it is."""
    for part in parts:
        scene = Scene(part, read(voices[part.own]).speech, read(voices[part.dub]).speech, look)
        yield scene, scene.view(spec, scene.places)


def sheet(out: Path, shown: Iterator[tuple[Scene, View]], way: Way) -> None:
    """A PNG: for each clip the film, the truth of the dub and what was drawn and laid back, from shut to wide open."""
    boards = []
    for scene, view in shown:
        dubbed, _ = scene.laid(view, scene.drawn(way, scene.dub, view))
        then = _moments(scene.wanted[:, OPEN])
        rows = (
            (scene.part.species, scene.film),
            ("truth", scene.truth),
            ("drawn" if scene.seen is not None else "not found", dubbed),
        )
        boards.append(np.vstack([_row(label, through(film, view.squares, SIDE)[then]) for label, film in rows]))
    boards += [np.full_like(boards[0], 255)] * (-len(boards) % BESIDE)
    lines = [np.hstack(boards[n : n + BESIDE]) for n in range(0, len(boards), BESIDE)]
    picture = np.vstack(lines) // LEVELS * LEVELS
    cv2.imwrite(str(out), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


def film(out: Path, shown: Iterator[tuple[Scene, View]], way: Way) -> None:
    """An MP4: each clip whole, source left, dubbed right, with the dub's sound."""
    pictures: list[NDArray[np.uint8]] = []
    sounds = []
    for scene, view in shown:
        dubbed, _ = scene.laid(view, scene.drawn(way, scene.dub, view))
        pictures += [np.hstack(pair) for pair in zip(scene.film, dubbed, strict=True)]
        length = int(len(dubbed) * HZ / RATE)
        sounds.append(np.pad(scene.dub, (0, max(0, length - len(scene.dub))))[:length])
    write(out, pictures, np.concatenate(sounds))


def _moments(opening: NDArray[np.float32]) -> NDArray[np.int64]:
    """Frames from shut to wide open, evenly by how far the dub wants the mouth open."""
    steps = np.linspace(0, float(opening.max()), MOMENTS)
    return np.array([int(np.abs(opening - step).argmin()) for step in steps])


def _row(label: str, mouths: Frames) -> NDArray[np.uint8]:
    board = np.full((SIDE, LABEL, 3), 255, np.uint8)
    cv2.putText(board, label, (4, SIDE // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.hstack([board, *mouths])
