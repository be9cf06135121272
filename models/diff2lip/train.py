"""Trains the starter from a folder of GRID clips, step by step; docs/TRAINING.md walks through it.

    python -m models.diff2lip.train prepare  FOLDER --media MEDIA   faces and sound of the clips, 4 minutes
    python -m models.diff2lip.train voice    FOLDER                 sound → the mouth's form, and a judge, 5 minutes
    python -m models.diff2lip.train renderer FOLDER --minutes 63    the form → the picture; can be stopped and resumed
    python -m models.diff2lip.train export   FOLDER                 writes models/diff2lip/starter.safetensors
    python -m models.diff2lip.train measure  FOLDER --media MEDIA   figures on unseen people, and FOLDER/sheet.png

Times are of one core.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch

from models import registry
from models.corpus.clips import Clip, Part, clips, parts, read
from models.corpus.prepare import prepare
from models.diff2lip import measure
from models.diff2lip.drawer import STARTER, Drawer
from models.diff2lip.export import export
from models.diff2lip.fit import fit
from models.diff2lip.render import WEIGHTS
from models.diff2lip.run import train
from models.diff2lip.voice import Voice
from models.diff2lip.window import CROP
from models.face.detect import Detector
from models.face.mesh import Mesh
from models.syncnet.meter import Meter
from models.syncnet.network import Ear, PointsEye
from models.syncnet.train import learn_points

MEASURED: Final = ("s26", "s30", "s31", "s33")  # of the held-out speakers; five clips each


def main() -> None:
    """prepare → voice → renderer → export → measure, each from what the one before it left in FOLDER."""
    parser = argparse.ArgumentParser(prog="python -m models.diff2lip.train", description=main.__doc__)
    parser.add_argument("step", choices=["prepare", "voice", "renderer", "export", "measure"])
    parser.add_argument("folder", type=Path, help="where clips, checkpoints and sheets are kept; not for git")
    parser.add_argument("--media", type=Path, help="folder with train/ and eval/ of GRID clips (prepare, measure)")
    parser.add_argument("--minutes", type=float, default=60.0, help="of training the renderer, all runs together")
    parser.add_argument("--steps", type=int, default=700, help="of training the sync experts")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    torch.set_num_threads(1)  # two runs on one thread each do more than one on two
    cv2.setNumThreads(1)
    for line in _STEPS[asked.step](asked):
        print(line, flush=True)


def _prepare(asked: argparse.Namespace) -> Iterator[str]:
    folder = asked.folder / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    detector, mesh = Detector(), Mesh()
    for path in (path for part in ("train", "eval") for path in clips(asked.media / part)):
        if prepare(path, folder, CROP, detector, mesh) is None:
            yield f"left out, no face in some frame: {path.name}"


def _voice(asked: argparse.Namespace) -> Iterator[str]:
    learnt = _read(asked, "train", pictures=False)
    for name, seed in (("voice", asked.seed), ("judge", asked.seed + 1)):
        ear, eye = yield from learn_points(learnt, steps=asked.steps, seed=seed)
        torch.save({"ear": ear.state_dict(), "eye": eye.state_dict()}, asked.folder / f"{name}_expert.pt")
        if name == "voice":
            torch.save(fit(learnt, ear).state_dict(), asked.folder / "voice.pt")
        yield f"{name}: an expert of seed {seed} after {asked.steps} steps"


def _renderer(asked: argparse.Namespace) -> Iterator[str]:
    unseen = _read(asked, "unseen speakers")
    shown = [next(clip for clip in unseen if clip.speaker == name) for name in MEASURED]
    yield from train(_read(asked, "train"), shown, asked.folder, minutes=asked.minutes, seed=asked.seed)


def _export(asked: argparse.Namespace) -> Iterator[str]:
    network, spoken = Drawer(STARTER), Voice()
    network.load_state_dict(torch.load(asked.folder / "renderer.pt", weights_only=True)["average"])
    spoken.load_state_dict(torch.load(asked.folder / "voice.pt", weights_only=True))
    export(network, spoken, WEIGHTS)
    yield f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1e6:.1f} MB"


def _measure(asked: argparse.Namespace) -> Iterator[str]:
    experts = torch.load(asked.folder / "judge_expert.pt", weights_only=True)
    ear, eye = Ear().eval(), PointsEye().eval()
    ear.load_state_dict(experts["ear"])
    eye.load_state_dict(experts["eye"])
    model = registry.renderer("diff2lip")
    unseen = _read(asked, "unseen speakers")
    chosen = [clip for name in MEASURED for clip in [one for one in unseen if one.speaker == name][:5]]
    results, films = [], []
    for i, clip in enumerate(chosen):
        other = chosen[(i + 7) % len(chosen)]  # always another speaker
        figures, made = measure.judge(clip, other, asked.media, model, Meter(ear, eye))
        yield str(figures)
        results.append(figures)
        films.append(made)
    picked = [0, 5, 10]
    board = measure.sheet([films[i] for i in picked], [chosen[i] for i in picked])
    cv2.imwrite(str(asked.folder / "sheet.png"), board[..., ::-1])
    for name in (*MEASURED, ""):
        some = [one for one in results if name in one.name]
        hits = sum(abs(one.offset) <= 1 for one in some), sum(abs(one.control) <= 1 for one in some)
        means = {key: float(np.mean([getattr(one, key) for one in some])) for key in
                 ("margin", "filmed", "correlation", "amplitude", "still", "wide", "sharpness", "flicker")}  # fmt: skip
        yield f"{name or 'all':5} ±1 {hits[0]}/{len(some)} (undubbed {hits[1]})  " + "  ".join(
            f"{key} {value:.3f}" for key, value in means.items()
        )


def _read(asked: argparse.Namespace, *wanted: Part, pictures: bool = True) -> list[Clip]:
    """The prepared clips of these parts of the corpus; without pictures they fit in a small memory."""
    paths = sorted((asked.folder / "clips").glob("*.npz"))
    part = parts([path.stem for path in paths])
    found = (read(path) for path in paths if part[path.stem] in wanted)
    return [clip if pictures else replace(clip, crops=clip.crops[:, :1, :1].copy()) for clip in found]


_STEPS: Final = {"prepare": _prepare, "voice": _voice, "renderer": _renderer, "export": _export, "measure": _measure}

if __name__ == "__main__":
    main()
