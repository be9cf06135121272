"""The summary of a night: what was done, held, failed, carried over; the worst shots; the hours of drawing.

Read from the catalog alone, so it can be made again. Kept as Markdown in home/nights, and shown by whoever asked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flows.estimate import words
from flows.window import Window
from storage.catalog import Episode, EpisodeStatus, Finding, Shot, ShotStatus, Take, Track, Verdict
from storage.catalog import shot as shot_rows
from storage.settings import settings

WORST: Final = 10


@dataclass(frozen=True)
class Begun:
    """An episode that a night has begun."""

    seconds: float  # as they were estimated
    submission: str  # hash of the event by which it was submitted


@dataclass(frozen=True)
class Line:
    """How one episode stands."""

    episode: str
    status: str
    shots: Mapping[str, int]  # how many by status
    gpu_hours: float
    estimated: str
    reason: str


@dataclass(frozen=True)
class Worst:
    """A shot that somebody should look at."""

    episode: str
    shot: str
    status: str
    why: str


@dataclass(frozen=True)
class Morning:
    """What there is to say about a night."""

    night: str  # the day on which it began
    window: str
    episodes: Sequence[Line]
    carried_over: Sequence[tuple[str, str]]  # episode, reason
    worst: Sequence[Worst]
    gpu_hours: float

    @property
    def counts(self) -> dict[str, int]:
        """Episodes: done, with held shots, failed (or with a red shot), still at work, carried over."""
        found = Counter(map(_kind, self.episodes))
        kinds = ("done", "held", "failed", "at work")
        return {kind: found[kind] for kind in kinds} | {"carried over": len(self.carried_over)}

    @property
    def whole(self) -> bool:
        return all(_kind(each) == "done" for each in self.episodes)

    @property
    def headline(self) -> str:
        counted = ", ".join(f"{number} {kind}" for kind, number in self.counts.items() if number) or "nothing to do"
        return f"The night of {self.night}: {counted}; {self.gpu_hours:.1f} GPU hours."

    def facts(self) -> dict[str, Any]:
        """For a person or a program."""
        return {
            "night": self.night,
            "window": self.window,
            **self.counts,
            "gpu_hours": round(self.gpu_hours, 3),
            "episodes": [asdict(each) for each in self.episodes],
            "not begun": [{"episode": name, "reason": why} for name, why in self.carried_over],
            "worst": [asdict(each) for each in self.worst],
        }

    def markdown(self) -> str:
        """A page for whoever comes in first."""
        parts = [f"# {self.headline}", f"Window: {self.window}."]
        if self.episodes:
            shown = [
                (each.episode, each.status, ", ".join(f"{n} {kind}" for kind, n in each.shots.items()),
                 f"{each.gpu_hours:.2f}", each.estimated, each.reason)
                for each in self.episodes
            ]  # fmt: skip
            parts += ["## Episodes", _table(("episode", "status", "shots", "GPU hours", "estimated", "reason"), shown)]
        if self.worst:
            rows = [(each.episode, each.shot, each.status, each.why) for each in self.worst]
            parts += ["## To look at first", _table(("episode", "shot", "status", "why"), rows)]
        if self.carried_over:
            parts += ["## Carried over", _table(("episode", "reason"), self.carried_over)]
        return "\n\n".join(parts) + "\n"


def of_night(
    session: Session, span: Window, begun: Mapping[int, Begun], carried_over: Sequence[tuple[str, str]], now: datetime
) -> Morning:
    """How it went with what was begun."""
    since, until = (round(moment.timestamp() * 1e6) for moment in (span.begins, now))
    rows = session.scalars(select(Episode).where(Episode.id.in_(begun)).order_by(Episode.id)).all()
    lines = []
    for row in rows:
        shots = Counter(str(each.status) for each in shot_rows.of_episode(session, row.id))
        hours, estimated = _gpu_hours(session, since, until, row.id), words(begun[row.id].seconds)
        lines.append(Line(row.name, str(row.status), dict(shots), hours, estimated, row.reason))
    first = worst(session, list(begun))
    return Morning(span.name, str(span), lines, list(carried_over), first, _gpu_hours(session, since, until))


def worst(session: Session, episode_ids: Sequence[int]) -> list[Worst]:
    """Ten shots at most: red ones, held ones, then by what was found of their circled takes, then the least sure faces.

    Of findings a red verdict comes first, then the lowest value; where nobody has measured, a shot whose mouth is bound
    to its voice with little confidence is the likeliest to be wrong.
    """
    findings = _findings(session, episode_ids)
    sure = _confidence(session, episode_ids)
    found: list[tuple[tuple[float, ...], Worst]] = []
    rows = session.execute(
        select(Episode.name, Shot).join(Episode, Shot.episode_id == Episode.id)
        .where(Shot.episode_id.in_(episode_ids)).order_by(Shot.episode_id, Shot.start)
    )  # fmt: skip
    for name, shot in rows:
        if shot.status is ShotStatus.FAILED:
            rank, why = (0.0, 0.0), shot.reason
        elif shot.status is ShotStatus.HELD:
            rank, why = (1.0, 0.0), shot.reason
        elif shot.status is not ShotStatus.DONE:
            continue
        elif shot.id in findings:
            one = findings[shot.id]
            rank = (2.0 if one.verdict is Verdict.RED else 3.0, one.value)
            why = f"{one.meter} {one.value:g} {one.unit}".rstrip() + f", {one.verdict}"
        elif shot.id in sure:
            rank, why = (4.0, sure[shot.id]), f"face and voice belong together with confidence {sure[shot.id]:.2f}"
        else:
            continue
        found.append((rank, Worst(name, shot.name, str(shot.status), why)))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])[:WORST]]


def keep(said: Morning) -> Path:
    """The page, in home/nights."""
    folder = settings().home / "nights"
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{said.night}.md"
    part = page.with_name(page.name + ".part")
    part.write_text(said.markdown())
    part.replace(page)
    return page


def _findings(session: Session, episode_ids: Sequence[int]) -> dict[int, Finding]:
    """By shot id: the worst finding on a circled take of it."""
    worst: dict[int, Finding] = {}
    rows = session.execute(
        select(Track.shot_id, Finding).join(Take, Finding.take_id == Take.id).join(Track, Take.track_id == Track.id)
        .where(Finding.episode_id.in_(episode_ids), Take.circled)
    )  # fmt: skip
    for shot_id, one in rows:
        before = worst.get(shot_id)
        if before is None or (one.verdict is not Verdict.RED, one.value) < (
            before.verdict is not Verdict.RED,
            before.value,
        ):
            worst[shot_id] = one
    return worst


def _confidence(session: Session, episode_ids: Sequence[int]) -> dict[int, float]:
    """By shot id: of the drawn faces the least sure one's binding, 0 … 1."""
    rows = session.execute(
        select(Track.shot_id, func.min(Track.confidence)).join(Take, Take.track_id == Track.id)
        .join(Shot, Track.shot_id == Shot.id).where(Shot.episode_id.in_(episode_ids), Take.circled)
        .group_by(Track.shot_id)
    )  # fmt: skip
    return {shot_id: sure for shot_id, sure in rows}


def _gpu_hours(session: Session, since_us: int, until_us: int, episode_id: int | None = None) -> float:
    """Hours spent on the takes that were drawn between these moments. A take that two tracks share was drawn once."""
    drawn = (
        select(Take.key, Take.rendered_us, Take.microseconds_a_frame * func.json_array_length(Take.placements))
        .where(Take.rendered_us >= since_us, Take.rendered_us < until_us)
        .distinct()
    )
    if episode_id is not None:
        of_episode = select(Track.id).join(Shot, Track.shot_id == Shot.id).where(Shot.episode_id == episode_id)
        drawn = drawn.where(Take.track_id.in_(of_episode))
    return float(sum(spent for _, _, spent in session.execute(drawn))) / 3600e6


def _kind(line: Line) -> str:
    match line.status:
        case EpisodeStatus.DELIVERED:
            return "done"
        case EpisodeStatus.QUEUED | EpisodeStatus.RUNNING:
            return "at work"
        case EpisodeStatus.PARTIAL if ShotStatus.FAILED not in line.shots:
            return "held"
    return "failed"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )
