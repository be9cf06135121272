"""Keeps one process and all its descendants: when it ends, or whoever started the keeper dies, none of them lives on.

`python -m flows.farm.keeper COMMAND …` runs COMMAND and ends with its code. Prefect's worker starts every run in a
session of its own, so killing a process group would miss them; an orphan that renders would keep the card. The keeper
adopts what its descendants leave behind (Linux: PR_SET_CHILD_SUBREAPER, prctl(2)). Its standard input is a pipe that
the starter holds open: the end of it means that the starter is gone, even by SIGKILL.

SIGTERM and SIGINT are passed on to COMMAND alone, which may end its own in order. On a machine other than Linux
nothing is adopted, and only COMMAND's direct children are looked for.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h
GRACE_SECONDS: Final = 10.0  # for COMMAND, once its starter is gone


def start(command: list[str], env: dict[str, str], log: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Run `command` under a keeper of its own, in a session of its own, its output going to `log`, which is kept."""
    words = [sys.executable, "-m", "flows.farm.keeper", *command]
    with log.open("ab") as output:
        return subprocess.Popen(
            words, env=env, cwd=folder, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
        )


def keep(command: list[str]) -> int:
    """Run `command` to its end, and see to it that nothing of it is left."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda said, _: _send(child.pid, said))
    threading.Thread(target=_watch_the_starter, args=(child,), daemon=True).start()
    code = None
    while code is None:  # every descendant that was left behind is reaped here, not only the child
        pid, status = os.waitpid(-1, 0)
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            child.returncode = code
    _end_all()
    return code if code >= 0 else 128 - code


def _watch_the_starter(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    _send(child.pid, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    _end_all()


def _end_all() -> None:
    """SIGKILL to every descendant until there is none: a child of one that was killed comes to us, and is next."""
    while found := descendants(os.getpid()):
        for pid in found:
            _send(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)


def _send(pid: int, said: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, said)


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on, the nearest first; without those that have ended and wait to be reaped."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            parents.setdefault(int(parent), []).append(int(folder.name))
    found = list(parents.get(pid, ()))
    for each in found:
        found.extend(parents.get(each, ()))
    return found


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
