"""The starter's training: draw a mouth of a given form into a given face."""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.corpus.clips import Clip
from models.diff2lip.diffusion import STEPS, Diffusion
from models.diff2lip.drawer import REFERENCES, STARTER, Drawer, Shape
from models.diff2lip.train import likeness
from models.diff2lip.train.lessons import Lesson, Lessons, plain
from models.diff2lip.train.recipe import Recipe
from models.diff2lip.train.subject import Drawn, noises
from models.diff2lip.window import HEIGHT, WIDTH, mask

EARLIEST: Final = STEPS // 5  # steps with less noise than this are not taught: one to a few steps are ever taken
SHOWN: Final = range(14, 62, 4)  # frames of a clip on a sheet


class Forms:
    """Predicts the picture; see drawer.py."""

    told = 6  # the drawn mouth and the reference at rest

    def __init__(self, clips: list[Clip], recipe: Recipe, device: torch.device, shape: Shape = STARTER) -> None:
        self.recipe, self.device, self.shape = recipe, device, shape
        self.lessons = Lessons(clips, recipe.seed)
        self.diffusion = Diffusion(range(STEPS), "picture")

    def network(self) -> nn.Module:
        return Drawer(self.shape)

    def draw(self, network: Callable[..., Tensor], step: int, clips: int, frames: int) -> Drawn:
        lesson = self.lessons.draw(step, clips, frames).to(self.device)
        inside = mask().to(self.device)
        x, index = self._noisy(lesson.target, step, frames)
        out = network(
            x.contiguous(memory_format=torch.channels_last),
            index, lesson.target * (1 - inside), inside.expand(len(x), -1, -1, -1), lesson.shown, lesson.code,
        )  # fmt: skip
        picture = out.float() * inside + lesson.target * (1 - inside)
        weight = likeness.importance(lesson.centre)
        losses = {
            "picture": likeness.colour(picture, lesson.target, weight),
            "edges": likeness.edges(picture, lesson.target, weight),
            "texture": likeness.texture(picture, lesson.target, weight),
        }
        told = torch.cat([lesson.shown[:, -3:], lesson.shown[:, :3]], dim=1)
        return Drawn(picture, lesson.target, weight, told, losses, lesson.clips, lesson.starts)

    def mouth(self, pictures: Tensor) -> Tensor:
        return pictures

    def sheet(self, network: Callable[..., Tensor], clips: list[Clip]) -> Tensor:
        rows, width = [], 0
        for clip in clips:
            references = [clip.order[0], clip.order[-1], clip.breadths[0], clip.breadths[-1]]
            lesson = plain(clip, [n for n in SHOWN if n < len(clip.crops)], [int(i) for i in references]).to(
                self.device
            )
            rows += [torch.cat(list(pictures), dim=2) for pictures in (lesson.target, self._one_step(network, lesson))]
            width = rows[-1].shape[2]
            told = torch.cat(torch.chunk(lesson.shown[0], REFERENCES + 1), dim=2)  # what the first was drawn from
            rows.append(F.pad(told, (0, width - told.shape[2])))
        return torch.cat(rows, dim=1).cpu()

    def _noisy(self, target: Tensor, step: int, frames: int) -> tuple[Tensor, Tensor]:
        """x_t and t; one noise and one t for the frames of a clip."""
        count = len(target) // frames
        chance = noises(self.recipe.seed, step)
        index = torch.randint(EARLIEST, STEPS, (count,), generator=chance)
        index[torch.rand(count, generator=chance) < self.recipe.pure_noise] = STEPS - 1
        noise = torch.randn((count, *target.shape[1:]), generator=chance)
        if not self.recipe.noise:
            return torch.zeros_like(target), torch.full((len(target),), STEPS - 1, device=target.device)
        index = index.repeat_interleave(frames).to(target.device)
        return self.diffusion.noisy(target, noise.repeat_interleave(frames, dim=0).to(target), index), index

    @torch.no_grad()
    def _one_step(self, network: Callable[..., Tensor], lesson: Lesson) -> Tensor:
        """What the network draws from pure noise, or from nothing, laid into the window."""
        inside, count = mask().to(self.device), len(lesson.target)
        noise = torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(self.recipe.seed))
        x = noise.expand(count, -1, -1, -1).to(self.device) * float(self.recipe.noise)
        t = torch.full((count,), STEPS - 1, device=self.device)
        out = network(x, t, lesson.target * (1 - inside), inside.expand(count, -1, -1, -1), lesson.shown, lesson.code)
        return (out * inside + lesson.target * (1 - inside)).clamp(-1, 1)
