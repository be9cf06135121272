"""Clips with other lips, by our own Diff2Lip: pose-exact pairs of photographed people for OmniSync's lessons.

The paper takes them from MEAD, which is not free; a model that needs landmarks makes them for one that does not.

    python -m models.omnisync.train.pairs FOLDER        FOLDER/clips/*.npz → FOLDER/pairs/*.npz
"""

import argparse
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models import registry
from models.corpus.clips import SIZE, Clip, read, speaker_of, to_learn_from
from models.diff2lip.window import CROP
from models.face.form import breadth, kinds, opening
from models.face.matte import matte
from models.lipsync import WIDE, Face, LipSync, Sight
from models.omnisync.train.filmed import RATE, mouths

EACH: Final = 4  # clips of a speaker
MARGIN: Final = (SIZE - CROP.size) // 2


def dubbed(clip: Clip, speech: NDArray[np.float32], model: LipSync) -> NDArray[np.uint8]:
    """(n, 144, 144, 3) the prepared clip with lips that say `speech`, (N,) at 16 kHz."""
    here = slice(MARGIN, MARGIN + CROP.size)
    crops = torch.from_numpy(clip.crops[:, here, here].astype(np.float32) / 255).permute(0, 3, 1, 2)
    points = ((clip.points - MARGIN) / CROP.size).astype(np.float32)
    known = list(kinds(opening(clip.mouths), breadth(clip.mouths)))
    median = ((clip.median - MARGIN) / CROP.size).astype(np.float32)
    face = Face(crops[known], torch.from_numpy(points[known]), torch.from_numpy(median))
    rows = (mouths(clip) - [MARGIN, MARGIN, 0, 0]) / [CROP.size, CROP.size, CROP.size, 1]
    sight = Sight(crops, torch.from_numpy(rows.astype(np.float32)), torch.from_numpy(points), face)
    times = [Fraction(n) / RATE for n in range(len(crops))]
    drawn = model.render(sight, torch.from_numpy(speech), times, seed=7, steps=0).permute(0, 2, 3, 1).numpy()
    cover = matte(points, CROP, points[known[WIDE]])[..., None]
    out = clip.crops.copy()
    plate = out[:, here, here].astype(np.float32)
    out[:, here, here] = np.clip(np.rint(plate + cover * (255 * drawn - plate)), 0, 255).astype(np.uint8)
    return out


def make(folder: Path, model: LipSync) -> list[Path]:
    """FOLDER/pairs for up to EACH clips of every speaker who is learnt from; what is there is not made again.

    A clip is dubbed with what the next speaker says. raises FileNotFoundError without clips
    """
    his: dict[str, list[Path]] = {}
    for path in to_learn_from(folder):
        his.setdefault(speaker_of(path), []).append(path)
    order, made = sorted(his), []
    (folder / "pairs").mkdir(exist_ok=True)
    for who, other in zip(order, order[1:] + order[:1], strict=True):
        for n, path in enumerate(his[who][:EACH]):
            out = folder / "pairs" / path.name
            if not out.exists():
                part = out.with_suffix(".part.npz")
                np.savez_compressed(part, crops=dubbed(read(path), read(his[other][n % len(his[other])]).speech, model))
                part.rename(out)
            made.append(out)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.omnisync.train.pairs", description="Clips with other lips.")
    parser.add_argument("folder", type=Path, help="with clips/ of `dubline train prepare`")
    made = make(parser.parse_args().folder, registry.renderer("diff2lip"))
    print(f"{len(made)} clips in {made[0].parent}")


if __name__ == "__main__":
    main()
