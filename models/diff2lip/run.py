"""The training run of the starter's network: draw a mouth of a given form into a given face.

It can be stopped and started again, and comes out the same: what is learnt at a step follows from the seed and the
step's number. `FOLDER/renderer.pt` holds everything and is written every few minutes, beside a sheet to look at.
"""

import json
import time
from collections.abc import Iterator
from math import cos, pi
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from models.corpus.clips import Clip
from models.diff2lip import likeness
from models.diff2lip.diffusion import STEPS, Diffusion
from models.diff2lip.drawer import STARTER, Drawer
from models.diff2lip.lessons import Lesson, Lessons, plain
from models.diff2lip.recipe import Recipe
from models.diff2lip.window import HEIGHT, WIDTH, mask


class Run:
    """One training run: all that is needed to go on with it."""

    def __init__(self, clips: list[Clip], folder: Path, recipe: Recipe, machine: Accelerator) -> None:
        torch.manual_seed(recipe.seed)  # of this process, which trains and does nothing else
        self.folder, self.recipe, self.machine = folder, recipe, machine
        self.lessons = Lessons(clips, recipe.seed)
        self.diffusion = Diffusion(range(STEPS), "picture")
        self.average = Drawer(STARTER).requires_grad_(False).to(machine.device)
        network = Drawer(STARTER).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.load_state_dict(self.average.state_dict())
        learn = torch.optim.AdamW(network.parameters(), recipe.rate, betas=(0.9, 0.99), weight_decay=recipe.decay)
        self.network, self.learn = machine.prepare(network, learn)
        self.steps, self.seconds = 0, 0.0
        self.parts = ("network", "average", "learn")

    def step(self) -> dict[str, float]:
        """One lesson; the losses by name."""
        recipe, share = self.recipe, self.steps / self.recipe.steps
        warmth = min(1.0, (self.steps + 1) / recipe.warm_up)
        rate = (recipe.last_rate + (1 - recipe.last_rate) * (0.5 + 0.5 * cos(pi * share))) * warmth
        self.learn.param_groups[0]["lr"] = recipe.rate * rate
        finishing = share >= recipe.finish_from
        count, frames = (recipe.finish_clips, recipe.finish_frames) if finishing else (recipe.batch, 1)
        lesson = self.lessons.draw(self.steps, count, frames).to(self.machine.device)
        drawn = self.draw(lesson, frames)
        weight = likeness.importance(lesson.centre)
        losses = {
            "colour": likeness.colour(drawn, lesson.target, weight),
            "edges": recipe.edges * likeness.edges(drawn, lesson.target, weight),
            "texture": recipe.texture * likeness.texture(drawn, lesson.target, weight),
        }
        loss = torch.stack(list(losses.values())).sum()
        self.learn.zero_grad()
        self.machine.backward(loss)
        self.machine.clip_grad_norm_(self.network.parameters(), 1.0)
        self.learn.step()
        keep = min(recipe.average, (self.steps + 1) / (self.steps + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        self.steps += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def draw(self, lesson: Lesson, frames: int) -> Tensor:
        """The network's picture inside the mask, the film's around it."""
        inside = mask().to(lesson.target.device)
        x, index = self._noisy(lesson.target, frames)
        out = self.network(
            x.contiguous(memory_format=torch.channels_last),
            index, lesson.target * (1 - inside), inside.expand(len(x), -1, -1, -1), lesson.shown, lesson.code,
        )  # fmt: skip
        picture: Tensor = out.float() * inside + lesson.target * (1 - inside)
        return picture

    def _noisy(self, target: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """x_t and t; one noise and one t for the frames of a clip."""
        count = len(target) // frames
        chance = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + self.steps)
        index = torch.randint(STEPS // 5, STEPS, (count,), generator=chance)
        index[torch.rand(count, generator=chance) < self.recipe.pure_noise] = STEPS - 1
        noise = torch.randn((count, *target.shape[1:]), generator=chance)
        if not self.recipe.denoises:
            return torch.zeros_like(target), torch.full((len(target),), STEPS - 1, device=target.device)
        index = index.repeat_interleave(frames).to(target.device)
        return self.diffusion.noisy(target, noise.repeat_interleave(frames, dim=0).to(target), index), index

    def save(self) -> None:
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in self.parts}
        part = self.folder / "renderer.part"
        torch.save(state | {"steps": self.steps, "seconds": self.seconds}, part)
        part.rename(self.folder / "renderer.pt")

    def resume(self) -> None:
        state = torch.load(self.folder / "renderer.pt", weights_only=True, map_location=self.machine.device)
        for name in self.parts:
            getattr(self, name).load_state_dict(state[name])
        self.steps, self.seconds = state["steps"], state["seconds"]

    def sheet(self, clips: list[Clip]) -> None:
        """A row of filmed and a row of drawn mouths for each clip, true forms given, as `sheet_NNNNN.png`."""
        rows = []
        for clip in clips:
            references = [clip.order[0], clip.order[-1], clip.breadths[0], clip.breadths[-1]]
            lesson = plain(clip, list(range(14, 62, 4)), [int(i) for i in references]).to(self.machine.device)
            drawn = one_step(self.average, lesson, denoises=self.recipe.denoises)
            for pictures in (lesson.target, drawn):
                rows.append(torch.cat(list(pictures), dim=2))
        told = torch.cat(torch.chunk(lesson.shown[0], 5), dim=2)  # what the last was drawn from
        rows.append(torch.nn.functional.pad(told.repeat(1, 1, 2), (0, 2 * WIDTH)))
        board = ((torch.cat(rows, dim=1).permute(1, 2, 0).cpu().numpy() + 1) * 127.5).round().astype(np.uint8)
        size = (board.shape[1] * 3 // 2, board.shape[0] * 3 // 2)
        enlarged = cv2.resize(board[..., ::-1], size, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(self.folder / f"sheet_{self.steps:05d}.png"), enlarged)


@torch.no_grad()
def one_step(network: Drawer, lesson: Lesson, *, denoises: bool = True) -> Tensor:
    """What the network draws from pure noise, or from nothing, laid into the window."""
    inside, count = mask().to(lesson.target.device), len(lesson.target)
    noise = torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(7)).expand(count, -1, -1, -1)
    noise = noise.to(lesson.target) * float(denoises)
    t = torch.full((count,), STEPS - 1, device=noise.device)
    out = network(noise, t, lesson.target * (1 - inside), inside.expand(count, -1, -1, -1), lesson.shown, lesson.code)
    picture: Tensor = (out * inside + lesson.target * (1 - inside)).clamp(-1, 1)
    return picture


def train(clips: list[Clip], held_out: list[Clip], folder: Path, recipe: Recipe) -> Iterator[str]:
    """Trains to the recipe's last step, from where an earlier run in the same folder stopped; yields lines for a log."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(clips, folder, recipe, Accelerator(mixed_precision="bf16", cpu=not torch.cuda.is_available()))
    if (folder / "renderer.pt").exists():
        run.resume()
        yield f"going on after {run.steps} steps, {run.seconds:.0f} s"
    begun = time.monotonic() - run.seconds
    heard: dict[str, float] = {}
    while run.steps < recipe.steps:
        for name, value in run.step().items():
            heard[name] = 0.98 * heard.get(name, value) + 0.02 * value
        run.seconds = time.monotonic() - begun
        if run.steps % 50 == 0:
            with (folder / "curves.jsonl").open("a") as log:
                log.write(json.dumps({"step": run.steps, "seconds": round(run.seconds), **heard}) + "\n")
            losses = "  ".join(f"{name} {value:.4f}" for name, value in heard.items())
            yield f"{run.seconds:6.0f} s  step {run.steps}  {losses}"
        if run.steps % recipe.save_every == 0 or run.steps == recipe.steps:
            run.save()
            run.sheet(held_out)
