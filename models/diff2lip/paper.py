"""The published network with weights its user brings: sound → picture, the frame itself as reference.

Promises: T for T, whatever the frame rate; rows above the mask are the input's own; the same seed draws
the same pixels.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Final, Literal

import torch
from torch import Tensor

from models.audio.mel import HZ, mel, windows
from models.diff2lip.diffusion import Diffusion, Network, ddim_steps
from models.diff2lip.network import Diff2Lip
from models.diff2lip.solver import dpm
from models.lipsync import CropSpec, Sight, SpeechSpec, Window

SIZE: Final = 128
BATCH: Final = 16  # frames drawn at once; they do not see each other


class Paper:
    """The network as the pipeline uses it; published.py is the loop it came with, for comparisons.

    Its audio window begins one 25 fps frame before the picture's, as theirs does. Unlike theirs it is found by exact
    time at any rate; the sound is padded, so the last frames are not dropped; pictures stay floats; and what was not
    drawn is the input's own.
    """

    crop = CropSpec(size=SIZE, around="eyes", side=2.1, down=0.6, top=0.5)
    hearing = SpeechSpec(HZ, Fraction(1, 2))
    window = Window(frames=BATCH, overlap=0)
    prompts: tuple[str, ...] = ()

    def __init__(
        self,
        network: Diff2Lip,
        device: torch.device | str = "cpu",
        *,
        precision: torch.dtype | None = None,
        sampler: Literal["ddim", "dpm"] = "ddim",
    ) -> None:
        """precision   of the network; None is float16 on a GPU, as published, and float32 on a CPU
        sampler     DDIM as published, or DPM-Solver++, which needs fewer steps
        """
        self.device, self.sampler = torch.device(device), sampler
        chosen = precision or (torch.float16 if self.device.type == "cuda" else torch.float32)
        placed = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network: Diff2Lip = placed.in_precision(chosen)

    @torch.inference_mode()
    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        """See `models.lipsync.LipSync`; steps 0 is 25 of DDIM, 10 of DPM-Solver++; only `sight.crops` is read."""
        crops = sight.crops
        heard = torch.from_numpy(windows(mel(speech.detach().float().cpu().numpy()), times, Fraction(1, 25)))
        drawn = fill(self.network, crops.float() * 2 - 1, heard, one_noise(seed), self._sampler(steps))
        out = crops.clone()
        out[:, :, SIZE // 2 :] = ((drawn + 1) / 2).to(out)[:, :, SIZE // 2 :]
        return out

    def _sampler(self, steps: int) -> Callable[[Tensor, Network], Tensor]:
        if self.sampler == "dpm":
            return partial(dpm, count=steps or 10, predicts="noise")
        return Diffusion(ddim_steps(steps or 25), "noise").sample


def one_noise(seed: int, size: int = SIZE) -> Tensor:
    """(1, 3, size, size), drawn on the CPU. Every frame starts from it, which keeps them from flickering."""
    return torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


def lower_half(size: int = SIZE) -> Tensor:
    """(1, 1, size, size): 1 where the network draws."""
    mask = torch.zeros(1, 1, size, size)
    mask[..., size // 2 :, :] = 1
    return mask


@torch.inference_mode()
def fill(
    network: Diff2Lip, faces: Tensor, heard: Tensor, noise: Tensor, sampler: Callable[[Tensor, Network], Tensor]
) -> Tensor:
    """(T, 3, 128, 128) what the network draws in faces of −1 … 1; its rows above the mask mean nothing.

    faces  (T, 3, 128, 128), each its own reference; as published, the same noise that it starts from hides its mouth
    heard  (T, 80, 16) mel windows
    """
    device = next(network.parameters()).device
    drawn = []
    for view, sound in zip(torch.split(faces, BATCH), torch.split(heard, BATCH), strict=True):
        view = view.to(device, memory_format=torch.channels_last)
        mask, start = (one.to(device).expand(len(view), -1, -1, -1) for one in (lower_half(), noise))
        told = {"masked": view * (1 - mask) + start * mask, "mask": mask, "reference": view}
        style = network.style(sound.to(device))
        drawn.append(sampler(start, partial(network.denoise, style=style, **told)).to(faces.device))
    return torch.cat(drawn)
