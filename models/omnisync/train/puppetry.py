"""Lessons of puppets: one puppet twice in the same pose, once with the lips it has and once with those it should have.

Promises: source and target differ where the law moves lips or chin, and nowhere else; no puppet is seen twice.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio.logmel import QUIET
from models.omnisync.ear import COLUMNS
from models.omnisync.flow import PAIRED
from models.omnisync.prompts import PROMPTS, asked
from models.omnisync.train.lesson import Lesson, filmed, mirrored, seen, tensor, weights
from models.omnisync.train.voices import Voice
from models.omnisync.window import SIZE
from models.puppets.draw import Puppet
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES
from models.puppets.pose import random_pose

RATES: Final = (Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30))
SILENT: Final = 0.12  # of the lessons: nothing is said, and the mouth is shut
ASKED: Final = 0.25  # come with a prompt
OPEN: Final = 0.5  # are at the most open of three moments: mouths are mostly shut, and shut ones teach little
OPPOSITE: Final = 0.45  # have a source that is wide open where the target is shut, or the reverse, against copying
HIDDEN: Final = 0.06  # have noise for the source's mouth, against copying

Floats = NDArray[np.float32]


def one(
    voices: Sequence[Voice],
    rng: np.random.Generator,
    frames: int,
    sigma: float,
    pairs: str = "exact",
    kinds: tuple[Sequence[str], Sequence[str]] = (LEARNT_SPECIES, LEARNT_STYLES),
    plain: bool = False,
) -> Lesson:
    """A lesson of one puppet.

    pairs   exact: the source has the target's pose; arbitrary: another pose of the same puppet; timed: exact above
            t = 850, else arbitrary (paper, §3.3)
    kinds   of species and styles, one of each
    plain   comes neither with a prompt nor with a hidden mouth: to be judged by
    """
    who = Puppet.random(rng, str(rng.choice(kinds[0])), str(rng.choice(kinds[1])))
    rate = RATES[rng.integers(len(RATES))]
    poses = random_pose(rng, frames, float(rate))
    exact = pairs == "exact" or (pairs == "timed" and sigma > PAIRED)
    poses_before = poses if exact else random_pose(rng, frames, float(rate))
    windows, mouths = _said(voices, rng, frames, rate)
    prompt = int(rng.integers(1, len(PROMPTS))) if not plain and rng.random() < ASKED else 0
    mouths = asked(mouths, PROMPTS[prompt])
    before = _mouths_before(voices, rng, frames, rate, mouths)
    view = seen(who.mouth_at(poses), rng)
    target = who.render(poses, mouths, SIZE, 2, view)
    source = who.render(poses_before, before, SIZE, 2, view)
    changed = np.abs(target.astype(np.int16) - source).max(axis=-1) > 12
    weight = weights(changed)
    target, source = filmed(np.stack([target, source]), rng)
    if not plain and rng.random() < HIDDEN:
        source = _hidden(source, rng)
    parts = _parts(who.parts(poses, mouths, SIZE, 2, view), changed)
    lesson = Lesson(
        tensor(source), tensor(target), torch.from_numpy(weight)[None, None], torch.from_numpy(windows)[None],
        torch.from_numpy(mouths)[None], parts, torch.tensor([prompt]), torch.tensor([sigma], dtype=torch.float32),
    )  # fmt: skip
    return mirrored(lesson) if rng.random() < 0.5 else lesson


def _parts(mouth: Floats, changed: NDArray[np.bool_]) -> Tensor:
    """(1, 6, F, 96, 96) as pyramid.PARTS, of (F, 4, 96, 96) and (F, 96, 96)."""
    free = np.clip(1 - mouth.sum(axis=1), 0, 1)
    every = np.stack([free * ~changed, free * changed, *mouth.transpose(1, 0, 2, 3)]).astype(np.float32)
    return torch.from_numpy(every)[None]


def _said(voices: Sequence[Voice], rng: np.random.Generator, frames: int, rate: Fraction) -> tuple[Floats, Floats]:
    """(F, 80, 20) what is heard under the frames, and (F, 4) the law's mouths; or silence."""
    voice = voices[int(rng.integers(len(voices)))]
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
    voice = voices[int(rng.integers(len(voices)))]
    before = voice.mouths(_moments(voice, rng, frames, rate))
    if rng.random() < OPPOSITE:
        before[:, 0] = rng.uniform(0.4, 0.9) if mouths[:, 0].mean() < 0.2 else rng.uniform(0, 0.05)
    return np.asarray(before, np.float32)


def _moments(voice: Voice, rng: np.random.Generator, frames: int, rate: Fraction) -> list[Fraction]:
    """The middles of consecutive frames somewhere in a voice's sound."""
    start = Fraction(int(rng.uniform(0, max(0.0, voice.seconds - frames / rate)) * 1000), 1000)
    return [start + (n + Fraction(1, 2)) / rate for n in range(frames)]


def _hidden(source: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The source with noise where the mouth is."""
    middle = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    inside = (middle[:, None] ** 2 + middle[None] ** 2 < 0.22**2)[None, :, :, None]
    return np.where(inside, rng.integers(0, 256, source.shape, np.uint8), source)
