"""How good the starter is on people it has never seen: figures for its card, pictures for the eye.

Each held-out clip is dubbed with the voice of another, delayed by 12 frames because all GRID sentences begin alike, and
laid back into its frames; the mesh of the result is judged by an expert that had no part in the training. The same
clip drawn with its own voice tells how far and how rightly the mouth moves.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.audio.mel import HZ
from models.corpus.clips import ROOM, SIZE, Clip
from models.corpus.prepare import pictures
from models.diff2lip.window import CROP
from models.face import form
from models.face.crop import covering, cut, enlarge, into, out_of
from models.face.form import Floats
from models.face.matte import matte
from models.face.mesh import Mesh, Roi
from models.lipsync import Face, LipSync
from models.syncnet.meter import Meter
from models.syncnet.senses import RATE, heard

DELAY: Final = 12  # frames

Frames = list[NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Figures:
    """One clip."""

    name: str
    offset: int  # frames by which the dubbed mouth is late for the dub
    margin: float  # of the expert's curve at that lag; compare with `filmed`
    control: int  # the same of the undubbed film against the dub: chance
    filmed: float  # margin of the film with its own voice
    correlation: float  # of drawn and filmed opening, own voice
    amplitude: float  # standard deviation of the drawn opening over the filmed, own voice
    still: float  # 95th percentile of the opening in silence, in eye distances above the clip's most closed frames
    wide: float  # the same of the film
    sharpness: float  # gradient energy in the mouth's box, drawn over filmed, own voice
    flicker: float  # mean absolute second difference over time in the mouth's box, drawn over filmed, own voice


def dub(clip: Clip, frames: Frames, points: Floats, squares: Floats, model: LipSync, speech: Floats) -> Frames:
    """The clip's frames with mouths that say `speech`. points in film pixels, squares of the model's crops."""
    meshes = into(points, squares)
    crops = np.stack([cut(frame, square, CROP.size) for frame, square in zip(frames, squares, strict=True)])
    tensors = torch.from_numpy(crops.astype(np.float32) / 255).permute(0, 3, 1, 2)
    closed, wide = int(clip.order[0]), int(clip.order[-1])
    known = torch.from_numpy(meshes)
    face = Face(tensors[closed], known[closed], known.median(dim=0).values, tensors[wide], known[wide])
    times = [n / RATE for n in range(len(frames))]
    drawn = model.render(tensors, known, face, torch.from_numpy(speech), times, seed=7, steps=0)
    patches = drawn.permute(0, 2, 3, 1).numpy() * 255
    mattes = matte(meshes, CROP, meshes[wide])
    out = []
    for frame, patch, cover, square in zip(frames, patches, mattes, squares, strict=True):
        x, y, width, height = box = covering(square, frame.shape[1], frame.shape[0])
        share = np.clip(enlarge(cover, square, box), 0, 1)[..., None]
        plate = frame[y : y + height, x : x + width].astype(np.float32)
        done = frame.copy()
        done[y : y + height, x : x + width] = np.rint(
            np.clip(plate + share * (enlarge(patch, square, box) - plate), 0, 255)
        )
        out.append(done)
    return out


def mouths(frames: Frames, squares: Floats, mesh: Mesh) -> Floats:
    """(n, 43, 2) measured mouths; one fixed place to look per frame, or the detector's jitter would be measured."""
    found = [
        mesh(frame, Roi(float(x), float(y), 1.45 * float(side), 0.0))[0]
        for frame, (x, y, side) in zip(frames, squares, strict=True)
    ]
    points = np.stack(found)
    return form.measure(points, np.median(points, axis=0).astype(np.float32))


def judge(clip: Clip, other: Clip, media: Path, model: LipSync, meter: Meter) -> tuple[Figures, list[Frames]]:
    """The figures, and three films: as it was, dubbed, drawn with its own voice."""
    mesh = Mesh()
    frames = pictures(next(media.glob(f"*/{clip.name}.mp4")))
    points = out_of(clip.points / np.float32(SIZE), clip.squares)
    squares = np.asarray(clip.squares * [1, 1, 1 / float(ROOM)], np.float32)
    delayed = np.concatenate([np.zeros(int(DELAY * HZ / RATE), np.float32), other.speech])
    silence = np.zeros_like(clip.speech)
    dubbed, own, silent = (
        dub(clip, frames, points, squares, model, speech) for speech in (delayed, clip.speech, silence)
    )
    film, said, again, quiet = (mouths(each, squares, mesh) for each in (frames, dubbed, own, silent))
    foreign, native = (heard(speech, len(frames)) for speech in (delayed, clip.speech))
    late, margin = meter.offset(foreign, said)
    true, drawn = form.opening(film), form.opening(again)
    shut = float(np.percentile(true, 5))
    figures = Figures(
        clip.name,
        late,
        margin,
        control=meter.offset(foreign, film)[0],
        filmed=meter.offset(native, film)[1],
        correlation=float(np.corrcoef(true, drawn)[0, 1]),
        amplitude=float(drawn.std() / true.std()),
        still=float(np.percentile(form.opening(quiet), 95)) - shut,
        wide=float(np.percentile(true, 95)) - shut,
        sharpness=_edges(own, points) / _edges(frames, points),
        flicker=_flicker(own, points) / _flicker(frames, points),
    )
    return figures, [frames, dubbed, own]


def sheet(films: list[list[Frames]], clips: list[Clip], every: int = 4) -> NDArray[np.uint8]:
    """Two rows a clip, filmed and dubbed, every fourth frame from the second half second on."""
    rows = []
    for (frames, dubbed, *_), clip in zip(films, clips, strict=True):
        squares = np.asarray(clip.squares * [1, 1, 1 / float(ROOM)], np.float32)
        for film in (frames, dubbed):
            rows.append(np.hstack([cut(film[n], squares[n], 160) for n in range(18, len(film) - 5, every)]))
    width = min(row.shape[1] for row in rows)
    return np.asarray(np.vstack([row[:, :width] for row in rows]), np.uint8)


def _flicker(frames: Frames, points: Floats) -> float:
    """How much grey jumps from frame to frame, steady change left out, where the mouth ever is."""
    lips = points[:, list(form.OUTER)].reshape(-1, 2)
    (left, top), (right, below) = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int)
    grey = np.stack([frame[top:below, left:right].astype(np.float32).mean(axis=2) for frame in frames])
    return float(np.abs(np.diff(grey, n=2, axis=0)).mean())


def _edges(frames: Frames, points: Floats) -> float:
    """Mean gradient energy of grey in the box of the lips."""
    total = 0.0
    for frame, face in zip(frames, points, strict=True):
        lips = face[list(form.OUTER)]
        (left, top), (right, below) = (
            np.floor(lips.min(axis=0) - 3).astype(int),
            np.ceil(lips.max(axis=0) + 3).astype(int),
        )
        grey = frame[top:below, left:right].astype(np.float32).mean(axis=2)
        total += float((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean())
    return total
