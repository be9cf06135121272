"""The starter as one file: the renderer's averaged weights and the voice, in half precision, without a pickle."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from models.diff2lip.voice import Voice


def export(network: Mapping[str, Tensor], voice: Voice, path: Path) -> None:
    """Writes `network.*` and `voice.*`; counters stay whole numbers."""
    tensors = {f"network.{key}": value for key, value in network.items()}
    tensors |= {f"voice.{key}": value for key, value in voice.state_dict().items()}
    part = path.with_suffix(".part")
    half = {
        key: value.detach().contiguous().to(torch.float16 if value.is_floating_point() else value.dtype)
        for key, value in tensors.items()
    }
    save_file(half, part, metadata={"layout": "diff2lip/starter 2"})
    part.rename(path)
