"""What is taught at a step: puppets, and from some step on photographed people among them.

What is drawn follows from the seed and the step's number alone, so a run that was stopped has the same lessons.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np

from models.omnisync.flow import PAIRED
from models.omnisync.train import puppetry
from models.omnisync.train.filmed import People
from models.omnisync.train.lesson import Lesson, joined
from models.omnisync.train.recipe import Recipe
from models.omnisync.train.voices import Voice

RUNS: Final = (4, 8)  # frames of a lesson that is a sequence
LEAST: Final = 0.02  # σ; a film without noise teaches nothing


class Lessons:
    """Draws the lessons of a recipe."""

    def __init__(self, voices: Sequence[Voice], recipe: Recipe, people: People) -> None:
        self.voices, self.recipe, self.people = voices, recipe, people
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
        share = step / self.recipe.steps
        noisy = share < self.recipe.noisy_until
        filmed = self.recipe.filmed if share >= self.recipe.filmed_from else 0.0
        return joined([self._one(rng, frames, noisy, filmed) for _ in range(clips)])

    def _one(self, rng: np.random.Generator, frames: int, noisy: bool, filmed: float) -> Lesson:
        sigma = _sigma(rng, noisy, self.recipe.shift)
        if filmed and rng.random() < filmed:
            return self.people.draw(rng, frames, sigma)
        return puppetry.one(self.voices, rng, frames, sigma, self.recipe.pairs)


def _sigma(rng: np.random.Generator, noisy: bool, shift: float) -> float:
    u = rng.random()
    return PAIRED + (1 - PAIRED) * u if noisy else max(LEAST, shift * u / (1 + (shift - 1) * u))
