"""The command `dubline evaluate`: how good drawn mouths are, on people and sentences that were not trained on.

What is measured and against what stands in models/diff2lip/measure.py; what the columns mean is printed above them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storage.errors import DublineError, Refused

if TYPE_CHECKING:
    from models.lipsync import LipSync

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Measure drawn mouths against the film's own.")


@app.command()
def diff2lip(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="With the clips of `dubline train prepare`.")],
    media: Annotated[Path, typer.Option(metavar="MEDIA", help="The films these clips were prepared from.")],
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=WEIGHTS", help="A starter's weights; `starter` alone is ours. May be repeated."),
    ] = None,
    one_step: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=WEIGHTS", help="Weights trained `--without noise`. May be repeated."),
    ] = None,
    per_speaker: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most N clips of a speaker.")] = None,
    no_silence: Annotated[bool, typer.Option("--no-silence", help="Leave out the silences: half the time.")] = False,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Processes, one thread each.")] = 1,
    sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw film, own voice and dub of the last model, side by side.")
    ] = None,
    film: Annotated[
        Path | None, typer.Option(metavar="MP4", help="Make a film with sound: source left, dub by the last model.")
    ] = None,
    share: Annotated[str, typer.Option(hidden=True, help="i/n: every n-th clip from the i-th on.")] = "0/1",
) -> None:
    """Dub the clips kept from training with other people's voices, and print how good each model's mouths are.

    Every model stands beside the film itself, the film undubbed and a mouth that never moves. Figures are kept in
    FOLDER/figures and not measured again: another model of the same name wants another name.
    """
    import cv2
    import torch

    from flows.progress import Lines, progress
    from models.diff2lip import measure, show, tables

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    named = model or ([] if one_step else ["starter"])
    models = {each.partition("=")[0]: _opened(each, one_step=False) for each in named}
    models |= {each.partition("=")[0]: _opened(each, one_step=True) for each in one_step or []}
    chosen = measure.choose(folder / "clips", per_speaker)
    _complete(folder, media, [path.stem for path in chosen])
    first, of = (int(part) for part in share.split("/")) if jobs == 1 else (0, jobs)
    lines = measure.evaluate(
        folder / "figures", chosen, media, models, measure.held_back(), silence=not no_silence, share=(first, of)
    )
    watch = Lines() if first else progress()  # one bar, and lines of the other processes
    try:
        with _others(jobs), watch.step("measure", "clips", f"{first + 1} of {of}" if of > 1 else "") as on_progress:
            for done, clips, line in lines:
                on_progress(done, clips, line)
    except KeyboardInterrupt:
        print("dubline: stopped. What was measured is kept: the same command goes on from there.", file=sys.stderr)
        raise typer.Exit(130) from None
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


def _opened(given: str, *, one_step: bool) -> "LipSync":
    """A model of NAME=WEIGHTS."""
    from models import registry
    from models.diff2lip.render import OneStep

    name, _, weights = given.partition("=")
    option = "--one-step" if one_step else "--model"
    if not name or (not weights and (one_step or name != "starter")):
        raise Refused(f"{option} {given}: give a name and its weights, like {option} mine=FOLDER/starter.safetensors.")
    try:
        if one_step:
            return OneStep(*registry.diff2lip_starter(Path(weights)))
        return registry.renderer("diff2lip", "starter", weights=weights or None)
    except (OSError, registry.BadCheckpoint) as error:
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
