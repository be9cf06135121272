"""Drawing one window of frames: progressive initialisation, the walk down the noise, guidance at the mouth."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.omnisync import flow
from models.omnisync.guidance import Guidance, guided

Say = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]  # x, σ, source, tokens, text → velocity


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a window is drawn."""

    steps: int = 5  # pair-trained, it needs no more; the paper's is 50
    tau: float = flow.TAU
    shift: float = 1.0
    tail: bool = False
    guidance: Guidance = field(default_factory=Guidance)


def draw(
    say: Say,
    source: Tensor,
    tokens: Tensor,
    text: Tensor,
    noise: Tensor,
    how: Drawing,
    mouths: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The window with the lips of the sound; like `source`.

    say      the network
    source   (B, C, F, H, W) latents of the film; of the starter pixels in −1 … 1
    tokens   (B, F, 8, D) what is heard; text (B, L, D) what is asked
    noise    like source, of variance 1
    mouths   (B, F, 2) centres in 0 … 1 of the crop, for the guidance; None guides everywhere alike
    mask     (B, 1, F, H, W) 1 where lips may move; the rest is locked to the source. None locks nothing
    """
    nothing = torch.zeros_like(tokens)

    def velocity(x: Tensor, sigma: Tensor) -> Tensor:
        weight = how.guidance.weight(mouths, sigma, *x.shape[-2:])
        if bool((weight == 1).all()):
            return say(x, sigma, source, tokens, text)
        heard, unheard = say(
            x.repeat(2, 1, 1, 1, 1),
            sigma.repeat(2),
            source.repeat(2, 1, 1, 1, 1),
            torch.cat([tokens, nothing]),
            text.repeat(2, 1, 1),
        ).chunk(2)
        return guided(heard, unheard, weight)

    sigmas = flow.grid(how.steps, how.tau, shift=how.shift, tail=how.tail)
    lock = None if mask is None else flow.locked(mask, source, noise)
    return flow.walk(flow.begin(source, noise, how.tau), sigmas, velocity, lock)
