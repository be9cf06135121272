"""A post: a process that shall run, and is started again when it ends, after pauses that grow if it does not last."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from flows.farm import keeper

PAUSES: Final = (1, 2, 5, 15, 60)  # seconds before it is started again the first, second, … time
STEADY_SECONDS: Final = 300.0  # who lasted so long begins with the shortest pause again


@dataclass
class Post:
    """What shall run, under a keeper of its own."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    folder: Path
    clock: Callable[[], float] = time.monotonic
    _kept: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _since: float = field(default=0.0, init=False)
    _due: float = field(default=0.0, init=False)
    _falls: int = field(default=0, init=False)

    def start(self) -> None:
        self._kept = keeper.start(self.command, self.env, self.log, self.folder)
        self._since = self.clock()

    def stands(self) -> bool:
        return self._kept is not None and self._kept.poll() is None

    def code(self) -> int:
        """What it ended with, by itself; it is not started again."""
        assert self._kept is not None
        code, self._kept = self._kept.wait(), None
        return code

    def fallen(self) -> tuple[str, list[str]] | None:
        """Once, after it has ended by itself: what to tell, and the flow runs that went with it."""
        if self._kept is None or self._kept.poll() is None:
            return None
        if self.clock() - self._since >= STEADY_SECONDS:
            self._falls = 0
        pause = PAUSES[min(self._falls, len(PAUSES) - 1)]
        code, lost = self._kept.returncode, keeper.runs_lost(self._kept)
        self._kept, self._falls, self._due = None, self._falls + 1, self.clock() + pause
        return f"ended with code {code}; started again in {pause} s. Its last words are in {self.log}", lost

    def tend(self) -> bool:
        """Start it again if that is due; whether it was."""
        if self._kept is not None or self.clock() < self._due:
            return False
        self.start()
        return True

    def end(self, seconds: float) -> list[str]:
        """End it in order, in so many seconds at most. The flow runs that went with it."""
        if self._kept is None:
            return []
        kept, self._kept = self._kept, None
        return keeper.end(kept, seconds)
