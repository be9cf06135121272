"""Teaches the experts: first ear and points eye together, then the pixel eye, to which the two are teachers.

Points generalise to new faces where pixels do not, and minutes teach them (measured, shared facts starter_training.md
§4); the pixel eye is needed because a mesh has no gradient. The two runs seed torch's global generator, for dropout and
first weights come from it: they belong in a process that trains and does nothing else. All other chance is a
generator's of their own. Both yield (steps done, a line for the log) and return what they made: `ear, eye = yield from
learn_points(…)`.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.corpus.clips import Clip, read
from models.face.form import Floats
from models.syncnet.meter import save
from models.syncnet.network import SPAN, Ear, PixelEye, PointsEye
from models.syncnet.senses import HEIGHT, HIGH, LEFT, SIZE, TOP, WIDE, WIDTH, heard, looked_at, seen

CLIPS: Final = 6  # a step
RUN: Final = 24  # consecutive windows of points that are told apart in one lesson
SHORT_RUN: Final = 20  # the same of pixels, which cost a hundred times as much
ROOM: Final = 8  # pixels kept about the window for shifting and scaling
TEACHER: Final = 3.0  # weight of 1 − cos to the embedding of the points
COPYIST: Final = 3.0  # weight of reading the points themselves off the picture
LOG: Final = 25  # steps between two lines

Made = TypeVar("Made")
Lesson = Generator[tuple[int, str], None, Made]


class Draw:
    """Which clips the next lesson is about: every speaker counts by the root of his clips."""

    def __init__(self, speakers: list[str], chance: np.random.Generator) -> None:
        self.groups = [np.flatnonzero(np.array(speakers) == name) for name in dict.fromkeys(speakers)]
        share = np.sqrt([len(group) for group in self.groups])
        self.share, self.chance = share / share.sum(), chance

    def __call__(self) -> list[int]:
        groups = range(len(self.groups))
        return [int(self.chance.choice(self.groups[self.chance.choice(groups, p=self.share)])) for _ in range(CLIPS)]


def teach(
    paths: list[Path], folder: Path, *, seed: int = 7, judge_seed: int = 1008, points_steps: int = 700,
    pixels_steps: int = 600,
) -> Iterator[tuple[int, int, str]]:  # fmt: skip
    """Trains both experts on prepared clips and writes `judge.safetensors` and `expert.safetensors` into `folder`.

    yields       (steps done, of, a line for the log)
    paths        clips to learn from, the part "train" (models/corpus/clips.py) and no other
    judge_seed   another than `seed`: what judges must not have been in a loss
    raises       ValueError if the seeds are the same
    """
    if seed == judge_seed:
        raise ValueError(f"expert and judge both have seed {seed}; then the judge would be the expert")
    known = [replace(clip, crops=clip.crops[:, :1, :1].copy()) for clip in map(read, paths)]  # small without pictures
    of = 2 * points_steps + pixels_steps
    yield 0, of, f"judge, seed {judge_seed}"
    ear, points = yield from _counted(learn_points(known, steps=points_steps, seed=judge_seed), 0, of)
    save(folder / "judge.safetensors", ear=ear, points=points)
    yield points_steps, of, f"expert, seed {seed}"
    ear, points = yield from _counted(learn_points(known, steps=points_steps, seed=seed), points_steps, of)
    lesson = learn_pixels(map(read, paths), ear, points, steps=pixels_steps, seed=seed)
    pixels = yield from _counted(lesson, 2 * points_steps, of)
    save(folder / "expert.safetensors", ear=ear, points=points, pixels=pixels)


def _counted(lesson: Lesson[Made], before: int, of: int) -> Generator[tuple[int, int, str], None, Made]:
    """A lesson's steps as those of the whole, and what it makes."""
    while True:
        try:
            step, line = next(lesson)
        except StopIteration as done:
            made: Made = done.value
            return made
        yield before + step, of, line


