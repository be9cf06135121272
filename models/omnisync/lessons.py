"""Lessons drawn as they are needed: a puppet twice in the same pose, once with the lips it has and once with those it
should have, and the sound of the latter. What is drawn at a step follows from the seed and the step's number alone.

Promises: source and target differ where the law moves lips or chin, and nowhere else; no puppet is seen twice.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio.logmel import QUIET
from models.omnisync.ear import COLUMNS
from models.omnisync.flow import PAIRED
from models.omnisync.prompts import PROMPTS, asked
from models.omnisync.recipe import Recipe
from models.omnisync.voices import Voice
from models.omnisync.window import SIDE, SIZE
from models.puppets.draw import Puppet
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES
from models.puppets.pose import random_pose

RATES: Final = (Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30))
RUNS: Final = (4, 8)  # frames of a lesson that is a sequence
LEAST: Final = 0.02  # σ; a film without noise teaches nothing
SILENT: Final = 0.12  # of the lessons: nothing is said, and the mouth is shut
ASKED: Final = 0.25  # come with a prompt
OPEN: Final = 0.5  # are at the most open of three moments: mouths are mostly shut, and shut ones teach little
OPPOSITE: Final = 0.3  # have a source that is wide open where the target is shut, or the reverse, against copying
HIDDEN: Final = 0.06  # have noise for the source's mouth, against copying
MISPLACED: Final = (0.15, 0.10, 4.0)  # spread of the perceived mouth: half widths, log half width, degrees

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """A batch. Pictures are (B, 3, F, 96, 96) in −1 … 1."""

    source: Tensor
    target: Tensor
    weight: Tensor  # (B, 1, F, 96, 96) how much a pixel counts
    windows: Tensor  # (B, F, 80, 20) log-mel
    law: Tensor  # (B, F, 4) the mouth's numbers
    prompts: Tensor  # (B,) places in PROMPTS
    sigma: Tensor  # (B,) how noisy it is taught

    def to(self, device: torch.device) -> "Lesson":
        return Lesson(*(getattr(self, name).to(device) for name in Lesson.__dataclass_fields__))


class Lessons:
    """Draws the lessons of a recipe."""

    def __init__(self, voices: Sequence[Voice], recipe: Recipe) -> None:
        self.voices, self.recipe = voices, recipe
        self.pencil = ThreadPoolExecutor(1)
        self.drawn: dict[int, Future[Lesson]] = {}

    def ready(self, step: int) -> Lesson:
        """The lesson of one step; the next is drawn while this one is learnt."""
        now = self.drawn.pop(step, None) or self.pencil.submit(self.draw, step)
        self.drawn = {step + 1: self.pencil.submit(self.draw, step + 1)}
        return now.result()

    def draw(self, step: int) -> Lesson:
        """The lesson of one step, sixteen frames or so."""
        rng = np.random.default_rng((self.recipe.seed, step))
        clips, frames = self.recipe.clips, 1
        if rng.random() < self.recipe.sequences:
            frames = RUNS[rng.integers(len(RUNS))]
            clips = max(1, clips // frames)
        noisy = step < self.recipe.noisy_until * self.recipe.steps
        sigmas = [_sigma(rng, noisy, self.recipe.shift) for _ in range(clips)]
        return joined([one(self.voices, rng, frames, sigma, self.recipe.pairs) for sigma in sigmas])


def joined(parts: Sequence[Lesson]) -> Lesson:
    """Lessons of one puppet each as a batch."""
    return Lesson(*(torch.cat([getattr(part, name) for part in parts]) for name in Lesson.__dataclass_fields__))


def _sigma(rng: np.random.Generator, noisy: bool, shift: float) -> float:
    u = rng.random()
    return PAIRED + (1 - PAIRED) * u if noisy else max(LEAST, shift * u / (1 + (shift - 1) * u))


def one(
    voices: Sequence[Voice],
    rng: np.random.Generator,
    frames: int,
    sigma: float,
    pairs: str = "exact",
    kinds: tuple[Sequence[str], Sequence[str]] = (LEARNT_SPECIES, LEARNT_STYLES),
    prompted: float = ASKED,
) -> Lesson:
    """A lesson of one puppet.

    pairs   exact: the source has the target's pose; arbitrary: another pose of the same puppet; timed: exact above
            t = 850, else arbitrary (paper, §3.3)
    kinds   of species and styles, one of each
    prompted   share of lessons that come with a prompt
    """
    who = Puppet.random(rng, str(rng.choice(kinds[0])), str(rng.choice(kinds[1])))
    rate = RATES[rng.integers(len(RATES))]
    poses = random_pose(rng, frames, float(rate))
    exact = pairs == "exact" or (pairs == "timed" and sigma > PAIRED)
    poses_before = poses if exact else random_pose(rng, frames, float(rate))
    windows, mouths = _said(voices, rng, frames, rate)
    prompt = int(rng.integers(1, len(PROMPTS))) if rng.random() < prompted else 0
    mouths = asked(mouths, PROMPTS[prompt])
    before = _mouths_before(voices, rng, frames, rate, mouths)
    view = seen(who.mouth_at(poses), rng)
    target = who.render(poses, mouths, SIZE, 2, view)
    source = who.render(poses_before, before, SIZE, 2, view)
    changed = np.abs(target.astype(np.int16) - source).max(axis=-1) > 12
    weight = weights(changed)
    target, source = filmed(np.stack([target, source]), rng)
    if rng.random() < HIDDEN:
        source = _hidden(source, rng)
    return Lesson(
        tensor(source), tensor(target), torch.from_numpy(weight)[None, None], torch.from_numpy(windows)[None],
        torch.from_numpy(mouths)[None], torch.tensor([prompt]), torch.tensor([sigma], dtype=torch.float32),
    )  # fmt: skip


def _said(voices: Sequence[Voice], rng: np.random.Generator, frames: int, rate: Fraction) -> tuple[Floats, Floats]:
    """(F, 80, 20) what is heard under the frames, and (F, 4) the law's mouths; or silence."""
    voice = voices[rng.integers(len(voices))]
    if rng.random() < SILENT:
        shut = np.tile(np.array([0, 0.5, 0, 0], np.float32), (frames, 1))
        return np.full((frames, 80, COLUMNS), QUIET, np.float32), shut
    moments = [_moments(voice, rng, frames, rate) for _ in range(3 if rng.random() < OPEN else 1)]
    best = max(moments, key=lambda when: float(voice.mouths(when)[:, 0].mean()))
    return voice.windows(best), voice.mouths(best)


