"""What the starter's network is taught: draw this frame's mouth, having seen four others of the same face.

A lesson is a frame with its mouth masked, or some that follow each other; the same face at rest, wide open, narrow and
broad, laid onto this frame's head and their lips pulled to the wanted place; and the wanted mouth as a drawing and as
numbers. What makes it learn rather than copy (measured, shared facts starter_training.md §5.3 and §10): references
whose mouths differ much, and half the frames from the extremes. Speakers are drawn before clips, or 84 % of all lessons
were one man. A step's lessons follow from the seed and the step alone, so a run that was stopped has the same ones.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.corpus.clips import SIZE, Clip
from models.diff2lip import pull
from models.diff2lip.window import CROP, HEIGHT, LEFT, TOP, WIDTH
from models.face import form
from models.face.form import Floats

EXTREMES: Final = 25  # frames of a clip that count as extreme, a third
BEST: Final = 4  # frames of a clip of which one stands for a kind of mouth
USUAL: Final = 0.7  # of the references are of their kind; the others are any frame, as short shots have no better
ELSEWHERE: Final = 0.15  # of the lessons take their references from another clip of the same speaker
AWAY: Final = 3  # frames; a reference nearer to what is asked for would teach to copy it
MARGIN: Final = (SIZE - CROP.size) // 2  # prepared crops are wider by this on each side, at the same scale
JITTER: Final = 0.15  # pixels by which a drawn mouth or a head's pose is off; 0.8 taught it to blur by as much
CODE_NOISE: Final = 0.02  # of the numbers, ten to an eye distance


@dataclass(frozen=True, eq=False)
class Lesson:
    """B rows as the network takes them, the frames of one clip together; pictures in −1 … 1."""

    target: Tensor  # (B, 3, HEIGHT, WIDTH)
    shown: Tensor  # (B, 15, HEIGHT, WIDTH) the references at rest, wide, narrow, broad, and the drawn mouth
    code: Tensor  # (B, 172) wanted form, form of the reference at rest
    centre: Tensor  # (B, 2) x, y of the mouth in the window
    clips: tuple[Clip, ...]  # one for each run of frames
    starts: tuple[int, ...]  # the first frame of each run in its clip

    def to(self, device: torch.device) -> "Lesson":
        tensors = {name: getattr(self, name).to(device) for name in ("target", "shown", "code", "centre")}
        return replace(self, **tensors)


class Lessons:
    """Draws lessons by chance from clips of many speakers."""

    def __init__(self, clips: list[Clip], seed: int) -> None:
        self.by_speaker: dict[str, list[Clip]] = {}
        for clip in clips:
            self.by_speaker.setdefault(clip.speaker, []).append(clip)
        self.speakers = sorted(self.by_speaker)
        counts = np.sqrt([len(self.by_speaker[name]) for name in self.speakers])  # between one each and their share
        self.share = counts / counts.sum()
        self.seed = seed

    def draw(self, step: int, count: int, frames: int) -> Lesson:
        """The lesson of this step: `count` clips, of each so many frames that follow each other."""
        chance = np.random.default_rng([self.seed, step])
        runs = [self._one(chance, frames) for _ in range(count)]
        pictures = np.stack([run[0] for run in runs])  # (count, frames, 1 + REFERENCES, H, W, 3)
        lit = _relight(torch.from_numpy(pictures).permute(0, 1, 2, 5, 3, 4).float() / 255, chance).flatten(0, 1)
        mouths = torch.from_numpy(np.stack([run[1] for run in runs])).flatten(0, 1).float() / 127.5 - 1
        return Lesson(
            lit[:, 0],
            torch.cat([lit[:, 1:].flatten(1, 2), mouths], dim=1),
            torch.from_numpy(np.concatenate([run[2] for run in runs])),
            torch.from_numpy(np.concatenate([run[3] for run in runs])),
            tuple(run[4] for run in runs),
            tuple(run[5] for run in runs),
        )

    def _one(
        self, chance: np.random.Generator, frames: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats, Floats, Clip, int]:
        clips = self.by_speaker[self.speakers[chance.choice(len(self.speakers), p=self.share)]]
        clip = clips[chance.integers(len(clips))]
        n = len(clip.crops)
        if chance.random() < 0.5:
            edge = np.concatenate([clip.order[: EXTREMES // 2], clip.order[-(EXTREMES - EXTREMES // 2) :]])
            middle = int(chance.choice(edge))
        else:
            middle = int(chance.integers(n))
        start = int(np.clip(middle - frames // 2, 0, n - frames))
        other = clips[chance.integers(len(clips))] if chance.random() < ELSEWHERE else clip
        references = []
        for order in (other.order, other.order[::-1], other.breadths, other.breadths[::-1]):
            far = [i for i in order if other is not clip or not start - AWAY <= i < start + frames + AWAY]
            references.append(int(chance.choice(far[:BEST]) if chance.random() < USUAL else chance.choice(far)))
        mirrored = chance.random() < 0.5
        laid = _lay_out(
            clip, range(start, start + frames), other, references, _view(chance, mirrored), mirrored, chance
        )
        return *laid, clip, start


def plain(clip: Clip, frames: list[int], references: list[int]) -> Lesson:
    """Frames of a clip without chance, for looking at."""
    view = np.array([[1, 0, -(MARGIN + LEFT)], [0, 1, -(MARGIN + TOP)]], np.float32)
    pictures, mouths, code, centre = _lay_out(clip, frames, clip, references, view, False, None)
    faces = torch.from_numpy(pictures).permute(0, 1, 4, 2, 3).float() / 127.5 - 1
    drawn = torch.from_numpy(mouths).float() / 127.5 - 1
    shown = torch.cat([faces[:, 1:].flatten(1, 2), drawn], dim=1)
    return Lesson(faces[:, 0], shown, torch.from_numpy(code), torch.from_numpy(centre), (clip,), (frames[0],))


def _lay_out(
    clip: Clip, frames: range | list[int], other: Clip, references: list[int], view: Floats, mirrored: bool,
    chance: np.random.Generator | None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats, Floats]:  # fmt: skip
    """(F, 1 + REFERENCES, H, W, 3) frame and references, (F, 3, H, W) drawn mouths, (F, 172) codes, (F, 2) centres."""
    rest = other.mouths[references[:1]]
    pictures, mouths, codes, centres = [], [], [], []
    for frame in frames:
        drawn = _apply(view, clip.points[frame][list(form.MOUTH)])
        wanted, seen = clip.mouths[[frame]], rest
        if mirrored:
            wanted, seen = (m[:, list(form.MIRRORED)] * np.array([-1, 1], np.float32) for m in (wanted, seen))
        code = np.concatenate([form.centred(wanted)[0], form.centred(seen)[0]])
        if chance:
            drawn = drawn + chance.normal(0, JITTER, 2).astype(np.float32)
            code = code + chance.normal(0, CODE_NOISE, len(code)).astype(np.float32)
        row = [_window(clip.crops[frame], view)]
        for i in references:
            pose = form.onto(other.points[i], clip.points[[frame]])[0]
            if chance:
                pose[:, 2] += chance.normal(0, JITTER, 2)
            row.append(pull.pulled(other.crops[i], other.points[i], _after(view, pose), drawn, WIDTH, HEIGHT))
        pictures.append(np.stack(row))
        mouths.append(pull.draw(drawn, WIDTH, HEIGHT))
        codes.append(code)
        centres.append(drawn[:40].mean(axis=0))
    return np.stack(pictures), np.stack(mouths), np.stack(codes), np.stack(centres)


def _view(chance: np.random.Generator, mirrored: bool) -> Floats:
    """(2, 3) prepared crop → window, shifted, scaled and turned a little, as faces in films are."""
    angle = np.radians(np.clip(chance.normal(0, 7), -20, 20))
    scale = np.exp(chance.normal(0, 0.05))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([SIZE / 2, SIZE / 2 + 12])  # the mouth's, so that turning does not move it away
    shift = middle - turn @ middle + chance.uniform(-3, 3, 2) - (MARGIN + LEFT, MARGIN + TOP)
    view = np.column_stack([turn, shift]).astype(np.float32)
    if mirrored:
        view[0] *= -1
        view[0, 2] += WIDTH
    return view


def _relight(faces: Tensor, chance: np.random.Generator) -> Tensor:
    """One light, one colour cast, one contrast for all pictures of a clip (B, F, pictures, 3, H, W); → −1 … 1."""
    count = len(faces)

    def draw(low: float, high: float, planes: int = 1) -> Tensor:
        return torch.from_numpy(chance.uniform(low, high, (count, 1, 1, planes, 1, 1)).astype(np.float32))

    grey = faces.mean(dim=3, keepdim=True)
    faces = grey + (faces - grey) * draw(0.4, 1.3)
    faces = faces * draw(0.85, 1.15, 3)
    middle = faces.mean(dim=(1, 2, 3, 4, 5), keepdim=True)
    faces = ((faces - middle) * draw(0.75, 1.3) + middle) * draw(0.6, 1.25)
    return faces.clamp(0, 1) * 2 - 1


def _window(crop: NDArray[np.uint8], view: Floats) -> NDArray[np.uint8]:
    """(HEIGHT, WIDTH, 3) of a prepared crop through an affine map of pixel edges."""
    edges = view.copy()
    edges[:, 2] += edges[:, :2] @ np.array([0.5, 0.5], np.float32) - 0.5  # OpenCV counts from the middle of a pixel
    out = cv2.warpAffine(crop, edges, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def _apply(view: Floats, points: Floats) -> Floats:
    return np.asarray(points @ view[:, :2].T + view[:, 2], np.float32)


def _after(second: Floats, first: Floats) -> Floats:
    """The map that does `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]]).astype(
        np.float32
    )
