"""Trains a Diff2Lip: the starter, or the paper's network, from a folder of prepared clips.

    FOLDER/clips/*.npz            models/corpus/prepare.py made them
    FOLDER/expert.safetensors     models/syncnet/train.py made it; without it the shipped expert is taken
    FOLDER/<run>/                 run.pt, recipe.json, curves, sheets; at the end weights, as the registry opens them

`dubline train diff2lip` calls this. On a rented GPU, where only models/ and FOLDER were brought and neither PyAV,
diffusers nor the rest of Dubline is installed, the same run is

    python -m models.diff2lip.train FOLDER [--variant paper] [--settings FILE] [--without LOSS]… [--name RUN]
"""

from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Final, Literal

import torch
from accelerate import Accelerator
from safetensors import SafetensorError
from safetensors.torch import save_file

from models.corpus.clips import Clip, read, to_learn_from
from models.diff2lip.export import export
from models.diff2lip.train import recipe
from models.diff2lip.train.expert import Expert
from models.diff2lip.train.faces import Faces
from models.diff2lip.train.fit import fit
from models.diff2lip.train.forms import Forms
from models.diff2lip.train.perceptual import Lpips
from models.diff2lip.train.recipe import Recipe
from models.diff2lip.train.run import train
from models.diff2lip.train.subject import Subject
from models.syncnet.loss import SyncLoss
from models.syncnet.meter import WEIGHTS, fill
from models.syncnet.network import Ear
from models.training import kept

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

    Whatever cannot be begun with is said before this returns; the training itself runs while the lines are read.

    settings  a TOML file such as training.toml
    without   losses that are left out, or `noise` for the one-step regression network
    name      of the run's folder; see `place`
    lpips     AlexNet's weights and the heads of LPIPS (perceptual.py); otherwise the sync expert looks
    raises    ValueError for a setting nobody reads or a file that is not what it should be, FileNotFoundError without
              clips or without such a file; while the lines are read Diverged (run.py)
    """
    plan = recipe.read(variant, settings).without(*without)
    experts = folder if (folder / "expert.safetensors").exists() else WEIGHTS
    loss, look = _expert(experts), _lpips(*lpips) if lpips else None
    known, unseen = clips(folder)

    def lines() -> Iterator[tuple[int, int, str]]:
        out = place(folder, variant, without, name)
        out.mkdir(parents=True, exist_ok=True)
        for line in kept.recipe(plan, out / "recipe.json"):
            yield 0, plan.steps, line
        machine = Accelerator(mixed_precision="bf16", cpu=not torch.cuda.is_available())
        expert = Expert(loss, machine.device, look)
        for step, line in train(_subject(variant, known, plan, machine), plan, out, machine, expert, unseen):
            yield step, plan.steps, line
        yield plan.steps, plan.steps, f"wrote {_finish(variant, out, known, experts)}"

    return lines()


def place(folder: Path, variant: Variant, without: tuple[str, ...] = (), name: str | None = None) -> Path:
    """Where a run lies in FOLDER: under its name, otherwise as the variant with what it is without."""
    return folder / (name or "-".join([variant, *(f"no_{each}" for each in without)]))


def clips(folder: Path) -> tuple[list[Clip], list[Clip]]:
    """Those to learn from, and one of each person on the sheets; raises as `to_learn_from` and `read` do.

    Where none of these people is prepared, the sheets show the first clip that is learnt from.
    """
    known = [read(path) for path in to_learn_from(folder)]
    paths = sorted((folder / "clips").glob("*.npz"))
    unseen = [next((path for path in paths if path.stem.startswith(f"grid_{who}_")), None) for who in SHEET]
    return known, [read(path) for path in unseen if path] or known[:1]


def _expert(folder: Path) -> SyncLoss:
    try:
        return SyncLoss.open(folder)
    except (SafetensorError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise ValueError(f"{folder / 'expert.safetensors'} is no sync expert ({why}); teach it again") from error


def _lpips(trunk: Path, heads: Path) -> Lpips:
    for path in (trunk, heads):
        if not path.is_file():
            raise FileNotFoundError(f"{path} is no file; models/diff2lip/train/perceptual.py names the two of LPIPS")
    try:
        return Lpips(trunk, heads)
    except (UnpicklingError, KeyError, RuntimeError) as error:
        raise ValueError(f"{trunk} and {heads} are not the two files of LPIPS on AlexNet: {error}") from error


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
