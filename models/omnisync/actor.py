"""The starter whole: what hears, what is asked, and what draws, under one name and in one file of weights."""

from typing import Final

import torch
from torch import Tensor, nn

from models.omnisync.ear import TOKENS, Ear
from models.omnisync.network import STARTER, Size, build
from models.omnisync.prompts import PROMPTS

WORDS: Final = 2  # tokens of a prompt


class Actor(nn.Module):
    """An ear, an embedding for each prompt, and the network."""

    def __init__(self, size: Size = STARTER) -> None:
        super().__init__()
        self.size = size
        self.network = build(size)
        self.ear = Ear(size.speech)
        self.prompts = nn.Embedding(len(PROMPTS), WORDS * size.text)
        nn.init.normal_(self.prompts.weight, std=0.5)

    def hear(self, windows: Tensor) -> Tensor:
        """(B, F, 80, 20) log-mel → (B, F, 8, D) tokens."""
        batch, frames = windows.shape[:2]
        return self.ear(windows.flatten(0, 1)).view(batch, frames, TOKENS, -1)  # type: ignore[no-any-return]

    def read(self, prompts: Tensor) -> Tensor:
        """(B,) places in PROMPTS → (B, L, D) tokens."""
        return self.prompts(prompts).view(len(prompts), WORDS, -1)  # type: ignore[no-any-return]

    def forward(self, x: Tensor, sigma: Tensor, source: Tensor, tokens: Tensor, text: Tensor) -> Tensor:
        """The velocity; see OmniSync.forward. Tokens of zeros are not told anything, which is not silence."""
        return self.network(x, sigma, source, tokens, text)  # type: ignore[no-any-return]


def law_at(actor: Actor, tokens: Tensor) -> Tensor:
    """(B, F, 4) what the ear thinks a puppet's mouth does: a head of the training, not of drawing."""
    return torch.as_tensor(actor.ear.law(tokens.flatten(2)))
