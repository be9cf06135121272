"""The truth of the synthetic episode: each of its 20 shots shows one GRID speaker, who is heard to speak."""

import csv
import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile

from models.speech import vad
from storage.film.probe import probe
from storage.film.read import speech
from tests.bench.casting import CUTS, HZ, by_shot, recast
from tests.scenes import Face, Said, Scenes, Truth, people


def episode(folder: Path, shared: Path) -> tuple[Path, Path, Truth]:
    """(film, dub, truth): every speaker is dubbed by another of the six. Faces stay where they are in a shot."""
    film = shared / "media/film/synthetic_episode_grid.mp4"
    with film.with_name("synthetic_episode_grid.shots.csv").open() as file:
        rows = list(csv.DictReader(file))
    who = [row["speaker"] for row in rows]
    names = sorted(set(who))
    other = dict(zip(names, [names[-1], *names[:-1]], strict=True))
    wave, _ = soundfile.read(speech(film, folder / "episode.wav", HZ), dtype="float32")
    dubbed = recast(wave, who, other)
    dub = folder / "episode.dub.wav"
    soundfile.write(str(dub), dubbed, HZ, subtype="PCM_16")
    faces = []
    for n, row in enumerate(rows):
        length = CUTS[n + 1] - CUTS[n]
        box, mouth = people.face(shared / "media/train" / row["source_clip"])
        drawn = row["kind"] != "real"
        places = np.tile(box, (length, 1)), np.tile(mouth, (length, 1))
        faces.append(Face(who[n], drawn, "speaks", n, CUTS[n], CUTS[n + 1], *places))
    shots = [Scenes(("episode",), start, end) for start, end in itertools.pairwise(CUTS)]
    sides = [
        [
            Said(who[n], start * 1_000_000 // HZ, end * 1_000_000 // HZ)
            for n, ranges in enumerate(by_shot(vad.speech(sound)))
            for start, end in ranges
        ]
        for sound in (wave, dubbed)
    ]
    return film, dub, Truth(Fraction(25), probe(film).frames, shots, faces, *sides)
