"""One clip of the evaluation: its film, its meshes, and films made from it: dubbed, or with one mouth pasted on.

What is drawn is laid back by models/face/paste.py as the product does, and kept as 8-bit pictures as a film is. Every
mesh, of truth and results alike, is read in one fixed place per frame: a place found anew in each picture would jitter.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.audio.mel import HZ
from models.corpus.clips import SIZE, Clip
from models.corpus.prepare import pictures
from models.diff2lip.window import CROP
from models.face import form
from models.face.crop import Box, Pixel, covering, cut, enlarge, frame_squares, into, mouth_into, out_of
from models.face.form import Floats
from models.face.matte import matte
from models.face.mesh import Mesh, Roi
from models.face.mouth import of_mesh
from models.face.paste import lay, over, shown
from models.lipsync import REST, WIDE, CropSpec, Face, LipSync, Sight
from models.metrics import sharpness
from models.syncnet.senses import RATE

LOOK: Final = 1.45  # side of the place where a mesh is read, over the side of the starter's crop
DELAY: Final = 12  # frames by which a dub comes late, because all GRID sentences begin alike
QUIET: Final = Fraction(3, 10)  # seconds of the clip's quietest stretch, whose noise fills the room

Frames = list[NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class View:
    """The film through one model's crop."""

    spec: CropSpec
    squares: Floats  # (n, 4)
    boxes: list[Box]
    crops: Floats  # (n, S, S, 3) 0 … 1
    meshes: Floats  # (n, 468, 2) 0 … 1 of the crop
    covers: Floats  # (n, S, S) mattes of the crop
    shown: Floats  # (n, H, W) mattes of the film
    face: Face


