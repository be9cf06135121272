"""A training run of OmniSync's starter.

It can be killed and started again, and comes out the same: what is learnt at a step follows from the seed and the
step's number, and `FOLDER/run.pt` holds all else. Beside it lie curves.jsonl, curves.png and a sheet of drawn mouths.
Source: OmniSync §3 (arXiv 2505.21448v2); every number is in training.toml.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.omnisync import flow
from models.omnisync.actor import Actor, law_at
from models.omnisync.lesson import Lesson
from models.omnisync.lessons import Lessons
from models.omnisync.recipe import Recipe
from models.omnisync.trial import Trial
from models.training import curves, kept
from models.training.diverged import Diverged

LOG: Final = 50  # steps between two points of the curves
SHARPENING: Final = ("picture", "edges")
STEADIEST: Final = 0.5  # σ under which a mistake of the velocity counts no more: 1/σ² would drown all else


class Run:
    """All that is needed to go on: the network, its average, the optimiser, the number of the step."""

    def __init__(self, lessons: Lessons, recipe: Recipe, folder: Path, machine: Accelerator, actor: Actor) -> None:
        self.lessons, self.recipe, self.folder, self.machine = lessons, recipe, folder, machine
        self.average = actor.requires_grad_(False).to(machine.device)
        network = type(actor)(actor.size)
        network.load_state_dict(actor.state_dict())
        optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.decay)
        self.network, self.learn = machine.prepare(network, optimiser)
        self.steps, self.seconds = 0, 0.0

    def step(self) -> dict[str, float]:
        """One lesson; the weighted losses by name.

        raises   Diverged before anything is learnt from a loss that is no number
        """
        recipe, share = self.recipe, self.steps / self.recipe.steps
        cosine = recipe.last_rate + (1 - recipe.last_rate) * (0.5 + 0.5 * math.cos(math.pi * share))
        self.learn.param_groups[0]["lr"] = recipe.rate * cosine * min(1.0, (self.steps + 1) / recipe.warm_up)
        lesson = self.lessons.ready(self.steps).to(self.machine.device)
        with self.machine.autocast(), _small_attention(self.machine.device):
            losses = learnt(self.network, lesson, recipe, self._chance())
        weighted = {name: weight * value for name, value in losses.items() if (weight := self._weight(name))}
        loss = torch.stack(list(weighted.values())).sum()
        if not math.isfinite(float(loss.detach())):
            parts = ", ".join(f"{name} {float(value.detach()):.3g}" for name, value in weighted.items())
            raise Diverged(f"step {self.steps}: the loss is no number ({parts}); a lower rate may help")
        self.learn.zero_grad()
        self.machine.backward(loss)
        self.machine.clip_grad_norm_(self.network.parameters(), 1.0)
        self.learn.step()
        keep = min(recipe.average, (self.steps + 1) / (self.steps + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        self.steps += 1
        return {name: float(value.detach()) for name, value in weighted.items()}

    def _weight(self, name: str) -> float:
        early = self.steps < self.recipe.sharp_from * self.recipe.steps
        return 0.0 if early and name in SHARPENING else float(getattr(self.recipe.losses, name))

    def _chance(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + self.steps)

    def save(self) -> None:
        kept.save(self.folder, self._kept(), self.steps, self.seconds)

    def resume(self) -> None:
        self.steps, self.seconds = kept.resume(self.folder, self._kept(), self.machine.device)

    def _kept(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT}


_KEPT = ("network", "average", "learn")


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
    picture, logits = actor.network.paint(x, sigma, lesson.source, tokens * heard.view(-1, 1, 1, 1), text)
    away = picture.float() - lesson.target
    wide = sigma.view(-1, 1, 1, 1, 1)
    weight = lesson.weight / lesson.weight.mean()
    down, across = away.diff(dim=-2), away.diff(dim=-1)
    return {
        "flow": (weight * away.square() / wide.clamp(min=STEADIEST) ** 2).mean(),
        "picture": (weight * away.abs()).mean(),
        "edges": (weight[..., 1:, :] * down.abs()).mean() + (weight[..., 1:] * across.abs()).mean(),
        "parts": -(weight * (lesson.parts * logits.float().log_softmax(dim=1)).sum(dim=1, keepdim=True)).mean(),
        "law": (law_at(actor, tokens).float() - lesson.law).square().mean(),
    }


def train(
    lessons: Lessons, recipe: Recipe, folder: Path, machine: Accelerator, actor: Actor, trials: Sequence[Trial]
) -> Iterator[tuple[int, str]]:
    """Trains to the recipe's last step, from where an earlier run in the same folder stopped.

    trials   puppets that are not trained on, for the sheet and for the share of error that is left at their mouths
    returns  (steps done, a line for the log) now and then
    raises   Diverged; `run.pt` is then still the last good one
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(lessons, recipe, folder, machine, actor)
    if (folder / "run.pt").exists():
        run.resume()
        curves.cut(folder / "curves.jsonl", run.steps)
        yield run.steps, f"going on after {run.steps} steps, {run.seconds:.0f} s"
    begun = time.monotonic() - run.seconds
    means: dict[str, float] = {}
    while run.steps < recipe.steps:
        for name, value in run.step().items():
            means[name] = 0.98 * means.get(name, value) + 0.02 * value
        run.seconds = time.monotonic() - begun
        saves = run.steps % recipe.save_every == 0 or run.steps == recipe.steps
        if saves:
            run.save()
            means |= {f"{each.name} left": each.left(run.average) for each in trials}
        if saves or run.steps % LOG == 0:
            with (folder / "curves.jsonl").open("a") as log:
                log.write(json.dumps({"step": run.steps, "seconds": round(run.seconds), **means}) + "\n")
            yield run.steps, "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        if saves:
            curves.draw(folder / "curves.jsonl", folder / "curves.png")
            board = torch.cat([each.sheet(run.average) for each in trials if each.shown], dim=1)
            curves.picture(board, folder / f"sheet_{run.steps:06d}.png")


def _small_attention(device: torch.device) -> AbstractContextManager[None]:
    """On a CPU plain matrices are a third faster than the fused kernel: the starter attends to a few tokens."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
