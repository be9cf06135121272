"""Looks over a machine: what Dubline needs, what is there, and what to do about the rest.

Every check looks and touches nothing. What is needed decides the exit code; what only adds something does not.
"""

import importlib
import importlib.metadata
import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.errors import DublineError, Missing, Refused
from storage.film import programs
from storage.film.containers import MKV, MOV, MP4, MXF, Container
from storage.film.programs import Program
from storage.film.tried import tried
from storage.settings import settings

FREE_GIB: Final = 5  # takes, caches and a mezzanine of a short film


@dataclass(frozen=True)
class Check:
    """One thing that was looked for."""

    name: str
    ok: bool
    needed: bool  # without it nothing can be dubbed
    found: str
    do: str = ""  # what helps, if it is not ok


def examine() -> list[Check]:
    """All checks, in the order in which a film needs them. A check that breaks is a check that failed."""
    return [_guarded(check) for check in CHECKS]


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:
        name = check.__name__.removeprefix("_").replace("_", " ")
        if isinstance(error, DublineError):  # says itself what to do
            return Check(name, False, True, str(error))
        do = "Run `make setup`, or `pip install .` in Dubline's folder."
        return Check(name, False, True, f"{type(error).__name__}: {error}", do)


def _python() -> Check:
    fits = (3, 11) <= sys.version_info < (3, 13)
    return Check("python", fits, True, f"{platform.python_version()} in {sys.prefix}", "Use Python 3.11 or 3.12.")


def _ffmpeg() -> Check:
    return _program("ffmpeg", settings().ffmpeg)


def _ffprobe() -> Check:
    return _program("ffprobe", settings().ffprobe)


def _program(name: Program, given: Path | None) -> Check:
    path = programs.find(name, given)
    said = subprocess.run([path, "-hide_banner", "-version"], capture_output=True, text=True, check=False)
    version = said.stdout.split("\n")[0].removeprefix(f"{name} version ").split(" ")[0]
    whence = "setting" if given else "PATH" if shutil.which(name) == str(path) else "pip"
    return Check(name, said.returncode == 0, True, f"{version}, {path} ({whence})", f"Set DUBLINE_{name.upper()}.")


def opencv() -> Check:
    wheels = sorted(
        f"{each.metadata['Name']} {each.version}"
        for each in importlib.metadata.distributions()
        if (each.metadata["Name"] or "").lower().startswith("opencv")
    )
    import cv2

    ok = len(wheels) == 1 and cv2.__version__.startswith("4.")
    do = "Uninstall all of them, then `pip install 'opencv-python-headless>=4.13,<5'`: they overwrite each other."
    return Check("opencv", ok, True, f"cv2 {cv2.__version__} from {', '.join(wheels) or 'nowhere'}", do)


def _torch() -> Check:
    import torch

    return Check("torch", True, True, f"{torch.__version__}, {torch.get_num_threads()} threads")


def _gpu() -> Check:
    import torch

    if not torch.cuda.is_available():
        return Check("gpu", False, False, "none; the CPU draws, slowly", "Install a driver and a CUDA build of torch.")
    card = torch.cuda.get_device_properties(0)
    return Check("gpu", True, False, f"{card.name}, {card.total_memory / 2**30:.0f} GiB")


def _faces() -> Check:
    from models.face import detect

    names = ("face_detection_short_range", "face_detection_back", "face_landmark")
    absent = [name for name in names if not (detect.WEIGHTS / f"{name}.tflite").is_file()]
    return Check("face models", not absent, True, ", ".join(absent) + " missing" if absent else str(detect.WEIGHTS),
                 "Install Dubline again: they are part of it.")  # fmt: skip


def _voices() -> Check:
    from models.speech import weights

    found = weights.find(settings().weights)
    where = found.pipeline or found.folder
    do = "Run `make setup`, or put a pyannote pipeline into DUBLINE_WEIGHTS. Without it give one --stem a character."
    return Check("voice weights", where is not None, False, str(where or "none: voices are not told apart"), do)


def _persons() -> Check:
    from models.face import identity

    where, dlib = identity.FILE.find(settings().weights), importlib.util.find_spec("dlib") is not None
    lacking = "none" if where is None else f"{where}, but no dlib to run it" if not dlib else ""
    do = "Run `make setup`. Without it a photographed face is somebody new in every shot."
    said = f"{lacking}: nobody is known again" if lacking else str(where)
    return Check("faces known again", not lacking, False, said, do)


