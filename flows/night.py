"""The night: begins what was submitted for it, as long as it fits before the morning, and says then how it went.

Promises: nothing is begun that, by the estimate, would not be done before the window ends; what was begun is waited for
until then; the rest is carried over, with the reason. What a night has begun is an event in the catalog, so a night
that is killed goes on with what it had and begins nothing twice.
Deliberately not here: drawing (the runs it makes), clocks (flows/window.py), the summary (flows/morning.py).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Protocol
from zoneinfo import ZoneInfo

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import select

from flows import morning
from flows.estimate import of_film, words
from flows.farm import episodes
from flows.morning import Begun, Morning
from flows.submit import submission
from flows.window import Window, window
from storage.catalog import Episode, EpisodeStatus, Event, event, moves
from storage.catalog.session import catalog
from storage.errors import Missing, Refused
from tasks.job import Priority

BEGUN: Final = "night.begun"
CARRIED_OVER: Final = "night.carried-over"
UNREACHED: Final = "no farm answered"
POLL_SECONDS: Final = 20.0
TURN: Final[Mapping[str, int]] = {"urgent": 0, "overnight": 1, "default": 2}  # the night is for what was meant for it

WallClock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]  # 22:30


class Night(BaseModel):
    """When a night is, and how much it may take on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: WallClock = Field(default="22:30", title="Start", description="From when, like 22:30")
    end: WallClock = Field(default="06:00", title="End", description="By when all that fits is done, like 06:00")
    timezone: str = Field(
        default="UTC", title="Time zone", description="Whose clock start and end are read on, like Europe/Berlin"
    )
    queue: Priority = Field(default="overnight", title="Queue", description="The queue of the farm its runs go to")
    workers: int = Field(
        default=0, ge=0, title="Workers", description="How many draw beside each other; 0: as many as are there"
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):  # a folder's name, a path, an unknown name
            raise ValueError(f"'{name}' is no time zone; give one like Europe/Berlin") from None
        return name

    def window(self, now: datetime) -> Window:
        """The window that `now` lies in, or else the next one."""
        start, end = (datetime.strptime(each, "%H:%M").time() for each in (self.start, self.end))
        return window(now, start, end, ZoneInfo(self.timezone))


class Farm(Protocol):
    """What a night asks of a farm; `flows.farm.episodes` is the real one. Each may raise Missing."""

    def start(self, row: Episode, priority: Priority) -> None: ...

    def over(self, row: Episode) -> str: ...

    def workers(self) -> int: ...


@dataclass(frozen=True)
class Slot:
    """When an episode would be worked on."""

    row: Episode
    seconds: float
    begins: datetime
    window: Window

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(seconds=self.seconds)

    @property
    def fits(self) -> bool:
        return self.ends <= self.window.ends

    @property
    def why_not(self) -> str:
        left = max(0.0, (self.window.ends - self.begins).total_seconds())
        return f"needs {words(self.seconds)}, and from {self.window.shown(self.begins)} on {words(left)} were left"

    def facts(self) -> dict[str, Any]:
        return {
            "episode": self.row.name,
            "priority": priority(self.row),
            "frames": self.row.frames,
            "takes": words(self.seconds),
            "begins": self.window.shown(self.begins) if self.fits else "",
            "ends": self.window.shown(self.ends) if self.fits else "",
            "fits": self.fits,
            "reason": "" if self.fits else self.why_not,
        }


def work(
    plan: Night,
    farm: Farm = episodes,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda line: print(line),  # not print itself, which Prefect replaces in a run
) -> Morning:
    """One night, from the beginning of its window, which is waited for, to its summary.

    raises  Missing if no farm answers at first; one that goes away later is waited for until the window ends
    """
    span = plan.window(clock())
    if not farm.workers():
        say("No worker draws on this farm yet: `dubline up --role worker --pool gpu` starts one.")
    if clock() < span.begins:
        say(f"The night of {span} has not begun; waiting for it.")
    while (now := clock()) < span.begins:
        pause(min(POLL_SECONDS, (span.begins - now).total_seconds()))
    begun, why_not = _begun(span), dict[int, str]()
    at_work, left = frozenset[int](), _queued(begun)
    free_from = clock()
    while (now := clock()) < span.ends:
        try:
            under_way, waiting = standing(farm.over, begun)
            if at_work - {row.id for row in under_way}:
                free_from = now  # something has ended, sooner or later than its estimate
            workers = max(1, plan.workers or farm.workers())
            slots = programme(under_way, waiting, now, free_from, span, workers)
            why_not |= {slot.row.id: slot.why_not for slot in slots if not slot.fits and slot.row.id not in why_not}
            for slot in slots:
                if slot.fits:
                    _start(farm, slot, plan.queue, begun, say)
        except Missing as why:
            say(f"{why}")
        else:
            at_work = frozenset(row.id for row in under_way) | {slot.row.id for slot in slots if slot.fits}
            left = [row for row in waiting if row.id not in at_work]
            if not at_work & begun.keys() and not (left and at_work):
                break
        pause(min(POLL_SECONDS, (span.ends - now).total_seconds()))
    left = _carried_over(span, left, why_not)
    with catalog() as session:
        reasons = [(row.name, why_not.get(row.id, UNREACHED)) for row in left]
        return morning.of_night(session, span, begun, reasons, clock())


