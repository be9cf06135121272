"""How long an episode or a shot will take, from the seconds that the catalog has measured.

Each step: the median of microseconds a frame over the newest finished episodes; those of this machine if it has
finished any, else those of every machine. Drawing: the median over the newest takes of the model, on whatever machine
they were drawn, times the frames that are drawn, shared among the workers. What was never measured is a guess, and the
estimate says of which stages.
Deliberately not here: what a run costs before it begins, some seconds a shot; and what of the episode is done already.
"""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.ledger import ORDER
from storage.catalog import Episode, EpisodeStatus, Route, Shot, Step, Take, Track

RENDER: Final = "render"
STAGES: Final = (*ORDER[:-1], RENDER, ORDER[-1])

NEWEST: Final = 25  # episodes, and takes of a model, that are asked; older ones were drawn by older machines

# Microseconds a frame without a GPU, from docs/MEASURED.md: "Outside the steps" (ingest; deliver, with conform in it),
# "Whose face speaks" (CPU seconds of the others; two cores need less), "Fewer steps" (DDIM, 1 step), "OmniSync:
# seconds a frame" (5 steps, two threads).
GUESSED_STEPS: Final[Mapping[str, int]] = {
    "ingest": 760, "split": 4_800, "look": 49_000, "listen": 8_300, "cast": 1_100, "route": 0, "deliver": 19_700,
}  # fmt: skip
GUESSED_DRAWING: Final[Mapping[str, int]] = {"diff2lip": 22_400, "omnisync": 64_000}
GUESSED_SHARE: Final = 776 / 1504  # of the frames of a dialogue are drawn: docs/MEASURED.md, "Whole films"

HUNG: Final = 10  # times the estimate: nothing that works is so slow
AT_LEAST: Final = 600.0  # seconds: a model that loads from a cold disk is not hung


@dataclass(frozen=True)
class Estimate:
    """Seconds of work, stage by stage."""

    frames: int
    share: float  # drawn faces a frame: 0.5 if one face speaks in half of the film
    seconds: Mapping[str, float]  # by stage, in the order of STAGES; each as one worker would need them
    workers: int  # that draw beside each other
    guessed: tuple[str, ...]  # the stages of which this catalog has no figures

    @property
    def total(self) -> float:
        """Seconds from start to end: the steps one after another, the drawing shared."""
        drawing = self.seconds[RENDER]
        return sum(self.seconds.values()) - drawing + drawing / self.workers

    def facts(self) -> dict[str, Any]:
        """For a person or a program."""
        on = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        said = {"takes": f"{words(self.total)} on {on}"}
        if self.guessed:
            said["note"] = (
                f"A guess: {', '.join(self.guessed)} as on two cores without a GPU (docs/MEASURED.md). "
                "This catalog has measured no finished episode of its own."
                if len(self.guessed) == len(self.seconds)
                else f"Partly a guess: {', '.join(self.guessed)} as on two cores without a GPU (docs/MEASURED.md)."
            )
        stages = [
            {"stage": name, "seconds": round(spent, 1), "from": "a guess" if name in self.guessed else "measured"}
            for name, spent in self.seconds.items()
        ]
        return {
            **said,
            "frames": self.frames,
            "drawn": round(self.frames * self.share),
            "workers": self.workers,
            "total_seconds": round(self.total, 1),
            "stages": stages,
        }


def of_film(session: Session, frames: int, model: str | None = None, workers: int = 1) -> Estimate:
    """A film of that many frames; `model` None is whatever was drawn with lately."""
    steps = _steps(session)
    (drawing, guessed_drawing), (share, guessed_share) = _drawing(session, model), _share(session)
    spent = {name: frames * steps.get(name, GUESSED_STEPS[name]) / 1e6 for name in ORDER}
    spent[RENDER] = frames * share * drawing / 1e6
    guessed = [name for name in STAGES if name not in steps and name != RENDER]
    if guessed_drawing or guessed_share:
        guessed.append(RENDER)
    return Estimate(frames, share, {name: spent[name] for name in STAGES}, max(1, workers), tuple(guessed))