class Scene:
    """A clip and its film in memory; about 80 MB."""

    def __init__(self, clip: Clip, media: Path, mesh: Mesh) -> None:
        """raises FileNotFoundError if no film of that name lies below `media`"""
        film = next(iter(media.rglob(f"{clip.name}.mp4")), None)
        if film is None:
            raise FileNotFoundError(f"{clip.name}.mp4 is not below {media}: give the films these clips are of")
        self.clip, self.mesh = clip, mesh
        self.frames: Frames = pictures(film)
        squares = np.pad(clip.squares, ((0, 0), (0, 4 - clip.squares.shape[1])))
        self.points = out_of(clip.points / np.float32(SIZE), squares)
        self.views: dict[CropSpec, View] = {}

    def view(self, spec: CropSpec = CROP) -> View:
        if spec not in self.views:
            self.views[spec] = self._look(spec)
        return self.views[spec]

    @cached_property
    def true(self) -> Floats:
        """(n, 468, 2) the film's meshes in its pixels, read as those of results are."""
        return self.read(self.frames)

    @cached_property
    def median(self) -> Floats:
        return np.median(self.true, axis=0).astype(np.float32)

    @cached_property
    def mouths(self) -> Floats:
        """(n, 43, 2) measured."""
        return form.measure(self.true, self.median)

    @cached_property
    def open(self) -> NDArray[np.int64]:
        return sharpness.open_frames(form.opening(self.mouths))

    @cached_property
    def round_trip(self) -> Frames:
        """The film itself through crop and paste, without what the paste keeps of the plate's detail."""
        view, out = self.view(), []
        for n, box in enumerate(view.boxes):
            soft = np.asarray(enlarge(view.crops[n], view.squares[n], box), np.float32)
            out.append(self._put(n, box, soft, _part(self.view().shown[n], box)))
        return out

    def read(self, frames: Frames) -> Floats:
        """(n, 468, 2) meshes in film pixels."""
        squares = self.view().squares
        rois = (Roi(float(x), float(y), LOOK * float(side), 0.0) for x, y, side, _ in squares)
        return np.stack([self.mesh(frame, roi)[0] for frame, roi in zip(frames, rois, strict=True)])

    def measured(self, points: Floats) -> Floats:
        """(n, 43, 2) mouths of meshes of this head, measured with the film's own median."""
        return form.measure(points, self.median)

    def drawn(self, model: LipSync, speech: Floats) -> Frames:
        """The film with mouths that say `speech`."""
        view = self.view(model.crop)
        times = [n / RATE for n in range(len(self.frames))]
        sight = Sight(
            torch.from_numpy(view.crops).permute(0, 3, 1, 2).contiguous(),
            torch.from_numpy(mouth_into(of_mesh(self.points), view.squares)),
            torch.from_numpy(view.meshes),
            view.face,
        )
        drawn = model.render(sight, torch.from_numpy(speech), times, seed=7, steps=0)
        results = drawn.permute(0, 2, 3, 1).numpy()
        return [
            self._put(n, box, *self._laid(view, n, np.asarray(results[n], np.float32)))
            for n, box in enumerate(view.boxes)
        ]

    def pasted(self) -> Frames:
        """The frame at rest on every frame, moved with the head and shown through the starter's matte."""
        rest = form.kinds(form.opening(self.clip.mouths), form.breadth(self.clip.mouths))[REST]
        maps, out = form.onto(self.points[rest], self.points), []
        source = light(self.frames[rest])
        for n, box in enumerate(self.view().boxes):
            height, width = source.shape[:2]
            turn = maps[n].copy()
            turn[:, 2] += turn[:, :2] @ np.array([0.5, 0.5], np.float32) - 0.5  # OpenCV: from the middle of a pixel
            still = cv2.warpAffine(
                source, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            out.append(self._put(n, box, _part(np.asarray(still, np.float32), box), _part(self.view().shown[n], box)))
        return out

    def _look(self, spec: CropSpec) -> View:
        squares = frame_squares(np.arange(len(self.frames), dtype=np.int32), self.points, spec)
        height, width = self.frames[0].shape[:2]
        crops = np.stack(
            [
                np.clip(cut(light(frame), square, spec.size), 0, 1)
                for frame, square in zip(self.frames, squares, strict=True)
            ]
        )
        meshes = into(self.points, squares)
        face = face_of(crops, meshes, self.clip.mouths)
        covers = matte(meshes, spec, face.points[WIDE].numpy())
        boxes = [covering(one, width, height) for one in squares]
        on_film = np.zeros((len(self.frames), height, width), np.float32)
        for n, box in enumerate(boxes):
            _part(on_film[n], box)[:] = shown(covers[n], squares[n], box)
        return View(spec, squares, boxes, crops, meshes, covers, on_film, face)

    def _laid(self, view: View, n: int, result: Floats) -> tuple[Floats, Floats]:
        plate = light(_part(self.frames[n], view.boxes[n]))
        return lay(
            plate, view.crops[n], result, view.covers[n], view.meshes[n], view.squares[n], view.boxes[n], view.spec
        )

    def _put(self, n: int, box: Box, rgb: Floats, shown: Floats) -> NDArray[np.uint8]:
        x, y, width, height = box
        done = self.frames[n].copy()
        plate = light(_part(done, box))
        done[y : y + height, x : x + width] = np.rint(over(plate, rgb, shown) * 255)
        return done


def light(picture: NDArray[np.uint8]) -> Floats:
    """Code values as 0 … 1."""
    return np.asarray(picture / np.float32(255), np.float32)


def _part(picture: NDArray[Pixel], box: Box) -> NDArray[Pixel]:
    x, y, width, height = box
    return picture[y : y + height, x : x + width]


def face_of(crops: Floats, meshes: Floats, mouths: Floats) -> Face:
    """The face as a track knows it, picked as tasks/stage.py picks it."""
    chosen = list(form.kinds(form.opening(mouths), form.breadth(mouths)))
    return Face(
        torch.from_numpy(crops[chosen]).permute(0, 3, 1, 2),
        torch.from_numpy(meshes[chosen]),
        torch.from_numpy(np.median(meshes, axis=0).astype(np.float32)),
    )


def delayed(speech: Floats) -> Floats:
    """The voice of another, DELAY frames late."""
    return np.concatenate([np.zeros(int(DELAY * HZ / RATE), np.float32), speech])


def room(speech: Floats, seed: int = 7) -> Floats:
    """As much noise as there is speech, of the clip's own room: spectrum and loudness of its quietest 0.3 s.

    Phases are drawn afresh, so it does not repeat. GRID's rooms are −52 … −26 dBFS, most of it rumble.
    """
    count = int(QUIET * HZ)
    power = np.convolve(np.square(speech.astype(np.float64)), np.ones(count), "valid")
    start = int(power.argmin())
    quiet = speech[start : start + count].astype(np.float64)
    heard = np.abs(np.fft.rfft(quiet * np.hanning(count)))
    shape = np.interp(np.fft.rfftfreq(len(speech)), np.fft.rfftfreq(count), heard)
    phases = np.exp(2j * np.pi * np.random.default_rng(seed).random(len(shape)))
    noise = np.fft.irfft(shape * phases, len(speech))
    return np.asarray(noise * (quiet.std() / max(float(noise.std()), 1e-12)), np.float32)
