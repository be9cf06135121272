"""Makes the demo film and dubs it, as `dubline dub` would."""

from pathlib import Path

from flows.delivery import Delivery
from flows.demo.film import make
from flows.episode import dub
from flows.progress import Progress
from tasks.job import asked


def play(folder: Path, progress: Progress) -> Delivery:
    """The delivery of the demo film in `folder`. A second time it is already there."""
    film, sound = folder / "film.mov", folder / "dub.wav"
    if not (film.is_file() and sound.is_file()):
        with progress.step("shoot"):
            make(folder)
    return dub(asked(film=film, dub=sound, out=folder / "dubbed.mov", name="demo"), progress)
