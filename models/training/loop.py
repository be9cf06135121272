"""The loop of a training: steps, curves, now and then a checkpoint and a sheet, and going on after a kill."""

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from models.training import curves, kept
from models.training.diverged import Diverged

LOG: Final = 50  # steps between two points of the curves


class Plan(Protocol):
    """Of a recipe what the loop reads."""

    @property
    def steps(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def last_rate(self) -> float: ...
    @property
    def warm_up(self) -> int: ...
    @property
    def average(self) -> float: ...
    @property
    def save_every(self) -> int: ...


P = TypeVar("P", bound=Plan)


class Run(ABC, Generic[P]):
    """All that is needed to go on: networks, optimisers, the number of the step.

    KEPT         names of what a checkpoint holds
    network      is taught, by the optimiser `learn`; `average` follows it
    """

    KEPT: ClassVar[tuple[str, ...]] = ("network", "average", "learn")
    network: Any
    average: nn.Module
    learn: Any

    def __init__(self, recipe: P, folder: Path, machine: Accelerator) -> None:
        self.recipe, self.folder, self.machine = recipe, folder, machine
        self.steps, self.seconds = 0, 0.0

    @abstractmethod
    def step(self) -> dict[str, float]:
        """One lesson; the weighted losses by name. Raises Diverged as `descend` does."""

    def descend(self, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """Learns from the weighted losses of a lesson; says what they were.

        raises   Diverged before anything is learnt from a loss that is no number
        """
        loss = _summed(losses, self.steps)
        self.learn.param_groups[0]["lr"] = _rate(self.recipe, self.steps)
        self.learn.zero_grad()
        self.machine.backward(loss)
        self.machine.clip_grad_norm_(self.network.parameters(), 1.0)
        self.learn.step()
        _averaged(self.average, self.network, self.recipe, self.steps)
        self.steps += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def save(self) -> None:
        kept.save(self.folder, self._parts(), self.steps, self.seconds)

    def resume(self) -> None:
        self.steps, self.seconds = kept.resume(self.folder, self._parts(), self.machine.device)

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.KEPT}


def follow(
    run: Run[Any], board: Callable[[], Tensor], judged: Callable[[], Mapping[str, float]]
) -> Iterator[tuple[int, str]]:
    """Trains to the plan's last step, from where an earlier run in the same folder stopped.

    board    (3, H, W) in −1 … 1, drawn at every checkpoint to be looked at
    judged   figures of every checkpoint, for the curves
    returns  (steps done, a line for the log) now and then
    raises   Diverged; `run.pt` is then still the last good one
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    plan: Plan = run.recipe
    log = run.folder / "curves.jsonl"
    if (run.folder / "run.pt").exists():
        run.resume()
        curves.cut(log, run.steps)
        yield run.steps, f"going on after {run.steps} steps, {run.seconds:.0f} s"
    begun = time.monotonic() - run.seconds
    means: dict[str, float] = {}
    while run.steps < plan.steps:
        for name, value in run.step().items():
            means[name] = 0.98 * means.get(name, value) + 0.02 * value
        run.seconds = time.monotonic() - begun
        saves = run.steps % plan.save_every == 0 or run.steps == plan.steps
        if saves:
            run.save()
            means |= judged()
        if saves or run.steps % LOG == 0:
            with log.open("a") as file:
                file.write(json.dumps({"step": run.steps, "seconds": round(run.seconds), **means}) + "\n")
            yield run.steps, "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        if saves:
            curves.draw(log, run.folder / "curves.png")
            curves.picture(board(), run.folder / f"sheet_{run.steps:06d}.png")


def _rate(plan: Plan, steps: int) -> float:
    """The rate of a step: it warms up, then falls along half a cosine to a share of itself."""
    fallen = plan.last_rate + (1 - plan.last_rate) * (0.5 + 0.5 * math.cos(math.pi * steps / plan.steps))
    return plan.rate * fallen * min(1.0, (steps + 1) / plan.warm_up)


def _summed(losses: Mapping[str, Tensor], steps: int) -> Tensor:
    """One loss of many; raises Diverged, before anything is learnt from it, where it is no number."""
    loss = torch.stack(list(losses.values())).sum()
    if not math.isfinite(float(loss.detach())):
        parts = ", ".join(f"{name} {float(value.detach()):.3g}" for name, value in losses.items())
        raise Diverged(f"step {steps}: the loss is no number ({parts}); a lower rate may help")
    return loss


def _averaged(average: nn.Module, network: nn.Module, plan: Plan, steps: int) -> None:
    """Moves the average a little towards the network's weights, in the first steps more."""
    keep = min(plan.average, (steps + 1) / (steps + 10))
    with torch.no_grad():
        for mean, now in zip(average.parameters(), network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)
