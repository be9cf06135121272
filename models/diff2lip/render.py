"""Diff2Lip as the pipeline uses it: faces and sound in, the same faces with other mouths out.

The starter is ours: sound → the mouth's form → the picture, one step of DDIM unless more are asked for. (The published
network is in paper.py.) Promises: T for T, whatever the frame rate; rows above the mask are the input's own; the same
seed draws the same pixels.
Deliberately not here: finding and cutting faces, the matte (models/face), choosing frames (tasks/render.py).
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from models.audio.mel import HZ
from models.diff2lip import pull
from models.diff2lip.diffusion import Diffusion, trailing_steps
from models.diff2lip.drawer import Drawer
from models.diff2lip.voice import Voice, speak
from models.diff2lip.window import CROP, HEIGHT, LEFT, TOP, WIDTH, mask
from models.face import form
from models.face.form import Floats
from models.lipsync import REST, WIDE, Face, Sight, SpeechSpec, Window

WEIGHTS: Final = Path(__file__).parent / "starter.safetensors"
SETTLING: Final = 4  # frames heard before and after, so that windows of one shot agree where they meet
# Taught by mean error, the network leans to one reference but shows the mean of all, in which teeth are grey. So its
# leaning is multiplied: real pixels of one of them are shown. ADR 11 has the figures.
DECIDED: Final = 4.0
SMOOTH: Final = 1.2  # pixels: without it, fine combs on teeth and chin, which the loss on texture had bought
LIGHT: Final = (0.6, 1.6)  # how much darker or lighter the face may be than in its reference


class Starter:
    """A form predicted from sound, drawn by a small network from four of the face's own mouths."""

    crop = CROP
    hearing = SpeechSpec(HZ, Fraction(1, 2))
    window = Window(frames=32, overlap=0)
    prompts: tuple[str, ...] = ()

    def __init__(self, network: Drawer, voice: Voice, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.network, self.voice = network.eval().to(self.device), voice.eval().cpu()
        self.network.decided, self.network.smooth = DECIDED, SMOOTH

    @torch.inference_mode()
    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        """See `models.lipsync.LipSync`; steps 0 is 1. Silence closes the mouth to the form of the face at rest."""
        crops, face = sight.crops, sight.face
        assert face is not None, "a crop around the eyes comes with its face"
        meshes = _numpy(sight.points) * CROP.size
        forms = self._forms(_numpy(speech), times, face)
        diffusion = Diffusion(trailing_steps(steps or 1), "picture")
        noise = self._begin(seed)
        out = crops.clone()
        for start in range(0, len(crops), self.window.frames):
            part = slice(start, start + self.window.frames)
            view = crops[part, :, TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH].float().cpu()
            shown, code = self._show(view, meshes[part], forms[part], face)
            drawn = self._draw(view * 2 - 1, shown, code, diffusion, noise)
            inside = mask().bool().expand_as(view)
            target = out[part, :, TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH]
            target[inside.to(out.device)] = ((drawn + 1) / 2).to(out)[inside.to(out.device)]
        return out

    def _begin(self, seed: int) -> Tensor:
        """(1, 3, HEIGHT, WIDTH) one noise for all frames."""
        return torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))

    def _forms(self, speech: Floats, times: Sequence[Fraction], face: Face) -> Floats:
        """(T, 43, 2) the mouths to draw, measured."""
        apart = times[1] - times[0] if len(times) > 1 else Fraction(1, 25)
        before = [times[0] + n * apart for n in range(-SETTLING, 0)]
        after = [times[-1] + n * apart for n in range(1, SETTLING + 1)]
        return speak(self.voice, speech, [*before, *times, *after], *self._known(face))[SETTLING:-SETTLING]

    def _known(self, face: Face) -> Floats:
        """(3, 43, 2) the face's own median, closed and open mouth, measured."""
        median = _numpy(face.median_points)
        return form.measure(np.stack([median, *_numpy(face.points)[[REST, WIDE]]]), median)

    def _show(self, view: Tensor, meshes: Floats, forms: Floats, face: Face) -> tuple[Tensor, Tensor]:
        """(T, 15, HEIGHT, WIDTH) in −1 … 1 and (T, 172): what the network looks at and what it is told."""
        median = _numpy(face.median_points) * CROP.size
        corner = np.array([LEFT, TOP], np.float32)
        wanted = form.set_down(forms, median, meshes) - corner
        planes = []
        for picture, mesh in zip(face.pictures, face.points, strict=True):
            known = _numpy(mesh) * CROP.size
            source = np.ascontiguousarray(_numpy(picture).transpose(1, 2, 0))
            poses = form.onto(known, meshes)
            poses[:, :, 2] -= corner
            laid = [pull.pulled(source, known, *there, WIDTH, HEIGHT) for there in zip(poses, wanted, strict=True)]
            pictures = torch.from_numpy(np.stack(laid)).permute(0, 3, 1, 2)
            planes.append(_in_the_light_of(view, pictures) * 2 - 1)
        drawing = torch.from_numpy(np.stack([pull.draw(mouth, WIDTH, HEIGHT) for mouth in wanted])).float() / 127.5 - 1
        rest = form.centred(form.measure(_numpy(face.points)[[REST]], _numpy(face.median_points)))
        code = np.concatenate([form.centred(forms), np.repeat(rest, len(forms), axis=0)], axis=1)
        return torch.cat([*planes, drawing], dim=1), torch.from_numpy(code)

    def _draw(self, view: Tensor, shown: Tensor, code: Tensor, diffusion: Diffusion, noise: Tensor) -> Tensor:
        inside = mask().to(self.device).expand(len(view), -1, -1, -1)
        masked = view.to(self.device) * (1 - inside)
        shown, code = shown.to(self.device), code.to(self.device)
        start = noise.to(self.device).expand(len(view), -1, -1, -1)
        told = {"masked": masked, "mask": inside, "shown": shown, "form": code}
        return diffusion.sample(start, partial(self.network, **told)).cpu()


class OneStep(Starter):
    """The same network taught without noise, to compare with: it begins from nothing and draws once."""

    def _begin(self, seed: int) -> Tensor:
        return torch.zeros(1, 3, HEIGHT, WIDTH)


def _in_the_light_of(view: Tensor, pictures: Tensor) -> Tensor:
    """The pictures, each plane made as bright as the view is in the rim both show."""
    rim = 1 - mask()
    is_now, was = (view * rim).sum(dim=(2, 3)), (pictures * rim).sum(dim=(2, 3))
    return (pictures * (is_now / was.clamp(min=1e-3)).clamp(*LIGHT)[:, :, None, None]).clamp(0, 1)


def _numpy(tensor: Tensor) -> Floats:
    return tensor.detach().float().cpu().numpy()
