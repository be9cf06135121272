"""Keeps one process and all its descendants: when it ends, or whoever started the keeper dies, none of them lives on.

`python -m flows.farm.keeper COMMAND …` runs COMMAND and ends with its code. Prefect's worker starts every run in a
session of its own, so killing a process group would miss them; an orphan that renders would keep the card. The keeper
adopts what its descendants leave behind (Linux: PR_SET_CHILD_SUBREAPER, prctl(2)). Its standard input is a pipe that
the starter holds open: the end of it means that the starter is gone, even by SIGKILL. On its standard output it says
at the end which flow runs went with COMMAND, one id a line; what COMMAND says goes to its standard error.

SIGTERM and SIGINT are passed on to COMMAND alone, which may end its own in order.
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
RUN_ID: Final = b"PREFECT__FLOW_RUN_ID="  # in the environment of the process of a flow run


def start(command: list[str], env: dict[str, str], log: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Run `command` under a keeper, in a session of its own; what it says is added to `log`."""
    words = [sys.executable, "-m", "flows.farm.keeper", *command]
    pipe = subprocess.PIPE
    with log.open("ab") as said:
        return subprocess.Popen(
            words, env=env, cwd=folder, stdin=pipe, stdout=pipe, stderr=said, start_new_session=True
        )


def end(kept: subprocess.Popen[bytes], seconds: float) -> list[str]:
    """Ask it to end, wait so long, end it by force. The ids of the flow runs that went with it."""
    with suppress(ProcessLookupError):
        kept.terminate()
    try:
        kept.wait(seconds)
    except subprocess.TimeoutExpired:
        for pid in descendants(kept.pid):
            _send(pid, signal.SIGKILL)
        kept.wait()
    return runs_lost(kept)


def runs_lost(kept: subprocess.Popen[bytes]) -> list[str]:
    """The ids of the flow runs that went with a process that has ended."""
    assert kept.stdin and kept.stdout
    kept.stdin.close()
    with kept.stdout as said:
        return said.read().decode().split()


def keep(command: list[str]) -> int:
    """Run `command` to its end, and see to it that nothing of it is left."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).pid
    lost: set[str] = set()

    def pass_on(said: int, _: object) -> None:
        lost.update(_runs(descendants(os.getpid())))
        _send(child, said)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    threading.Thread(target=_watch_the_starter, args=(child,), daemon=True).start()
    while True:  # whatever was left behind is reaped here too
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            break
    lost |= _end_all()
    print(*lost, sep="\n", flush=True)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _watch_the_starter(child: int) -> None:
    while os.read(0, 1024):
        pass
    _send(child, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    _end_all()


def _end_all() -> set[str]:
    """SIGKILL to every descendant until there is none: a child of one that was killed comes to us, and is next."""
    lost: set[str] = set()
    while found := descendants(os.getpid()):
        lost |= _runs(found)
        for pid in found:
            _send(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)
    return lost


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on, the nearest first; without those that have ended and wait to be reaped."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                children.setdefault(int(parent), []).append(int(folder.name))
    found = list(children.get(pid, ()))
    for each in found:
        found.extend(children.get(each, ()))
    return found


def _runs(pids: list[int]) -> set[str]:
    found = set()
    for pid in pids:
        with suppress(OSError):
            env = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            found |= {each.removeprefix(RUN_ID).decode() for each in env if each.startswith(RUN_ID)}
    return found


def _send(pid: int, said: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, said)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
