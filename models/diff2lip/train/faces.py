"""The paper's training: draw the lower half of a face for what is heard.

Source: Diff2Lip (arXiv 2308.09716), §3 and eq. 9. A lesson is a run of frames of one clip, one noise for all of them,
and as reference another frame of the clip, the same for the run. Not published and chosen here: the hidden half of the
masked face holds noise of its own, as at inference, but never the noise that is asked for, or it could be read there;
x̂0 is clamped to −1 … 1, or the last steps would be all of its loss.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from models.audio.mel import mel, windows
from models.corpus.clips import Clip
from models.diff2lip.diffusion import STEPS, Diffusion, ddim_steps
from models.diff2lip.network import PAPER, Diff2Lip, Shape
from models.diff2lip.paper import SIZE, lower_half, one_noise
from models.diff2lip.train.recipe import Recipe
from models.diff2lip.train.subject import Drawn, noises
from models.syncnet.senses import RATE

EAR: Final = Fraction(1, 25)  # seconds by which a frame's sound window begins before it, as at inference
WINDOW: Final = (57, 114, 28, 100)  # top, bottom, left, right: what the sync expert knows of a prepared crop at 128
SHOWN: Final = range(14, 62, 12)


class Faces:
    """Predicts the noise; see network.py."""

    told = 0

    def __init__(
        self, clips: list[Clip], recipe: Recipe, device: torch.device, shape: Shape = PAPER, size: int = SIZE
    ) -> None:
        """size   of a face in pixels: 128, less only for tests"""
        self.clips, self.recipe, self.device, self.shape, self.size = clips, recipe, device, shape, size
        self.diffusion = Diffusion(range(STEPS), "noise")
        self.inside = lower_half(size).to(device)
        self.heard: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}

    def network(self) -> nn.Module:
        return Diff2Lip(self.shape)

    def draw(self, network: Callable[..., Tensor], step: int, clips: int, frames: int) -> Drawn:
        chance = np.random.default_rng([self.recipe.seed, step])
        chosen = tuple(self.clips[i] for i in chance.integers(len(self.clips), size=clips))
        starts = tuple(int(chance.integers(len(clip.crops) - frames + 1)) for clip in chosen)
        runs = [(clip, range(start, start + frames)) for clip, start in zip(chosen, starts, strict=True)]
        target = torch.cat([self._pictures(clip, run) for clip, run in runs]).to(self.device)
        others = [[int(chance.integers(len(clip.crops)))] * frames for clip, _ in runs]
        reference = torch.cat([self._pictures(run[0], other) for run, other in zip(runs, others, strict=True)])
        heard = torch.from_numpy(np.concatenate([self._sound(clip)[list(run)] for clip, run in runs]))
        chances = noises(self.recipe.seed, step)
        noise, hidden = (
            torch.randn(clips, 3, self.size, self.size, generator=chances).repeat_interleave(frames, 0).to(self.device)
            for _ in range(2)
        )
        index = torch.randint(STEPS, (clips,), generator=chances).repeat_interleave(frames).to(self.device)
        x = self.diffusion.noisy(target, noise, index)
        inside = self.inside.expand(len(target), -1, -1, -1)
        masked = target * (1 - inside) + hidden * inside
        out = network(x, index, masked, inside, reference.to(self.device), heard.to(self.device)).float()
        clean = self.diffusion.guess(out, x, index).clamp(-1, 1)
        off = (inside * (out[:, :3] - noise).square()).mean(dim=(1, 2, 3))
        losses = {
            "simple": (off + self.diffusion.vb(out, target, x, index, inside)).mean(),
            "picture": (inside * (clean - target).square()).mean(),
        }
        picture = clean * inside + target * (1 - inside)
        return Drawn(picture, target, inside, target[:, :0], losses, chosen, starts)

    def mouth(self, pictures: Tensor) -> Tensor:
        top, bottom, left, right = (round(edge * self.size / SIZE) for edge in WINDOW)
        return pictures[..., top:bottom, left:right]

    @torch.no_grad()
    def sheet(self, network: Callable[..., Tensor], clips: list[Clip]) -> Tensor:
        rows = []
        diffusion = Diffusion(ddim_steps(25), "noise")
        for clip in clips:
            shown = [n for n in SHOWN if n < len(clip.crops)]
            target = self._pictures(clip, shown).to(self.device)
            inside = self.inside.expand(len(target), -1, -1, -1)
            noise = one_noise(self.recipe.seed, self.size).to(self.device).expand_as(target)
            masked = target * (1 - inside) + noise * inside
            heard = torch.from_numpy(self._sound(clip)[shown]).to(self.device)
            told = {"masked": masked, "mask": inside, "reference": target, "mel": heard}
            drawn = diffusion.sample(noise, partial(network, **told)).float()
            drawn = drawn * inside + target * (1 - inside)
            rows += [torch.cat(list(pictures), dim=2) for pictures in (target, drawn)]
        return torch.cat(rows, dim=1).cpu()

    def _pictures(self, clip: Clip, frames: range | list[int]) -> Tensor:
        """(F, 3, size, size) in −1 … 1."""
        shrunk = [cv2.resize(clip.crops[i], (self.size, self.size), interpolation=cv2.INTER_AREA) for i in frames]
        return torch.from_numpy(np.stack(shrunk)).permute(0, 3, 1, 2).float() / 127.5 - 1

    def _sound(self, clip: Clip) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """(n, 80, 16) windows of the clip's frames."""
        if clip.name not in self.heard:
            times = [n / RATE for n in range(len(clip.crops))]
            self.heard[clip.name] = windows(mel(clip.speech), times, EAR)
        return self.heard[clip.name]
