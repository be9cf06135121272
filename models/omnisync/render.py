"""OmniSync as the pipeline uses it: squares around a mouth and sound in, the same squares with other lips out.

The starter is ours and small; it works in pixels. (The size of the paper is in paper.py.) Promises: T for T, whatever
the frame rate and however few frames; no landmarks are read; the same seed draws the same pixels.
Deliberately not here: finding mouths and the matte (models/face), choosing frames (tasks/render.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from models.audio.logmel import HZ
from models.face.matte import matte
from models.lipsync import CropSpec, Sight, SpeechSpec, Window
from models.omnisync import ear
from models.omnisync.actor import Actor
from models.omnisync.drawing import Drawing, draw
from models.omnisync.guidance import Guidance
from models.omnisync.prompts import PROMPTS, number
from models.omnisync.window import SIDE, SIZE

WEIGHTS: Final = Path(__file__).parent / "starter.safetensors"
OWN: Final = Drawing(guidance=Guidance(peak=1.0))  # chosen by measurement: taught by exact pairs, it needs no push
CONTEXT: Final = Fraction(4)  # seconds: one word's loudness is not the voice's


class Starter:
    """Draws eight frames at a time."""

    crop = CropSpec(size=SIZE, around="mouth", side=SIDE, down=0.0)
    hearing = SpeechSpec(HZ, CONTEXT)
    window = Window(frames=8, overlap=2)
    prompts: tuple[str, ...] = PROMPTS

    def __init__(self, actor: Actor, device: torch.device | str = "cpu", drawing: Drawing | None = None) -> None:
        self.device = torch.device(device)
        self.actor = actor.eval().to(self.device)
        self.drawing = drawing or OWN

    @torch.inference_mode()
    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        """See `models.lipsync.LipSync`; steps 0 is the drawing's own number.

        Where the face has a mesh, what no matte shows is locked to the film; where it has none, nobody knows how far a
        shape reaches that moves with its mouth, and the composite alone keeps the plate.
        raises   ValueError for a prompt that is not in PROMPTS
        """
        how = self.drawing if not steps else replace(self.drawing, steps=steps)
        source = (sight.crops.float() * 2 - 1).permute(1, 0, 2, 3)[None].to(self.device)  # (1, 3, T, S, S)
        heard = torch.from_numpy(ear.windows(speech.numpy(), middles(times)))[None].to(self.device)
        text = self.actor.read(torch.tensor([number(prompt)], device=self.device))
        one = torch.randn(1, 3, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))
        noise = one.expand_as(source).to(self.device)  # one for all frames: noise that changes would flicker
        centres = sight.mouths[None, :, :2].to(self.device)
        mask = _drawable(sight).to(self.device) if sight.points.shape[1] else None
        drawn = draw(self.actor, source, self.actor.hear(heard), text, noise, how, centres, mask)
        return ((drawn[0].permute(1, 0, 2, 3) + 1) / 2).clamp(0, 1).to(sight.crops)


def _drawable(sight: Sight) -> Tensor:
    """(1, 1, T, S, S) 1 wherever the matte shows anything."""
    return torch.from_numpy(matte(sight.mouths.numpy(), Starter.crop) > 0).float()[None, None]


def middles(times: Sequence[Fraction]) -> list[Fraction]:
    """The middle of each frame, of its first instants; a single frame is taken to last 1/25 s."""
    apart = times[1] - times[0] if len(times) > 1 else Fraction(1, 25)
    return [time + apart / 2 for time in times]
