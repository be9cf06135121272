"""What a person sees while an episode is worked on: bars on a terminal, lines everywhere else.

A step knows nothing of this. It is handed a function `on_progress(done, total)` and may call it as often as it likes.
Long work that has something to tell on the way gives a third argument, a line that is kept.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol, TextIO

SECONDS_BETWEEN_LINES: Final = 5.0


class Show(Protocol):
    """How far it is, as `tasks.progress.OnProgress`, and what there is to tell."""

    def __call__(self, done: int, total: int, line: str = "", /) -> None: ...


class Progress(Protocol):
    """Shows one thing at a time."""

    def step(self, name: str, unit: str = "", what: str = "") -> AbstractContextManager[Show]:
        """While the block runs, `name` (of the shot or file `what`) is being done, counted in `unit`."""
        ...

    def say(self, line: str) -> None:
        """One line for the person, kept."""
        ...


class Lines:
    """`look  sh0040  120/480 frames`: for logs and pipes, at most one line in five seconds a step."""

    def __init__(self, to: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._to = to or sys.stderr
        self._clock = clock

    @contextmanager
    def step(self, name: str, unit: str = "", what: str = "") -> Iterator[Show]:
        began = last = self._clock()

        def show(done: int, total: int, line: str = "", /) -> None:
            nonlocal last
            if line or self._clock() - last >= SECONDS_BETWEEN_LINES:
                last = self._clock()
                self.say(_line(name, what, f"{done}/{total} {unit}", line))

        yield show
        self.say(_line(name, what, f"{self._clock() - began:.1f} s"))

    def say(self, line: str) -> None:
        print(line, file=self._to, flush=True)


class Logged(Lines):
    """Lines in the log of the Prefect run, which its page shows."""

    def say(self, line: str) -> None:
        from prefect import get_run_logger

        get_run_logger().info(line)


class Bars:
    """One bar a step, by rich."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)

    @contextmanager
    def step(self, name: str, unit: str = "", what: str = "") -> Iterator[Show]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn(f"{name:<8}"),
            TextColumn(f"{what:<8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as bars:
            bar = bars.add_task(name, total=None)

            def show(done: int, total: int, line: str = "", /) -> None:
                bars.update(bar, completed=done, total=total)
                if line:
                    self.say(f"{done:>6}  {line}")

            yield show
            task = bars.tasks[0]
            bars.update(bar, total=task.total or 1, completed=task.total or 1)

    def say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False)


def progress() -> Progress:
    """Bars if somebody is looking."""
    return Bars() if sys.stderr.isatty() else Lines()


def _line(name: str, what: str, *states: str) -> str:
    return "  ".join(part for part in (f"{name:<7}", what, *states) if part).rstrip()
