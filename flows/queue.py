"""The commands that queue episodes and plan nights: `submit`, `estimate`, `night plan`, `night run`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flows.asking import Film, Sound, takes_job
from storage.errors import Refused

if TYPE_CHECKING:
    from flows.night import Night
    from tasks.job import EpisodeJob

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]

night = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Begin what was submitted, as long as it fits before the morning.",
)


@takes_job(purpose="commercial")
def submit(
    job: "EpisodeJob",
    priority: Annotated[
        str, typer.Option(help="urgent or default begin as soon as the farm can; overnight waits for the night.")
    ] = "default",
    as_json: AsJson = False,
) -> None:
    """Queue one film for the farm or the night, and return at once. Asked twice, it is queued once."""
    from flows import tables
    from flows.progress import progress
    from flows.submit import submit
    from tasks.job import asked

    tables.show(submit(asked(**{**dict(job), "priority": priority}), progress()).facts(), as_json)


def estimate(
    film: Film,
    sound: Sound,
    model: Annotated[str | None, typer.Option(help="As if every mouth were drawn by this model.")] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="How many draw beside each other; 0: as many as the farm has, or one.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Say how long a film will take, from the seconds that this catalog has measured."""
    from flows import tables
    from flows.estimate import of_film
    from models import registry
    from storage.catalog.session import catalog
    from storage.film.bwf import labels_of
    from storage.film.probe import probe, probe_sound
    from tasks.ingest import check_film, check_length
    from tasks.starts import start

    if model is not None and model not in registry.names():
        raise Refused(f"There is no model '{model}'. There are {', '.join(registry.names())}.")
    measured, dub = probe(film.absolute()), probe_sound(sound.absolute())
    check_film(measured)
    check_length(measured, dub, False, start(measured, dub, "dub", labels_of(sound.absolute())))
    workers = workers or _workers()
    with catalog() as session:
        found = of_film(session, measured.frames, model, workers)
    tables.show({"film": str(film), **found.facts()}, as_json)


Start = Annotated[str, typer.Option(metavar="HH:MM", help="When the night begins.")]
End = Annotated[str, typer.Option(metavar="HH:MM", help="When it must be over.")]
Zone = Annotated[str, typer.Option(metavar="ZONE", help="Whose clock that is, like Europe/Berlin.")]
Workers = Annotated[int, typer.Option(min=0, help="How many draw beside each other; 0: as many as the farm has.")]


@night.command()
def plan(
    start: Start = "22:30", end: End = "06:00", timezone: Zone = "UTC", workers: Workers = 0, as_json: AsJson = False
) -> None:
    """Say what the night would begin, how long it takes, and where it stops fitting. Begins nothing."""
    from datetime import UTC, datetime

    from flows import tables
    from flows.farm import episodes
    from flows.farm.env import running
    from flows.night import planned

    farm = episodes if running() else None
    tables.show(planned(_night(start, end, timezone, workers), farm, datetime.now(UTC)), as_json)


@night.command()
def run(
    start: Start = "22:30", end: End = "06:00", timezone: Zone = "UTC", workers: Workers = 0, as_json: AsJson = False
) -> None:
    """Work through one night in this terminal: wait for it to begin, begin what fits, wait for it, sum up."""
    from flows import tables
    from flows.morning import keep
    from flows.night import work
    from flows.progress import progress

    say = progress().say
    try:
        said = work(_night(start, end, timezone, workers), say=say)
    except KeyboardInterrupt:
        print("dubline: stopped. What was begun goes on; the same command goes on with the night.", file=sys.stderr)
        raise typer.Exit(130) from None
    tables.show({**said.facts(), "page": str(keep(said))}, as_json)
    raise typer.Exit(0 if said.whole else 1)


def _night(start: str, end: str, timezone: str, workers: int) -> "Night":
    from pydantic import ValidationError

    from flows.night import Night

    try:
        return Night(start=start, end=end, timezone=timezone, workers=workers)
    except ValidationError as error:
        wrong = "; ".join(
            f"--{each['loc'][0]} {each['input']}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False)
        )
        raise Refused(f"There is no such night: {wrong}.") from None


def _workers() -> int:
    """Of the farm, if one answers; else this machine alone."""
    from flows.farm.env import running

    if not running():
        return 1
    from flows.farm import episodes

    return max(1, episodes.workers())