def planned(plan: Night, farm: Farm | None, now: datetime) -> dict[str, Any]:
    """What the night would begin if nothing changed until then. Begins and writes nothing; no farm is none's work."""
    span = plan.window(now)
    under_way, waiting = standing(farm.over if farm else lambda row: UNREACHED, {})
    workers = max(1, plan.workers or (farm.workers() if farm else 0))
    slots = programme(under_way, waiting, now, now, span, workers)
    with catalog() as session:
        guessed = of_film(session, 1).guessed
    return {
        "night": str(span),
        "begins": "has begun" if span.begins <= now else f"in {words((span.begins - now).total_seconds())}",
        "farm": "answers" if farm else "none is running: `dubline up` starts one",
        "workers": workers,
        "under way": [row.name for row in under_way],
        "estimates": f"a guess of {', '.join(guessed)}" if guessed else "measured",
        "queued": len(slots),
        "fitting": sum(slot.fits for slot in slots),
        "episodes": [slot.facts() for slot in slots],
    }


def standing(over: Callable[[Episode], str], begun: Mapping[int, Begun]) -> tuple[list[Episode], list[Episode]]:
    """Who is under way on the farm, and who waits for the night, the next one first.

    An episode of this night whose run is over (`Farm.over`), though the catalog does not say how, has failed.
    """
    with catalog() as session:
        rows = session.scalars(
            select(Episode).where(Episode.status.in_((EpisodeStatus.QUEUED, EpisodeStatus.RUNNING)))
        ).all()
        asked = {row.id: submission(session, row) for row in rows}
    under_way, waiting = [], []
    for row in rows:
        said = asked[row.id]
        if not (ended := over(row)):
            under_way.append(row)
        elif row.id in begun and begun[row.id].submission == (said.hash if said else ""):
            _failed(row, ended)
        elif row.status is EpisodeStatus.QUEUED:
            waiting.append(row)

    def turn(row: Episode) -> tuple[int, int, int]:
        said = asked[row.id]
        return TURN[priority(row)], said.id if said else 0, row.id

    return under_way, sorted(waiting, key=turn)


def programme(
    under_way: Sequence[Episode], waiting: Sequence[Episode], now: datetime, free_from: datetime, span: Window,
    workers: int,
) -> list[Slot]:  # fmt: skip
    """A slot for each that waits, one after another behind those under way; one that does not fit takes no time.

    free_from  since when the farm has worked on those under way
    """
    rows = (*under_way, *waiting)
    with catalog() as session:  # an estimate is so much a frame
        a_frame = {model: of_film(session, 1, model, workers).total for model in {row.job.get("model") for row in rows}}
    takes = {row.id: row.frames * a_frame[row.job.get("model")] for row in rows}
    free = max(now, span.begins, free_from + timedelta(seconds=sum(takes[row.id] for row in under_way)))
    slots = []
    for row in waiting:
        slots.append(slot := Slot(row, takes[row.id], free, span))
        free = slot.ends if slot.fits else free
    return slots


def priority(row: Episode) -> Priority:
    given: Priority = row.job.get("priority", "default")
    return given


@flow(name="night", flow_run_name="night {plan.start} to {plan.end} {plan.timezone}", log_prints=True)
def night(plan: Night = Night()) -> str:
    """Begin what was submitted for the night as long as it fits, wait for it, and sum up in the morning."""
    said = work(plan)
    if FlowRunContext.get() is not None:
        create_markdown_artifact(said.markdown(), key=f"night-{said.night}", description=said.headline)
    return f"{said.headline} {morning.keep(said)}"


def _start(farm: Farm, slot: Slot, queue: Priority, begun: dict[int, Begun], say: Callable[[str], None]) -> None:
    """Begin the episode, and write that down. What the farm refuses has failed, and costs this episode alone."""
    try:
        farm.start(slot.row, queue)
        say(f"{slot.row.name} begins; estimated {words(slot.seconds)}")
    except Refused as why:
        _failed(slot.row, str(why))
        say(f"{slot.row.name} cannot begin: {why}")
    with catalog() as session:
        said = submission(session, slot.row)
        mine = Begun(slot.seconds, said.hash if said else "")
        event.append(
            session, slot.row.id, "night", BEGUN, slot.row.name,
            after={"night": slot.window.name, "seconds": mine.seconds, "submission": mine.submission},
        )  # fmt: skip
    begun[slot.row.id] = mine


def _queued(begun: Mapping[int, Begun]) -> list[Episode]:
    with catalog() as session:
        rows = session.scalars(select(Episode).where(Episode.status == EpisodeStatus.QUEUED).order_by(Episode.id))
        return [row for row in rows if row.id not in begun]


def _begun(span: Window) -> dict[int, Begun]:
    """What this night has begun already, by episode id: it may have been killed and go on."""
    with catalog() as session:
        said = session.scalars(select(Event).where(Event.what == BEGUN).order_by(Event.id)).all()
    return {
        each.episode_id: Begun(each.after["seconds"], each.after["submission"])
        for each in said
        if each.episode_id is not None and each.after["night"] == span.name
    }


def _failed(row: Episode, why: str) -> None:
    """The run is over and the flow could not say so itself. What the catalog says by now counts."""
    with catalog() as session:
        stored = session.get_one(Episode, row.id)
        if stored.status in (EpisodeStatus.QUEUED, EpisodeStatus.RUNNING):
            moves.move(session, stored, EpisodeStatus.FAILED, f"{why}; `dubline retry {row.name}` goes on", by="night")


def _carried_over(span: Window, rows: Sequence[Episode], why_not: Mapping[int, str]) -> list[Episode]:
    """Write down which were not begun, and why; those that somebody has begun or cancelled meanwhile are not."""
    found = []
    for row in rows:
        with catalog() as session:
            stored = session.get_one(Episode, row.id)
            if stored.status is EpisodeStatus.QUEUED:
                before, why = {"reason": stored.reason}, why_not.get(row.id, UNREACHED)
                stored.reason = f"carried over from the night of {span.name}: {why}"
                after = {"night": span.name, "reason": stored.reason}
                event.append(session, row.id, "night", CARRIED_OVER, row.name, before, after)
                found.append(stored)
    return found
