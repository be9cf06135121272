"""Fits the voice: ridge regression from what a frozen ear hears to how mouths move. Seconds of one core."""

from typing import Final

import numpy as np
import torch

from models.corpus.clips import Clip
from models.diff2lip.voice import MOVEMENTS, Voice, hear
from models.face.form import MOUTH, opening
from models.syncnet.network import Ear
from models.syncnet.senses import RATE

STIFF: Final = 100.0  # ridge; 3 to 300 are alike


@torch.no_grad()
def fit(clips: list[Clip], ear: Ear) -> Voice:
    """The voice of a frozen ear; every speaker counts by the root of his frames."""
    voice = Voice(ear).eval()
    counts = {name: sum(c.speaker == name for c in clips) for name in {c.speaker for c in clips}}
    features, targets, weights = [], [], []
    for clip in clips:
        times = [n / RATE for n in range(len(clip.mouths))]
        features.append(voice.features(torch.from_numpy(hear(clip.speech, times))).numpy())
        targets.append((clip.mouths - np.median(clip.mouths, axis=0)).reshape(len(times), -1))
        weights.append(np.full(len(times), counts[clip.speaker] ** -0.5))
    x, y, w = np.concatenate(features), np.concatenate(targets), np.concatenate(weights)
    root = np.sqrt(w / w.mean())[:, None]
    _, _, basis = np.linalg.svd((y * root)[::3], full_matrices=False)
    basis = basis[:MOVEMENTS]
    middle_x, middle_y = np.average(x, axis=0, weights=w), np.average(y @ basis.T, axis=0, weights=w)
    a, b = (x - middle_x) * root, (y @ basis.T - middle_y) * root
    weight = np.linalg.solve(a.T @ a + STIFF * np.eye(a.shape[1]), a.T @ b)
    voice.weight.copy_(torch.from_numpy(weight))
    voice.bias.copy_(torch.from_numpy(middle_y - middle_x @ weight))
    voice.basis.copy_(torch.from_numpy(basis))
    said = ((x @ weight + voice.bias.numpy()) @ basis).astype(np.float32).reshape(-1, len(MOUTH), 2)
    filmed = y.astype(np.float32).reshape(-1, len(MOUTH), 2)
    voice.gain.fill_(float(opening(filmed).std() / opening(said).std()))
    voice.usual.fill_(float(np.median([np.ptp(opening(clip.mouths)) for clip in clips])))
    return voice
