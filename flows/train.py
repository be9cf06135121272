"""The commands `dubline train …`: from films of people who speak to weights that draw mouths.

Every command can be stopped and asked again. Deliberately not here: how something is taught (models/*/train.py) and
with which numbers (models/*/training.toml). No Prefect: a training is one process, and its checkpoint is all it needs
to go on.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storage.errors import Missing, Refused, TrainingFailed

if TYPE_CHECKING:
    from models.diff2lip.train.learn import Variant

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make weights: prepare clips, teach the sync experts, train a model. docs/TRAINING.md walks through it.",
)

Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Where clips, experts, checkpoints and sheets are kept; 2 GB for GRID.")
]
Settings = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="A changed copy of models/diff2lip/train/training.toml, which says why each number."
    ),
]


@app.command()
def prepare(
    folder: Folder,
    media: Annotated[
        Path, typer.Option(metavar="MEDIA", help="A folder with films named grid_SPEAKER_SENTENCE.mp4 anywhere below.")
    ],
) -> None:
    """Find the face in every frame of every clip, and keep faces, meshes and sound in FOLDER/clips for training.

    One person a clip, 25 frames a second, with sound. A clip that is there is not read again.
    """
    from av import FFmpegError

    from flows.progress import progress
    from models.corpus.clips import clips, parts
    from models.corpus.prepare import prepare
    from models.diff2lip.window import CROP
    from models.face.detect import Detector
    from models.face.mesh import Mesh

    films = list(clips(media))
    if not films:
        raise Refused(f"Nothing in {media} or below is named like grid_s26_bgbsza.mp4, so there is nothing to prepare.")
    ready, show, left_out = folder / "clips", progress(), 0
    ready.mkdir(parents=True, exist_ok=True)
    _one_thread()
    detector, mesh = Detector(), Mesh()
    again = "What is prepared is kept: the same command goes on from there."
    with _stoppable(lambda: again), show.step("prepare", "clips") as on_progress:
        for n, film in enumerate(films, start=1):
            try:
                why = "" if prepare(film, ready, CROP, detector, mesh) else "some frame shows no face"
            except (FFmpegError, ValueError, IndexError) as error:
                why = f"it cannot be read ({error})"
            left_out += bool(why)
            on_progress(n, len(films), f"left out: {film}, {why}" if why else "")
    part = list(parts([path.stem for path in ready.glob("*.npz")]).values())
    print(
        f"{ready}: {len(part)} clips, {part.count('train')} to learn from, the others kept for judging; "
        f"{left_out} left out."
    )
    print(f"Next: `dubline train syncnet {folder}`, or, with the experts that come with Dubline, "
          f"`dubline train diff2lip {folder}`.")  # fmt: skip


@app.command()
def syncnet(folder: Folder, settings: Settings = None) -> None:
    """Teach the two sync experts: one that trains Diff2Lip, and one that only ever judges.

    Reads FOLDER/clips, writes FOLDER/expert.safetensors and FOLDER/judge.safetensors. Always on the CPU. Stopped, it
    begins again.
    """
    from flows.progress import progress
    from models.corpus.clips import to_learn_from
    from models.diff2lip.train import recipe
    from models.syncnet.train import teach

    with _asked():
        plan = recipe.read_experts(settings or recipe.SETTINGS)
        paths = to_learn_from(folder)
    _one_thread()
    begins = "No expert is half taught: the same command begins again."
    with _stoppable(lambda: begins), progress().step("syncnet", "steps") as on_progress:
        for step, of, line in teach(
            paths, folder, seed=plan.seed, judge_seed=plan.judge_seed, points_steps=plan.points_steps,
            pixels_steps=plan.pixels_steps,
        ):  # fmt: skip
            on_progress(step, of, line)
    print(f"{folder / 'expert.safetensors'}: trains, by `dubline train diff2lip {folder}`")
    print(f"{folder / 'judge.safetensors'}: judges, and is in no loss")


@app.command()
def diff2lip(
    folder: Folder,
    variant: Annotated[
        str, typer.Option(help="starter (ours, for a CPU) or paper (the published network).")
    ] = "starter",
    settings: Settings = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="LOSS", help="Leave a loss out, or `noise` (one step of regression). May be repeated."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="RUN", help="The run's folder in FOLDER; otherwise as variant and losses are.")
    ] = None,
    lpips_trunk: Annotated[
        Path | None, typer.Option(metavar="FILE", help="torchvision's alexnet-owt-7be5be79.pth, for LPIPS.")
    ] = None,
    lpips_heads: Annotated[
        Path | None, typer.Option(metavar="FILE", help="lpips/weights/v0.1/alex.pth of the lpips package.")
    ] = None,
) -> None:
    """Train Diff2Lip on FOLDER/clips, with the expert of FOLDER or, without one, the expert that comes with Dubline.

    FOLDER/RUN gets a checkpoint, curves.png and a sheet of drawn mouths again and again, and in the end the weights.
    Stopped or killed, the same command goes on from the last checkpoint and comes out the same.
    """
    if variant not in ("starter", "paper"):
        raise Refused(f"--variant {variant}: there are starter and paper.")
    _named(name, folder)
    if (lpips_trunk is None) != (lpips_heads is None):
        raise Refused("--lpips-trunk and --lpips-heads go together: LPIPS is a network and the weights of its layers.")
    with _installed():
        from models.diff2lip.train import recipe
        from models.diff2lip.train.learn import learn, place
        from models.training.diverged import Diverged
    kind: Variant = "paper" if variant == "paper" else "starter"
    left_out = tuple(without or ())
    out = place(folder, kind, left_out, name)
    _one_thread()
    with _stoppable(lambda: _how_to_go_on(out)):
        with _asked():
            lines = learn(
                folder, kind, settings=settings or recipe.SETTINGS,
                without=left_out, name=name, lpips=(lpips_trunk, lpips_heads) if lpips_trunk and lpips_heads else None,
            )  # fmt: skip
        _follow(lines, out, Diverged)
    weights = out / f"{variant}.safetensors"
    _done(weights, out)
    option = "--one-step" if "noise" in left_out else "--model"
    if variant == "starter":
        print(f"Next: `dubline evaluate diff2lip {folder} --media MEDIA {option} {out.name}={weights}`.")


@app.command()
def omnisync(
    folder: Folder,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A changed copy of models/omnisync/train/training.toml, which says why each number."
        ),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="LOSS", help="Leave a loss out. May be repeated.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="RUN", help="The run's folder in FOLDER; otherwise as the losses are.")
    ] = None,
) -> None:
    """Train the starter of OmniSync on puppets, drawn as they are needed, with the voices of FOLDER/clips.

    FOLDER/RUN gets a checkpoint, curves.png and a sheet of drawn mouths again and again, and in the end the weights.
    Stopped or killed, the same command goes on from the last checkpoint and comes out the same.
    """
    _named(name, folder)
    with _installed():
        from models.omnisync.train import recipe
        from models.omnisync.train.learn import FILE, learn, place
        from models.training.diverged import Diverged

    left_out = tuple(without or ())
    out = place(folder, left_out, name)
    _one_thread()
    with _stoppable(lambda: _how_to_go_on(out)):
        with _asked():
            lines = learn(folder, settings=settings or recipe.SETTINGS, without=left_out, name=name)
        _follow(lines, out, Diverged)
    _done(out / FILE, out)
    print(f"Next: `dubline evaluate omnisync {folder} --model {out.name}={out / FILE}`.")


def _named(name: str | None, folder: Path) -> None:
    if name is not None and (name == ".." or Path(name).name != name):
        raise Refused(f"--name {name}: give a name, not a path; the run lies in {folder}.")


def _follow(lines: Iterator[tuple[int, int, str]], out: Path, diverged: type[ArithmeticError]) -> None:
    """Shows how far a training is, to its end."""
    from flows.progress import progress

    show = progress()
    show.say(f"To look at while it runs: {out / 'curves.png'}, and the newest sheet_*.png beside it.")
    try:
        with show.step("train", "steps", out.name) as on_progress:
            for step, of, line in lines:
                on_progress(step, of, line)
    except diverged as error:
        raise TrainingFailed(f"{out.name} stopped at {error}, by --settings. {_how_to_go_on(out)}") from error


def _done(weights: Path, out: Path) -> None:
    sheets = sorted(out.glob("sheet_*.png"))
    print(f"{weights}: the weights\n{out / 'curves.png'}: the losses\n{sheets[-1]}: filmed above drawn")


def _how_to_go_on(out: Path) -> str:
    if not (out / "run.pt").exists():
        return "There is no checkpoint yet: the same command begins again."
    return f"The last good checkpoint is {out / 'run.pt'}: the same command goes on from it."


def _one_thread() -> None:
    """Of OpenCV, which is called for small pictures; torch keeps to DUBLINE_THREADS."""
    import cv2

    cv2.setNumThreads(1)


@contextmanager
def _asked() -> Iterator[None]:
    """What is wrong with files and settings before anything has begun is the asker's to mend."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise Refused(f"{error}. Nothing was started.") from error


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("accelerate", "matplotlib"):
            raise
        raise Missing(f"Training needs {error.name}, which this Python lacks: `pip install {error.name}`.") from error


@contextmanager
def _stoppable(what_next: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print(f"dubline: stopped. {what_next()}", file=sys.stderr)
        raise typer.Exit(130) from None
