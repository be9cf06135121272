"""Trains a Diff2Lip: the starter, or the paper's network, from a folder of prepared clips.

    FOLDER/clips/*.npz            models/corpus/prepare.py made them
    FOLDER/expert.safetensors     models/syncnet/train.py made it; without it the shipped expert is taken
    FOLDER/<variant>/             run.pt, curves, sheets; at the end the weights, as the registry opens them

`dubline train diff2lip` calls this. Nothing here needs PyAV, diffusers or the rest of Dubline, so a rented GPU with
PyTorch, accelerate and OpenCV will do.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal

import torch
from accelerate import Accelerator
from safetensors.torch import save_file

from models.corpus.clips import Clip, parts, read
from models.diff2lip import recipe
from models.diff2lip.expert import Expert
from models.diff2lip.export import export
from models.diff2lip.faces import Faces
from models.diff2lip.fit import fit
from models.diff2lip.forms import Forms
from models.diff2lip.perceptual import Lpips
from models.diff2lip.recipe import Recipe
from models.diff2lip.run import train
from models.diff2lip.subject import Subject
from models.syncnet.loss import SyncLoss
from models.syncnet.meter import WEIGHTS, fill
from models.syncnet.network import Ear

Variant = Literal["starter", "paper"]
SHEET: Final = ("s26", "s30", "s31", "s33")  # unseen people on the sheets


def learn(
    folder: Path,
    variant: Variant = "starter",
    *,
    settings: Path = recipe.SETTINGS,
    without: tuple[str, ...] = (),
    name: str | None = None,
    lpips: tuple[Path, Path] | None = None,
) -> Iterator[tuple[int, int, str]]:
    """Trains, and goes on where a run of the same name was stopped; yields (steps done, of, a line for the log).

    settings  a TOML file such as training.toml
    without   losses that are left out, or `noise` for the one-step regression network
    name      of the run's folder; otherwise the variant with what it is without
    lpips     AlexNet's weights and the heads of LPIPS (perceptual.py); otherwise the sync expert looks
    raises    ValueError for a setting nobody reads, FileNotFoundError without clips, Diverged (run.py)
    """
    plan = recipe.read(variant, settings).without(*without)
    place = folder / (name or "-".join([variant, *(f"no_{each}" for each in without)]))
    place.mkdir(parents=True, exist_ok=True)
    (place / "recipe.json").write_text(json.dumps(asdict(plan), indent=2) + "\n")
    known, unseen = clips(folder)
    machine = Accelerator(mixed_precision="bf16", cpu=not torch.cuda.is_available())
    experts = folder if (folder / "expert.safetensors").exists() else WEIGHTS
    expert = Expert(SyncLoss.open(experts), machine.device, Lpips(*lpips) if lpips else None)
    for step, line in train(_subject(variant, known, plan, machine), plan, place, machine, expert, unseen):
        yield step, plan.steps, line
    yield plan.steps, plan.steps, f"wrote {_finish(variant, place, known, experts)}"


def clips(folder: Path) -> tuple[list[Clip], list[Clip]]:
    """Those to learn from, and one of each person on the sheets.

    raises   FileNotFoundError if there is none to learn from
    """
    paths = sorted((folder / "clips").glob("*.npz"))
    part = parts([path.stem for path in paths])
    known = [read(path) for path in paths if part[path.stem] == "train"]
    if not known:
        raise FileNotFoundError(
            f"{folder / 'clips'} holds no prepared clip to learn from; `dubline train prepare` first"
        )
    unseen = [next((path for path in paths if path.stem.startswith(f"grid_{who}_")), None) for who in SHEET]
    return known, [read(path) for path in unseen if path]


def _subject(variant: Variant, known: list[Clip], plan: Recipe, machine: Accelerator) -> Subject:
    return (Forms if variant == "starter" else Faces)(known, plan, machine.device)


def _finish(variant: Variant, place: Path, known: list[Clip], experts: Path) -> Path:
    """The averaged weights in half precision; the starter's with the voice, which seconds fit."""
    weights = torch.load(place / "run.pt", weights_only=True, map_location="cpu")["average"]
    out = place / f"{variant}.safetensors"
    if variant == "paper":
        save_file({key: value.half().contiguous() for key, value in weights.items()}, out)
        return out
    ear = Ear()
    fill(experts / "expert.safetensors", ear=ear)
    export(weights, fit(known, ear), out)
    return out
