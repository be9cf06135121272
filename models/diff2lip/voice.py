"""From sound to the mouth's form: what a face would do to say this.

The frozen ear of the sync expert hears five windows about each frame; ridge regression turns them into the mouth's main
movements. On so few speakers a line beats a network (measured, shared facts starter_training.md §5.3 and §5.4). What is
predicted is the difference from the face's own median mouth, so every face keeps its own lips.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn

from models.audio.loudness import TOP, level, loudness
from models.audio.mel import mel, windows
from models.face.form import MOUTH, Floats, opening
from models.syncnet.network import Ear
from models.syncnet.senses import BEFORE

ABOUT: Final = tuple(Fraction(n, 25) for n in (-4, -2, 0, 2, 4))  # seconds of the heard windows about a frame
MOVEMENTS: Final = 12  # principal components of mouths; more is noise of the mesh
SMOOTH: Final = 0.028  # seconds, sigma: 0.7 frames at 25
SPEAKS: Final = (-34.0, -24.0)  # dB under the voice's loud parts: closed below the first, free above the second
REACH: Final = 0.06  # seconds about a frame in which a sound counts as its own
FACES: Final = (0.4, 1.4)  # how much less or more than usual a face may move


class Voice(nn.Module):
    """(T, 5, 80, 16) sound windows, divided by 4 → (T, 43, 2) movement from the median mouth, in eye distances."""

    weight: Tensor
    bias: Tensor
    basis: Tensor
    gain: Tensor
    usual: Tensor

    def __init__(self, ear: Ear | None = None) -> None:
        super().__init__()
        self.ear = ear or Ear()
        self.register_buffer("weight", torch.zeros(len(ABOUT) * 128, MOVEMENTS))
        self.register_buffer("bias", torch.zeros(MOVEMENTS))
        self.register_buffer("basis", torch.zeros(MOVEMENTS, 2 * len(MOUTH)))
        self.register_buffer("gain", torch.ones(()))  # ridge is shy; this gives the movement its true size
        self.register_buffer("usual", torch.ones(()))  # how far a usual face opens and closes in three seconds

    def forward(self, sound: Tensor) -> Tensor:
        movements = self.features(sound) @ self.weight + self.bias
        return (movements @ self.basis * self.gain).view(len(sound), len(MOUTH), 2)

    def features(self, sound: Tensor) -> Tensor:
        """(T, 640): the middle window's embedding, and how the others differ from it."""
        heard: Tensor = self.ear(sound.flatten(0, 1)).view(len(sound), len(ABOUT), -1)
        middle = heard[:, len(ABOUT) // 2]
        return torch.cat([middle if n == len(ABOUT) // 2 else heard[:, n] - middle for n in range(len(ABOUT))], dim=1)


@torch.no_grad()
def speak(
    voice: Voice, speech: Floats, times: Sequence[Fraction], median: Floats, closed: Floats, wide: Floats
) -> Floats:
    """(T, 43, 2) the mouths that say `speech`; where it is silent, the closed one.

    speech               (N,) 16 kHz from second 0
    median, closed, wide (43, 2) measured mouths of the face (models/face/form.py)
    """
    sound = hear(speech, times)
    moved = voice(torch.from_numpy(sound)).numpy()
    spacing = float(times[1] - times[0]) if len(times) > 1 else 0.04
    moved = gaussian_filter1d(moved, SMOOTH / spacing, axis=0, mode="nearest")
    range_of_face = float(opening(wide[None])[0] - opening(closed[None])[0])
    moved *= np.clip(range_of_face / float(voice.usual), *FACES)
    speaks = gaussian_filter1d(activity(speech, times), 0.03 / spacing, mode="nearest")[:, None, None]
    return np.asarray(closed + speaks * (median + moved - closed), np.float32)


def hear(speech: Floats, times: Sequence[Fraction]) -> Floats:
    """(T, 5, 80, 16) sound windows about each frame, divided by 4."""
    columns = mel(level(speech))
    return np.stack([windows(columns, [t + about for t in times], BEFORE) for about in ABOUT], axis=1) / np.float32(4)


def activity(speech: Floats, times: Sequence[Fraction]) -> Floats:
    """(T,) 0 where nothing is said, 1 where something is, by loudness against the loud parts of the same voice."""
    loud = loudness(level(speech))
    if not len(loud):
        return np.zeros(len(times), np.float32)
    reach = round(REACH * 100)
    padded = np.pad(loud, reach, constant_values=-120.0)
    about = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1) - TOP  # dB against loud parts
    at = np.array([round(float(time) * 100 + 2) for time in times])  # the middle of a frame
    found = np.where((at >= 0) & (at < len(about)), about[np.clip(at, 0, len(about) - 1)], -120.0)
    return np.asarray(np.clip((found - SPEAKS[0]) / (SPEAKS[1] - SPEAKS[0]), 0, 1), np.float32)
