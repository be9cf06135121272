"""A training run of OmniSync's starter.

It can be killed and started again, and comes out the same: what is learnt at a step follows from the seed and the
step's number, and `FOLDER/run.pt` holds all else. Beside it lie curves.jsonl, curves.png and a sheet of drawn mouths.
Source: OmniSync §3 (arXiv 2505.21448v2); every number is in training.toml.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.omnisync import flow
from models.omnisync.actor import Actor, law_at
from models.omnisync.train.lesson import Lesson
from models.omnisync.train.lessons import Lessons
from models.omnisync.train.recipe import Recipe
from models.omnisync.train.trial import Trial
from models.training import loop

SHARPENING: Final = ("picture", "edges")
STEADIEST: Final = 0.5  # σ under which a mistake of the velocity counts no more: 1/σ² would drown all else


class Run(loop.Run[Recipe]):
    """Of the starter, by lessons that follow from the step's number."""

    average: Actor

    def __init__(self, lessons: Lessons, recipe: Recipe, folder: Path, machine: Accelerator, actor: Actor) -> None:
        super().__init__(recipe, folder, machine)
        self.lessons = lessons
        self.average = actor.requires_grad_(False).to(machine.device)
        network = type(actor)(actor.size)
        network.load_state_dict(actor.state_dict())
        optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.decay)
        self.network, self.learn = machine.prepare(network, optimiser)

    def step(self) -> dict[str, float]:
        """One lesson; the weighted losses by name.

        raises   Diverged before anything is learnt from a loss that is no number
        """
        recipe = self.recipe
        lesson = self.lessons.ready(self.steps).to(self.machine.device)
        with self.machine.autocast(), _small_attention(self.machine.device):
            losses = learnt(self.network, lesson, recipe, self._chance())
        weighted = {name: weight * value for name, value in losses.items() if (weight := self._weight(name))}
        return self.descend(weighted)

    def _weight(self, name: str) -> float:
        early = self.steps < self.recipe.sharp_from * self.recipe.steps
        return 0.0 if early and name in SHARPENING else float(getattr(self.recipe.losses, name))

    def _chance(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + self.steps)


def learnt(actor: Actor, lesson: Lesson, recipe: Recipe, chance: torch.Generator) -> dict[str, Tensor]:
    """The losses of one lesson, unweighted.

    A velocity is (x − picture) / σ, so |picture − film|² / σ² is the flow's own loss, |v̂ − (ε − z)|².
    """
    batch, sigma = len(lesson.target), lesson.sigma
    noise = torch.randn(lesson.target.shape, generator=chance).to(sigma)
    heard = (torch.rand(batch, generator=chance) >= recipe.unheard).to(sigma)
    told = (torch.rand(batch, generator=chance) >= recipe.unasked).to(sigma)
    begun = (torch.rand(batch, generator=chance) < recipe.begun).to(sigma) * (sigma >= flow.PAIRED)
    film = torch.where(begun.view(-1, 1, 1, 1, 1) > 0, lesson.source, lesson.target)
    x = flow.noised(film, noise, sigma)
    tokens = actor.hear(lesson.windows)
    text = actor.read(lesson.prompts) * told.view(-1, 1, 1)
    painted = actor.network.paint(x, sigma, lesson.source, tokens * heard.view(-1, 1, 1, 1), text)
    away = painted.picture.float() - lesson.target
    wide = sigma.view(-1, 1, 1, 1, 1)
    weight = lesson.weight / lesson.weight.mean()
    rare = 1 + (recipe.rare - 1) * lesson.parts[:, -2:].sum(dim=1, keepdim=True)
    down, across = away.diff(dim=-2), away.diff(dim=-1)
    return {
        "flow": (weight * away.square() / wide.clamp(min=STEADIEST) ** 2).mean(),
        "picture": (weight * away.abs()).mean(),
        "edges": (weight[..., 1:, :] * down.abs()).mean() + (weight[..., 1:] * across.abs()).mean(),
        "parts": -(
            weight * rare * (lesson.parts * painted.parts.float().log_softmax(dim=1)).sum(dim=1, keepdim=True)
        ).mean(),
        "colours": miscoloured(painted.colours, lesson),
        "law": (law_at(actor, tokens).float() - lesson.law).square().mean(),
    }


def miscoloured(colours: Tensor, lesson: Lesson) -> Tensor:
    """Mean distance of the parts' (B, 4, C) colours from what the target shows there; each part counts alike."""
    shown = lesson.parts[:, -colours.shape[1] :, None]  # (B, 4, 1, F, H, W)
    error = (shown * (colours[..., None, None, None] - lesson.target[:, None]).abs()).mean(dim=2).sum(dim=(0, 2, 3, 4))
    return (error / (shown.sum(dim=(0, 2, 3, 4, 5)) + 1)).mean()


def train(
    lessons: Lessons, recipe: Recipe, folder: Path, machine: Accelerator, actor: Actor, trials: Sequence[Trial]
) -> Iterator[tuple[int, str]]:
    """Trains to the recipe's last step, from where an earlier run in the same folder stopped.

    trials   puppets that are not trained on, for the sheet and for the share of error that is left at their mouths
    returns  (steps done, a line for the log) now and then
    raises   Diverged; `run.pt` is then still the last good one
    """
    run = Run(lessons, recipe, folder, machine, actor)
    yield from loop.follow(
        run,
        lambda: torch.cat([each.sheet(run.average) for each in trials if each.shown], dim=1),
        lambda: {f"{each.name} left": each.left(run.average) for each in trials},
    )


def _small_attention(device: torch.device) -> AbstractContextManager[None]:
    """On a CPU plain matrices are a third faster than the fused kernel: the starter attends to a few tokens."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
