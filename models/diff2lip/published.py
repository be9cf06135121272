"""The inference loop that was published with Diff2Lip, step for step, to compare ours with. Nothing else uses it.

Source: soumik-kanad/diff2lip, generate.py; weaknesses included: boxes are averaged with frames to come, and across
cuts; the last frames have no sound and are dropped; pictures are cut to 8 bit; the whole box is pasted hard, its upper
half softened by its way through 128 pixels. `Paper` in paper.py does without these.
From outside come what its authors took from other programs: frames at 25 a second, which they read back from JPEG, and
boxes by the detector S3FD.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio.mel import COLUMNS, mel
from models.diff2lip.diffusion import Diffusion, ddim_steps
from models.diff2lip.network import Diff2Lip
from models.diff2lip.paper import SIZE, fill, lower_half, one_noise

SEED: Final = 7
SMOOTHED: Final = 5  # boxes averaged

Picture = NDArray[np.uint8]
Boxes = NDArray[np.int64]


def dub(
    frames: Sequence[Picture], boxes: Boxes, speech: NDArray[np.float32], network: Diff2Lip, *, steps: int = 25
) -> list[Picture]:
    """The frames that have sound, with the faces in their boxes drawn anew.

    frames  (H, W, 3) RGB, 25 a second
    boxes   (n, 4) x1, y1, x2, y2 as a detector found them, one a frame
    speech  (N,) samples at 16 kHz in −1 … 1
    steps   of DDIM, as `ddim_steps` takes them
    """
    boxes = smooth(np.stack([inside(box, frame) for box, frame in zip(boxes, frames, strict=True)]))
    heard = sound_windows(mel(speech), len(frames))
    if not len(heard):
        return []
    faces = torch.stack([cut(frame, box) for frame, box in zip(frames, boxes, strict=True)])[: len(heard)]
    drawn = fill(network, faces, heard, one_noise(SEED), Diffusion(ddim_steps(steps), "noise").sample)
    patches = (((drawn * lower_half() + faces * (1 - lower_half())) + 1) / 2).clamp(0, 1) * 255
    out = []
    for frame, (x1, y1, x2, y2), patch in zip(frames, boxes, patches.permute(0, 2, 3, 1).numpy(), strict=False):
        done = frame.copy()
        done[y1:y2, x1:x2] = cv2.resize(patch.astype(np.uint8), (int(x2 - x1), int(y2 - y1)))
        out.append(done)
    return out


def inside(box: NDArray[np.int64], frame: Picture) -> NDArray[np.int64]:
    """The box without what lies outside the frame."""
    height, width = frame.shape[:2]
    return np.array([max(0, box[0]), max(0, box[1]), min(width, box[2]), min(height, box[3])], np.int64)


def smooth(boxes: Boxes) -> Boxes:
    """Each box the mean of itself and the four to come, cut to whole pixels; near the end of the last five.

    The means are written where the next ones read, so the last five are means of means. With fewer than five boxes
    the start n − 5 is negative and counts from the end, as it does there.
    """
    boxes = boxes.copy()
    for i in range(len(boxes)):
        window = boxes[len(boxes) - SMOOTHED :] if i + SMOOTHED > len(boxes) else boxes[i : i + SMOOTHED]
        boxes[i] = window.mean(axis=0)
    return boxes


def sound_windows(columns: NDArray[np.float32], frames: int) -> Tensor:
    """(n, 80, 16) for the first n frames whose window is full; frames 0 and 1 hear the same."""
    starts = [int(80 * max(k - 1, 0) / 25) for k in range(frames)]
    full = [columns[:, start : start + COLUMNS] for start in starts if start + COLUMNS <= columns.shape[1]]
    return torch.from_numpy(np.stack(full)) if full else torch.empty(0, len(columns), COLUMNS)


def cut(frame: Picture, box: NDArray[np.int64]) -> Tensor:
    """(3, 128, 128) in −1 … 1: the box, its shape not kept."""
    x1, y1, x2, y2 = box
    face = cv2.resize(frame[y1:y2, x1:x2], (SIZE, SIZE)).astype(np.float32) / 255
    return torch.from_numpy(face * 2 - 1).clamp(-1, 1).permute(2, 0, 1)
