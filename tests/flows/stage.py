"""A film of three shots and stand-ins for eyes, ears and painters, so that the flow alone is on trial."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from prefect import Task, task

from flows.scene import Painter
from storage import artifacts
from storage.catalog import Character, Route, Shot, Side, Speaker, Track, Turn
from storage.film.probe import Film
from tasks.cast import Cast, Face, cast_of
from tasks.job import EpisodeJob
from tasks.likeness import Likeness
from tasks.listen import Heard
from tasks.look import Looked
from tasks.progress import OnProgress
from tasks.render import Drawn, Question
from tasks.route import decide, route_all
from tasks.rules import Table
from tasks.words import Words
from tests.shoot import FILM_24, draw_film, draw_picture, draw_sound, keep_pictures

LONG = 12  # frames of a shot
FRAMES = 3 * LONG  # three shots; a face in all but the first
SIZE = (16, 16)  # of a patch
NO_EYE = np.zeros((0, 128), np.float16)


class Stage:
    """Counts what is computed; `trouble` by a step's name is called first and may raise."""

    def __init__(self, folder: Path, shots: int = 3, long: int = LONG) -> None:
        self.folder, self.long = folder, long
        self.computed: Counter[str] = Counter()
        self.trouble: dict[str, Callable[[], None]] = {}
        self.film, self.dub = folder / "film.mkv", folder / "dub.wav"
        if not self.dub.exists():
            draw_film(self.film, shots * long, FILM_24)
            draw_sound(self.dub, shots * long / FILM_24)
        self.beside = False  # whether a second face stands beside the first
        self.unsure: set[int] = set()  # first frames of the shots whose first face may be anybody's
        self.looks: dict[tuple[int, str], int] = {}  # by a shot's first frame and a track: who it is, of 100 persons
        self.binds = False  # whether tasks/cast.py and tasks/route.py are on trial too
        self.voices = [(Side.ORIGINAL, "A", 600_000, 1_400_000), (Side.DUB, "B", 600_000, 1_400_000)]
        self.cuts: list[tuple[int, int]] = []  # where `split` cuts; every `long` frames if empty

    def job(self, **wishes: Any) -> EpisodeJob:
        return EpisodeJob(**{"film": self.film, "dub": self.dub, "out": self.folder / "out.mkv", **wishes})

    def enter(self, step: str) -> None:
        self.computed[step] += 1
        if step in self.trouble:
            self.trouble.pop(step)()

    def split(self, film: Film, on_progress: OnProgress) -> list[Shot]:
        self.enter("split")
        cuts = self.cuts or [(n, n + self.long) for n in range(0, film.frames, self.long)]
        return [Shot(f"sh{10 * n + 10:04d}", *cut) for n, cut in enumerate(cuts)]

    def look(self, film: Film, shots: Sequence[Shot], on_progress: OnProgress, mouths: Mapping[str, object]) -> Looked:
        self.enter("look")
        looked = Looked([], [])
        for shot in shots[1:]:
            frames = np.arange(shot.start, shot.end, dtype=np.int32)
            measures = ("box", "points", "mouth", "score", "opening", "motion", "yaw", "pitch", "sharpness")
            nothing = {name: np.zeros(self.long, np.float32) for name in measures}
            nothing |= {
                "points": np.zeros((self.long, 0, 2), np.float32),
                "mouth": np.full((self.long, 4), 21, np.float32),
            }
            geometry = artifacts.put_arrays("geometry", {"frames": frames, **nothing})
            looked.kept.append(geometry)
            for name in ("f1", "f2") if self.beside else ("f1",):
                face = Track(
                    shot.id, name, shot.start, shot.end, self.long, geometry.sha, 200.0, 0.0, 80.0, "photoreal"
                )
                if (shot.start, name) in self.looks:
                    likeness = artifacts.put_arrays("likeness", likeness_of(self.looks[shot.start, name]).arrays())
                    looked.kept.append(likeness)
                    face.likeness = likeness.sha
                looked.tracks.append(face)
        return looked

    def listen(self, film: Film, dub: Path, stems: Mapping[str, Path], speakers: object, transcript: bool,
               told: Mapping[Side, Path], leads: Mapping[str, int]) -> Heard:  # fmt: skip
        self.enter("listen")
        speakers = {(side, name): Speaker(side, name, "vad") for side, name, *_ in self.voices}
        turns = [Turn(speakers[side, name], start, end) for side, name, start, end in self.voices]
        return Heard(turns, {"dub": artifacts.put(dub, "speech", ".wav")})

    def cast(self, film: Film, tracks: Sequence[Track], turns: Sequence[Turn], speech: Mapping[str, str],
             words: Words) -> Cast:  # fmt: skip
        self.enter("cast")
        if self.binds:
            return cast_of(film, tracks, turns, speech, words)
        ids = {turn.speaker.side: turn.speaker.id for turn in turns}
        anna = Character("ANNA", ids[Side.ORIGINAL], ids[Side.DUB], 1.0)
        sure = [0.55 if each.start in self.unsure and each.name == "f1" else 0.9 for each in tracks]
        return Cast([anna], [Face(anna, each, "lips and voice agree", 1) for each in sure])

    def route(
        self, film: Film, tracks: Sequence[Track], characters: Sequence[Character], turns: Sequence[Turn],
        model: str | None, reasons: Sequence[str], table: Table, lacking: Mapping[str, str],
    ) -> list[Route]:  # fmt: skip
        self.enter("route")
        if self.binds:
            return route_all(film, tracks, characters, turns, model, reasons, table, lacking)
        assert all(track.character_id == characters[0].id for track in tracks)
        seen = {"mouth_px": 21.0, "mesh": True}
        spoken = [[(each.start + 2, each.end - 2)] for each in tracks]
        return [
            decide(each, seen, characters[0], frames, model, "", table, lacking)
            for each, frames in zip(tracks, spoken, strict=True)
        ]

    def render(
        self, question: Question, film: Film, geometry: object, speech: Path, model: object, folder: Path,
        progress: Callable[[int, int], None],
    ) -> Drawn:  # fmt: skip
        self.enter(f"render {question.shot[0]}")
        numbers = [n for start, end in question.ranges for n in range(start, end)]
        keep_pictures(folder / "patch.mkv", (draw_picture(n + question.seed, SIZE) for n in numbers), film.pix_fmt)
        keep_pictures(folder / "matte.mkv", ((np.full(SIZE[::-1], 255, np.uint8),) for _ in numbers), "gray")
        progress(len(numbers), len(numbers))
        return Drawn(folder / "patch.mkv", folder / "matte.mkv", [[n, 8, 8] for n in numbers])


