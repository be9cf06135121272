"""What a person may ask for a film and its dub on a command line: the options that `dub`, `plan` and `submit` share.

A command is written as `command(job, …)`; `takes_job` gives it the options instead. Nothing heavy is imported before
the options were read.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage.errors import Refused
from storage.settings import settings

if TYPE_CHECKING:
    from storage.catalog import Side
    from tasks.job import EpisodeJob

Film = Annotated[Path, typer.Argument(metavar="FILM", help="The film, with all its streams. It is never written to.")]
Sound = Annotated[Path, typer.Argument(metavar="DUB", help="The dubbed sound, as long as the film.")]


def takes_job(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes of `command(job, …)` one that takes the options of `wishes`; `defaults` are those in which it differs."""

    def make(command: Callable[..., None]) -> Callable[..., None]:
        asked = list(inspect.signature(wishes).parameters.values())
        own = list(inspect.signature(command).parameters.values())[1:]
        names = {each.name for each in asked}

        def called(**given: Any) -> None:
            job = wishes(**{name: given.pop(name) for name in names})
            command(job, **given)

        shown = [
            each.replace(kind=each.KEYWORD_ONLY, default=defaults.get(each.name, each.default)) for each in asked + own
        ]
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__dict__["__signature__"] = inspect.Signature(shown)
        return called

    return make


def wishes(
    film: Film,
    sound: Sound,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where the dubbed film goes; OUT.dubline/ lies beside it.")
    ],
    stem: Annotated[list[str] | None, typer.Option(metavar="NAME=FILE", help="Dry dialogue of one character.")] = None,
    voices: Annotated[
        list[str] | None,
        typer.Option(metavar="SOUND=FILE", help="Who speaks in the original or the dub: RTTM, JSON, SRT, VTT, TTML."),
    ] = None,
    cast: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who is who, as `dubline cast save` wrote it before.")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option(metavar="CUT", help="The cut list: EDL, FCPXML, Final Cut 7 XML, AAF or OTIO.")
    ] = None,
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
    pull: Annotated[
        str | None, typer.Option(metavar="shots", help="Write each changed shot as files of its own, too.")
    ] = None,
    pull_as: Annotated[str, typer.Option(help="prores4444 or exr.")] = "prores4444",
    handles: Annotated[int, typer.Option(help="Frames of the film before and after a pulled shot.")] = 8,
    allow_length: Annotated[
        bool, typer.Option("--allow-length", help="Accept a dub longer or shorter than the film.")
    ] = False,
    dub_offset: Annotated[
        str | None,
        typer.Option(metavar="SECONDS|TIMECODE|ignore", help="Where the dub begins, whatever its own timecode says."),
    ] = None,
    dub_mode: Annotated[
        str, typer.Option(help="add the dub to the film's sounds, or replace the first of them.")
    ] = "add",
    dub_language: Annotated[
        str | None, typer.Option(metavar="CODE", help="The dub's language by ISO 639, like de or deu.")
    ] = None,
    purpose: Annotated[str, typer.Option(help="research or commercial; the latter refuses some weights.")] = "research",
    transcript: Annotated[
        bool, typer.Option("--transcript", help="Write down what is said (DUBLINE_WHISPER).")
    ] = False,
    name: Annotated[str | None, typer.Option(help="What to call the episode; otherwise as OUT is called.")] = None,
) -> "EpisodeJob":
    """The job. Refused in words if it cannot be asked so."""
    from tasks.job import asked, nowhere

    return asked(
        film=_file(film), dub=_file(sound), out=_file(out) if out else nowhere(_file(film)), stems=_stems(stem or []),
        voices=_voices(voices or []), cast=_file(cast) if cast else None,
        timeline=_file(timeline) if timeline else None, model=model,
        variant=variant, seed=seed, steps=steps, prompt=prompt, mouths=_mouths(mouth or []),
        speakers=_speakers(speakers), deliver=deliver, pull=pull, pull_as=pull_as, handles=handles,
        allow_length=allow_length, dub_offset=dub_offset, dub_mode=dub_mode, dub_language=dub_language,
        purpose=purpose,
        transcript=transcript, name=name,
    )  # fmt: skip


def _file(typed: Path) -> Path:
    """A path from where one stands, or one of a root of this machine, like films:ep1/film.mov, as it is."""
    root, colon, _ = str(typed).partition(":")
    return typed if colon and root in settings().roots else typed.absolute()


def _stems(given: list[str]) -> dict[str, Path]:
    stems: dict[str, Path] = {}
    for each in given:
        name, equals, file = each.partition("=")
        if not (name and equals and file):
            raise Refused(f"--stem {each}: give the character's name and its file, like --stem Anna=anna.wav.")
        if name in stems:
            raise Refused(f"--stem {name} is given twice. Each character has one stem; mix several into one file.")
        stems[name] = _file(Path(file))
    return stems


def _voices(given: list[str]) -> dict["Side", Path]:
    from storage.catalog import Side

    voices: dict[Side, Path] = {}
    for each in given:
        sound, equals, file = each.partition("=")
        if not (equals and file) or sound not in list(Side):
            raise Refused(
                f"--voices {each}: give the sound and the file, like --voices original=ep1.rttm or dub=ep1.srt."
            )
        if (side := Side(sound)) in voices:
            raise Refused(f"--voices {sound} is given twice. One file says who speaks in a sound.")
        voices[side] = _file(Path(file))
    return voices


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