def _mouths_before(
    voices: Sequence[Voice], rng: np.random.Generator, frames: int, rate: Fraction, mouths: Floats
) -> Floats:
    """(F, 4) the source's lips: another voice's, or the opposite of the target's."""
    voice = voices[rng.integers(len(voices))]
    before = voice.mouths(_moments(voice, rng, frames, rate))
    if rng.random() < OPPOSITE:
        before[:, 0] = rng.uniform(0.4, 0.9) if mouths[:, 0].mean() < 0.2 else rng.uniform(0, 0.05)
    return before


def _moments(voice: Voice, rng: np.random.Generator, frames: int, rate: Fraction) -> list[Fraction]:
    """The middles of consecutive frames somewhere in a voice's sound."""
    start = Fraction(int(rng.uniform(0, max(0.0, voice.seconds - frames / rate)) * 1000), 1000)
    return [start + (n + Fraction(1, 2)) / rate for n in range(frames)]


def seen(true: Floats, rng: np.random.Generator) -> Floats:
    """(F, 4) the squares a crop is cut by: around mouths perceived as well, or as badly, as the product perceives."""
    away, wider, turned = MISPLACED
    half = true[:, 2] * np.exp(rng.normal() * wider)
    centre = true[:, :2] + half[:, None] * (rng.normal(0, away, 2) + rng.normal(0, 0.02, (len(true), 2)))
    roll = true[:, 3] + np.radians(rng.normal() * turned)
    return np.column_stack([centre, SIDE * half, roll]).astype(np.float32)


def weights(changed: NDArray[np.bool_]) -> Floats:
    """(F, 96, 96) 1, more in the middle where mouths are, most where lips moved."""
    middle = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE - 0.5
    near = np.exp(-(middle[:, None] ** 2 + middle[None] ** 2) / (2 * 0.17**2)) * 3
    moved = np.stack([cv2.GaussianBlur(each.astype(np.float32), (0, 0), 1.5) for each in changed])
    return np.asarray(1 + near + 8 * np.minimum(1, 1.5 * moved), np.float32)


def filmed(pictures: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(2, F, 96, 96, 3) both drawings through the same camera: other colours and light, blur, grain, mirrored."""
    if rng.random() < 0.5:
        pictures = pictures[..., rng.permutation(3)]
    shown = pictures.astype(np.float32) * rng.uniform(0.75, 1.15) + rng.uniform(-10, 10)
    if rng.random() < 0.3:
        spread = rng.uniform(0.4, 1.2)
        shown = np.stack([[cv2.GaussianBlur(each, (0, 0), spread) for each in film] for film in shown])
    if rng.random() < 0.25:
        shown += rng.normal(0, rng.uniform(1, 6), shown.shape[1:]).astype(np.float32)
    if rng.random() < 0.5:
        shown = shown[..., ::-1, :]
    return np.clip(shown, 0, 255).astype(np.uint8)


def _hidden(source: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The source with noise where the mouth is."""
    middle = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    inside = (middle[:, None] ** 2 + middle[None] ** 2 < 0.22**2)[None, :, :, None]
    return np.where(inside, rng.integers(0, 256, source.shape, np.uint8), source)


def tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(F, 96, 96, 3) → (1, 3, F, 96, 96) in −1 … 1."""
    return torch.from_numpy(pictures.astype(np.float32) / 127.5 - 1).permute(3, 0, 1, 2)[None].contiguous()
