"""Figures of OmniSync on drawn characters of kinds and with voices nobody trained on, with the shipped starter.

    DUBLINE_MOUTHS=FOLDER python -m tests.bench puppets settings pairs windows

FOLDER keeps the prepared clips and the figures, a line for each clip and row: what is there is not measured again.
`dubline evaluate omnisync` fills the same folder, in several processes.
"""

import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Final

import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from models import registry
from models.audio.logmel import HZ
from models.lipsync import Sight
from models.omnisync.codec import FRAMES, PIXELS
from models.omnisync.evaluate import measure, tables
from models.omnisync.network import PAPER, build
from models.omnisync.paper import CROP, PASS
from tests.bench.mouths import kept_in, prepared

ROWS: Final = "figures-omnisync"
STEPS: Final = (1, 2, 5, 10, 50)
CHANGED: Final = (
    "no progressive initialisation (τ = 1)", "τ = 0.8", "ω_peak 3", "ω_peak 4.5", "ω_peak 4.5 everywhere (G ≡ 1)",
    "static guidance 2", "static guidance 4.5", "1 step", "2 steps", "10 steps", "prompt 'calm'", "prompt 'lively'",
    "prompt 'clear teeth'",
)  # fmt: skip


def drawn(shared: Path) -> list[str]:
    """The tables of drawn characters, measured where they are not yet."""
    folder = kept_in()
    prepared(folder / "clips", shared / "media")
    _evaluate(folder, "--forced", "--media", str(shared / "media"))
    return tables.markdown(measure.rows(folder / ROWS))


def settings() -> list[str]:
    """Each setting changed alone, on fewer clips."""
    folder = kept_in() / "settings"
    _evaluate(folder, "--clips", "12", "--ablations", "--no-silence", *(w for row in CHANGED for w in ("--only", row)))
    return tables.table(measure.rows(folder / ROWS))


def pairs() -> list[str]:
    """What was measured of runs taught by other pairs, in FOLDER/pairs-experiment; measures nothing itself."""
    return tables.table(measure.rows(kept_in() / "pairs-experiment" / ROWS))


def windows() -> list[str]:
    """Seconds a frame and memory of one window after another, by steps, on one thread and on two."""
    model = registry.renderer("omnisync", "starter")
    frames = model.window.frames
    g = torch.Generator().manual_seed(1)
    mouths = torch.tensor([[0.5, 0.5, 1 / 6, 0.0]]).expand(frames, 4)
    sight = Sight(torch.rand(frames, 3, 96, 96, generator=g), mouths, torch.zeros(frames, 0, 2), None)
    speech, times = 0.1 * torch.randn(9 * HZ, generator=g), [4 + Fraction(n, 25) for n in range(frames)]
    rows = ["| steps | seconds a frame, one thread | two threads | over 5 steps |", "|---|---|---|---|"]
    seconds = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model.render(sight, speech, times, seed=7, steps=1)  # the first time is not counted
        for steps in STEPS:
            began = time.perf_counter()
            for _ in range(2):
                model.render(sight, speech, times, seed=7, steps=steps)
            seconds[threads, steps] = (time.perf_counter() - began) / 2 / frames
    for steps in STEPS:
        one, two = seconds[1, steps], seconds[2, steps]
        rows.append(f"| {steps} | {one:.3f} | {two:.3f} | {one / seconds[1, 5]:.2f} |")
    held = psutil.Process().memory_info().rss / 2**20
    return [*rows, "", f"Peak of the process with the model and one window of {frames} frames: {held:.0f} MiB."]


def paper() -> list[str]:
    """What the network of the paper is and does in one call, counted without weights."""
    with torch.device("meta"):
        network = build(PAPER)
    network.rope.to("meta")
    numbers = sum(weight.numel() for weight in network.parameters())
    frames, side = (PASS - 1) // FRAMES + 1, CROP.size // PIXELS
    film = torch.zeros(1, PAPER.latent, frames, side, side, device="meta")
    heard = torch.zeros(1, frames, 8, PAPER.speech, device="meta")
    asked = torch.zeros(1, 512, PAPER.text, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        network(film, torch.ones(1, device="meta"), film, heard, asked)
    return [
        "| parameters | in bfloat16 | one window | operations a call | with 50 steps, sound and none, a frame |",
        "|---|---|---|---|---|",
        f"| {numbers / 1e6:,.1f} M | {2 * numbers / 2**30:.2f} GiB | {PASS} frames, {CROP.size} × {CROP.size}"
        f" | {counted.get_total_flops() / 1e12:.0f} TFLOP"
        f" | {counted.get_total_flops() * 100 / PASS / 1e12:.0f} TFLOP |",
    ]


def _evaluate(folder: Path, *options: str) -> None:
    ours = {name: value for name, value in os.environ.items() if name != "DUBLINE_MOUTHS"}  # no setting of Dubline's
    command = [sys.executable, "-m", "flows.cli", "evaluate", "omnisync", str(folder), *options]
    said = subprocess.run(command, env=ours, stdout=subprocess.DEVNULL)
    if said.returncode:
        raise SystemExit(said.returncode)
