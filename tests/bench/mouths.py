"""Figures of drawn mouths on people and sentences that no model was trained on, with the shipped starter.

    DUBLINE_MOUTHS=FOLDER python -m tests.bench mouths

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
from models.diff2lip import measure, tables
from models.diff2lip.window import CROP
from models.face.detect import Detector
from models.face.mesh import Mesh

PER_SPEAKER: Final = 7  # clips: 53 of twelve people in all; every one of the 94 takes twice as long


def main(shared: Path) -> None:
    """Prints the tables."""
    if "DUBLINE_MOUTHS" not in os.environ:
        raise SystemExit("DUBLINE_MOUTHS names no folder, so drawn mouths are not measured")
    folder = Path(os.environ["DUBLINE_MOUTHS"])
    chosen = measure.choose(prepared(folder / "clips", shared / "media"), PER_SPEAKER)
    models = {"starter": registry.renderer("diff2lip", "starter")}
    for _ in measure.evaluate(folder / "figures", chosen, shared / "media", models, measure.held_back()):
        pass
    print("\n".join(tables.markdown(measure.rows(folder / "figures"))))


def experiments() -> None:
    """Prints what was measured of runs that differ in their losses, in FOLDER/experiments; measures nothing itself."""
    if "DUBLINE_MOUTHS" not in os.environ:
        raise SystemExit("DUBLINE_MOUTHS names no folder, so there are no experiments to read")
    found = measure.rows(Path(os.environ["DUBLINE_MOUTHS"]) / "experiments")
    for part in sorted({row["part"] for row in found}, reverse=True):
        print(
            f"{part[0].upper()}{part[1:]}",
            "",
            *tables.table([row for row in found if row["part"] == part]),
            "",
            sep="\n",
        )


def prepared(folder: Path, media: Path) -> Path:
    """The folder with all clips made ready that are not yet: which ones are kept from training depends on all names."""
    folder.mkdir(parents=True, exist_ok=True)
    detector, mesh = Detector(), Mesh()
    for film in clips(media):
        prepare(film, folder, CROP, detector, mesh)
    return folder
