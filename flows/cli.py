"""The command `dubline`. Each command is a few lines; the work lives elsewhere and is imported when it is needed.

Exit codes: 0 done · 1 finished, with red or held shots · 2 refused, nothing was started · 3 something is missing on
this machine (`dubline doctor`) · 70 a bug of ours, with its traceback · 130 interrupted; the same command goes on.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from flows import evaluate, operators, train
from flows.watch import watch_over
from storage import VERSION
from storage.errors import DublineError, Refused
from storage.settings import settings

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
def dub(
    film: Annotated[
        Path, typer.Argument(metavar="FILM", help="The film, with all its streams. It is never written to.")
    ],
    sound: Annotated[Path, typer.Argument(metavar="DUB", help="The dubbed sound, as long as the film.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the dubbed film goes; OUT.dubline/ lies beside it.")],
    stem: Annotated[list[str] | None, typer.Option(metavar="NAME=FILE", help="Dry dialogue of one character.")] = None,
    model: Annotated[str | None, typer.Option(help="Draw every mouth with this model.")] = None,
    variant: Annotated[str, typer.Option(help="Which weights of the model.")] = "starter",
    seed: Annotated[int, typer.Option(help="The same seed draws the same pixels.")] = 7,
    steps: Annotated[int, typer.Option(help="Denoising steps; 0 takes the model's own.")] = 0,
    prompt: Annotated[
        str, typer.Option(metavar="WORDS", help="How mouths shall move, like 'calm' or 'clear teeth'.")
    ] = "",
    mouth: Annotated[
        list[str] | None,
        typer.Option(metavar="SHOT=X,Y[,HALF]", help="Where the mouth of a shot is, in the film's pixels."),
    ] = None,
    speakers: Annotated[str | None, typer.Option(metavar="MIN-MAX", help="How many voices there can be.")] = None,
    deliver: Annotated[str, typer.Option(help="same (the film's own codec), ffv1 or prores.")] = "same",
    allow_length: Annotated[
        bool, typer.Option("--allow-length", help="Accept a dub longer or shorter than the film.")
    ] = False,
    purpose: Annotated[str, typer.Option(help="research or commercial; the latter refuses some weights.")] = "research",
    transcript: Annotated[
        bool, typer.Option("--transcript", help="Write down what is said (DUBLINE_WHISPER).")
    ] = False,
    name: Annotated[str | None, typer.Option(help="What to call the episode; otherwise as OUT is called.")] = None,
    as_json: AsJson = False,
) -> None:
    """Dub one film on this machine, and wait for it. Stopped at any moment, the same command goes on from there."""
    from tasks.job import asked

    job = asked(
        film=film.absolute(), dub=sound.absolute(), out=out.absolute(), stems=_stems(stem or []), model=model,
        variant=variant, seed=seed, steps=steps, prompt=prompt, mouths=_mouths(mouth or []),
        speakers=_speakers(speakers), deliver=deliver, allow_length=allow_length, purpose=purpose,
        transcript=transcript, name=name,
    )  # fmt: skip
    from flows import episode

    watch_over(lambda progress: episode.dub(job, progress), as_json)


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


def _stems(given: list[str]) -> dict[str, Path]:
    stems: dict[str, Path] = {}
    for each in given:
        name, equals, file = each.partition("=")
        if not (name and equals and file):
            raise Refused(f"--stem {each}: give the character's name and its file, like --stem Anna=anna.wav.")
        if name in stems:
            raise Refused(f"--stem {name} is given twice. Each character has one stem; mix several into one file.")
        stems[name] = Path(file).absolute()
    return stems


def _mouths(given: list[str]) -> dict[str, tuple[float, float, float | None]]:
    mouths: dict[str, tuple[float, float, float | None]] = {}
    for each in given:
        shot, _, place = each.partition("=")
        try:
            x, y, *rest = (float(number) for number in place.split(","))
            half = rest.pop() if rest else None
            shot = "" if rest else shot
        except ValueError:
            shot = ""
        if not shot:
            raise Refused(
                f"--mouth {each}: give the shot and the middle of the mouth in pixels, like --mouth sh0030=480,320, or "
                f"with half its width, --mouth sh0030=480,320,40."
            )
        if shot in mouths:
            raise Refused(f"--mouth {shot} is given twice. Each shot has one mouth that can be pointed at.")
        mouths[shot] = (x, y, half)
    return mouths


def _speakers(given: str | None) -> tuple[int, int] | None:
    if given is None:
        return None
    fewest, _, most = given.partition("-")
    try:
        return int(fewest), int(most or fewest)
    except ValueError:
        raise Refused(f"--speakers {given}: give one number, or two like 2-4.") from None


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