def _talking() -> Check:
    from models.lr_asd import watch

    where = watch.FILE.find(settings().weights)
    do = f"Put {watch.FILE.name} of LR-ASD (MIT) into DUBLINE_WEIGHTS, or leave it: lips and sync do without."
    return Check("active speaker", where is not None, False, str(where or "Dubline's own alone; no LR-ASD"), do)


def _starter() -> Check:
    package = importlib.util.find_spec("models")
    folders = [Path(place) for place in (package.submodule_search_locations if package else None) or ()]
    found = sorted(file for folder in folders for file in folder.rglob("*.safetensors"))
    said = ", ".join(f"{file.parent.name}/{file.name}" for file in found) or "none"
    return Check("starter weights", bool(found), True, said, "Install Dubline again, or train: `dubline train --help`.")


def _whisper() -> Check:
    path = settings().whisper
    there = path is not None and path.is_file()
    return Check("whisper", there, False, str(path or "none: no transcripts"), "Set DUBLINE_WHISPER to a .pt file.")


def _writes_mov() -> Check:
    return _writes(MOV)


def _writes_mp4() -> Check:
    return _writes(MP4)


def _writes_mkv() -> Check:
    return _writes(MKV)


def _writes_mxf() -> Check:
    return _writes(MXF)


def _writes(container: Container) -> Check:
    """What this ffmpeg puts into a container so that it comes out whole; tried, not looked up."""
    found = tried()[container.name]
    said = f"{', '.join(found.pictures)}; {', '.join(found.sounds)}"
    if absent := [*found.no_pictures, *found.no_sounds]:
        said += f". Not {', '.join(absent)}"
    if container.hz:
        said += f". Sound of {container.hz} Hz and whole frames; no languages, titles, chapters or subtitles"
    do = "Set DUBLINE_FFMPEG to a build with libx264, libx265 and prores_ks."
    return Check(f"writes {container.name}", bool(found.pictures and found.sounds), False, said, do)


def _catalog() -> Check:
    from storage.catalog.session import Standing, shown_url, standing

    found = standing()
    ok = found is not Standing.NEWER
    do = "Install the newer Dubline that wrote it, or set DUBLINE_CATALOG to another database."
    return Check("catalog", ok, True, f"{found}, {shown_url()}", do)


def _artifacts() -> Check:
    from storage import store

    return Check("artifacts", True, True, store.look())


def _roots() -> Check:
    roots = settings().roots
    absent = [f"{name}={folder}" for name, folder in roots.items() if not folder.is_dir()]
    said = "none: all machines see films under the same paths"
    if roots:
        said = (
            f"not there: {', '.join(absent)}" if absent else ", ".join(f"{n}={folder}" for n, folder in roots.items())
        )
    return Check("roots", not absent, True, said, "Mount the folder, or change DUBLINE_ROOTS.")


def _rules() -> Check:
    from tasks import rules

    path = settings().routes or rules.OURS
    try:
        found = rules.rules()
    except Refused as error:
        return Check("rules", False, True, str(error), "Correct the table, or unset DUBLINE_ROUTES to take ours.")
    return Check("rules", True, True, f"{path}: {len(found.choice)} choices, {len(found.limit)} limits")


def _disk() -> Check:
    home = settings().home
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free / 2**30
    do = f"Make room, or set DUBLINE_HOME to a folder with {FREE_GIB} GiB free."
    return Check("disk", free >= FREE_GIB, True, f"{free:.0f} GiB free for {home}", do)


def farm() -> Check:
    from flows.farm import env

    url = env.address()
    if url is None:
        return Check("farm", False, False, "none; `dubline dub` needs none", "`dubline up` starts one on this machine.")
    try:
        with env.reach(url) as client:
            from flows.farm.workers import seen_lately

            seen = ", ".join(seen_lately(client)) or "nobody"
    except Missing as error:
        return Check("farm", False, False, str(error))
    return Check("farm", True, False, f"{url}; workers seen lately: {seen}")


CHECKS: Final[Sequence[Callable[[], Check]]] = (
    _python, _ffmpeg, _ffprobe, opencv, _torch, _gpu, _faces, _persons, _voices, _talking, _starter, _whisper,
    _writes_mov, _writes_mp4, _writes_mkv, _writes_mxf, _catalog, _artifacts, _roots, _rules, _disk, farm,
)  # fmt: skip


def facts(checks: Sequence[Check]) -> list[dict[str, object]]:
    """The checks as a table's rows."""
    return [
        {"check": c.name, "state": "ok" if c.ok else "missing" if c.needed else "absent", "found": c.found,
         "do": "" if c.ok else c.do}
        for c in checks
    ]  # fmt: skip
