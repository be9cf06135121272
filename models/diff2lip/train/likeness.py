"""How like the film a drawn window is, where an audience looks."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from models.diff2lip.window import HEIGHT, WIDTH, mask

MOUTH: Final = 8.0  # weight of the mouth's middle over the rim's 1
MOUTH_SIGMA: Final = (14.0, 10.0)  # pixels along and across the lips
GRAIN: Final = 8  # pixels a side of a patch whose texture is compared


def importance(centre: Tensor) -> Tensor:
    """(B, 1, HEIGHT, WIDTH) weight of each pixel: the mouth is a tenth of the mask and all that is looked at."""
    x = torch.arange(WIDTH, device=centre.device) + 0.5 - centre[:, :1]
    y = torch.arange(HEIGHT, device=centre.device) + 0.5 - centre[:, 1:]
    bump = torch.exp(-((x / MOUTH_SIGMA[0]) ** 2)[:, None, :] / 2 - ((y / MOUTH_SIGMA[1]) ** 2)[:, :, None] / 2)
    return (1 + MOUTH * bump)[:, None] * mask().to(centre.device)


def colour(drawn: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1; 0 is a perfect copy."""
    return (weight * (drawn - target).abs()).mean()


def edges(drawn: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1 of both gradients: lips have borders."""
    off = drawn - target
    across = (off[..., 1:] - off[..., :-1]).abs() * weight[..., 1:]
    down = (off[..., 1:, :] - off[..., :-1, :]).abs() * weight[..., 1:, :]
    return across.mean() + down.mean()


def texture(drawn: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1 of how much detail lies in each patch, wherever in it: mean error likes grey better than teeth that
    are a pixel off, this does not."""
    return (F.avg_pool2d(weight, GRAIN, GRAIN // 2) * (_detail(drawn) - _detail(target)).abs()).mean()


def _detail(picture: Tensor) -> Tensor:
    """Differences over two pixels: over one, a chequered pattern that no tooth has was the cheapest detail."""
    across = F.pad((picture[..., 2:] - picture[..., :-2]).abs(), (1, 1))
    down = F.pad((picture[..., 2:, :] - picture[..., :-2, :]).abs(), (0, 0, 1, 1))
    return F.avg_pool2d(across + down, GRAIN, GRAIN // 2)
