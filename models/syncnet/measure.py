"""How well the shipped experts read people they were not taught on: the table of their card.

    python -m models.syncnet.measure FOLDER     FOLDER/clips/*.npz of models/corpus/prepare.py

A cell is `hits/readings margin`: readings within one frame of 0, and the mean margin. `seconds` are stretches of 25
windows one after another; `still` is the clip with its first frame all along, in which nothing can be read.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from models.corpus.clips import Clip, Part, parts, read
from models.face.form import Floats
from models.syncnet import meter
from models.syncnet.meter import Sync, alike
from models.syncnet.network import SPAN, Ear, PixelEye, PointsEye
from models.syncnet.senses import heard, looked_at, seen
from models.syncnet.train import cut

SECOND: Final = 25  # windows

See = Callable[[Clip], Tensor]  # (n − 4, 128)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.syncnet.measure")
    parser.add_argument("folder", type=Path)
    torch.set_num_threads(1)
    for line in table(sorted((parser.parse_args().folder / "clips").glob("*.npz"))):
        print(line, flush=True)


def table(paths: list[Path]) -> Iterator[str]:
    """A line for every expert and every speaker kept from training, and one for each part of the corpus."""
    part_of = parts([path.stem for path in paths])
    experts = shipped()
    kept: tuple[Part, ...] = ("unseen speakers", "unseen clips")
    for part in kept:
        clips = (read(path) for path in paths if part_of[path.stem] == part)
        rows: dict[tuple[str, str], list[tuple[Sync, list[Sync], Sync]]] = {}
        for clip in clips:
            for name, (ear, see) in experts.items():
                found = readings(clip, ear, see)
                rows.setdefault((name, clip.speaker), []).append(found)
                rows.setdefault((name, f"all {part}"), []).append(found)
        for (name, whose), some in sorted(rows.items()):
            whole, still = [one[0] for one in some], [one[2] for one in some]
            seconds = [reading for one in some for reading in one[1]]
            yield f"{name:14} {whose:20} clips {_told(whole)}  seconds {_told(seconds)}  still {_told(still)}"


def shipped() -> dict[str, tuple[Ear, See]]:
    """The three pairs of an ear and an eye that come with the package."""
    ear, points, pixels, other_ear, other_points = Ear(), PointsEye(), PixelEye(), Ear(), PointsEye()
    meter.fill(meter.WEIGHTS / "expert.safetensors", ear=ear, points=points, pixels=pixels)
    meter.fill(meter.WEIGHTS / "judge.safetensors", ear=other_ear, points=other_points)
    return {
        "expert points": (ear, _by_points(points)),
        "expert pixels": (ear, _by_pixels(pixels)),
        "judge points": (other_ear, _by_points(other_points)),
    }


@torch.no_grad()
def readings(clip: Clip, ear: Ear, see: See) -> tuple[Sync, list[Sync], Sync]:
    """The whole clip's reading, its seconds', and the still picture's."""
    sounds = ear(torch.from_numpy(heard(clip.speech, len(clip.mouths))[2:-2])).numpy()
    moving, still = see(clip).numpy(), see(frozen(clip)).numpy()
    seconds = [
        meter.read(alike(sounds[at : at + SECOND], moving[at : at + SECOND]))
        for at in range(0, len(sounds) - SECOND + 1, SECOND)
    ]
    return meter.read(alike(sounds, moving)), seconds, meter.read(alike(sounds, still))


def frozen(clip: Clip) -> Clip:
    """The clip with its first frame all along."""
    first: Floats = clip.mouths[:1].repeat(len(clip.mouths), axis=0)
    return replace(clip, mouths=first, crops=clip.crops[:1].repeat(len(clip.crops), axis=0))


def _by_points(eye: PointsEye) -> See:
    return lambda clip: torch.as_tensor(eye(torch.from_numpy(seen(clip.mouths))))


def _by_pixels(eye: PixelEye) -> See:
    def see(clip: Clip) -> Tensor:
        window = torch.from_numpy(cut(clip, room=0)).float() / 255
        return torch.as_tensor(eye(looked_at(window.unfold(0, SPAN, 1).permute(0, 4, 1, 2, 3))))

    return see


def _told(readings: Iterable[Sync]) -> str:
    some = list(readings)
    hits = sum(abs(reading.lag) <= 1 for reading in some)
    return f"{hits}/{len(some)} {np.mean([reading.margin for reading in some]):.3f}"


if __name__ == "__main__":
    main()
