"""How well drawn mouths are found and followed: `python -m models.face.drawn_measure [MEDIA] [--clips 120]`.

Clips of 50 frames, 640 × 360, each with one puppet that speaks and moves before a set, its head 15 to 100 % of the
picture's height. Half of them learnt species in learnt styles (new identities), half with an unseen species, an unseen
style or both. With MEDIA, photographed films too, in which nothing drawn is to be found.
"""

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.corpus.prepare import pictures
from models.face.detect import Floats, Picture
from models.face.drawn import DrawnFace, follow
from models.face.drawn_lessons import GONE, doodle, matte
from models.puppets.draw import Puppet
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES, SPECIES, STYLES
from models.puppets.pose import DX, random_pose

FRAMES: Final = 50
WIDTH, HEIGHT = 640, 360
DRAWN: Final = 288  # pixels a side of a puppet's picture
HEAD: Final = 0.72  # height of a puppet's head over its picture's
FOUND: Final = 0.9  # share of a clip's frames in which the mouth must be followed for the clip to count as found
SEED: Final = 11


@dataclass(frozen=True, eq=False)
class Shown:
    """One held-out clip and the truth about it."""

    kind: str
    pictures: list[Picture]
    mouths: Floats  # (n, 4)
    opening: Floats  # (n,)


