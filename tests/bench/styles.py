"""Photographed or drawn: the verdict of models/face/closeup.py on single frames of many faces."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.face.closeup import closeup, style
from models.face.detect import Detector
from models.face.mesh import PRESENT, Mesh, roi
from models.puppets.draw import Puppet
from models.puppets.kinds import STYLES
from models.puppets.pose import random_pose
from storage.film.glance import glance
from storage.film.probe import probe
from storage.film.read import frames
from tests.bench.cuts import CUTS

Picture = NDArray[np.uint8]
FILTERED = (1, 3, 8, 10, 14, 17)  # shots of the synthetic episode that went through a filter


def main(media: Path) -> None:
    detector, mesh = Detector(), Mesh()
    verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for what, picture in pictures(media):
        for hit in detector(picture)[:2]:
            points, presence = mesh(picture, roi(hit))
            if presence > PRESENT:
                verdicts[what][style([closeup(picture, points)])] += 1
    for what, counted in verdicts.items():
        print(f"{what}: {dict(counted)}")


def pictures(media: Path) -> Iterator[tuple[str, Picture]]:
    people: dict[str, Path] = {}
    for clip in sorted([*media.glob("train/grid_*.mp4"), *media.glob("eval/grid_*.mp4")]):
        people.setdefault(clip.name.split("_")[1], clip)
    for clip in people.values():
        yield from (("photographed, GRID speakers", seen) for seen in some(clip, 30))
    for name in ("opendubbing", "lipify"):
        for clip in media.glob(f"eval/real_{name}*.mp4"):
            yield from ((f"photographed, {name}", seen) for seen in some(clip, 6))
    for clip in (*media.glob("film/multishot_tos*.mp4"), *media.glob("eval/multishot_tos*.mp4")):
        yield from (("photographed, Tears of Steel", seen) for seen in some(clip, 15))
    episode = media / "film/synthetic_episode_grid.mp4"
    firsts = [0, *CUTS[episode.name]]
    film = probe(episode)
    for n, first in enumerate(firsts):
        kind = "filtered" if n in FILTERED else "photographed"
        for frame in (*frames(film, first + 10, first + 11), *frames(film, first + 40, first + 41)):
            yield f"{kind}, synthetic episode", glance(frame.planes, film)
    chance = np.random.default_rng(5)
    mouth = np.array([[0.4, 0.5, 0.3, 0]], np.float32)
    for species in ("human", "cat", "bear", "rabbit", "robot"):
        for drawn in STYLES:
            for _ in range(3):
                puppet = Puppet.random(chance, species, drawn)
                yield f"drawn, {drawn} puppets", puppet.render(random_pose(chance, 3)[1:2], mouth, 320)[0]


def some(clip: Path, every: int) -> Iterator[Picture]:
    film = probe(clip)
    for frame in frames(film):
        if frame.index % every == 10 % every:
            yield glance(frame.planes, film)
