"""A small film with its dub, and `dubline` as a person starts it: in a process of its own, in a house of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.demo.film import make
from flows.demo.script import Scene
from storage.film.pictures import read_mattes
from storage.film.planes import Plane
from storage.film.probe import Film, probe
from storage.film.read import frames

# Nobody; a photographed face that speaks; a drawn character; two photographed faces, one of which speaks.
SHORT = (
    Scene("empty_set", 24),
    Scene("portrait", 66, "woman", "We can see the entire coast from up here.", "From above, every border disappears."),
    Scene("drawn_cat", 30, "cat", "Feed me.", "More tins."),
    Scene("on_the_phone", 60, "man", "Tell them I am almost there.", "Wait for me around the corner."),
)


@dataclass(frozen=True)
class Studio:
    """Where a film, its dub and a home lie."""

    folder: Path
    film: Path
    dub: Path

    @property
    def home(self) -> Path:
        return self.folder / "house"

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "flows.cli", *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        outside = {k: v for k, v in os.environ.items() if not k.startswith(("DUBLINE_", "PREFECT_"))}
        return outside | {"DUBLINE_HOME": str(self.home)}

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True, check=False
        )

    def json(self, *arguments: str | Path) -> Any:
        ended = self.run(*arguments, "--json")
        assert ended.returncode in (0, 1), ended.stderr
        return json.loads(ended.stdout)

    def uncovered(self, report: Any, film: Path) -> dict[int, NDArray[np.bool_]]:
        """By frame with a take on it: the luma pixels (H, W) that no matte of a circled take touches."""
        size = probe(film)
        free: dict[int, NDArray[np.bool_]] = {}
        for shot in report["shots"]:
            if not any(track["take"] for track in shot["tracks"]):
                continue
            takes = self.json("show", report["episode"], shot["name"])["takes"]
            for take in (take for take in takes if take["circled"]):
                file = self.home / "artifacts" / take["matte"][:2] / f"{take['matte']}.mkv"
                for (frame, x, y), matte in zip(take["placements"], read_mattes(file), strict=True):
                    here = free.setdefault(frame, np.ones((size.height, size.width), bool))
                    here[y : y + matte.shape[0], x : x + matte.shape[1]] &= matte == 0
        return free


def open_studio(folder: Path, rate: Fraction, start: str, scenes: tuple[Scene, ...] = SHORT) -> Studio:
    folder.mkdir(parents=True, exist_ok=True)
    film, dub = make(folder, scenes, rate, start)
    return Studio(folder, film, dub)


def all_planes(path: Path) -> Iterator[tuple[int, tuple[Plane, ...]]]:
    for frame in frames(probe(path)):
        yield frame.index, frame.planes


def sound_of(path: Path) -> NDArray[np.int32]:
    """Every sample of the first sound, (N, channels), 32 bit: PCM of any width keeps its own value's order."""
    import av

    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        parts = [frame.to_ndarray().reshape(-1, stream.channels) for frame in file.decode(stream)]
    return np.concatenate(parts).astype(np.int64).astype(np.int32)


def measured(path: Path) -> Film:
    return probe(path)
