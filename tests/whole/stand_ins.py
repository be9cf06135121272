"""The flows of a farm on a stage: as its workers run them, with stand-ins for eyes, ears and painters.

What is computed leaves a line in `evidence`, and a file `trouble/STEP` makes that step fail, die, hang or wait for as
long as it is there, so a test decides what happens when in processes that it did not start.
"""

import os
import signal
import threading
from pathlib import Path
from pkgutil import resolve_name

from storage.errors import ShotFailed
from tests.flows.stage import Stage, stand_in

FOLDER = "STAGE"  # variables of the workers' environment
SHOTS = "STAGE_SHOTS"
LONG = "STAGE_FRAMES_A_SHOT"
ALONE = "STAGE_ALONE"  # seconds of drawing from which a shot has a run of its own


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
    return {FOLDER: str(stage.folder), SHOTS: str(stage.shots), LONG: str(stage.long), ALONE: str(alone)}


def watched() -> Watched:
    return Watched(Path(os.environ[FOLDER]), int(os.environ[SHOTS]), int(os.environ[LONG]))


def _put(name: str, value: object) -> None:
    room, _, last = name.rpartition(".")
    setattr(resolve_name(room), last, value)


if FOLDER in os.environ:
    stand_in(watched(), _put)
    _put("flows.farm.shots.ALONE", float(os.environ[ALONE]))
    _put("flows.estimate.AT_LEAST", 8.0)  # seconds after which a shot counts as hung

from flows.episode import episode  # noqa: E402
from flows.shot import shot  # noqa: E402

__all__ = ["episode", "shot"]
