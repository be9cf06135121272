"""Where a puppet's head is, frame by frame, and the hand that passes before it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Columns of a pose: dx, dy (of the picture), roll (rad), log scale, yaw, pitch (parallax), lid (1 = shut), brow;
# then the hand: how much of it is there (0 none, 1 whole), where its palm is in head units, which way it points (rad).
DX, DY, ROLL, SCALE, YAW, PITCH, LID, BROW, HAND, HAND_X, HAND_Y, HAND_TURN = range(12)
COLUMNS: Final = 12
SPREAD: Final = {DX: 0.020, DY: 0.020, ROLL: 0.07, SCALE: 0.03, YAW: 0.10, PITCH: 0.08}  # of the slow drift
STRONG: Final = 0.25  # share of shots with the head held askew or turned away
HANDS: Final = 0.15  # share of shots in which a hand comes before the face, at the mouth in a half of them
LEAN: Final = np.deg2rad(25)  # no head leans further


def random_pose(rng: np.random.Generator, frames: int, fps: float = 25.0) -> NDArray[np.float32]:
    """(frames, 12) a head that drifts, blinks and raises its brows."""
    seconds = np.arange(frames) / fps
    live = rng.choice([0.35, 1.0, 1.6])
    strong = rng.uniform() < STRONG
    pose = np.zeros((frames, COLUMNS))
    for column, amount in SPREAD.items():
        pose[:, column] = _drift(rng, seconds, amount * live)
    pose[:, BROW] = np.clip(_drift(rng, seconds, 0.5), -1, 1)
    blink = rng.uniform(0.2, 2.5)
    while frames and blink < seconds[-1] + 0.2:
        pose[:, LID] = np.maximum(pose[:, LID], np.clip(1.4 - np.abs(seconds - blink) / 0.06, 0, 1))
        blink += rng.uniform(1.2, 4.0)
    pose[:, DX] += rng.uniform(-0.05, 0.05)
    pose[:, DY] += rng.uniform(-0.05, 0.05)
    pose[:, ROLL] += rng.uniform(-0.4, 0.4) if strong else rng.normal() * 0.06
    pose[:, SCALE] += rng.uniform(-0.08, 0.08)
    pose[:, YAW] += rng.uniform(-0.5, 0.5) if strong else rng.normal() * 0.10
    pose[:, PITCH] += rng.uniform(-0.3, 0.3) if strong else rng.normal() * 0.05
    pose[:, ROLL] = np.clip(pose[:, ROLL], -LEAN, LEAN)
    if rng.uniform() < HANDS:
        _wave(rng, seconds, pose)
    return pose.astype(np.float32)


def _wave(rng: np.random.Generator, seconds: NDArray[np.float64], pose: NDArray[np.float64]) -> None:
    """A hand that comes up from below, stays a moment and goes, over and over."""
    side = rng.choice([-1.0, 1.0])
    x, y = side * rng.uniform(0.0, 0.35), rng.uniform(0.35, 0.8)  # before the mouth
    if rng.uniform() < 0.5:
        x, y = side * rng.uniform(0.5, 1.0), rng.uniform(-0.5, 0.6)  # before a cheek or an eye
    swing = np.sin(2 * np.pi * (rng.uniform(0.25, 0.7) * seconds + rng.uniform()))
    up = np.clip(0.5 + 1.1 * swing, 0, 1)  # 0 out of sight, 1 there
    pose[:, HAND] = 1.0
    pose[:, HAND_X] = side * 1.1 + (x - side * 1.1) * up + _drift(rng, seconds, 0.04)
    pose[:, HAND_Y] = 2.6 + (y - 2.6) * up + _drift(rng, seconds, 0.04)
    pose[:, HAND_TURN] = -side * rng.uniform(0.0, 0.7) + _drift(rng, seconds, 0.08)


def _drift(rng: np.random.Generator, seconds: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    """Three slow sines between 0.15 and 0.9 Hz."""
    waves = [rng.normal() * np.sin(2 * np.pi * (rng.uniform(0.15, 0.9) * seconds + rng.uniform())) for _ in range(3)]
    return np.asarray(amount * np.sum(waves, axis=0) / 1.7)
