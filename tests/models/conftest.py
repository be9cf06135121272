"""What the model tests look at: clips of real faces from the shared folder, where there is one.

Without it those tests are skipped and say so; under CI they fail, for there the folder is promised.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.corpus import prepare
from models.corpus.clips import SIZE, Clip
from models.diff2lip.window import CROP
from models.face.crop import cut, frame_squares, into, mouth_into
from models.face.detect import Detector
from models.face.form import breadth, kinds, measure, opening
from models.face.mesh import Mesh
from models.face.mouth import of_mesh
from models.lipsync import Face, Sight
from tests.media import shared

torch.set_num_threads(1)


class Filmed:
    """24 frames of one face, as a model sees them."""

    def __init__(self, path: Path) -> None:
        self.frames: list[NDArray[np.uint8]] = prepare.pictures(path)[14:38]
        self.speech = torch.from_numpy(prepare.sound(path)[14 * 640 :])
        points = prepare.track(self.frames, Detector(), Mesh())
        assert points is not None
        self.points = points
        self.squares = frame_squares(np.arange(len(self.frames), dtype=np.int32), points, CROP)
        cropped = np.stack([cut(f, s, CROP.size) for f, s in zip(self.frames, self.squares, strict=True)])
        self.crops = torch.from_numpy(cropped.astype(np.float32) / 255).permute(0, 3, 1, 2)
        self.meshes = torch.from_numpy(into(points, self.squares))
        mouths = measure(points, np.median(points, axis=0).astype(np.float32))
        chosen = list(kinds(opening(mouths), breadth(mouths)))
        self.face = Face(self.crops[chosen], self.meshes[chosen], self.meshes.median(dim=0).values)

    def sight(self, start: int = 0) -> Sight:
        """From that frame on."""
        mouths = torch.from_numpy(mouth_into(of_mesh(self.points), self.squares))
        return Sight(self.crops[start:], mouths[start:], self.meshes[start:], self.face)


@pytest.fixture(scope="session")
def filmed() -> Filmed:
    """A speaker the starter has never seen."""
    return Filmed(shared("media/eval/grid_s31_bbai7s.mp4"))


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    """Two drawn speakers of 30 frames, whose lower lip follows the loudness of a hum."""
    made = []
    for i, speaker in enumerate(("ann", "bob")):
        chance = np.random.default_rng(i)
        mesh = chance.uniform(0.3, 0.7, (468, 2)).astype(np.float32) * SIZE
        mesh[33], mesh[263] = (40, 30), (104, 30)
        points = np.repeat(mesh[None], 30, axis=0)
        loud = np.abs(np.sin(np.arange(30) / 3 + i))
        points[:, 14, 1] = points[:, 13, 1] + 10 * loud
        hum = np.repeat(loud, 640) * chance.normal(0, 0.1, 30 * 640)
        mouths = measure(points, mesh)
        crops = chance.integers(0, 256, (30, SIZE, SIZE, 3), dtype=np.uint8)
        squares = np.tile(np.array([150, 150, 150, 0], np.float32), (30, 1))
        orders = np.argsort(opening(mouths)), np.argsort(breadth(mouths))
        made.append(Clip(speaker, speaker, crops, points, mesh, mouths, *orders, hum.astype(np.float32), squares))
    return made
