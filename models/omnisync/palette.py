"""Where the colours of a new mouth come from: from the film itself, wherever it shows them.

A network knows a colour only roughly, a film knows its own to the bit. So each part of a mouth looks at the pixels of
all frames of the window and takes what it finds there; only what no frame shows is guessed. New skin is what lies
around it: the source blurred, each pixel counted as far as it is skin (Knutsson and Westin, Normalized and Differential
Convolution, CVPR 1993).
"""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GUESSES: Final = ((0.1, -0.5, -0.4), (-0.7, -0.85, -0.8), (0.9, 0.9, 0.8), (0.5, -0.3, -0.2))  # lip … tongue, untaught
SPREAD: Final = 4.0  # sigma of the skin's blur, cells of two pixels
REACH: Final = 12  # cells to each side that it counts


class Palette(nn.Module):
    """Looks at the source through features of half its height."""

    def __init__(self, colours: int, coarse: int, fine: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(fine, len(GUESSES), 1)
        self.weigh = nn.Conv2d(fine, 1, 1)
        self.where = nn.Conv2d(coarse, len(GUESSES), 1)
        self.guess = nn.Linear(coarse, colours)
        self.trust = nn.Linear(coarse, 1)
        self.usual = nn.Parameter(torch.tensor(GUESSES)[:, :colours].clone())

    def parts(self, source: Tensor, fine: Tensor, coarse: Tensor, batch: int) -> Tensor:
        """(B, 4, C) colours of lip, inside, teeth and tongue, one for all frames of a window.

        source (B · F, C, H, W), fine (B · F, W, H/2, W/2), coarse (B · F, W, H/8, W/8)
        """
        half = F.avg_pool2d(source, 2)
        seen = _pooled(self.look(fine), half, batch)  # (B, 4, C)
        felt = _pooled(self.where(coarse), coarse, batch)  # (B, 4, W)
        trust = torch.sigmoid(self.trust(felt))  # (B, 4, 1)
        return torch.as_tensor((trust * seen + (1 - trust) * (self.usual + self.guess(felt))).float())

    def skin(self, source: Tensor, fine: Tensor) -> Tensor:
        """(B · F, C, H, W) what lies around, where lips or chin were."""
        count = torch.sigmoid(self.weigh(fine)).float()
        both = torch.cat([count * F.avg_pool2d(source, 2), count], dim=1)
        bell = torch.exp(-0.5 * (torch.arange(-REACH, REACH + 1, device=both.device) / SPREAD) ** 2).to(both)
        bell, wide = bell / bell.sum(), both.shape[1]
        both = F.conv2d(both, bell.view(1, 1, -1, 1).repeat(wide, 1, 1, 1), padding=(REACH, 0), groups=wide)
        both = F.conv2d(both, bell.view(1, 1, 1, -1).repeat(wide, 1, 1, 1), padding=(0, REACH), groups=wide)
        return F.interpolate(both[:, :-1].float() / (both[:, -1:].float() + 1e-3), scale_factor=2.0, mode="bilinear")


def _pooled(logits: Tensor, shown: Tensor, batch: int) -> Tensor:
    """(B, K, C): what K looks see of all frames of a clip; logits (B · F, K, h, w), shown (B · F, C, h, w)."""
    flat = [each.view(batch, -1, *each.shape[1:]).transpose(1, 2).flatten(2).float() for each in (logits, shown)]
    return torch.einsum("bkn,bcn->bkc", flat[0].softmax(dim=-1), flat[1])
