"""Draw one take: the new mouth of one face through one shot, as a patch with a matte.

Promises: one patch picture for every frame of the route, in the film's own pixel format; memory holds one window of
frames, however long the shot; the same question gives the same take.
Deliberately not here: whether a take is needed (flows), where a patch lies (tasks/stage.py), laying it over the film
(tasks/conform.py), and what the mouth looks like (models/).
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Final

import torch
from prefect import task
from prefect.cache_policies import NO_CACHE

from models.lipsync import LipSync
from storage.film.pictures import PictureFilm
from storage.film.probe import Film
from storage.film.read import frames
from tasks.driving import Intervals, gated
from tasks.geometry import Geometry
from tasks.progress import OnProgress, unseen
from tasks.ranges import FADE
from tasks.stage import Pixels, Plate, Stage

REVISION: Final = 6  # raise it when this file or tasks/stage.py answers the same question differently


@dataclass(frozen=True)
class Question:
    """All that decides the pixels of a take."""

    film: str  # sha of the film
    geometry: str  # sha of the track's geometry
    shot: tuple[int, int]  # first frame, one past the last
    ranges: tuple[tuple[int, int], ...]  # frames to draw, half open
    speech: str  # sha of the driving sound
    turns: Intervals  # when this character speaks in the dub
    model: str
    variant: str
    code: str  # sha of the model's source
    weights: str  # sha of its weights
    seed: int
    steps: int
    prompt: str  # empty for a model that takes none

    @property
    def key(self) -> str:
        """sha256 over the question; what has been drawn under a key is never drawn again."""
        return hashlib.sha256(json.dumps([REVISION, asdict(self)], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Drawn:
    """A take on disk, not yet in the catalog."""

    patch: Path
    matte: Path
    placements: list[list[int]]  # [frame, x, y]: where each patch picture's top left pixel lies


def draw_take(
    question: Question,
    film: Film,
    geometry: Geometry,
    speech: Path,
    model: LipSync,
    folder: Path,
    on_progress: OnProgress = unseen,
) -> Drawn:
    """Renders into `folder`: patch.mkv and matte.mkv, one picture for each frame of the route.

    speech       mono WAV at model.hearing.hz, sample 0 at the film's first frame
    on_progress  is told (frames drawn, frames to draw)
    raises       KeyError if the route names a frame in which the track has no face
    """
    stage = Stage(film, geometry, model.crop)
    drawn = Drawn(folder / "patch.mkv", folder / "matte.mkv", [])
    total = sum(end - start for start, end in question.ranges)
    with ExitStack() as open_files:
        patches = open_files.enter_context(PictureFilm(drawn.patch, film.pix_fmt, film.rate))
        mattes = open_files.enter_context(PictureFilm(drawn.matte, "gray", film.rate))
        for start, end in question.ranges:
            for plate, result in _mouths(question, stage, speech, model, start, end):
                share = _shown(plate.index, (start, end), question.shot)
                patch, matte = stage.patch(plate, result, share, question.seed)
                patches.write(patch)
                mattes.write((matte,))
                drawn.placements.append([plate.index, plate.x, plate.y])
                on_progress(len(drawn.placements), total)
    return drawn


def _mouths(
    question: Question, stage: Stage, speech: Path, model: LipSync, start: int, end: int
) -> Iterator[tuple[Plate, Pixels]]:
    """Each frame of [start, end) with what the model drew for it; windows overlap and are blended into each other."""
    step = model.window.frames - model.window.overlap
    plates: list[Plate] = []
    tail: list[Pixels] = []  # what the window before drew for the first frames of this one
    film_frames = frames(stage.film, start, end)
    while True:
        for frame in film_frames:
            plates.append(stage.plate(frame))
            if len(plates) == model.window.frames:
                break
        results = _window(question, stage, speech, model, plates)
        for n, before in enumerate(tail):
            share = (n + 1) / (len(tail) + 1)
            results[n] = (1 - share) * before + share * results[n]
        last = plates[-1].index + 1 == end
        done = len(plates) if last else step
        yield from zip(plates[:done], results[:done], strict=True)
        if last:
            return
        plates, tail = plates[done:], results[done:]


def _window(question: Question, stage: Stage, speech: Path, model: LipSync, plates: list[Plate]) -> list[Pixels]:
    """One pass of the model."""
    hz, context = model.hearing.hz, model.hearing.context
    moments = [stage.film.time(plate.index) for plate in plates]
    heard_from = floor((moments[0] - context) * hz)
    heard_to = ceil((moments[-1] + 1 / stage.film.rate + context) * hz)
    sound = gated(speech, question.turns, heard_from, heard_to, hz)
    with torch.inference_mode():
        results = model.render(
            stage.sight(plates),
            torch.from_numpy(sound),
            [moment - Fraction(heard_from, hz) for moment in moments],
            seed=question.seed,
            steps=question.steps,
            prompt=question.prompt,
        )
    return list(results.permute(0, 2, 3, 1).contiguous().numpy())


def _shown(frame: int, drawn: tuple[int, int], shot: tuple[int, int]) -> float:
    """How much of the patch is shown: all of it, but at the ends of a range that are not a cut."""
    start, end = drawn
    opening = 1.0 if start == shot[0] else (frame - start + 1) / (FADE + 1)
    closing = 1.0 if end == shot[1] else (end - frame) / (FADE + 1)
    return min(1.0, opening, closing)


@task(cache_policy=NO_CACHE)
def render(
    question: Question, film: Film, geometry: Geometry, speech: Path, model: LipSync, folder: Path,
    on_progress: OnProgress = unseen,
) -> Drawn:  # fmt: skip
    """One take of one track."""
    return draw_take(question, film, geometry, speech, model, folder, on_progress)
