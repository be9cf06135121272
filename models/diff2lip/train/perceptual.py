"""How different two pictures look to a network that was taught to look.

LPIPS (Zhang et al., arXiv 1801.03924, eq. 1, version 0.1 on AlexNet), which Diff2Lip trains with, needs two files its
user brings: AlexNet's weights and the heads of the `lpips` package. Where they are not, the first layers of our own
sync expert look instead, openly trained and with all channels alike: that is not LPIPS and is never called so.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import torch
from torch import Tensor, nn

SHIFT: Final = (-0.030, -0.088, -0.188)  # of ImageNet pictures in −1 … 1, as the `lpips` package has them
SCALE: Final = (0.458, 0.448, 0.450)


class Trunk(Protocol):
    """What looks."""

    def __call__(self, pictures: Tensor) -> Sequence[Tensor]:
        """Features (B, C, h, w) of some layers, for (B, 3, H, W) in −1 … 1."""
        ...


def distance(drawn: Sequence[Tensor], filmed: Sequence[Tensor], heads: Sequence[Tensor] | None = None) -> Tensor:
    """(B,) squared differences of unit-length features, weighted by channel, averaged over places, summed over layers.

    heads   (1, C, 1, 1) for each layer; without them every channel counts 1 / C
    """
    total = torch.zeros(len(drawn[0]), device=drawn[0].device)
    for n, (a, b) in enumerate(zip(drawn, filmed, strict=True)):
        apart = (_unit(a.float()) - _unit(b.float())).square()
        weighted = (apart * heads[n]).sum(dim=1) if heads else apart.mean(dim=1)
        total = total + weighted.mean(dim=(1, 2))
    return total


class AlexNet(nn.Module):
    """The five convolutions of AlexNet (Krizhevsky 2014, as torchvision names them), after each ReLU."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(),
        ]  # fmt: skip
        self.features = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        h = (pictures - pictures.new_tensor(SHIFT).view(3, 1, 1)) / pictures.new_tensor(SCALE).view(3, 1, 1)
        found = []
        for layer in self.features:
            h = layer(h)
            if isinstance(layer, nn.ReLU):
                found.append(h)
        return found


class Lpips(nn.Module):
    """LPIPS v0.1 on AlexNet; pictures of at least 32 pixels a side."""

    heads: list[Tensor]

    def __init__(self, trunk: Path, heads: Path) -> None:
        """trunk  torchvision's alexnet-owt-7be5be79.pth; heads  lpips/weights/v0.1/alex.pth of the package

        raises   KeyError naming the tensor that a file lacks
        """
        super().__init__()
        self.trunk = AlexNet()
        given = torch.load(trunk, map_location="cpu", weights_only=True)
        self.trunk.load_state_dict({key: given[key] for key in self.trunk.state_dict()})
        lins = torch.load(heads, map_location="cpu", weights_only=True)
        self.heads = [lins[f"lin{n}.model.1.weight"] for n in range(5)]
        self.eval().requires_grad_(False)

    def forward(self, drawn: Tensor, filmed: Tensor) -> Tensor:
        heads = [head.to(drawn.device) for head in self.heads]
        return distance(self.trunk(drawn), self.trunk(filmed), heads)


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
