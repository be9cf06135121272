"""Trains OmniSync's starter on puppets that are drawn as they are needed, with the voices of prepared clips.

    FOLDER/clips/*.npz     models/corpus/prepare.py made them; only their sound is used
    FOLDER/<run>/          run.pt, recipe.json, curves, sheets; at the end omnisync.safetensors

`dubline train omnisync` calls this. On a rented GPU, where only models/ and FOLDER were brought, the same run is

    python -m models.omnisync.train FOLDER [--settings FILE] [--without LOSS]… [--name RUN]
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import save_file

from models.corpus.clips import parts, read, to_learn_from
from models.omnisync.actor import Actor
from models.omnisync.train import recipe
from models.omnisync.train.filmed import People
from models.omnisync.train.lesson import joined
from models.omnisync.train.lessons import Lessons
from models.omnisync.train.puppetry import one
from models.omnisync.train.recipe import Recipe
from models.omnisync.train.run import train
from models.omnisync.train.trial import Trial
from models.omnisync.train.voices import Voice, few, voices
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES, SPECIES, STYLES
from models.training import kept

JUDGED: Final = 32  # puppets of a trial
FILE: Final = "omnisync.safetensors"


def learn(
    folder: Path, *, settings: Path = recipe.SETTINGS, without: tuple[str, ...] = (), name: str | None = None,
) -> Iterator[tuple[int, int, str]]:  # fmt: skip
    """Trains, and goes on where a run of the same name was stopped; yields (steps done, of, a line for the log).

    Whatever cannot be begun with is said before this returns; the training itself runs while the lines are read.

    settings  a TOML file such as training.toml
    without   losses that are left out
    name      of the run's folder in FOLDER; otherwise `omnisync`, with what it is without
    raises    ValueError for a setting nobody reads, FileNotFoundError without clips; while the lines are read Diverged
    """
    plan = recipe.read(settings).without(*without)
    known, unknown = bank(folder)
    people = crowd(folder) if plan.filmed else People([], {})

    def lines() -> Iterator[tuple[int, int, str]]:
        out = place(folder, without, name)
        out.mkdir(parents=True, exist_ok=True)
        for line in kept.recipe(plan, out / "recipe.json"):
            yield 0, plan.steps, line
        machine = Accelerator(mixed_precision="bf16", cpu=not torch.cuda.is_available())
        torch.manual_seed(plan.seed)
        for step, line in train(Lessons(known, plan, people), plan, out, machine, Actor(), trials(unknown, plan)):
            yield step, plan.steps, line
        yield plan.steps, plan.steps, f"wrote {_finish(out)}"

    return lines()


def place(folder: Path, without: tuple[str, ...] = (), name: str | None = None) -> Path:
    """Where a run lies in FOLDER."""
    return folder / (name or "-".join(["omnisync", *(f"no_{each}" for each in without)]))


def bank(folder: Path) -> tuple[list[Voice], list[Voice]]:
    """The voices to learn from, and others; where nobody is kept back, the same. Raises as `to_learn_from` does."""
    known = list(voices(to_learn_from(folder)))
    paths = sorted((folder / "clips").glob("*.npz"))
    part = parts([path.stem for path in paths])
    return known, list(voices(path for path in paths if part[path.stem] == "unseen speakers")) or known


def crowd(folder: Path) -> People:
    """The photographed people to learn from, at most MOST clips of each; FOLDER/pairs has other lips for some clips."""
    clips, dubbed = [], {}
    for path in few(to_learn_from(folder)):
        clips.append(read(path))
        if (other := folder / "pairs" / path.name).exists():
            with np.load(other) as file:
                dubbed[path.stem] = file["crops"]
    return People(clips, dubbed)


def trials(unknown: Sequence[Voice], plan: Recipe, judged: int = JUDGED) -> list[Trial]:
    """Puppets of unseen kinds, with their own sound and with another's; and new puppets of kinds that are taught."""
    unseen = (
        [each for each in SPECIES if each not in LEARNT_SPECIES],
        [each for each in STYLES if each not in LEARNT_STYLES],
    )
    found = []
    for name, kinds, seed in (("unseen", unseen, 1), ("known", (LEARNT_SPECIES, LEARNT_STYLES), 2)):
        rng = np.random.default_rng((plan.seed, 0, seed))
        lesson = joined([one(unknown, rng, 1, 1.0, kinds=kinds, plain=True) for _ in range(judged)])
        found.append(Trial(name, lesson, lesson.windows, shown=True))
        if name == "unseen":
            found.append(Trial("deaf", lesson, lesson.windows.roll(judged // 2, dims=0)))
    return found


def _finish(place: Path) -> Path:
    """The averaged weights in half precision."""
    weights = torch.load(place / "run.pt", weights_only=True, map_location="cpu")["average"]
    out = place / FILE
    save_file({key: value.half().contiguous() for key, value in weights.items()}, out)
    return out
