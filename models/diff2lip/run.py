"""The training run of the starter's renderer: draw a mouth of a given form into a given face.

The schedule runs by the clock, because a CPU is shared and the night is not; the number of steps it got stands in the
log. It can be stopped and started again: `FOLDER/renderer.pt` holds everything and is written every few minutes.
Each choice below was measured in shared facts starter_training.md §5 and §10 unless it says otherwise.
"""

import time
from collections.abc import Iterator
from itertools import pairwise
from math import cos, pi
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from models.corpus.clips import Clip
from models.diff2lip.diffusion import STEPS, Diffusion
from models.diff2lip.drawer import STARTER, Drawer
from models.diff2lip.lessons import Lesson, Lessons, plain
from models.diff2lip.window import HEIGHT, RIM_SIDE, RIM_TOP, WIDTH, mask

BATCH: Final = 16  # frames of sixteen clips
RATE: Final = 1e-3  # peak, cosine to 5 % of it: unfinished runs look like no progress at all
DECAY: Final = 0.01
AVERAGE: Final = 0.998  # of the shown weights; half forgotten after 350 steps
PURE_NOISE: Final = 0.7  # of the lessons begin at the last step, so one step of DDIM is as good as regression
MOUTH: Final = 8.0  # weight of the mouth's middle over the rim's 1
MOUTH_SIGMA: Final = (14.0, 10.0)  # pixels along and across the lips
GRADIENT: Final = 0.5  # weight of the loss on edges
JUDGE_FROM: Final = 0.4  # share of the time after which a discriminator joins, for crisp lips and teeth
JUDGE_RATE: Final = 1e-3  # at 5e-4 its loss never left chance
JUDGE: Final = 0.05  # its weight; 0.1 was not better
MATCHING: Final = 0.5  # weight of its features
SAVE_EVERY: Final = 240.0  # seconds


