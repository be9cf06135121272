"""OmniSync of the paper's size: a network on Wan 2.1 that works in latents, hears with Whisper and reads umT5's words.

Promises: T for T, whatever the frame rate and however few frames; passes carry on each other; no landmarks are needed;
the same seed draws the same pixels. Its weights are its user's: nobody has published any.
Source: OmniSync, arXiv 2505.21448v2; passes that carry on: X-Dub, arXiv 2512.25066 (shared facts, §2.3 and §2.6).
Deliberately not here: finding mouths and the matte (models/face), choosing frames (tasks/render.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from torch import Tensor, nn

from models.face.matte import matte
from models.lipsync import CropSpec, Sight, SpeechSpec, Window
from models.omnisync import codec, embed_prompts, flow, whisper
from models.omnisync.drawing import Drawing, Say, draw
from models.omnisync.network import PAPER, OmniSync, build, inherited
from models.omnisync.prompts import PROMPTS, number
from models.omnisync.wan import renamed
from models.registry import BadCheckpoint, fill, read

PASS: Final = 81  # frames, as Wan was taught: 21 latents
CARRIED: Final = 5  # of them are the last of the pass before: two latents without noise
CROP: Final = CropSpec(size=512, around="mouth", side=14.0, down=0.0)  # twice a face, with room to turn


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """All networks of the paper's OmniSync, and the prompts it was told beforehand."""

    network: OmniSync
    codec: AutoencoderKLWan
    heard_by: nn.Module  # an encoder of Whisper
    texts: Mapping[str, Tensor]  # (512, D) for every prompt


class Paper:
    """Three passes a call, the later ones carrying on the earlier."""

    crop = CROP
    hearing = SpeechSpec(whisper.HZ, Fraction(10))  # with it, a call's sound is one piece of Whisper's
    window = Window(frames=PASS + 2 * (PASS - CARRIED), overlap=CARRIED)
    prompts: tuple[str, ...] = PROMPTS

    def __init__(
        self,
        parts: Parts,
        device: torch.device | str = "cpu",
        *,
        precision: torch.dtype | None = None,
        drawing: Drawing | None = None,
    ) -> None:
        """precision  of the network's weights; None is bfloat16 on a GPU and float32 on a CPU"""
        self.device = torch.device(device)
        self.precision = precision or _usual(self.device)
        self.network = in_precision(parts.network.eval(), self.precision).to(self.device)
        self.codec = parts.codec.eval().to(self.device)
        self.heard_by = parts.heard_by.eval().to(self.device)
        self.texts = parts.texts
        self.drawing = drawing or Drawing(steps=flow.STEPS)

    @torch.inference_mode()
    def render(
        self, sight: Sight, speech: Tensor, times: Sequence[Fraction], *, seed: int, steps: int, prompt: str = ""
    ) -> Tensor:
        """See `models.lipsync.LipSync`; steps 0 is fifty. raises ValueError for a prompt that is not in PROMPTS

        Where the face has a mesh, what is far from its mouth is locked to the film; where it has none, nobody knows
        how far its mouth reaches, and the matte alone decides.
        """
        how = replace(self.drawing, steps=steps) if steps else self.drawing
        text = self.texts[PROMPTS[number(prompt)]][None].to(self.device)
        film = sight.crops.float().mul(2).sub(1).permute(1, 0, 2, 3)[None]  # (1, 3, T, S, S)
        chance = torch.Generator().manual_seed(seed)
        drawn = film[:, :, :0]
        for frames in passes(len(times)):
            every = held(frames)
            before = drawn[:, :, frames.start :] if frames.start else None
            latents = self.latents(
                film[:, :, every],
                sight.mouths[every].float().cpu(),
                whisper.tokens(self.heard_by, speech, codec.middles(regular(times, frames.start, len(every)))),
                text,
                how,
                chance,
                before=before,
                locks=sight.points.shape[1] > 0,
            )
            new = codec.decode(self.codec, latents)[:, :, : len(frames)].to(film)
            drawn = torch.cat([drawn, new if before is None else new[:, :, CARRIED:]], dim=2)
        return ((drawn[0].permute(1, 0, 2, 3) + 1) / 2).clamp(0, 1).to(sight.crops)

    def latents(
        self,
        film: Tensor,
        mouths: Tensor,
        tokens: Tensor,
        text: Tensor,
        how: Drawing,
        chance: torch.Generator,
        *,
        before: Tensor | None = None,
        locks: bool = True,
    ) -> Tensor:
        """(1, 16, F, S/8, S/8) one pass, not yet decoded.

        film    (1, 3, 4F − 3, S, S) in −1 … 1
        mouths  (4F − 3, 4) as in a Sight; tokens (F, 8, D); text (1, L, D)
        before  (1, 3, CARRIED, S, S) what the pass before drew of the first frames; they stay as they are
        locks   whether latents that no matte shows stay the film's
        """
        source = codec.encode(self.codec, film.to(self.device))
        covered = [mouths[list(codec.covered(n))] for n in range(source.shape[2])]
        centres = torch.stack([each[:, :2].mean(dim=0) for each in covered])[None].to(self.device)
        mask = (
            torch.stack([region(each, source.shape[-1]) for each in covered])[None, None].to(self.device)
            if locks
            else None
        )
        noise = torch.randn(source.shape, generator=chance).to(self.device)
        carried = source[:, :, :0] if before is None else codec.encode(self.codec, before.to(self.device))
        heard = tokens[None].to(self.device)
        drawn = draw(carrying(self._say, carried), source, heard, text, noise, how, centres, mask)
        return torch.cat([carried, drawn[:, :, carried.shape[2] :]], dim=2)

    def _say(self, x: Tensor, sigma: Tensor, source: Tensor, tokens: Tensor, text: Tensor) -> Tensor:
        x, source, tokens, text = (each.to(self.precision) for each in (x, source, tokens, text))
        return torch.as_tensor(self.network(x, sigma, source, tokens, text)).float()


