"""Where a puppet's head is, frame by frame."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Columns of a pose: dx, dy (of the picture), roll (rad), log scale, yaw, pitch (parallax), lid (1 = shut), brow.
DX, DY, ROLL, SCALE, YAW, PITCH, LID, BROW = range(8)
SPREAD: Final = {DX: 0.020, DY: 0.020, ROLL: 0.07, SCALE: 0.03, YAW: 0.10, PITCH: 0.08}  # of the slow drift


def random_pose(rng: np.random.Generator, frames: int, fps: float = 25.0) -> NDArray[np.float32]:
    """(frames, 8) a head that drifts, blinks and raises its brows."""
    seconds = np.arange(frames) / fps
    live = rng.choice([0.35, 1.0, 1.6])
    pose = np.zeros((frames, 8))
    for column, amount in SPREAD.items():
        pose[:, column] = _drift(rng, seconds, amount * live)
    pose[:, BROW] = np.clip(_drift(rng, seconds, 0.5), -1, 1)
    blink = rng.uniform(0.2, 2.5)
    while frames and blink < seconds[-1] + 0.2:
        pose[:, LID] = np.maximum(pose[:, LID], np.clip(1.4 - np.abs(seconds - blink) / 0.06, 0, 1))
        blink += rng.uniform(1.2, 4.0)
    pose[:, DX] += rng.uniform(-0.05, 0.05)
    pose[:, DY] += rng.uniform(-0.05, 0.05)
    pose[:, ROLL] += rng.normal() * 0.06
    pose[:, SCALE] += rng.uniform(-0.08, 0.08)
    pose[:, YAW] += rng.normal() * 0.10
    pose[:, PITCH] += rng.normal() * 0.05
    return pose.astype(np.float32)


def _drift(rng: np.random.Generator, seconds: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    """Three slow sines between 0.15 and 0.9 Hz."""
    waves = [rng.normal() * np.sin(2 * np.pi * (rng.uniform(0.15, 0.9) * seconds + rng.uniform())) for _ in range(3)]
    return np.asarray(amount * np.sum(waves, axis=0) / 1.7)
