"""The published network with weights its user brings: sound → picture, the frame itself as reference.

Promises: T for T, whatever the frame rate; rows above the mask are the input's own; the same seed draws
the same pixels.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

import torch
from torch import Tensor

from models.audio.mel import HZ, mel, windows
from models.diff2lip.diffusion import Diffusion, ddim_steps
from models.diff2lip.network import Diff2Lip
from models.lipsync import CropSpec, Face, SpeechSpec, Window


class Paper:
    """Its audio window begins one 25 fps frame before the picture's, as its authors' code does.

    Unlike that code it pads the sound, so the last frames are not dropped, and never enlarges what it did not draw.
    """

    crop = CropSpec(size=128, side=2.1, down=0.6, landmarks=False, top=0.5)
    hearing = SpeechSpec(HZ, Fraction(1, 2))
    window = Window(frames=16, overlap=0)

    def __init__(self, network: Diff2Lip, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.network = network.eval().to(self.device)

    @torch.inference_mode()
    def render(
        self,
        crops: Tensor,
        points: Tensor,
        face: Face,
        speech: Tensor,
        times: Sequence[Fraction],
        *,
        seed: int,
        steps: int,
    ) -> Tensor:
        """See `models.lipsync.LipSync`; steps 0 is 25; `points` and `face` are not read."""
        size, half = self.crop.size, self.crop.size // 2
        diffusion = Diffusion(ddim_steps(steps or 25), "noise")
        sound = torch.from_numpy(windows(mel(speech.detach().float().cpu().numpy()), times, Fraction(1, 25)))
        # The authors draw one noise on the CPU and start every frame from it; the hidden half is filled with it, too.
        noise = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(seed)).to(self.device)
        inside = torch.zeros(1, 1, size, size, device=self.device)
        inside[..., half:, :] = 1
        out = crops.clone()
        for start in range(0, len(crops), self.window.frames):
            part = slice(start, start + self.window.frames)
            view = crops[part].float().to(self.device) * 2 - 1
            begin = noise.expand(len(view), -1, -1, -1)
            masked, heard = view * (1 - inside) + begin * inside, sound[part].to(self.device)
            hole = inside.expand(len(view), -1, -1, -1)
            told = {"masked": masked, "mask": hole, "reference": view, "mel": heard}
            drawn = diffusion.sample(begin, partial(self.network, **told))
            out[part, :, half:] = ((drawn + 1) / 2).to(out)[:, :, half:]
        return out
