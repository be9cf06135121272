"""What the starter's renderer is taught: draw this frame's mouth, having seen two others of the same face.

A lesson is one frame with its mouth masked, the same face with a closed and with an open mouth, both laid onto this
frame's head and their lips pulled to the wanted place, and the wanted mouth as a drawing and as numbers. What makes it
learn rather than copy (measured, shared facts starter_training.md §5.3 and §10): references whose mouths differ much,
and half the frames from the extremes. Speakers are drawn before clips, or 84 % of all lessons were one man.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.corpus.clips import Clip
from models.corpus.prepare import SIZE
from models.diff2lip import pull
from models.diff2lip.window import CROP, HEIGHT, LEFT, TOP, WIDTH
from models.face import form
from models.face.form import Floats

EXTREMES: Final = 25  # frames of a clip that count as extreme, a third
MARGIN: Final = (SIZE - CROP.size) // 2  # prepared crops are wider by this on each side, at the same scale
JITTER: Final = 0.15  # pixels by which a drawn mouth or a head's pose is off; 0.8 taught it to blur by as much
CODE_NOISE: Final = 0.02  # of the numbers, ten to an eye distance


@dataclass(frozen=True, eq=False)
class Lesson:
    """B frames as the network takes them, pictures in −1 … 1."""

    target: Tensor  # (B, 3, HEIGHT, WIDTH)
    shown: Tensor  # (B, 9, HEIGHT, WIDTH) closed reference, open reference, drawn mouth
    code: Tensor  # (B, 172) wanted form, form of the closed reference
    centre: Tensor  # (B, 2) x, y of the mouth in the window


class Lessons:
    """Draws lessons by chance from clips of many speakers."""

    def __init__(self, clips: list[Clip], seed: int) -> None:
        self.by_speaker: dict[str, list[Clip]] = {}
        for clip in clips:
            self.by_speaker.setdefault(clip.speaker, []).append(clip)
        self.speakers = sorted(self.by_speaker)
        counts = np.sqrt([len(self.by_speaker[name]) for name in self.speakers])  # between one each and their share
        self.share = counts / counts.sum()
        self.chance = np.random.default_rng(seed)

    def draw(self, count: int) -> Lesson:
        """`count` lessons, each of another clip."""
        rows = [self._one() for _ in range(count)]
        target, shown, code, centre = (np.stack(column) for column in zip(*rows, strict=True))
        faces = torch.from_numpy(np.concatenate([target[:, None], shown[:, :2]], axis=1)).permute(0, 1, 4, 2, 3)
        faces = self._relight(faces.float() / 255)  # (B, 3 pictures, 3, H, W)
        mouth = torch.from_numpy(shown[:, 2]).permute(0, 3, 1, 2).float() / 127.5 - 1
        return Lesson(
            faces[:, 0],
            torch.cat([faces[:, 1], faces[:, 2], mouth], dim=1),
            torch.from_numpy(code),
            torch.from_numpy(centre),
        )

    def _one(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats, Floats]:
        chance = self.chance
        clips = self.by_speaker[self.speakers[chance.choice(len(self.speakers), p=self.share)]]
        clip = clips[chance.integers(len(clips))]
        n = len(clip.crops)
        if chance.random() < 0.5:
            edge = np.concatenate([clip.order[: EXTREMES // 2], clip.order[-(EXTREMES - EXTREMES // 2) :]])
            frame = int(chance.choice(edge))
        else:
            frame = int(chance.integers(n))
        other = clips[chance.integers(len(clips))] if chance.random() < 0.3 else clip
        closed = int(chance.choice(clip.order[:4]) if chance.random() < 0.6 else chance.integers(n))
        # The open one is sought away from the frame itself, or the lesson would be to copy it.
        far = [i for i in other.order[::-1] if other is not clip or abs(i - frame) > 3]
        wide = int(chance.choice(far[:4]) if chance.random() < 0.7 else chance.choice(far))
        return self._lay_out(clip, frame, closed, other, wide)

    def _lay_out(
        self, clip: Clip, frame: int, closed: int, other: Clip, wide: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats, Floats]:
        chance = self.chance
        mirrored = chance.random() < 0.5
        view = self._view(mirrored)
        points = clip.points[frame]
        drawn = _apply(view, points[list(form.MOUTH)]) + chance.normal(0, JITTER, 2).astype(np.float32)
        wanted, seen = clip.mouths[[frame]], clip.mouths[[closed]]
        if mirrored:
            wanted, seen = (m[:, list(form.MIRRORED)] * np.array([-1, 1], np.float32) for m in (wanted, seen))
        code = np.concatenate([form.centred(wanted)[0], form.centred(seen)[0]])
        code += chance.normal(0, CODE_NOISE, len(code)).astype(np.float32)
        pictures = [window(clip.crops[frame], view)]
        for source, i in ((clip, closed), (other, wide)):
            pose = form.onto(source.points[i], points[None])[0]
            pose[:, 2] += chance.normal(0, JITTER, 2)
            pictures.append(pulled(source, i, _after(view, pose), drawn))
        mouth = pull.draw(drawn, WIDTH, HEIGHT).transpose(1, 2, 0)
        centre = drawn[:40].mean(axis=0)
        return pictures[0], np.stack([pictures[1], pictures[2], mouth]), code, centre

    def _view(self, mirrored: bool) -> Floats:
        """(2, 3) prepared crop → window, shifted, scaled and turned a little, as faces in films are."""
        chance = self.chance
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

    def _relight(self, faces: Tensor) -> Tensor:
        """One light, one colour cast, one contrast for all pictures of a lesson; → −1 … 1."""
        count = len(faces)

        def draw(low: float, high: float, planes: int = 1) -> Tensor:
            return torch.from_numpy(self.chance.uniform(low, high, (count, 1, planes, 1, 1)).astype(np.float32))

        grey = faces.mean(dim=2, keepdim=True)
        faces = grey + (faces - grey) * draw(0.4, 1.3)
        faces = faces * draw(0.85, 1.15, 3)
        middle = faces.mean(dim=(1, 2, 3, 4), keepdim=True)
        faces = ((faces - middle) * draw(0.75, 1.3) + middle) * draw(0.6, 1.25)
        return faces.clamp(0, 1) * 2 - 1


def plain(clip: Clip, frames: list[int], closed: int, wide: int) -> Lesson:
    """Frames of a clip without chance, for looking at."""
    view = np.array([[1, 0, -(MARGIN + LEFT)], [0, 1, -(MARGIN + TOP)]], np.float32)
    target, shown = [], []
    for frame in frames:
        target.append(window(clip.crops[frame], view))
        drawn = _apply(view, clip.points[frame][list(form.MOUTH)])
        poses = [form.onto(clip.points[i], clip.points[[frame]])[0] for i in (closed, wide)]
        faces = [pulled(clip, i, _after(view, pose), drawn) for i, pose in zip((closed, wide), poses, strict=True)]
        mouth = pull.draw(drawn, WIDTH, HEIGHT).transpose(1, 2, 0)
        shown.append(np.concatenate([*faces, mouth], axis=2))
    code = np.concatenate(
        [form.centred(clip.mouths[frames]), form.centred(clip.mouths[[closed] * len(frames)])], axis=1
    )
    picture = torch.from_numpy(np.stack(target)).permute(0, 3, 1, 2).float() / 127.5 - 1
    planes = torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return Lesson(picture, planes, torch.from_numpy(code), torch.zeros(len(frames), 2))


def window(crop: NDArray[np.uint8], view: Floats) -> NDArray[np.uint8]:
    """(HEIGHT, WIDTH, 3) of a prepared crop through an affine map of pixel edges."""
    edges = view.copy()
    edges[:, 2] += edges[:, :2] @ np.array([0.5, 0.5], np.float32) - 0.5  # OpenCV counts from the middle of a pixel
    out = cv2.warpAffine(crop, edges, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def pulled(clip: Clip, frame: int, pose: Floats, wanted: Floats) -> NDArray[np.uint8]:
    """(HEIGHT, WIDTH, 3) a reference laid into the window by `pose`, its lips and chin drawn to the wanted ones."""
    shown = _apply(pose, clip.points[frame][list(form.MOUTH)])
    x, y = pull.look_up(pose, shown, wanted, WIDTH, HEIGHT)
    out = cv2.remap(clip.crops[frame], x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def _apply(view: Floats, points: Floats) -> Floats:
    return np.asarray(points @ view[:, :2].T + view[:, 2], np.float32)


def _after(second: Floats, first: Floats) -> Floats:
    """The map that does `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]]).astype(
        np.float32
    )
