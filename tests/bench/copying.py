"""What conforming costs where the film's packets are copied: against decoding and encoding all of the same film.

    python -m tests.bench.copying [MINUTES]

Each run is in a process of its own, so that its CPU seconds and its peak are its own; both runs of a film read the same
file with the same takes, one frame of ten changed, in stretches of two seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from storage.catalog import Take
from storage.film.encoders import encoder_for
from storage.film.planes import pixel_format
from storage.film.probe import probe
from storage.film.write import PictureWriter
from tasks.conform import laid, lay_takes
from tests.bench.forty import peak
from tests.shoot import PAL, draw_film, draw_picture, keep_pictures, wrap

SECONDS: Final = 10  # that are drawn; the rest is the same again
STRETCH: Final = 50  # frames changed in a row, of ten times as many
PATCH: Final = 128  # pixels
GROUP: Final = {"g": "25", "bf": "3", "x264-params": "open-gop=0:scenecut=0"}


@dataclass(frozen=True)
class Kind:
    called: str
    codec: str
    size: tuple[int, int]
    options: dict[str, str]
    minutes: Fraction


def kinds(minutes: int) -> list[Kind]:
    return [
        Kind("ProRes 422 HQ, 640×360", "prores_ks", (640, 360), {"profile": "3"}, Fraction(minutes)),
        Kind("H.264, a key frame a second, 640×360", "libx264", (640, 360), GROUP, Fraction(minutes)),
        Kind("ProRes 422 HQ, 1920×1080", "prores_ks", (1920, 1080), {"profile": "3"}, Fraction(minutes, 10)),
    ]


def shoot(kind: Kind, folder: Path) -> Path:
    """A film with grain, repeated without encoding it again."""
    rng = np.random.default_rng(seed=1)
    pix_fmt = "yuv422p10le" if kind.codec == "prores_ks" else "yuv420p"
    grain = rng.integers(0, 8 if kind.codec == "libx264" else 32, (8, *kind.size[::-1]))

    def draw(n: int) -> Any:
        luma, *chroma = draw_picture(n, kind.size, pix_fmt)
        return (luma + grain[n % 8]).astype(luma.dtype), *chroma

    once = draw_film(
        folder / "once.mov", SECONDS * int(PAL), PAL, kind.codec, kind.size, pix_fmt=pix_fmt, options=kind.options,
        draw=draw,
    )  # fmt: skip
    times = max(1, round(kind.minutes * 60 / SECONDS))
    return wrap(["-stream_loop", str(times - 1), "-i", str(once), "-c", "copy"], folder / "film.mov")


def take_on(film_path: Path, folder: Path) -> Take:
    """One take on a tenth of the frames."""
    film = probe(film_path)
    frames = [n for n in range(film.frames) if n % (10 * STRETCH) < STRETCH]
    layout = pixel_format(film.pix_fmt)
    flat = tuple(np.full(shape, 99 << (layout.bits - 8), layout.dtype) for shape in layout.shapes(PATCH, PATCH))
    keep_pictures(folder / "patch", (flat for _ in frames), film.pix_fmt)
    keep_pictures(folder / "matte", ((np.full((PATCH, PATCH), 255, np.uint8),) for _ in frames), "gray")
    return Take(
        track_id=1, version=1, key="0" * 64, model="drawn", weights_sha="0" * 64, seed=0, patch="patch", matte="matte",
        placements=[[n, 64, 64] for n in frames], microseconds_a_frame=1, machine="bench", rendered_us=0,
    )  # fmt: skip


def run(how: str, film_path: Path, folder: Path) -> dict[str, float]:
    """One pass over the film, here: `copied` as Dubline conforms it, `encoded` without a copied packet."""
    film, take = probe(film_path), take_on(film_path, folder)
    began, before = time.monotonic(), sum(os.times()[:4])
    if how == "copied":
        copied = lay_takes(film, [take], folder.joinpath, folder / "picture").copied
    else:
        copied = 0
        with PictureWriter(folder / "picture", film, encoder_for(film)) as writer:
            for frame, after in laid(film, [take], folder.joinpath, [(0, film.frames)]):
                writer.write(frame.index, after)
    return {
        "wall": time.monotonic() - began,
        "cpu": sum(os.times()[:4]) - before,
        "peak": peak(),
        "copied": copied,
        "frames": film.frames,
    }


def rows(minutes: int = 10) -> list[str]:
    """A table: by film the CPU seconds and the wall of both ways, their ratio, and the peak while copying."""
    table = [
        "| film | frames, packets copied | encoded again | copied | ratio of CPU, of time | peak memory |",
        "|---" * 6 + "|",
    ]
    for kind in kinds(minutes):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            film = shoot(kind, folder)
            said = {}
            for how in ("encoded", "copied"):
                command = [sys.executable, "-m", "tests.bench.copying", how, str(film), str(folder)]
                said[how] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
        full, ours = said["encoded"], said["copied"]
        table.append(
            f"| {kind.called}, {float(kind.minutes):g} min | {ours['frames']}, {ours['copied']} "
            f"| {full['cpu']:.0f} CPU s, {full['wall']:.0f} s | {ours['cpu']:.0f} CPU s, {ours['wall']:.0f} s "
            f"| **{ours['cpu'] / full['cpu']:.2f}**, {ours['wall'] / full['wall']:.2f} | {ours['peak']:.0f} MiB |"
        )
    return table


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("copied", "encoded"):
        print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        print("\n".join(rows(int(sys.argv[1]) if sys.argv[1:] else 10)))
