"""The command `dubline evaluate`: how good drawn mouths are, on people, characters and voices nobody trained on.

What is measured and against what stands in models/diff2lip/evaluate/measure.py and models/omnisync/evaluate/measure.py;
what the columns mean is printed above them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from storage.errors import DublineError, Refused

if TYPE_CHECKING:
    from models.lipsync import LipSync
    from models.omnisync.render import Starter as OmniSync

SHOWN: Final = 8  # clips of the sheet and the film

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Measure drawn mouths against the film's own.")

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="With the clips of `dubline train prepare`.")]
Models = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=WEIGHTS", help="A starter's weights; `starter` alone is ours. May be repeated."),
]
NoSilence = Annotated[bool, typer.Option("--no-silence", help="Leave out the silences: half the time.")]
Jobs = Annotated[int, typer.Option(min=1, metavar="N", help="Processes, one thread each.")]
Sheet = Annotated[
    Path | None, typer.Option(metavar="PNG", help="Draw the film, how it should be and how the last model dubs it.")
]
Film = Annotated[
    Path | None, typer.Option(metavar="MP4", help="Make a film with sound: source left, dub by the last model.")
]
Share = Annotated[str, typer.Option(hidden=True, help="i/n: every n-th clip from the i-th on.")]


@app.command()
def diff2lip(
    folder: Folder,
    media: Annotated[Path, typer.Option(metavar="MEDIA", help="The films these clips were prepared from.")],
    model: Models = None,
    one_step: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=WEIGHTS", help="Weights trained `--without noise`. May be repeated."),
    ] = None,
    per_speaker: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most N clips of a speaker.")] = None,
    no_silence: NoSilence = False,
    jobs: Jobs = 1,
    sheet: Sheet = None,
    film: Film = None,
    share: Share = "0/1",
) -> None:
    """Dub the clips kept from training with other people's voices, and print how good each model's mouths are.

    Every model stands beside the film itself, the film undubbed and a mouth that never moves. Figures are kept in
    FOLDER/figures and not measured again: another model of the same name wants another name.
    """
    import cv2
    import torch

    from models.diff2lip.evaluate import measure, show, tables

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    named = model or ([] if one_step else ["starter"])
    models = {each.partition("=")[0]: _opened(each, one_step=False) for each in named}
    models |= {each.partition("=")[0]: _opened(each, one_step=True) for each in one_step or []}
    chosen = measure.choose(folder / "clips", per_speaker)
    _complete(folder, media, [path.stem for path in chosen])
    first, of = _share(share, jobs)
    lines = measure.evaluate(
        folder / "figures", chosen, media, models, measure.held_back(), silence=not no_silence, share=(first, of)
    )
    _follow(lines, jobs, first, of)
    if first:
        return
    print("\n".join(tables.markdown(measure.rows(folder / "figures"))))
    last = list(models.values())[-1]
    if sheet:
        show.sheet(sheet, show.chosen(folder / "clips"), media, last)
        print(f"{sheet}: look at the mouths")
    if film:
        show.film(film, show.chosen(folder / "clips"), media, last)
        print(f"{film}: look and listen")


@app.command()
def omnisync(
    folder: Folder,
    clips: Annotated[int, typer.Option(min=1, metavar="N", help="So many drawn clips.")] = 104,
    model: Models = None,
    media: Annotated[
        Path | None,
        typer.Option(metavar="MEDIA", help="The films of the clips: photographed people, drawn over, are dubbed too."),
    ] = None,
    forced: Annotated[bool, typer.Option("--forced", help="Diff2Lip on the same clips, side by side.")] = False,
    ablations: Annotated[
        bool, typer.Option("--ablations", help="The last model with each setting changed alone, and every prompt.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ROW", help="Of the ablations only these. May be repeated.")
    ] = None,
    no_silence: NoSilence = False,
    jobs: Jobs = 1,
    sheet: Sheet = None,
    film: Film = None,
    share: Share = "0/1",
) -> None:
    """Dub drawn characters nobody trained on with voices nobody trained on, and print how good the mouths are.

    Half the clips are new characters of kinds that were learnt, half are of other kinds. Figures are kept in
    FOLDER/figures-omnisync and not measured again: another model of the same name wants another name.
    """
    import cv2
    import torch

    from models.omnisync.evaluate import measure, show, tables
    from models.omnisync.evaluate.ablations import ablations as changed
    from models.omnisync.evaluate.forced import forced as diff2lip_forced
    from models.omnisync.evaluate.scene import casting, held_out
    from models.omnisync.evaluate.shot import Way, look

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    starters = {each.partition("=")[0]: _starter(each) for each in model or ["starter"]}
    last = list(starters.values())[-1]
    ways = {name: Way(starter) for name, starter in starters.items()}
    if ablations:
        others = changed(last)
        if strange := [row for row in only or [] if row not in others]:
            raise Refused(f"--only {strange[0]}: no such row. There are {', '.join(others)}.")
        ways |= {name: way for name, way in others.items() if not only or name in only}
    voices = held_out(folder / "clips")
    if len({name.split("_")[1] for name in voices}) < 2:
        raise Refused(
            f"{folder / 'clips'} holds no clips of two people who were kept from training. "
            f"`dubline train prepare {folder} --media MEDIA` makes them."
        )
    if media:
        _complete(folder, media, list(voices))
    kept, cast = folder / "figures-omnisync", casting(clips, sorted(voices))
    meter = measure.Meter(ways, last.crop, look, diff2lip_forced() if forced else None, not no_silence)
    first, of = _share(share, jobs)
    lines = measure.evaluate(kept, cast, voices, meter, (first, of))
    if media:
        lines = chain(lines, measure.evaluate_filmed(kept, voices, media, meter, (first, of)))
    _follow(lines, jobs, first, of)
    if first:
        return
    print("\n".join(tables.markdown(measure.rows(kept))))
    if sheet:
        show.sheet(sheet, show.scenes(cast[:SHOWN], voices, last.crop, look), Way(last))
        print(f"{sheet}: look at the mouths")
    if film:
        show.film(film, show.scenes(cast[:SHOWN], voices, last.crop, look), Way(last))
        print(f"{film}: look and listen")


def _share(given: str, jobs: int) -> tuple[int, int]:
    """(which process this is, of how many)."""
    first, of = (int(part) for part in given.split("/"))
    return (first, of) if jobs == 1 else (0, jobs)


def _follow(lines: Iterator[tuple[int, int, str]], jobs: int, first: int, of: int) -> None:
    """Measures, says how far it is, and waits for the other processes."""
    from flows.progress import Lines, progress

    watch = Lines() if first else progress()  # one bar, and lines of the other processes
    try:
        with _others(jobs), watch.step("measure", "clips", f"{first + 1} of {of}" if of > 1 else "") as on_progress:
            for done, clips, line in lines:
                on_progress(done, clips, line)
    except KeyboardInterrupt:
        print("dubline: stopped. What was measured is kept: the same command goes on from there.", file=sys.stderr)
        raise typer.Exit(130) from None


def _starter(given: str) -> "OmniSync":
    """An OmniSync of NAME=WEIGHTS."""
    from models import registry
    from models.omnisync.render import Starter

    with _loading(given, "--model") as weights:
        model = registry.renderer("omnisync", "starter", weights=weights or None)
    assert isinstance(model, Starter)
    return model


def _opened(given: str, *, one_step: bool) -> "LipSync":
    """A model of NAME=WEIGHTS."""
    from models import registry
    from models.diff2lip.render import OneStep

    with _loading(given, "--one-step" if one_step else "--model", own=not one_step) as weights:
        if one_step:
            return OneStep(*registry.diff2lip_starter(Path(weights)))
        return registry.renderer("diff2lip", "starter", weights=weights or None)


@contextmanager
def _loading(given: str, option: str, own: bool = True) -> Iterator[str]:
    """The WEIGHTS of NAME=WEIGHTS, empty for our own starter; what is wrong with either is the asker's to mend."""
    from models.registry import BadCheckpoint

    name, _, weights = given.partition("=")
    if not name or not (weights or (own and name == "starter")):
        raise Refused(f"{option} {given}: give a name and its weights, like {option} mine=FOLDER/starter.safetensors.")
    try:
        yield weights
    except (OSError, BadCheckpoint) as error:
        raise Refused(f"{option} {given}: {error}. Nothing was measured.") from error


def _complete(folder: Path, media: Path, names: list[str]) -> None:
    """Refuses clips without their films, and a folder without clips to measure."""
    if not names:
        raise Refused(
            f"{folder / 'clips'} holds no clip that was kept from training. "
            f"`dubline train prepare {folder} --media MEDIA` makes them."
        )
    films = {path.stem for path in media.rglob("*.mp4")}
    if absent := [name for name in names if name not in films]:
        raise Refused(
            f"{len(absent)} of {len(names)} films are not below {media}, first {absent[0]}.mp4: "
            "give the folder the clips were prepared from."
        )


@contextmanager
def _others(jobs: int) -> Iterator[None]:
    """The same command in other processes, each with its share, while the block runs; then waits for them.

    raises   DublineError if one failed; its own message stands above
    """
    again = [sys.executable, "-m", "flows.cli", *sys.argv[1:], "--jobs", "1", "--share"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    others = [subprocess.Popen([*again, f"{k}/{jobs}"], env=environment) for k in range(1, jobs)]
    try:
        yield
        failed = sum(bool(other.wait()) for other in others)
    finally:
        for other in others:
            other.terminate()
    if failed:
        raise DublineError(f"{failed} of {jobs} processes failed; what was measured is kept, the same command goes on.")
