"""One lesson: a film, the same film with other lips, the sound of the latter; and how both pass through a camera."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.omnisync.window import SIDE, SIZE

MISPLACED: Final = (0.15, 0.10, 4.0)  # spread of the perceived mouth: half widths, log half width, degrees
PATTERNED: Final = 0.3  # of the lessons have a texture over all

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """A batch. Pictures are (B, 3, F, 96, 96) in −1 … 1."""

    source: Tensor
    target: Tensor
    weight: Tensor  # (B, 1, F, 96, 96) how much a pixel counts
    windows: Tensor  # (B, F, 80, 20) log-mel
    law: Tensor  # (B, F, 4) the mouth's numbers
    parts: Tensor  # (B, 6, F, 96, 96) what the target shows, as pyramid.PARTS; all 0 where nobody knows
    prompts: Tensor  # (B,) places in PROMPTS
    sigma: Tensor  # (B,) how noisy it is taught

    def to(self, device: torch.device) -> "Lesson":
        return Lesson(*(getattr(self, name).to(device) for name in Lesson.__dataclass_fields__))


def joined(alone: Sequence[Lesson]) -> Lesson:
    """Lessons of one puppet each as a batch."""
    return Lesson(*(torch.cat([getattr(each, name) for each in alone]) for name in Lesson.__dataclass_fields__))


def mirrored(lesson: Lesson) -> Lesson:
    """Left for right."""
    flipped = {name: getattr(lesson, name).flip(-1) for name in ("source", "target", "weight", "parts")}
    return replace(lesson, **flipped)


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
    """(2, F, 96, 96, 3) both drawings through one camera: other colours and light, texture, blur, grain."""
    if rng.random() < 0.5:
        pictures = pictures[..., rng.permutation(3)]
    shown = pictures.astype(np.float32) * rng.uniform(0.75, 1.15) + rng.uniform(-10, 10)
    if rng.random() < 0.25:
        middle = shown.mean(axis=(0, 1, 2, 3), keepdims=True)
        shown = middle + rng.uniform(0.4, 1) * (shown - middle)
    if rng.random() < PATTERNED:
        shown = shown * _pattern(rng)[..., None]
    if rng.random() < 0.3:
        spread = rng.uniform(0.4, 1.2)
        shown = np.stack([[cv2.GaussianBlur(each, (0, 0), spread) for each in film] for film in shown])
    if rng.random() < 0.25:
        shown += rng.normal(0, rng.uniform(1, 6), shown.shape[1:]).astype(np.float32)
    return np.asarray(np.clip(shown, 0, 255), np.uint8)


def _pattern(rng: np.random.Generator) -> Floats:
    """(96, 96) a gain: stripes, dots or clouds over all of the picture or a part, for styles that were never drawn."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(2.5, 9)
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    kind = rng.integers(3)
    if kind == 2:
        wave = _clouds(rng, int(rng.integers(8, 40)))
    else:
        wave = np.sin(2 * np.pi * along / pitch + rng.uniform(0, 6.3))
        if kind == 1:
            wave = wave * np.sin(2 * np.pi * across / pitch)
    if rng.random() < 0.5:
        wave = np.tanh(rng.uniform(2, 8) * (wave - rng.uniform(-0.5, 0.5)))  # inked, not painted
    part = np.clip(3 * (_clouds(rng, 3) + rng.uniform(-0.4, 0.8)), 0, 1)
    return np.asarray(1 + rng.uniform(0.05, 0.35) * part * wave, np.float32)


def _clouds(rng: np.random.Generator, cells: int) -> Floats:
    """(96, 96) smooth noise in about −1 … 1."""
    coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)


def tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(F, 96, 96, 3) → (1, 3, F, 96, 96) in −1 … 1."""
    return torch.from_numpy(pictures.astype(np.float32) / 127.5 - 1).permute(3, 0, 1, 2)[None].contiguous()
