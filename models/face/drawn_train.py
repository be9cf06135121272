"""Train the finder of drawn mouths: `python -m models.face.drawn_train MEDIA OUT.safetensors [--minutes 25]`.

MEDIA holds `train/*.mp4` (GRID, CC BY 4.0) and `film/*.mp4`. One core, bf16 where the processor has it. The seed
decides the lessons; how many of them fit into the minutes decides the machine, and is printed.
"""

import argparse
import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.corpus.clips import UNSEEN, speaker_of
from models.corpus.prepare import pictures, track
from models.face import pose
from models.face.detect import Detector
from models.face.drawn_lessons import SIDE, Lesson, Lessons, Speaker, cartoon, figures
from models.face.drawn_net import COS, HALF, HEAT, LOG, OPEN, SIN, STRIDE, DrawnNet, X, Y, save
from models.face.mesh import Mesh
from models.face.mouth import of_mesh

SEED: Final = 5
BATCH: Final = 16
PUPPETS: Final = 300  # to begin with, in four poses each
RENEWED: Final = 2  # steps for which a puppet more takes the place of the oldest
RATE: Final = 2e-3
DECAY: Final = 0.02
WARM: Final = 60  # steps
KEPT: Final = 0.995  # of the mean of weights, a step
SPEAKING: Final = 0.35  # eye distances between the lips of a photographed mouth that counts as wide open
HALVES: Final = 0.28  # sigma of a mouth's spot on the map, in half widths
SHARE: Final = {X: 1.0, Y: 1.0, LOG: 2.0, COS: 1.0, SIN: 2.0, OPEN: 1.0}  # weights of what is beside the map


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("media", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=25.0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    train(asked.media, asked.out, asked.minutes)


def train(media: Path, out: Path, minutes: float) -> None:
    """Writes the mean of the weights over the last steps, in half precision, now and then and at the end."""
    began = time.monotonic()
    torch.manual_seed(SEED)
    lessons = Lessons(*people(media, np.random.default_rng(SEED)))
    rng = np.random.default_rng(SEED + 1)
    for _ in range(PUPPETS):
        renew(lessons, rng, keep=True)
    counts = f"{len(lessons.others)} pictures of others, {len(lessons.speakers)} speakers, {len(lessons.drawn)} figures"
    print(f"{counts} after {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    net = DrawnNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = copy.deepcopy(net).eval()
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    step = 0
    while (spent := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM) * (0.02 + 0.98 * (1 + np.cos(np.pi * spent)) / 2)
        batch = [lessons(rng) for _ in range(BATCH)]
        loss, said = learn(net, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        step += 1
        remember(mean, net, min(KEPT, step / (step + 20)))
        if step % RENEWED == 0:
            renew(lessons, rng)
        if step % 300 == 0:
            save(mean, out)
        if step % 50 == 0:
            print(f"{step} steps, {60 * minutes * spent:.0f} s, " + ", ".join(f"{k} {v:.3f}" for k, v in said.items()),
                  flush=True)  # fmt: skip
    print(f"{step} steps, {step * BATCH} lessons", flush=True)
    save(mean, out)


def people(media: Path, rng: np.random.Generator) -> tuple[list[NDArray[np.uint8]], list[Speaker]]:
    """Pictures without a drawn mouth, and cartoonised speakers with theirs. No speaker of UNSEEN is among them."""
    detector, mesh = Detector(), Mesh()
    others, cartoons = [], []
    clips: dict[str, list[Path]] = {}
    for path in sorted((media / "train").glob("*.mp4")):
        if speaker_of(path) not in UNSEEN:
            clips.setdefault(speaker_of(path), []).append(path)
    for paths in clips.values():
        for path in (paths[n] for n in rng.choice(len(paths), min(5, len(paths)), replace=False)):
            seen = pictures(path)[::7]
            others += seen[:3]
            points = track(seen, detector, mesh)
            if points is None:
                continue
            openings = np.clip(pose.opening(points) / SPEAKING, 0, 1)
            for picture, mouth, opening in zip(seen, of_mesh(points), openings, strict=True):
                cartoons.append(Speaker(cartoon(rng, picture), mouth, float(opening)))
    for path in sorted((media / "film").glob("multishot*.mp4")):
        seen = pictures(path)
        others += seen[: len(seen) // 2 : 10]
    for thing in things():
        others += [thing, cartoon(rng, thing), cartoon(rng, thing)]
    return others, cartoons


def things() -> Iterator[NDArray[np.uint8]]:
    """Photographs of things, from the packages that carry some."""
    import skimage
    import sklearn  # type: ignore[import-untyped]

    names = ("coffee", "motorcycle_left", "rocket", "chelsea", "coins", "brick", "gravel", "grass", "moon", "ihc")
    folders = Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets/images"
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        if path.stem in (*names, "china", "flower", "hubble_deep_field", "page"):
            picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)
            scale = min(1.0, 480 / max(picture.shape))
            yield np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def renew(lessons: Lessons, rng: np.random.Generator, keep: bool = False) -> None:
    """One more puppet, in place of the oldest."""
    drawn, ground = figures(rng)
    lessons.drawn = lessons.drawn[0 if keep else len(drawn) :] + drawn
    lessons.sets = [*lessons.sets[0 if keep else 1 :], ground]


def learn(net: DrawnNet, batch: list[Lesson]) -> tuple[Tensor, dict[str, float]]:
    """The loss of one step and its parts."""
    shown = np.stack([lesson.picture for lesson in batch])
    x = (torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
    heat, wanted, here, asked = (torch.from_numpy(np.stack(a)) for a in zip(*map(targets, batch), strict=True))
    with torch.autocast("cpu", torch.bfloat16):
        out = net(x)
    out = out.float()
    sure = torch.sigmoid(out[:, HEAT]).clamp(1e-4, 1 - 1e-4)
    centres = heat > 0.97
    found = -((1 - sure) ** 2 * sure.log() * centres)
    silent = -((1 - heat) ** 4 * sure**2 * (1 - sure).log() * ~centres * asked)
    parts = {"map": (found.sum() + silent.sum()) / centres.sum().clamp(min=1)}
    total = here.sum().clamp(min=1)
    out = torch.cat([out[:, :OPEN], torch.sigmoid(out[:, OPEN:])], dim=1)
    away = torch.nn.functional.smooth_l1_loss(out, wanted, reduction="none", beta=0.1)  # (B, 7, h, w)
    for name, channels in {"place": (X, Y), "width": (LOG,), "roll": (COS, SIN), "open": (OPEN,)}.items():
        parts[name] = sum((SHARE[c] * (away[:, c] * here).sum() / total for c in channels), torch.zeros(()))
    loss = sum(parts.values(), torch.zeros(()))
    return loss, {name: float(value.detach()) for name, value in parts.items()}


def targets(lesson: Lesson) -> tuple[NDArray[np.float32], ...]:
    """The map (h, w), what stands beside it (7, h, w), how much that counts (h, w), where the map is asked (h, w)."""
    n = SIDE // STRIDE
    y, x = np.mgrid[:n, :n].astype(np.float32) + 0.5  # middles of the cells, in cells
    heat, here, asked = np.zeros((n, n), np.float32), np.zeros((n, n), np.float32), np.ones((n, n), np.float32)
    wanted = np.zeros((7, n, n), np.float32)
    for cx, cy, half, roll, opening in lesson.mouths:
        cx, cy = cx / STRIDE, cy / STRIDE
        sigma = max(0.6, HALVES * half / STRIDE)
        spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2)).astype(np.float32)
        spot[min(n - 1, int(cy)), min(n - 1, int(cx))] = 1.0
        mine = (spot > 0.4) & (spot > heat)
        values = {X: cx - x, Y: cy - y, LOG: np.log(half / HALF), COS: np.cos(roll), SIN: np.sin(roll), OPEN: opening}
        for channel, value in values.items():
            wanted[channel][mine] = np.broadcast_to(value, mine.shape)[mine]
        here[mine] = spot[mine]
        heat = np.maximum(heat, spot)
    for cx, cy, radius in lesson.unasked:
        asked[(x * STRIDE - cx) ** 2 + (y * STRIDE - cy) ** 2 < radius**2] = 0
    return heat, wanted, here, asked


@torch.no_grad()
def remember(mean: DrawnNet, net: DrawnNet, kept: float) -> None:
    for a, b in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if a.is_floating_point():
            a.lerp_(b.float(), 1 - kept)
        else:
            a.copy_(b)


if __name__ == "__main__":
    main()
