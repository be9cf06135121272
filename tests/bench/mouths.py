"""Figures of drawn mouths on people and sentences that no model was trained on, with the shipped starter.

    DUBLINE_MOUTHS=FOLDER python -m tests.bench mouths experts experiments

FOLDER keeps the prepared clips (`clips`, 2 GB, four minutes to make) and the figures (`figures`, a line for each clip
and row): what is there is not measured again. `dubline evaluate` fills the same folder, with more models and in several
processes.
"""

import os
from pathlib import Path
from typing import Final

from models import registry
from models.corpus.clips import clips
from models.corpus.prepare import prepare
from models.diff2lip.evaluate import measure, tables
from models.diff2lip.window import CROP
from models.face.detect import Detector
from models.face.mesh import Mesh
from models.syncnet import measure as syncnet

PER_SPEAKER: Final = 7  # clips: 53 of twelve people in all; every one of the 94 takes twice as long


def drawn(shared: Path) -> list[str]:
    """The tables of drawn mouths, measured where they are not yet."""
    folder = kept_in()
    chosen = measure.choose(prepared(folder / "clips", shared / "media"), PER_SPEAKER)
    models = {"starter": registry.renderer("diff2lip", "starter")}
    for _ in measure.evaluate(folder / "figures", chosen, shared / "media", models, measure.held_back()):
        pass
    return tables.markdown(measure.rows(folder / "figures"))


def experiments() -> list[str]:
    """What was measured of runs that differ in their losses, in FOLDER/experiments; measures nothing itself."""
    found, lines = measure.rows(kept_in() / "experiments"), []
    for part in sorted({row["part"] for row in found}, reverse=True):
        here = tables.table([row for row in found if row["part"] == part])
        lines += [f"{part[0].upper()}{part[1:]}", "", *here, ""]
    return lines


def experts(shared: Path) -> list[str]:
    """How well the shipped sync experts read people they were not taught on."""
    folder = prepared(kept_in() / "clips", shared / "media")
    return ["```", *syncnet.table(sorted(folder.glob("*.npz"))), "```"]


def kept_in() -> Path:
    if "DUBLINE_MOUTHS" not in os.environ:
        raise SystemExit("DUBLINE_MOUTHS names no folder of clips and figures, so this is not measured")
    return Path(os.environ["DUBLINE_MOUTHS"])


def prepared(folder: Path, media: Path) -> Path:
    """The folder with all clips made ready that are not yet: which ones are kept from training depends on all names."""
    folder.mkdir(parents=True, exist_ok=True)
    detector, mesh = Detector(), Mesh()
    for film in clips(media):
        prepare(film, folder, CROP, detector, mesh)
    return folder