def set_up(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Stage:
    stage = Stage(folder)
    stand_in(stage, monkeypatch.setattr)
    return stage


def stand_in(stage: Stage, put: Callable[[str, object], None]) -> None:
    """The stage in place of eyes, ears and painters; `put` sets what a dotted name means."""
    for name in ("split", "look", "listen", "cast", "route"):
        put(f"tasks.{name}.{name}", _task(getattr(stage, name)))
    put("flows.takes.render", _task(stage.render))
    put("flows.painters.painter", lambda name, variant: Painter("c" * 64, "w" * 64, ("", "calm")))
    put("flows.painters.loaded", lambda name, variant: None)
    put("flows.painters.check", lambda job: {})
    put("flows.patience.PAUSES", (0.0, 0.0, 0.0))


def likeness_of(who: int) -> Likeness:
    """Of a filmed person: corners of a cube, 0.85 apart."""
    face = np.zeros((2, 128), np.float32)
    face[:, who] = 0.6
    picture = cv2.imencode(".jpg", np.full((150, 150, 3), 2 * who, np.uint8))[1].reshape(-1)
    return Likeness(face, np.full(256, 1 / 256, np.float32), np.asarray(picture, np.uint8), NO_EYE)


def _task(method: Callable[..., Any]) -> Task[..., Any]:
    def stand_in(*arguments: Any, **named: Any) -> Any:
        return method(*arguments, **named)

    return task(stand_in)