class Judge(nn.Module):
    """Tells drawn mouths from filmed ones, patch by patch, knowing which mouth was asked for."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3 + 3 + 3, 32, 64, 96)  # the picture, the closed reference, the drawn mouth
        self.layers = nn.ModuleList(
            [spectral_norm(nn.Conv2d(a, b, 4, stride=2 if i < 2 else 1, padding=1))
             for i, (a, b) in enumerate(pairwise(widths))]
        )  # fmt: skip
        self.last = spectral_norm(nn.Conv2d(96, 1, 3, padding=1))

    def forward(self, picture: Tensor, shown: Tensor) -> list[Tensor]:
        """Features of every layer, the verdict (B, 1, h, w) last."""
        inside = (..., slice(RIM_TOP, None), slice(RIM_SIDE, -RIM_SIDE))
        h = torch.cat([picture, shown[:, :3], shown[:, 6:]], dim=1)[inside]
        features = []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return [*features, self.last(h)]


def importance(centre: Tensor) -> Tensor:
    """(B, 1, HEIGHT, WIDTH) weight of each pixel: the mouth is a tenth of the mask and all that is looked at."""
    x = torch.arange(WIDTH) + 0.5 - centre[:, :1]
    y = torch.arange(HEIGHT) + 0.5 - centre[:, 1:]
    bump = torch.exp(-((x / MOUTH_SIGMA[0]) ** 2)[:, None, :] / 2 - ((y / MOUTH_SIGMA[1]) ** 2)[:, :, None] / 2)
    return (1 + MOUTH * bump)[:, None] * mask()


def likeness(drawn: Tensor, lesson: Lesson) -> Tensor:
    """Weighted L1 of the picture and of its edges; 0 is a perfect copy."""
    weight = importance(lesson.centre)
    off = drawn - lesson.target
    loss = (weight * off.abs()).mean()
    across = (off[..., 1:] - off[..., :-1]).abs() * weight[..., 1:]
    down = (off[..., 1:, :] - off[..., :-1, :]).abs() * weight[..., 1:, :]
    return loss + GRADIENT * (across.mean() + down.mean())


class Run:
    """One training run: all that is needed to go on with it."""

    def __init__(self, clips: list[Clip], folder: Path, seed: int) -> None:
        torch.manual_seed(seed)  # of this process, which trains and does nothing else
        self.folder = folder
        self.lessons = Lessons(clips, seed)
        self.noise = torch.Generator().manual_seed(seed)
        self.diffusion = Diffusion(range(STEPS), "picture")
        self.network = Drawer(STARTER)
        for weight in self.network.parameters():  # channels last is what the CPU's convolutions are fast with
            weight.data = weight.data.contiguous(memory_format=torch.channels_last) if weight.ndim == 4 else weight.data
        self.average = Drawer(STARTER).requires_grad_(False)
        self.average.load_state_dict(self.network.state_dict())
        self.judge = Judge()
        self.learn = torch.optim.AdamW(self.network.parameters(), RATE, betas=(0.9, 0.99), weight_decay=DECAY)
        self.learn_judge = torch.optim.AdamW(self.judge.parameters(), JUDGE_RATE, betas=(0.5, 0.99), weight_decay=0.0)
        self.steps, self.seconds = 0, 0.0
        self.parts = ("network", "average", "judge", "learn", "learn_judge")

    def step(self, share: float) -> dict[str, float]:
        """One lesson for the network, and from JUDGE_FROM of the time on one for its judge."""
        rate = (0.05 + 0.95 * (0.5 + 0.5 * cos(pi * share))) * min(1.0, (self.steps + 1) / 100)
        self.learn.param_groups[0]["lr"] = RATE * rate
        lesson = self.lessons.draw(BATCH)
        index = torch.randint(STEPS // 5, STEPS, (BATCH,), generator=self.noise)
        index[torch.rand(BATCH, generator=self.noise) < PURE_NOISE] = STEPS - 1
        drawn = self.draw(lesson, index)
        loss = likeness(drawn, lesson)
        heard = {"likeness": float(loss.detach())}
        if share > JUDGE_FROM:
            trust = min(1.0, (share - JUDGE_FROM) / 0.05)  # the judge learns alone at first
            heard["judge"] = self.judge_step(drawn.detach(), lesson)
            verdict = self.judge(drawn, lesson.shown)
            with torch.no_grad():
                filmed = self.judge(lesson.target, lesson.shown)
            weight = F.interpolate(importance(lesson.centre)[..., RIM_TOP:, RIM_SIDE:-RIM_SIDE], verdict[-1].shape[2:])
            fool = -(verdict[-1] * weight).sum() / weight.sum()
            match = torch.stack([F.l1_loss(a, b) for a, b in zip(verdict[:-1], filmed[:-1], strict=True)]).mean()
            loss = loss + trust * (JUDGE * fool + MATCHING * match)
        self.learn.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.learn.step()
        keep = min(AVERAGE, (self.steps + 1) / (self.steps + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        self.steps += 1
        return heard

    def draw(self, lesson: Lesson, index: Tensor) -> Tensor:
        """The network's picture inside the mask, the film's around it."""
        inside = mask()
        noise = torch.randn(lesson.target.shape, generator=self.noise)
        x = self.diffusion.noisy(lesson.target, noise, index)
        with torch.autocast("cpu", torch.bfloat16):
            out = self.network(
                x.contiguous(memory_format=torch.channels_last),
                index, lesson.target * (1 - inside), inside.expand(BATCH, -1, -1, -1), lesson.shown, lesson.code,
            )  # fmt: skip
        picture: Tensor = out.float() * inside + lesson.target * (1 - inside)
        return picture

    def judge_step(self, drawn: Tensor, lesson: Lesson) -> float:
        """Hinge loss; 2 is chance."""
        filmed = self.judge(lesson.target, lesson.shown)[-1]
        made = self.judge(drawn, lesson.shown)[-1]
        weight = F.interpolate(importance(lesson.centre)[..., RIM_TOP:, RIM_SIDE:-RIM_SIDE], made.shape[2:])
        loss = ((F.relu(1 - filmed) + F.relu(1 + made)) * weight).sum() / weight.sum()
        self.learn_judge.param_groups[0]["lr"] = JUDGE_RATE
        self.learn_judge.zero_grad()
        torch.autograd.backward(loss)
        self.learn_judge.step()
        return float(loss.detach())

    def save(self) -> None:
        part = self.folder / "renderer.part"
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in self.parts}
        torch.save(state | {"steps": self.steps, "seconds": self.seconds, "noise": self.noise.get_state()}, part)
        part.rename(self.folder / "renderer.pt")

    def resume(self) -> None:
        state = torch.load(self.folder / "renderer.pt", weights_only=True)
        for name in self.parts:
            getattr(self, name).load_state_dict(state[name])
        self.steps, self.seconds = state["steps"], state["seconds"]
        self.noise.set_state(state["noise"])
        self.lessons.chance = np.random.default_rng([self.steps, 1])  # others than those already had

    def sheet(self, clips: list[Clip]) -> None:
        """A row of filmed and a row of drawn mouths for each clip, true forms given, as `sheet_NNNNN.png`."""
        rows = []
        for clip in clips:
            lesson = plain(clip, list(range(14, 62, 4)), int(clip.order[0]), int(clip.order[-1]))
            drawn = one_step(self.average, lesson)
            for pictures in (lesson.target, drawn):
                rows.append(torch.cat(list(pictures), dim=2))
        rows.append(torch.cat(torch.chunk(lesson.shown[0], 3), dim=2).repeat(1, 1, 4))  # what the last was drawn from
        board = ((torch.cat(rows, dim=1).permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
        size = (board.shape[1] * 3 // 2, board.shape[0] * 3 // 2)
        enlarged = cv2.resize(board[..., ::-1], size, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(self.folder / f"sheet_{self.steps:05d}.png"), enlarged)


@torch.no_grad()
def one_step(network: Drawer, lesson: Lesson) -> Tensor:
    """What the network draws from pure noise, laid into the window."""
    inside, count = mask(), len(lesson.target)
    noise = torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(7)).expand(count, -1, -1, -1)
    t = torch.full((count,), STEPS - 1)
    out = network(noise, t, lesson.target * (1 - inside), inside.expand(count, -1, -1, -1), lesson.shown, lesson.code)
    picture: Tensor = (out * inside + lesson.target * (1 - inside)).clamp(-1, 1)
    return picture


def train(clips: list[Clip], held_out: list[Clip], folder: Path, *, minutes: float, seed: int) -> Iterator[str]:
    """Trains for so many minutes in all, earlier runs in the same folder counted in; yields lines for a log."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(clips, folder, seed)
    if (folder / "renderer.pt").exists():
        run.resume()
        yield f"going on after {run.steps} steps, {run.seconds:.0f} s"
    begun, saved = time.monotonic() - run.seconds, time.monotonic()
    heard: dict[str, float] = {}
    while run.seconds < 60 * minutes:
        for name, value in run.step(run.seconds / (60 * minutes)).items():
            heard[name] = 0.98 * heard.get(name, value) + 0.02 * value
        run.seconds = time.monotonic() - begun
        if run.steps % 50 == 0:
            losses = "  ".join(f"{name} {value:.4f}" for name, value in heard.items())
            yield f"{run.seconds:6.0f} s  step {run.steps}  {losses}"
        if time.monotonic() - saved > SAVE_EVERY:
            run.save()
            run.sheet(held_out)
            saved = time.monotonic()
    run.save()
    run.sheet(held_out)
