"""Peak memory of perception on a short and on a long film: one film of tests/scenes over and over, by stream copy.

    python -m tests.bench.forty [SHORT LONG]      minutes, 10 and 40 if nothing is said

Every step runs in a process of its own, so its peak is its own; what a step leaves behind is on disk for the next. Ten
and forty minutes take about an hour of CPU.
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from math import ceil
from pathlib import Path
from typing import Any, Final

import soundfile

from storage.film import programs
from storage.film.probe import probe
from tasks.cast import cast
from tasks.listen import listen
from tasks.look import look
from tasks.split import split
from tests.bench.casting import numbered
from tests.scenes import make

FILM: Final = "two_24"
STEPS: Final = ("split", "look", "listen", "cast")


def over_and_over(folder: Path, film: Path, dub: Path, minutes: int) -> tuple[Path, Path]:
    """The film and its dub repeated until they are that long, without decoding the pictures."""
    times = ceil(60 * minutes / probe(film).duration)
    long, longer = folder / f"{minutes}.mov", folder / f"{minutes}.wav"
    programs.ffmpeg(["-y", "-stream_loop", str(times - 1), "-i", str(film), "-c", "copy", str(long)])
    sound, hz = soundfile.read(str(dub), dtype="int16")
    with soundfile.SoundFile(str(longer), "w", hz, 1, "PCM_16") as out:
        for _ in range(times):
            out.write(sound)
    return long, longer


def take(step: str, film_path: Path, dub: Path, folder: Path) -> dict[str, float]:
    """One step, here; says what it needed."""
    film = probe(film_path)

    def found(name: str) -> Any:
        return pickle.loads((folder / f"{film_path.stem}.{name}").read_bytes())  # noqa: S301 — this bench's own

    match step:
        case "split":
            rows: Any = numbered(split.fn(film))
        case "look":
            rows = numbered(look.fn(film, found("split")).tracks)
        case "listen":
            rows = listen.fn(film, dub, {})
            numbered(list({id(turn.speaker): turn.speaker for turn in rows.turns}.values()))
        case _:
            heard = found("listen")
            speech = {name: sound.sha for name, sound in heard.speech.items()}
            rows = cast.fn(film, found("look"), heard.turns, speech)
    (folder / f"{film_path.stem}.{step}").write_bytes(pickle.dumps(rows))
    return {"peak": peak(), "seconds": sum(os.times()[:4]), "minutes": float(film.duration) / 60}


def peak() -> float:
    """MiB that this process has held at most. getrusage would also count what the process was that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def rows(shared: Path, lengths: tuple[int, int] = (10, 40)) -> list[str]:
    """A table: by step the peak of each film, and their ratio."""
    table = [
        "| step | " + " | ".join(f"{n} minutes" for n in lengths) + " | ratio | CPU seconds a minute |",
        "|---" * 5 + "|",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film, dub, _ = make(folder, FILM, shared / "media")
        films = [over_and_over(folder, film, dub, minutes) for minutes in lengths]
        for step in STEPS:
            peaks, spent = [], 0.0
            for pair in films:
                home = {**os.environ, "DUBLINE_HOME": str(folder / "house")}
                command = [sys.executable, "-m", "tests.bench.forty", step, *map(str, pair), str(folder)]
                said = subprocess.run(command, env=home, stdout=subprocess.PIPE, check=True, text=True)
                used = json.loads(said.stdout.splitlines()[-1])
                peaks.append(used["peak"])
                spent = used["seconds"] / used["minutes"]
            table.append(
                f"| {step} | {peaks[0]:.0f} MiB | {peaks[1]:.0f} MiB | {peaks[1] / peaks[0]:.2f} | {spent:.1f} |"
            )
    return table


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        print(json.dumps(take(sys.argv[1], *map(Path, sys.argv[2:5]))))
    else:
        here = Path(os.environ.get("DUBLINE_SHARED", Path(__file__).parents[3] / "shared"))
        asked = [int(minutes) for minutes in sys.argv[1:3]] or [10, 40]
        print("\n".join(rows(here, (asked[0], asked[1]))))
