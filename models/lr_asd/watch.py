"""LR-ASD at work: what its eye makes of a face is kept, so that the sound can be asked about later.

The eye alone costs (0.015 CPU-seconds a frame); what it gives is 128 numbers a frame, on which the ear and the rest
take next to nothing. It looks at the small upright faces of models/face/closeup.py, brought to the light it was taught
in; at 48 pixels it tells speakers from listeners about as well as at 112 (area under the curve 0.964 and 0.975).
The weights are the user's: `lr_asd/finetuning_TalkSet.model` in the folder of weights, MIT. Nothing needs them.
"""

import io
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from python_speech_features import mfcc

from models.face.closeup import GREY as STEPS
from models.known import Known
from models.lr_asd.network import GREY, ROWS, LrAsd

FILE: Final = Known(
    "lr_asd/finetuning_TalkSet.model",
    "6b4ef53694e874e96cf630198dc479c78aebb3993bbf166aee3d926dfe7d9342",
    "take the published file, or take it away",
)
SIDE: Final = 112
TAUGHT: Final = 25.0  # frames a second
AROUND: Final = 9  # frames to either side that a frame of the eye depends on: three blocks of 5 and 3
CHUNK: Final = 64  # frames at once
LOUDEST: Final = 32767  # it was taught on 16-bit samples
HZ: Final = 16_000

Floats = NDArray[np.float32]
Eye = NDArray[np.float16]


class Watcher:
    """The network with its weights."""

    def __init__(self, weights: bytes) -> None:
        self.net = LrAsd().eval()
        self.net.load_state_dict(torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True))

    @torch.inference_mode()
    def see(self, small: NDArray[np.int8]) -> Eye:
        """(n, 128) of n faces (n, 48, 48) one after another, as `closeup.upright` makes them."""
        mean, deviation = GREY
        seen = []
        for start in range(0, len(small), CHUNK):
            first, last = max(0, start - AROUND), start + CHUNK + AROUND
            large = [cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
                     for face in small[first:last].astype(np.float32) / STEPS]  # fmt: skip
            faces = np.clip(np.stack(large), -mean / deviation, (1 - mean) / deviation)
            given = self.net.model.visualEncoder(torch.from_numpy(faces.astype(np.float32))[None, None])[0]
            seen.append(given[start - first :][:CHUNK])
        return np.asarray(torch.cat(seen).numpy(), np.float16)

    @torch.inference_mode()
    def says(self, eye: Eye, speech: Floats, rate: float) -> Floats:
        """(n,) above 0 where this face speaks, if anybody does.

        eye     (n, 128) of `see`, frames one after another at `rate` a second
        speech  samples at 16 kHz from the first of these frames on; silence is added where they end before the last
        """
        wanted = int(np.ceil((len(eye) / rate + 0.05) * HZ))
        sound = np.pad(speech[:wanted], (0, max(0, wanted - len(speech))))
        whole = np.clip(sound * LOUDEST, -LOUDEST, LOUDEST).astype(np.int16)
        stretch = TAUGHT / rate
        rows = mfcc(whole, HZ, numcep=13, winlen=0.025 * stretch, winstep=0.010 * stretch, nfft=_fft(0.025 * stretch))
        rows = torch.from_numpy(rows[: ROWS * len(eye)].astype(np.float32))
        heard = self.net.model.audioEncoder(rows.T[None, None])
        both = self.net.model.fusion(heard, torch.from_numpy(eye[None].astype(np.float32)))
        return np.asarray(self.net.lossAV(self.net.model.detector(both))[0, :, 1].numpy(), np.float32)


def find(given: Path | None = None) -> Watcher | None:
    """With this machine's weights, or None if it has none. raises models.known.Unusable if they are others."""
    path = FILE.find(given)
    return Watcher(FILE.read(path)) if path is not None else None


def _fft(seconds: float) -> int:
    """The power of two that holds a window; 512, the library's own, at 25 frames a second."""
    return max(512, 1 << (int(np.ceil(seconds * HZ)) - 1).bit_length())
