"""The command `dubline`. Each command is a few lines; the work lives elsewhere and is imported when it is needed.

Exit codes: 0 done · 1 finished, with red or held shots · 2 refused, nothing was started · 3 something is missing on
this machine (`dubline doctor`) · 70 a bug of ours, with its traceback · 130 interrupted; the same command goes on.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows import casts, evaluate, operators, queue, train
from flows.asking import takes_job
from flows.watch import interruptible, watch_over
from storage import VERSION
from storage.errors import DublineError
from storage.settings import settings

if TYPE_CHECKING:
    from tasks.job import EpisodeJob

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Gives a finished film the lips of its dub, and changes nothing else.",
)
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(operators.app)  # retry, hold, release, skip, reroute, cancel
app.add_typer(casts.app, name="cast")
app.add_typer(queue.night, name="night")
app.command()(queue.submit)
app.command()(queue.estimate)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


@app.callback(invoke_without_command=True)
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback behind a message.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        print(f"dubline {VERSION}")
        raise typer.Exit
    if debug:
        os.environ["DUBLINE_DEBUG"] = "1"


@app.command()
@takes_job()
def dub(job: "EpisodeJob", as_json: AsJson = False) -> None:
    """Dub one film on this machine, and wait for it. Stopped at any moment, the same command goes on from there."""
    from flows import episode

    watch_over(lambda progress: episode.dub(job, progress), as_json)


@app.command()
@takes_job(out=None)
def plan(job: "EpisodeJob", as_json: AsJson = False) -> None:
    """Say what `dub` would draw of one film, why, and how long that takes. Draws nothing; `dub` goes on from there."""
    from flows import tables
    from flows.plan import plan
    from flows.progress import progress

    with interruptible():
        found = plan(job, progress())
    tables.show(found, as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo film and its dub go.")] = Path("demo"),
    as_json: AsJson = False,
) -> None:
    """Draw a short film, speak a dub for it, dub it, and say where to look."""
    from flows.demo.play import play

    watch_over(lambda progress: play(folder.absolute(), progress), as_json)


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Where the server listens; 0.0.0.0 for other machines.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 4200,
    role: Annotated[str, typer.Option(help="server, worker, or all: both.")] = "all",
    pool: Annotated[list[str] | None, typer.Option(help="Serve only this pool: cpu or gpu.")] = None,
    card: Annotated[list[str] | None, typer.Option(metavar="N", help="Use only this card.")] = None,
) -> None:
    """Start this machine's part of a farm: server, pools, workers. Ctrl-C ends it in order."""
    from flows.farm.up import asked

    asked(host, port, role, pool or [], card)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look over this machine: what is there, what is missing, what to do about it."""
    from flows import tables
    from flows.doctor import examine, facts

    checks = examine()
    tables.show(facts(checks), as_json)
    raise typer.Exit(3 if any(check.needed and not check.ok for check in checks) else 0)


@app.command()
def status(
    episode: Annotated[
        str | None, typer.Argument(metavar="EPISODE", help="One episode, with its steps; otherwise all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the episodes, or say where one of them stands."""
    from flows import listing, tables

    tables.show(listing.episode_status(episode) if episode else listing.episodes(), as_json)


@app.command()
def shots(
    episode: Annotated[str, typer.Argument(metavar="EPISODE", help="See `dubline status`.")], as_json: AsJson = False
) -> None:
    """List the shots of an episode: frames, status, model and why."""
    from flows import listing, tables

    tables.show(listing.shots(episode), as_json)


@app.command()
def show(
    episode: Annotated[str, typer.Argument(metavar="EPISODE", help="See `dubline status`.")],
    shot: Annotated[str, typer.Argument(metavar="SHOT", help="See `dubline shots EPISODE`.")],
    as_json: AsJson = False,
) -> None:
    """Everything about one shot: tracks, routes, takes, and what happened to it."""
    from flows import listing, tables

    tables.show(listing.shot(episode, shot), as_json)


def _quiet_libraries() -> None:
    """Before anything heavy is imported: nobody phones home, logs are ours alone, waiting threads sleep."""
    quiet = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PYANNOTE_METRICS_ENABLED": "0",
        "HF_HUB_OFFLINE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait cost six times the seconds on a busy machine
    }
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    if threads := settings().threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)


def main() -> None:
    try:
        _quiet_libraries()
        app()
    except DublineError as error:
        if _debugging():
            traceback.print_exc()
        print(f"dubline: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except Exception:
        traceback.print_exc()
        print(
            f"dubline {VERSION}: this is a bug of ours; please send the lines above. "
            "What was finished is kept: the same command goes on from there.",
            file=sys.stderr,
        )
        raise SystemExit(70) from None


def _debugging() -> bool:
    return "--debug" in sys.argv or os.environ.get("DUBLINE_DEBUG", "0") not in ("", "0", "false")


if __name__ == "__main__":
    main()