def passes(frames: int) -> list[range]:
    """The frames of each pass; all but the first begin with the last CARRIED of the one before."""
    starts = range(0, max(1, frames - CARRIED), PASS - CARRIED)
    return [range(start, min(frames, start + PASS)) for start in starts]


def held(frames: range) -> list[int]:
    """So many frames as a film of the codec has: these, the last again and again."""
    return [*frames, *[frames[-1]] * (codec.whole(len(frames)) - len(frames))]


def regular(times: Sequence[Fraction], start: int, count: int) -> list[Fraction]:
    """When `count` frames from `start` on begin; those beyond the last go on as the first two do."""
    apart = times[1] - times[0] if len(times) > 1 else Fraction(1, 25)
    known = list(times[start : start + count])
    return known + [known[-1] + n * apart for n in range(1, count - len(known) + 1)]


def carrying(say: Say, carried: Tensor) -> Say:
    """The same, for a film whose first latents are known: they have no noise, and do not move.

    carried  (1, C, K, H, W), K may be 0
    """
    known = carried.shape[2]

    def knowing(x: Tensor, sigma: Tensor, source: Tensor, tokens: Tensor, text: Tensor) -> Tensor:
        if not known:
            return say(x, sigma, source, tokens, text)
        x = torch.cat([carried.expand(len(x), -1, -1, -1, -1), x[:, :, known:]], dim=2)
        own = sigma[:, None].repeat(1, x.shape[2])
        own[:, :known] = 0
        said = say(x, own, source, tokens, text)
        return torch.cat([torch.zeros_like(said[:, :, :known]), said[:, :, known:]], dim=2)

    return knowing


def region(mouths: Tensor, size: int) -> Tensor:
    """(size, size) 0 … 1: where one latent may differ from the film's; the mattes of its frames, and one latent more.

    mouths  (n, 4) of the frames it stands for
    """
    mattes = torch.from_numpy(matte(mouths.numpy(), replace(CROP, size=size)))
    return F.max_pool2d(mattes.amax(dim=0)[None, None], 3, 1, 1)[0, 0]


def in_precision(network: OmniSync, precision: torch.dtype) -> OmniSync:
    """The same network with weights of another precision, but for those that diffusers keeps in float32 as well."""
    exact = {*network._keep_in_fp32_modules, "norm_audio", "norm_time"}
    for name, parameter in network.named_parameters():
        if not exact & set(name.split(".")):
            parameter.data = parameter.data.to(precision)
    return network


def load(path: Path, heard_by: Path | None = None, device: torch.device | str = "cpu") -> Paper:
    """The renderer with its user's weights.

    path      omnisync.safetensors, beside which lie vae.safetensors (diffusers' AutoencoderKLWan of Wan 2.1) and
              prompts.safetensors (embed_prompts.py); or their folder
    heard_by  an openai-whisper checkpoint whose states are as wide as the network was taught with, 1280; None is
              whisper.pt beside the others
    raises    BadCheckpoint, FileNotFoundError
    """
    folder = path if path.is_dir() else path.parent
    with torch.device("meta"):
        network, coder = in_precision(build(PAPER), _usual(torch.device(device))), codec.build()
    ours = path if path.is_file() else folder / "omnisync.safetensors"
    tensors = read(ours)
    if all(inherited(renamed(key)) for key in tensors):
        raise BadCheckpoint(
            f"{ours}: these are Wan's base weights: they hear nothing. OmniSync has to be trained first"
        )
    fill(network, tensors, str(ours))
    fill(coder, read(folder / "vae.safetensors"), str(folder / "vae.safetensors"))
    ear = heard_by or folder / "whisper.pt"
    hearing = whisper.encoder(ear)
    if whisper.width(hearing) != PAPER.speech:
        raise BadCheckpoint(f"{ear} has states of {whisper.width(hearing)}; the network hears those of {PAPER.speech}")
    return Paper(Parts(network, coder, hearing, embed_prompts.read(folder / "prompts.safetensors", PAPER.text)), device)


def _usual(device: torch.device) -> torch.dtype:
    return torch.bfloat16 if device.type == "cuda" else torch.float32
