"""A process killed in the middle of the night costs what it had in hand, and nothing that it had finished."""

import signal
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text

from tests.whole.studio import SHORT, Studio, open_studio


def _takes(studio: Studio) -> list[Any]:
    catalog = studio.home / "catalog.sqlite"
    if not catalog.exists():
        return []
    engine = create_engine(f"sqlite:///file:{catalog}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("take"):  # the file is there before its tables are
                return []
            return list(connection.execute(text("select key, version, rendered_us, patch from take order by id")))
    finally:
        engine.dispose()


def _kill_when(running: subprocess.Popen[bytes], seen: Callable[[], bool]) -> None:
    """Waits for a state of the world, then kills; fails if the process ends first."""
    while not seen():
        try:
            running.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError("the command ended before it could be killed")
    running.send_signal(signal.SIGKILL)
    running.wait()


def test_killed_while_rendering_it_goes_on_and_draws_no_finished_shot_twice(tmp_path: Path) -> None:
    studio = open_studio(tmp_path, Fraction(24000, 1001), "01:00:00:00", SHORT)
    command = studio.command("dub", studio.film, studio.dub, "-o", studio.folder / "out.mov")
    with (studio.folder / "log").open("wb") as log:
        running = subprocess.Popen(command, env=studio.environment, stdout=log, stderr=log)
        _kill_when(running, lambda: len(_takes(studio)) == 1)
    first = _takes(studio)
    assert len(first) == 1 and not (studio.folder / "out.mov").exists()

    ended = studio.run(*command[3:])
    assert ended.returncode == 0, ended.stderr
    after = _takes(studio)
    assert after[:1] == first, "the finished take was drawn again"
    assert len({take.key for take in after}) == len(after) == 3
    assert (studio.folder / "out.mov").exists()