def clip(rng: np.random.Generator, learnt: bool, frames: int = FRAMES) -> Shown:
    """One puppet before a set."""
    unseen = [s for s in SPECIES if s not in LEARNT_SPECIES], [s for s in STYLES if s not in LEARNT_STYLES]
    which = 0 if learnt else int(rng.integers(1, 4))  # 1 unseen species, 2 unseen style, 3 both
    species = str(rng.choice(unseen[0] if which & 1 else LEARNT_SPECIES))
    style = str(rng.choice(unseen[1] if which & 2 else LEARNT_STYLES))
    puppet = Puppet.random(rng, species, style)
    poses = random_pose(rng, frames)
    away = poses[:1].copy()
    away[:, DX] = GONE
    mouths = speech(rng, frames)
    drawn = puppet.render(np.concatenate([poses, away]), np.concatenate([mouths, mouths[:1]]), DRAWN, 2)
    head = float(np.exp(rng.uniform(np.log(0.15), np.log(1.0))))
    scale = head * HEIGHT / HEAD / DRAWN
    room = max(0.0, (WIDTH - DRAWN * scale) / 2), max(0.0, (HEIGHT - DRAWN * scale) / 2)
    at = np.array([WIDTH / 2 + rng.uniform(-1, 1) * room[0], HEIGHT / 2 + rng.uniform(-1, 1) * room[1]])
    drift = rng.uniform(-0.6, 0.6, 2) * scale * DRAWN / 100  # pixels a frame
    own = bool(rng.uniform() < 0.5)
    board = cv2.resize(drawn[-1] if own else doodle(rng), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    shown, rows = [], []
    for n, picture in enumerate(drawn[:-1]):
        centre = at + drift * (n - frames / 2)
        matrix = np.array([[scale, 0, centre[0] - scale * DRAWN / 2], [0, scale, centre[1] - scale * DRAWN / 2]])
        layer = np.dstack([picture, matte(picture, drawn[-1])])
        shown.append(_over(np.asarray(board, np.uint8), layer, matrix, scale))
        x, y, half, roll = puppet.mouth_at(poses[n : n + 1])[0] * np.array([DRAWN, DRAWN, DRAWN, 1])
        rows.append([*(matrix @ [x, y, 1]), half * scale, roll])
    return Shown(f"{species} {style}", shown, np.array(rows, np.float32), mouths[:, 0])


def speech(rng: np.random.Generator, frames: int) -> NDArray[np.float32]:
    """(n, 4) mouth numbers that come and go like syllables."""
    t = np.arange(frames) / 25
    envelope = np.clip(np.sin(2 * np.pi * (rng.uniform(2, 4) * t + rng.uniform())) * rng.uniform(0.4, 1.0), 0, 1)
    envelope *= np.sin(2 * np.pi * (0.4 * t + rng.uniform())) > -0.6
    others = 0.5 + 0.4 * np.sin(2 * np.pi * (rng.uniform(1, 3, (3, 1)) * t + rng.uniform(size=(3, 1))))
    gate = envelope > 0
    rows = [envelope, np.where(gate, others[0], 0.5), np.where(gate, others[1], 0), np.where(gate, others[2], 0)]
    return np.stack(rows, axis=1).astype(np.float32)


def _over(board: Picture, layer: NDArray[np.uint8], matrix: NDArray[np.float64], scale: float) -> Picture:
    if scale < 0.8:
        small = cv2.resize(layer, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix = np.column_stack([np.eye(2) * scale * layer.shape[0] / small.shape[0], matrix[:, 2]])
        layer = np.asarray(small, np.uint8)
    turn = matrix[:, :2]
    centred = np.column_stack([turn, matrix[:, 2] + turn @ [0.5, 0.5] - 0.5])
    moved = cv2.warpAffine(layer, centred, (board.shape[1], board.shape[0]), flags=cv2.INTER_LINEAR)
    cover = moved[..., 3:].astype(np.float32) / 255
    return np.asarray(np.rint(board * (1 - cover) + moved[..., :3] * cover), np.uint8)


def away(faces: list[DrawnFace], shown: Shown) -> tuple[DrawnFace | None, Floats]:
    """The face that is the puppet's, and (m, 5) how far it is off in the frames where it was followed: centre in half
    widths, log of the half width, roll in degrees, opening, true opening."""
    best: tuple[DrawnFace | None, Floats] = None, np.zeros((0, 5), np.float32)
    for face in faces:
        truth = shown.mouths[face.frames]
        off = np.hypot(*(face.mouths[:, :2] - truth[:, :2]).T) / truth[:, 2]
        near = off < 1
        if near.sum() > len(best[1]):
            turned = np.degrees(np.abs((face.mouths[:, 3] - truth[:, 3] + np.pi) % (2 * np.pi) - np.pi))
            wide = np.log(face.mouths[:, 2] / truth[:, 2])
            rows = [off, wide, turned, face.opening, shown.opening[face.frames]]
            best = face, np.stack(rows, axis=1)[near].astype(np.float32)
    return best


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("media", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=120)
    asked = parser.parse_args()
    rng = np.random.default_rng(SEED)
    groups: defaultdict[str, list[tuple[bool, Floats, int]]] = defaultdict(list)
    for n in range(asked.clips):
        learnt = n % 2 == 0
        shown = clip(rng, learnt)
        faces = follow(shown.pictures)
        _, off = away(faces, shown)
        result = len(off) >= FOUND * len(shown.pictures), off, len(faces) - (len(off) > 0)
        species, style = shown.kind.split()
        for group in ("all", "learnt kinds" if learnt else "unseen kinds", species, style):
            groups[group].append(result)
        if not result[0]:
            print(f"clip {n}, {shown.kind}: followed in {len(off)} frames, half width {shown.mouths[0, 2]:.1f} px")
    for group, results in groups.items():
        print(f"{group:14} {said(results)}")
    if asked.media:
        photographed(asked.media)


def said(results: list[tuple[bool, Floats, int]]) -> str:
    off = np.concatenate([rows for _, rows, _ in results])
    if not len(off):
        return f"{len(results)} clips, none found"
    centre = np.percentile(off[:, 0], (50, 95))
    halves = [float(np.exp(np.median(rows[:, 1]))) for _, rows, _ in results if len(rows)]
    together = [np.corrcoef(rows[:, 3], rows[:, 4])[0, 1] for ok, rows, _ in results if ok and rows[:, 4].std() > 0.02]
    near = np.mean([0.85 < half < 1.15 for half in halves])
    turned = np.percentile(off[:, 2], (50, 95))
    return (
        f"{sum(ok for ok, _, _ in results)}/{len(results)} found; centre {centre[0]:.3f}, 95 % within {centre[1]:.3f} "
        f"half widths; half width within 15 % in {near:.2f} of clips, {np.percentile(halves, 5):.2f} … "
        f"{np.percentile(halves, 95):.2f}; roll {turned[0]:.1f}°, 95 % within {turned[1]:.1f}°; opening r "
        f"{np.mean(together):.2f}; {sum(others for *_, others in results)} faces too many"
    )


def photographed(media: Path) -> None:
    paths = [*sorted((media / "eval").glob("*.mp4"))[::3], *sorted((media / "film").glob("multishot*.mp4"))]
    for path in paths:
        seen = pictures(path)
        seen = seen[len(seen) // 2 :] if path.parent.name == "film" else seen
        began = time.perf_counter()
        faces = follow(seen)
        spent = (time.perf_counter() - began) / len(seen) * 1e3
        print(f"{path.name}: {len(faces)} found in {len(seen)} frames, "
              f"{sum(len(face.frames) for face in faces)} sightings, {spent:.1f} ms a frame")  # fmt: skip


if __name__ == "__main__":
    main()