def contrast(sounds: Tensor, mouths: Tensor, heat: Tensor) -> Tensor:
    """InfoNCE over the windows of one clip, both ways (van den Oord et al., arXiv 1807.03748).

    sounds, mouths   (C, N, 128) unit vectors, window n of one belongs to window n of the other
    heat             log of 1 / temperature
    Windows one frame away are left out: to take one for the other is no mistake worth a lesson.
    """
    count = sounds.shape[1]
    near = torch.ones(count, count, device=sounds.device).triu(-1).tril(1) - torch.eye(count, device=sounds.device)
    alike = (sounds @ mouths.transpose(1, 2)) * heat.exp() - 1e4 * near  # (C, N, N)
    right = torch.arange(count, device=sounds.device).expand(len(sounds), -1)
    return F.cross_entropy(alike.transpose(1, 2), right) + F.cross_entropy(alike, right)


def learn_points(clips: list[Clip], *, steps: int = 700, seed: int = 7) -> Lesson[tuple[Ear, PointsEye]]:
    """Ear and points eye from clips (their pictures are not looked at), frozen; a core second teaches five steps.

    steps   350 read the offset as well as 900, which only raise the margin
    """
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    ear, eye = Ear(), PointsEye()
    heat = nn.Parameter(torch.tensor(2.5))
    learner = torch.optim.AdamW([*ear.parameters(), *eye.parameters(), heat], 1.5e-3, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(learner, steps)
    sounds, mouths = [heard(clip.speech, len(clip.mouths)) for clip in clips], [seen(clip.mouths) for clip in clips]
    draw = Draw([clip.speaker for clip in clips], chance)
    for step in range(steps):
        pairs = []
        for i in draw():
            start = int(chance.integers(len(mouths[i]) - RUN + 1))
            voice = _other_throat(sounds[i][start + 2 : start + 2 + RUN], chance)
            points = mouths[i][start : start + RUN] * chance.uniform(0.7, 1.3)
            points = points + chance.normal(0, 0.15, (1, points.shape[1])) + chance.normal(0, 0.05, points.shape)
            pairs.append((voice, points.astype(np.float32)))
        a = ear(torch.from_numpy(np.concatenate([pair[0] for pair in pairs]))).reshape(CLIPS, RUN, -1)
        b = eye(torch.from_numpy(np.concatenate([pair[1] for pair in pairs]))).reshape(CLIPS, RUN, -1)
        loss = contrast(a, b, heat)
        learner.zero_grad()
        torch.autograd.backward(loss)
        learner.step()
        rate.step()
        if step % LOG == LOG - 1:
            yield step + 1, f"points: contrast {loss.item():.3f}"
    return ear.eval().requires_grad_(False), eye.eval().requires_grad_(False)


def learn_pixels(
    clips: Iterable[Clip], ear: Ear, points_eye: PointsEye, *, steps: int = 600, seed: int = 7, width: int = 8
) -> Lesson[PixelEye]:
    """The pixel eye of a frozen ear, frozen; half a core second a step.

    clips   with pictures; read one after the other, 1.7 MB of each is kept
    steps   from scratch 560 are not enough, with the teacher 170 already beat them
    width   32 is Wav2Lip's; 8 costs a loss 0.04 core seconds for four windows, there and back
    """
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    pictures, sounds, mouths, speakers = [], [], [], []
    for clip in clips:
        pictures.append(torch.from_numpy(cut(clip)))
        sounds.append(heard(clip.speech, len(clip.mouths)))
        mouths.append(torch.from_numpy(seen(clip.mouths)))
        speakers.append(clip.speaker)
    eye: PixelEye = PixelEye(width).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # it exists
    copyist = nn.Linear(16 * width, mouths[0].shape[1])  # only while learning
    learner = torch.optim.AdamW([*eye.parameters(), *copyist.parameters()], 1e-3, weight_decay=0.02)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(learner, steps)
    draw = Draw(speakers, chance)
    for step in range(steps):
        faces, voices, points, plain = [], [], [], []
        for i in draw():
            start = int(chance.integers(len(mouths[i]) - SHORT_RUN + 1))
            mirrored = bool(chance.random() < 0.5)
            shown = disguised(pictures[i][start : start + SHORT_RUN + SPAN - 1], mirrored, chance)
            small = looked_at(shown[None]).reshape(len(shown), 3, HIGH, WIDE)  # (24, 3, 48, 96)
            faces.append(small.unfold(0, SPAN, 1).permute(0, 4, 1, 2, 3).flatten(1, 2))  # (20, 15, 48, 96)
            voices.append(_other_throat(sounds[i][start + 2 : start + 2 + SHORT_RUN], chance))
            points.append(mouths[i][start : start + SHORT_RUN])
            plain.append(not mirrored)
        known = torch.cat(points)
        with torch.no_grad():
            a, taught = ear(torch.from_numpy(np.concatenate(voices))), points_eye(known)
        with torch.autocast("cpu", torch.bfloat16):
            features = eye.features(torch.cat(faces).contiguous(memory_format=torch.channels_last))
        features = features.float()
        b = F.normalize(eye.out(features), dim=1)
        count = torch.tensor(plain, dtype=torch.float32).repeat_interleave(SHORT_RUN)
        total = count.sum().clamp(min=1)
        apart = ((1 - (b * taught).sum(1)) * count).sum() / total
        copied = ((copyist(features) - known).square().mean(1) * count).sum() / total
        together = contrast(a.reshape(CLIPS, SHORT_RUN, -1), b.reshape(CLIPS, SHORT_RUN, -1), eye.heat)
        learner.zero_grad()
        torch.autograd.backward(together + TEACHER * apart + COPYIST * copied)
        learner.step()
        rate.step()
        if step % LOG == LOG - 1:
            yield (
                step + 1,
                f"pixels: contrast {together.item():.3f}, from the teacher {apart.item():.3f}, "
                f"points {copied.item():.3f}",
            )
    return eye.eval().requires_grad_(False)


def cut(clip: Clip, room: int = ROOM) -> NDArray[np.uint8]:
    """(n, 3, HEIGHT + 2 · room, WIDTH + 2 · room) the eye's window of a prepared clip, with room about it."""
    edge = (clip.crops.shape[1] - SIZE) // 2 - room
    rows = slice(TOP + edge, TOP + edge + HEIGHT + 2 * room)
    columns = slice(LEFT + edge, LEFT + edge + WIDTH + 2 * room)
    return np.ascontiguousarray(clip.crops[:, rows, columns].transpose(0, 3, 1, 2))


def disguised(pictures: Tensor, mirrored: bool, chance: np.random.Generator) -> Tensor:
    """(n, 3, h, w) in 0 … 1: one run of frames as if another camera had seen another skin, a little beside the window.

    Light, colour and place are the same in all frames, for they hold still in a film; only noise is not. Strong,
    because few speakers are known: to a face unlike theirs colours must mean nothing.
    """
    down, across = chance.integers(-4, 5, 2)
    scale = chance.uniform(0.94, 1.06)
    high, wide = round(HEIGHT * scale), round(WIDTH * scale)
    top = min(max(ROOM + int(down) + (HEIGHT - high) // 2, 0), pictures.shape[2] - high)
    left = min(max(ROOM + int(across) + (WIDTH - wide) // 2, 0), pictures.shape[3] - wide)
    h = pictures[:, :, top : top + high, left : left + wide].float() / 255
    if mirrored:
        h = h.flip(3)
    grey = h.mean(1, keepdim=True)
    h = grey + (h - grey) * chance.uniform(0.3, 1.4)
    middle = h.mean()
    h = middle + (h - middle) * chance.uniform(0.7, 1.3)
    channels = chance.uniform(0.7, 1.3) * chance.uniform(0.8, 1.2, (3, 1, 1))
    h = h * torch.from_numpy(channels.astype(np.float32))
    if chance.random() < 0.3:
        h = h + chance.uniform(0.3, 1.0) * (F.avg_pool2d(h, 3, 1, 1, count_include_pad=False) - h)
    noise = chance.standard_normal(h.shape, np.float32) * np.float32(chance.uniform(0, 0.03))
    return (h + torch.from_numpy(noise)).clamp(0, 1)


def _other_throat(sound: Floats, chance: np.random.Generator) -> Floats:
    """The same words louder or softer, higher or deeper, now and then with a stripe of the spectrum gone."""
    other = np.roll(sound + chance.uniform(-0.15, 0.15), chance.integers(-2, 3), axis=1)
    if chance.random() < 0.3:
        at = chance.integers(0, 70)
        other[:, at : at + 10] = -1
    return other.astype(np.float32)
