"""Voice prints: what CAM++ keeps of a voice, so that it is known again in another stretch or the next episode.

A print is the mean of its windows' vectors, each of length 1. So 1 − a · b is the mean cosine distance between the
windows of two voices, and a print's own length says how alike its windows are: 1 if they were all the same.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.speech.campplus import MELS, CamPlusPlus
from models.speech.sound import HZ, Range, Sound
from models.speech.torchaudio_cpu import ensure_torchaudio
from models.speech.weights import VOICES, Weights

SHORTEST: Final = 4_800  # samples: CAM++ is not asked about less than 0.3 s
WINDOW: Final = 5 * HZ
ENOUGH: Final = 60 * HZ  # samples of a voice that are heard for its print

Print = NDArray[np.float32]  # (192,)


def network(weights: Weights) -> CamPlusPlus:
    """CAM++ with the public checkpoint. FileNotFoundError if it is not here, Unusable if it is another one."""
    net = CamPlusPlus()
    net.load_state_dict(torch.load(weights.known(VOICES), map_location="cpu", weights_only=True))
    return net.eval()


def voice(net: CamPlusPlus, wave: Tensor) -> Tensor:
    """(N,) at 16 kHz, 0.3 s at least → (192,) of length 1, on the same device."""
    ensure_torchaudio()
    import torchaudio.compliance.kaldi as kaldi

    mel = kaldi.fbank(wave[None], num_mel_bins=MELS, sample_frequency=HZ, dither=0.0)
    return F.normalize(net((mel - mel.mean(0, keepdim=True))[None])[0], dim=0)


@torch.inference_mode()
def print_of(net: CamPlusPlus, sound: Sound, spoken: Sequence[Range]) -> Print | None:
    """The print of the one who speaks there; None if there is less than 0.3 s in one piece.

    Up to a minute is heard, in windows of 5 s, the longest stretches first.
    """
    heard, vectors = 0, []
    for start, end in sorted(spoken, key=lambda each: (each[0] - each[1], each[0])):
        for first in range(start, end, WINDOW):
            wave = torch.from_numpy(np.ascontiguousarray(sound[first : min(first + WINDOW, end)]))
            if len(wave) >= SHORTEST and heard < ENOUGH:
                vectors.append(voice(net, wave))
                heard += len(wave)
    return torch.stack(vectors).mean(0).numpy() if vectors else None
