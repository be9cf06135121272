"""How far a starter in training is: on puppets it never saw, with voices it never heard."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.omnisync import flow
from models.omnisync.actor import Actor
from models.omnisync.drawing import Drawing, draw
from models.omnisync.guidance import Guidance
from models.omnisync.train.lesson import Lesson

NOISE: float = 0.95  # σ at which the share of error is read: what one look says


@dataclass(frozen=True, eq=False)
class Trial:
    """A lesson that is only ever judged by."""

    name: str
    lesson: Lesson
    windows: Tensor  # what it is told it hears: the lesson's own sound, or another's, to see whether it listens
    shown: bool = False  # on the sheet

    @torch.no_grad()
    def left(self, actor: Actor) -> float:
        """Squared error at the mouth after one look from σ = 0.95, as a share of the source's own; 1 is a copier."""
        lesson, device = self.lesson, next(actor.parameters()).device
        noise = torch.randn(lesson.target.shape, generator=torch.Generator().manual_seed(1))
        sigma = torch.full((len(lesson.target),), NOISE)
        x = flow.noised(lesson.source, noise, sigma)
        inputs = (each.to(device) for each in (x, sigma, lesson.source))
        said = actor(*inputs, actor.hear(self.windows.to(device)), actor.read(lesson.prompts.to(device)))
        picture = (x - NOISE * said.cpu()).float()
        mouth = lesson.weight - 1
        error, source = ((mouth * (each - lesson.target).square()).mean() for each in (picture, lesson.source))
        return float(error / source)

    @torch.no_grad()
    def sheet(self, actor: Actor) -> Tensor:
        """(3, 3·H, 8·W) in −1 … 1: filmed, asked for, drawn; the first frame of eight puppets."""
        lesson, device = self.lesson, next(actor.parameters()).device
        source = lesson.source[:8].to(device)
        noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(2)).to(device)
        tokens, text = actor.hear(self.windows[:8].to(device)), actor.read(lesson.prompts[:8].to(device))
        drawn = draw(actor, source, tokens, text, noise, Drawing(guidance=Guidance(peak=1.0))).cpu()
        rows = [torch.cat(list(each[:, :, 0]), dim=2) for each in (lesson.source[:8], lesson.target[:8], drawn)]
        return torch.cat(rows, dim=1).float()
