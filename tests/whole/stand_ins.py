"""The flows of a farm on a stage: as its workers run them, with stand-ins for eyes, ears and painters.

What is computed leaves a line in `evidence`, and a file `trouble/STEP` makes that step fail, die, hang or wait for as
long as it is there, so a test decides what happens when in processes that it did not start.
"""

import os
import signal
import threading
from pathlib import Path
from pkgutil import resolve_name

from flows import patience
from storage.errors import ShotFailed
from tests.flows.stage import Stage, stand_in

FOLDER = "STAGE"  # variables of the workers' environment
LONG = "STAGE_FRAMES_A_SHOT"
ALONE = "STAGE_ALONE"  # seconds of drawing from which a shot has a run of its own
PATIENT = "STAGE_PATIENT"  # it is tried again after the true pauses, and not at once


class Watched(Stage):
    """A stage of many processes."""

    def enter(self, step: str) -> None:
        with (self.folder / "evidence").open("a") as evidence:
            evidence.write(f"{step}\n")
        trouble = self.folder / "trouble" / step
        while trouble.exists():
            match trouble.read_text():
                case "fail":
                    raise ShotFailed("the face leaves the picture")
                case "memory":
                    raise MemoryError("no room for 40 GiB")
                case "die":
                    os.kill(os.getpid(), signal.SIGSEGV)
                case "hang":
                    threading.Event().wait()
                case _:
                    threading.Event().wait(0.05)  # until the test lets it go on


def environment(stage: Stage, alone: float) -> dict[str, str]:
    """What the processes of a farm must be told to play on this stage."""
    return {FOLDER: str(stage.folder), LONG: str(stage.long), ALONE: str(alone)}


def watched() -> Watched:
    return Watched(Path(os.environ[FOLDER]), long=int(os.environ[LONG]))


def _put(name: str, value: object) -> None:
    room, _, last = name.rpartition(".")
    setattr(resolve_name(room), last, value)


if FOLDER in os.environ:
    pauses = patience.PAUSES
    stand_in(watched(), _put)
    if PATIENT in os.environ:
        _put("flows.patience.PAUSES", pauses)
    _put("flows.farm.shots.ALONE", float(os.environ[ALONE]))
    _put("flows.night.POLL_SECONDS", 1.0)
    if "hang" in (each.read_text() for each in (watched().folder / "trouble").iterdir()):
        _put("flows.estimate.AT_LEAST", 3.0)  # seconds after which a shot counts as hung

from flows.episode import episode  # noqa: E402
from flows.night import night  # noqa: E402
from flows.shot import shot  # noqa: E402

__all__ = ["episode", "night", "shot"]