def of_plan(session: Session, frames: int, drawn: Mapping[str, int], workers: int = 1) -> Estimate:
    """What is left of an episode that has its routes: drawing so many frames by each model, and delivering."""
    steps, deliver = _steps(session), ORDER[-1]
    drawing = {model: _drawing(session, model) for model in drawn}
    spent = {
        RENDER: sum(count * drawing[model][0] for model, count in drawn.items()) / 1e6,
        deliver: frames * steps.get(deliver, GUESSED_STEPS[deliver]) / 1e6,
    }
    guessed = [RENDER] if any(guess for _, guess in drawing.values()) else []
    guessed += [] if deliver in steps else [deliver]
    return Estimate(frames, sum(drawn.values()) / frames, spent, max(1, workers), tuple(guessed))


def of_shot(session: Session, model: str, frames: int) -> float:
    """Seconds that drawing this many frames takes with this model on one worker."""
    return frames * _drawing(session, model)[0] / 1e6


def limit_of(seconds: float) -> float:
    """Seconds after which a shot of that estimate counts as hung."""
    return max(AT_LEAST, HUNG * seconds)


def words(seconds: float) -> str:
    """`1:07`: hours and minutes, the last minute begun counts as a whole one."""
    minutes = math.ceil(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def _steps(session: Session) -> dict[str, float]:
    """Microseconds a frame of each step that has been measured."""
    rows = session.execute(
        select(Step.name, Step.machine, Step.microseconds, Episode.frames)
        .join(Episode, Step.episode_id == Episode.id)
        .where(Episode.status.in_((EpisodeStatus.DELIVERED, EpisodeStatus.PARTIAL)))
        .order_by(Step.finished_us.desc())
        .limit(NEWEST * len(ORDER))
    ).all()
    spent: dict[str, float] = {}
    for name in {row.name for row in rows} & set(ORDER):
        anywhere = [row for row in rows if row.name == name]
        here = [row for row in anywhere if row.machine == platform.node()]
        spent[name] = median(row.microseconds / row.frames for row in here or anywhere)
    return spent


def _drawing(session: Session, model: str | None) -> tuple[float, bool]:
    """Microseconds a frame of the newest takes, and whether that is a guess: without a name the slower of two."""
    newest = select(Take.microseconds_a_frame).order_by(Take.rendered_us.desc()).limit(NEWEST)
    spent = session.scalars(newest if model is None else newest.where(Take.model == model)).all()
    if spent:
        return median(spent), False
    return GUESSED_DRAWING.get(model or "", max(GUESSED_DRAWING.values())), True


def _share(session: Session) -> tuple[float, bool]:
    """Drawn faces a frame, by the routes of the newest finished episodes; and whether that is a guess.

    An episode in which nobody had to be drawn says nothing about the next.
    """
    finished = session.execute(
        select(Episode.id, Episode.frames)
        .where(Episode.status.in_((EpisodeStatus.DELIVERED, EpisodeStatus.PARTIAL)))
        .order_by(Episode.id.desc())
        .limit(NEWEST)
    ).all()
    drawn: dict[int, int] = {row.id: 0 for row in finished}
    routes = select(Shot.episode_id, Route.ranges).join(Track, Route.track_id == Track.id)
    for episode_id, ranges in session.execute(
        routes.join(Shot, Track.shot_id == Shot.id).where(Shot.episode_id.in_(drawn))
    ):
        drawn[episode_id] += _length(ranges)
    shares = [drawn[row.id] / row.frames for row in finished if drawn[row.id]]
    return (median(shares), False) if shares else (GUESSED_SHARE, True)


def _length(ranges: Sequence[Sequence[int]]) -> int:
    return sum(end - start for start, end in ranges)
