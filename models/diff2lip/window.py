"""Where the starter draws: a window of the crop with the mouth and chin in it, and in that the part that is masked.

The rest of a 128 × 128 crop costs as much to compute and never changes. The rim of the window stays visible, so the
network can carry light and skin over the edge of the mask.
"""

from typing import Final

import torch
from torch import Tensor

from models.lipsync import CropSpec

SIZE: Final = 128
TOP, LEFT, HEIGHT, WIDTH = 56, 24, 64, 80  # the window in pixels of the crop
RIM_TOP, RIM_SIDE = 4, 4  # visible rows above, columns beside the mask
CROP: Final = CropSpec(
    size=SIZE, around="eyes", side=1.9, down=0.62,
    top=(TOP + RIM_TOP) / SIZE, bottom=(TOP + HEIGHT) / SIZE, sides=(LEFT + RIM_SIDE) / SIZE,
)  # fmt: skip


def mask() -> Tensor:
    """(1, 1, HEIGHT, WIDTH): 1 where the mouth is drawn anew."""
    inside = torch.zeros(1, 1, HEIGHT, WIDTH)
    inside[..., RIM_TOP:, RIM_SIDE:-RIM_SIDE] = 1
    return inside
