"""What fewer steps, another sampler and lower precision do to the picture and to the time it takes."""

import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from models import registry
from models.diff2lip.diffusion import Diffusion, Network
from models.diff2lip.network import Diff2Lip
from models.diff2lip.paper import Paper
from models.diff2lip.solver import dpm
from models.face.form import OUTER
from models.lipsync import LipSync, Sight
from tests.models.conftest import Filmed

T = TypeVar("T")
TRUTH: Final = 25  # steps of DDIM
DDIM: Final = (TRUTH, 10, 5, 3, 2, 1)
DPM: Final = (10, 8, 5, 3, 2)
CLIPS: Final = ("grid_s31_bbai7s.mp4", "grid_s33_bbac1s.mp4", "grid_s31_lgbj5a.mp4")
MARGIN: Final = 3  # pixels around the lips
HEAD: Final = "| sampler | steps | {} | seconds a frame | time / DDIM 25 |"


def starter(folder: Path) -> list[str]:
    """Rows of a table: PSNR on the mouth and time, whatever the starter's weights are now."""
    torch.set_num_threads(1)
    films = [Filmed(folder / name) for name in CLIPS]
    model = registry.renderer("diff2lip", "starter")
    _dubbed(model, films, 1)  # the first time is not counted
    truth: list[Tensor] = []
    rows = [HEAD.format("PSNR on the mouth, mean (worst clip)"), "|---|---|---|---|---|"]
    slowest = 0.0
    for name, steps in _rows():
        with patch.object(Diffusion, "sample", _by_solver if name == "DPM-Solver++" else Diffusion.sample):
            drawn, seconds = _timed(partial(_dubbed, model, films, steps))
        seconds /= sum(len(film.frames) for film in films)
        truth, slowest = truth or drawn, slowest or seconds
        near = [_psnr(a, b, film) for a, b, film in zip(drawn, truth, films, strict=True)]
        said = "itself" if drawn is truth else f"{np.mean(near):.1f} dB ({min(near):.1f})"
        rows.append(f"| {name} | {steps} | {said} | {seconds:.4f} | {seconds / slowest:.2f} |")
    return rows


def paper() -> list[str]:
    """Rows of two tables: one call of the network by layout and precision, one frame by sampler."""
    torch.set_num_threads(1)
    network = registry.build("diff2lip", "paper")
    assert isinstance(network, Diff2Lip)
    calls = ["| precision | layout | seconds a call |", "|---|---|---|"]
    for precision, layout in (
        (torch.float32, torch.contiguous_format),
        (torch.float32, torch.channels_last),
        (torch.bfloat16, torch.channels_last),
    ):
        network = network.to(memory_format=layout).in_precision(precision)  # type: ignore[call-overload]
        _call(network)
        seconds = min(_timed(partial(_call, network))[1] for _ in range(3))
        how = "channels last" if layout == torch.channels_last else "planes"
        calls.append(f"| {str(precision).removeprefix('torch.')} | {how} | {seconds:.2f} |")
    rows = [HEAD.format("precision"), "|---|---|---|---|---|"]
    face = Sight(torch.rand(1, 3, 128, 128), torch.zeros(1, 4), torch.zeros(1, 0, 2), None)
    slowest = 0.0
    for name, steps in _rows():
        model = Paper(network, precision=torch.float32, sampler="dpm" if name == "DPM-Solver++" else "ddim")
        work = partial(model.render, face, torch.zeros(16000), [Fraction(0)], seed=7, steps=steps)
        _, seconds = _timed(work)
        slowest = slowest or seconds
        rows.append(f"| {name} | {steps} | float32 | {seconds:.2f} | {seconds / slowest:.2f} |")
    return [*calls, "", *rows]


def _rows() -> list[tuple[str, int]]:
    return [*(("DDIM", n) for n in DDIM), *(("DPM-Solver++", n) for n in DPM)]


def _by_solver(diffusion: Diffusion, noise: Tensor, network: Network) -> Tensor:
    """Stands in for `Diffusion.sample`, so that all the rest of the renderer is the same."""
    return dpm(noise, network, len(diffusion.steps), diffusion.predicts)


def _dubbed(model: LipSync, films: list[Filmed], steps: int) -> list[Tensor]:
    """Each film with the voice of the next."""
    return [
        model.render(
            film.sight(), other.speech, [Fraction(n, 25) for n in range(len(film.frames))], seed=7, steps=steps
        )
        for film, other in zip(films, [*films[1:], films[0]], strict=True)
    ]


def _psnr(drawn: Tensor, truth: Tensor, film: Filmed) -> float:
    """dB over the box of the lips of every frame; crops in 0 … 1."""
    lips = film.meshes[:, list(OUTER)] * drawn.shape[-1]  # (T, 20, 2)
    first, last = lips.amin(dim=1).floor().int() - MARGIN, lips.amax(dim=1).ceil().int() + MARGIN
    squares = [
        ((a - b) ** 2)[:, top:below, left:right].flatten()
        for a, b, (left, top), (right, below) in zip(drawn, truth, first.tolist(), last.tolist(), strict=True)
    ]
    return float(-10 * torch.cat(squares).mean().log10())


def _call(network: Diff2Lip) -> Tensor:
    face, mask = torch.zeros(1, 3, 128, 128), torch.ones(1, 1, 128, 128)
    with torch.inference_mode():
        return network.denoise(face, torch.tensor([500]), face, mask, face, torch.zeros(1, 512))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Seconds of this process's one thread, so that what else runs on the machine does not count."""
    began = time.process_time()
    return work(), time.process_time() - began
